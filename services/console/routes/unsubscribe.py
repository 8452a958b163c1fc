"""The page of the link in a mail's foot: switch off mails of this kind, and on again."""

from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.browser_state import LinkKind, PageLink
from services.console.pages.rendering import Form
from services.console.routes.link_pages import OVER, show_missing_link
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown
from services.console.routes.visits import Visit
from shared.locales import preferred_locale

AGAIN = "again"
"""The button that switches the mails on again."""
IN_ALL = "mails-off-in-all"
"""Switched off for all accounts meanwhile: the page says so, and where to switch them on."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Say which mails the link is about, in the language of their reader, and ask for a press."""
    link = visit.link(LinkKind.UNSUBSCRIBE)
    if link is None:
        return show_missing_link(form, places.UNSUBSCRIBE)
    try:
        opened = await _look_up(visit, link)
    except ApiRefusal as refusal:
        if refusal.status not in OVER:
            raise
        browser = preferred_locale(visit.visitor.languages or "")
        return Shown(
            template="unsubscribe_not_valid", form=Form(status=410), words={"language": browser}
        )
    words = {"link": link, "opened": opened, "language": opened["locale"]}
    return Shown(template="unsubscribe", form=form, words=words)


async def submit(visit: Visit) -> Outcome:
    """Switch the mails off, or on again; the page says what counts then."""
    link = visit.link(LinkKind.UNSUBSCRIBE)
    if link is None:
        return await show(visit, Form())
    visit.keep_link(LinkKind.UNSUBSCRIBE, link)
    query = {"token": link.token}
    if visit.typed.get("press") == AGAIN:
        await _switch_on(visit, query)
    else:
        await visit.ctx.api.call(
            "POST", "/v1/notifications/unsubscribe", visitor=visit.visitor, query=query
        )
    return SeeOther(places.UNSUBSCRIBE)


async def _switch_on(visit: Visit, query: Mapping[str, str]) -> None:
    try:
        await visit.ctx.api.call(
            "POST", "/v1/notifications/resubscribe", visitor=visit.visitor, query=query
        )
    except ApiRefusal as refusal:
        if refusal.code != IN_ALL:
            raise


async def _look_up(visit: Visit, link: PageLink) -> Mapping[str, Any]:
    opened: Mapping[str, Any] = await visit.ctx.api.call(
        "GET",
        "/v1/notifications/unsubscribe",
        visitor=visit.visitor,
        query={"token": link.token},
    )
    return opened


PAGES = (PageRoute(path=places.UNSUBSCRIBE, show=show, submit=submit, link=LinkKind.UNSUBSCRIBE),)
