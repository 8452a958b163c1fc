"""The page that the link of a sign-up leads to."""

import contextlib

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.link_pages import DONE, look_up, show_missing_link, show_over
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.session_ends import SignedOut
from services.console.routes.visits import Visit
from shared.locales import DEFAULT_TIME_ZONE, time_zones


async def show(visit: Visit, form: Form) -> Outcome:
    """Ask for a password, and name the user who is signed in meanwhile."""
    link = visit.link(LinkKind.VERIFICATION)
    if link is None:
        return show_missing_link(form, places.VERIFY)
    opened = await look_up(visit, LinkKind.VERIFICATION, link)
    if opened is None:
        return await show_over(visit, LinkKind.VERIFICATION)
    if opened["status"] == DONE:
        visit.forget_link(LinkKind.VERIFICATION)
        return _after(visit)
    words = {"link": link, "email": opened["email"], "user": await visit.user()}
    return Shown(template="verify", form=form, words=words, scripted=True)


async def submit(visit: Visit) -> Outcome:
    """Verify the address, set the password and sign in."""
    link = visit.link(LinkKind.VERIFICATION)
    if link is None:
        return await show(visit, Form())
    body = {"token": link.token, "password": visit.typed.get("password", "")}
    if link.code:
        body["code"] = link.code
    if name := visit.typed.get("name", "").strip():
        body["name"] = name
    answer = await visit.ask("/v1/email/verify", body)
    visit.forget_link(LinkKind.VERIFICATION)
    await visit.sign_in(answer)
    await _keep_zone(visit, visit.typed.get("browser_zone", ""))
    return _after(visit)


async def _keep_zone(visit: Visit, zone: str) -> None:
    """Show times in the zone of the browser, if a script of the page has told it."""
    if zone == DEFAULT_TIME_ZONE or zone not in time_zones():
        return
    with contextlib.suppress(ApiRefusal, SignedOut):
        await visit.call("PATCH", "/v1/me", {"time_zone": zone})


def _after(visit: Visit) -> SeeOther:
    """Lead to what comes after the proof of an address."""
    if visit.session is None:
        return SeeOther(with_query(places.SIGN_IN, done="verified"))
    invited = visit.pending_link(LinkKind.INVITATION) is not None
    return SeeOther(places.INVITATION if invited else places.HOME)


PAGES = (PageRoute(path=places.VERIFY, show=show, submit=submit, link=LinkKind.VERIFICATION),)
