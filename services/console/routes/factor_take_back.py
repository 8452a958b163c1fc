"""The page of the link that takes a new second factor back."""

from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.link_pages import DONE, look_up, show_missing_link, show_over
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """Say what the press ends, and ask for it; no sign-in is needed."""
    link = visit.link(LinkKind.SECOND_FACTOR)
    if link is None:
        return show_missing_link(form, places.REMOVE_FACTOR)
    opened = await look_up(visit, LinkKind.SECOND_FACTOR, link)
    if opened is None:
        return await show_over(visit, LinkKind.SECOND_FACTOR)
    visit.keep_address(opened["email"] or "")
    if opened["status"] == DONE:
        return _removed(visit)
    words = {"link": link, "email": opened["email"], "user": await visit.user()}
    return Shown(template="remove_factor", form=form, words=words)


async def submit(visit: Visit) -> Outcome:
    """Remove the factor; a new password comes next."""
    link = visit.link(LinkKind.SECOND_FACTOR)
    if link is None:
        return await show(visit, Form())
    await visit.ask("/v1/mfa/take-back", {"token": link.token})
    await visit.end_session()
    return _removed(visit)


def _removed(visit: Visit) -> SeeOther:
    email = visit.kept_address()
    visit.forget_link(LinkKind.SECOND_FACTOR)
    visit.keep_address(email)
    return SeeOther(with_query(places.FORGOT, done="factor-removed"))


PAGES = (
    PageRoute(path=places.REMOVE_FACTOR, show=show, submit=submit, link=LinkKind.SECOND_FACTOR),
)
