"""The pages that the links of a change of address lead to."""

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.link_pages import DONE, OVER, look_up, show_missing_link, show_over
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.visits import Visit

SWITCH = "sign-in"
"""The button of a visitor who is signed in as another user."""


async def show_confirm(visit: Visit, form: Form) -> Outcome:
    """Ask the signed-in user for a press: the link works in their sessions alone.

    A link that works for no user at all needs no sign-in to say so.
    """
    link = visit.link(LinkKind.NEW_ADDRESS)
    if link is None:
        return show_missing_link(form, places.CONFIRM_EMAIL)
    if await look_up(visit, LinkKind.NEW_ADDRESS, link) is None:
        return await show_over(visit, LinkKind.NEW_ADDRESS)
    try:
        opened = await visit.call("POST", "/v1/me/email/lookup", {"token": link.token})
    except ApiRefusal as refusal:
        if refusal.status not in OVER:
            raise
        return await show_over(visit, LinkKind.NEW_ADDRESS)
    if opened["status"] == DONE:
        return _confirmed(visit)
    user = await visit.call("GET", "/v1/me")
    words = {"link": link, "user": user, "email": opened["email"]}
    return Shown(template="confirm_email", form=form, words=words)


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
    return _confirmed(visit)


def _confirmed(visit: Visit) -> SeeOther:
    visit.forget_link(LinkKind.NEW_ADDRESS)
    return SeeOther(with_query(places.HOME, done="address-changed"))


async def show_undo(visit: Visit, form: Form) -> Outcome:
    """Say what taking the change back ends, and ask for a press; no sign-in is needed."""
    link = visit.link(LinkKind.FORMER_ADDRESS)
    if link is None:
        return show_missing_link(form, places.UNDO_EMAIL)
    opened = await look_up(visit, LinkKind.FORMER_ADDRESS, link)
    if opened is None:
        return await show_over(visit, LinkKind.FORMER_ADDRESS)
    visit.keep_address(opened["email"])
    if opened["status"] == DONE:
        return _restored(visit)
    words = {"link": link, "email": opened["email"], "user": await visit.user()}
    return Shown(template="undo_email", form=form, words=words)


async def submit_undo(visit: Visit) -> Outcome:
    """Give the former address back; a new password comes next."""
    link = visit.link(LinkKind.FORMER_ADDRESS)
    if link is None:
        return await show_undo(visit, Form())
    await visit.ask("/v1/email/undo", {"token": link.token})
    await visit.end_session()
    return _restored(visit)


def _restored(visit: Visit) -> SeeOther:
    email = visit.kept_address()
    visit.forget_link(LinkKind.FORMER_ADDRESS)
    visit.keep_address(email)
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
