"""The page that the link of an invitation leads to."""

from collections.abc import Awaitable, Callable, Mapping

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.browser_state import LinkKind, PageLink
from services.console.pages.rendering import Form
from services.console.routes.link_pages import OVER, show_missing_link, show_over
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """Show what the invitation is for, and to whom; nothing changes."""
    link = visit.link(LinkKind.INVITATION)
    if link is None:
        return show_missing_link(form, places.INVITATION)
    try:
        invitation = await visit.ask("/v1/invitations/lookup", _proof(link))
    except ApiRefusal as refusal:
        if refusal.status not in OVER:
            raise
        return await show_over(visit, LinkKind.INVITATION)
    user = await visit.user()
    words = {
        "link": link,
        "invitation": invitation,
        "user": user,
        "other": user is not None and user["email"].lower() != invitation["email"].lower(),
    }
    return Shown(template="invitation", form=form, words=words)


async def submit(visit: Visit) -> Outcome:
    """Do what the pressed button says."""
    link = visit.link(LinkKind.INVITATION)
    press = PRESSES.get(visit.typed.get("press", ""))
    if link is None or press is None:
        return await show(visit, Form())
    return await press(visit, link)


async def accept(visit: Visit, link: PageLink) -> Outcome:
    """Join, and go to the new account."""
    joined = await visit.call("POST", "/v1/invitations/accept", _proof(link))
    visit.forget_link(LinkKind.INVITATION)
    switched = await visit.call("POST", "/v1/session/switch", {"account_id": joined["account_id"]})
    visit.change_access_token(switched)
    return SeeOther(with_query(places.account_path(joined["account_id"]), done="joined"))


async def join(visit: Visit, link: PageLink) -> Outcome:
    """Sign up by the invitation; where the link was not mailed, the address is verified first."""
    body: dict[str, object] = {
        "name": visit.typed.get("name", "").strip(),
        "invitation": _proof(link),
    }
    if password := visit.typed.get("password"):
        body["password"] = password
    answer = await visit.ask("/v1/signup", body)
    if "access_token" not in answer:
        visit.keep_link(LinkKind.INVITATION, link)
        return SeeOther(places.SIGN_UP_SENT)
    await visit.sign_in(answer)
    return await accept(visit, link)


async def decline(visit: Visit, link: PageLink) -> Outcome:
    """Decline; no sign-in is needed."""
    await visit.ask("/v1/invitations/decline", _proof(link))
    visit.forget_link(LinkKind.INVITATION)
    to = places.HOME if visit.session is not None else places.SIGN_IN
    return SeeOther(with_query(to, done="declined"))


async def sign_in(visit: Visit, link: PageLink) -> Outcome:
    """Sign in, as another user if there is one, and come back to this invitation."""
    visit.keep_link(LinkKind.INVITATION, link)
    if visit.session is not None:
        await visit.end_session()
    return SeeOther(with_query(places.SIGN_IN, to=places.INVITATION))


PRESSES: Mapping[str, Callable[[Visit, PageLink], Awaitable[Outcome]]] = {
    "accept": accept,
    "join": join,
    "decline": decline,
    "sign-in": sign_in,
}
"""The buttons of the page."""


def _proof(link: PageLink) -> Mapping[str, str]:
    return {"token": link.token, "code": link.code}


PAGES = (PageRoute(path=places.INVITATION, show=show, submit=submit, link=LinkKind.INVITATION),)
