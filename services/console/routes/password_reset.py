"""The pages of a forgotten password."""

from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.link_pages import DONE, look_up, show_missing_link, show_over
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    Shown,
    with_query,
)
from services.console.routes.sign_up import MAX_ADDRESS
from services.console.routes.visits import Visit

END_ACCESS = "recent", "all", "none"
"""Which API tokens and linked issuers end with the former password."""


async def show_forgot(visit: Visit, form: Form) -> Outcome:
    """Ask for the address; one that was restored just before stands there."""
    return Shown(template="forgot_password", form=form, words={"email": visit.kept_address()})


async def submit_forgot(visit: Visit) -> Outcome:
    """Have a link mailed; the answer is the same for every address."""
    email = visit.typed.get("email", "").strip()
    await visit.ask("/v1/password/forgot", {"email": email})
    visit.keep_address(email[:MAX_ADDRESS])
    return SeeOther(places.FORGOT_SENT)


async def show_sent(visit: Visit, form: Form) -> Outcome:
    """Say that a mail is on its way, if the address has a user."""
    return Shown(template="forgot_password_sent", form=form)


async def show_reset(visit: Visit, form: Form) -> Outcome:
    """Ask for the new password, and name the user who is signed in meanwhile."""
    link = visit.link(LinkKind.PASSWORD_RESET)
    if link is None:
        return show_missing_link(form, places.RESET)
    opened = await look_up(visit, LinkKind.PASSWORD_RESET, link)
    if opened is None:
        return await show_over(visit, LinkKind.PASSWORD_RESET)
    if opened["status"] == DONE:
        visit.forget_link(LinkKind.PASSWORD_RESET)
        return SeeOther(with_query(places.SIGN_IN, done="password-reset"))
    user = await visit.user()
    words = {
        "link": link,
        "email": opened["email"],
        "access": opened["access"],
        "other": user if user is not None and user["email"] != opened["email"] else None,
    }
    return Shown(template="reset_password", form=form, words=words)


async def submit_reset(visit: Visit) -> Outcome:
    """Set the password; every session of the user ends."""
    link = visit.link(LinkKind.PASSWORD_RESET)
    if link is None:
        return await show_reset(visit, Form())
    chosen = visit.typed.get("end_access")
    body = {
        "token": link.token,
        "password": visit.typed.get("password", ""),
        "end_access": chosen if chosen in END_ACCESS else END_ACCESS[0],
    }
    await visit.ask("/v1/password/reset", body)
    visit.forget_link(LinkKind.PASSWORD_RESET)
    await visit.end_session()
    return SeeOther(with_query(places.SIGN_IN, done="password-reset"))


PAGES = (
    PageRoute(path=places.FORGOT, show=show_forgot, submit=submit_forgot),
    PageRoute(path=places.FORGOT_SENT, show=show_sent),
    PageRoute(
        path=places.RESET, show=show_reset, submit=submit_reset, link=LinkKind.PASSWORD_RESET
    ),
)
