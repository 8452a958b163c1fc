"""The page that the link of a sign-up leads to."""

from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.link_pages import show_missing_link
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """Ask for a password."""
    link = visit.link(LinkKind.VERIFICATION)
    if link is None:
        return show_missing_link(form, places.VERIFY)
    return Shown(template="verify", form=form, words={"link": link})


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
    invited = visit.pending_link(LinkKind.INVITATION) is not None
    return SeeOther(places.INVITATION if invited else places.HOME)


PAGES = (PageRoute(path=places.VERIFY, show=show, submit=submit, link=LinkKind.VERIFICATION),)
