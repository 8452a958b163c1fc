"""The pages that the links of a change of address lead to."""

from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.link_pages import show_missing_link
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.visits import Visit

SWITCH = "sign-in"
"""The button of a visitor who is signed in as another user."""


async def show_confirm(visit: Visit, form: Form) -> Outcome:
    """Ask the signed-in user for a press: the link works in their sessions alone."""
    link = visit.link(LinkKind.NEW_ADDRESS)
    if link is None:
        return show_missing_link(form, places.CONFIRM_EMAIL)
    user = await visit.call("GET", "/v1/me")
    return Shown(template="confirm_email", form=form, words={"link": link, "user": user})


async def submit_confirm(visit: Visit) -> Outcome:
    """Change the address, or sign in as the user who asked for it."""
    link = visit.link(LinkKind.NEW_ADDRESS)
    if link is None:
        return await show_confirm(visit, Form())
    if visit.typed.get("press") == SWITCH:
        visit.keep_link(LinkKind.NEW_ADDRESS, link)
        await visit.end_session()
        return SeeOther(with_query(places.SIGN_IN, to=places.CONFIRM_EMAIL))
    await visit.call("POST", "/v1/me/email/confirm", {"token": link.token})
    visit.forget_link(LinkKind.NEW_ADDRESS)
    return SeeOther(with_query(places.HOME, done="address-changed"))


async def show_undo(visit: Visit, form: Form) -> Outcome:
    """Say what taking the change back ends, and ask for a press; no sign-in is needed."""
    link = visit.link(LinkKind.FORMER_ADDRESS)
    if link is None:
        return show_missing_link(form, places.UNDO_EMAIL)
    return Shown(template="undo_email", form=form, words={"link": link})


async def submit_undo(visit: Visit) -> Outcome:
    """Give the former address back; a new password comes next."""
    link = visit.link(LinkKind.FORMER_ADDRESS)
    if link is None:
        return await show_undo(visit, Form())
    await visit.ask("/v1/email/undo", {"token": link.token})
    visit.forget_link(LinkKind.FORMER_ADDRESS)
    await visit.end_session()
    return SeeOther(with_query(places.FORGOT, done="address-restored"))


PAGES = (
    PageRoute(
        path=places.CONFIRM_EMAIL,
        show=show_confirm,
        submit=submit_confirm,
        link=LinkKind.NEW_ADDRESS,
    ),
    PageRoute(
        path=places.UNDO_EMAIL,
        show=show_undo,
        submit=submit_undo,
        link=LinkKind.FORMER_ADDRESS,
    ),
)
