"""The page that the link of a sign-up leads to."""

from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.link_pages import DONE, look_up, show_missing_link, show_over
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.visits import Visit


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
    return Shown(template="verify", form=form, words=words)


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
    return _after(visit)


def _after(visit: Visit) -> SeeOther:
    """Lead to what comes after the proof of an address."""
    if visit.session is None:
        return SeeOther(with_query(places.SIGN_IN, done="verified"))
    invited = visit.pending_link(LinkKind.INVITATION) is not None
    return SeeOther(places.INVITATION if invited else places.HOME)


PAGES = (PageRoute(path=places.VERIFY, show=show, submit=submit, link=LinkKind.VERIFICATION),)
