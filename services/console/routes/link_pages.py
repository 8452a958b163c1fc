"""What the pages of mailed links have in common: a look at the link before anything is asked."""

from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain.browser_state import LinkKind, PageLink
from services.console.pages.rendering import Form
from services.console.routes.outcomes import Shown
from services.console.routes.visits import Visit

DONE = "done"
"""The status of a link that has done its work."""
OVER = 410, 422
"""What the API answers about a link that is over, forged or not whole."""


def show_missing_link(form: Form, path: str) -> Shown:
    """Ask for the link: this browser has not opened it, or its work is done."""
    return Shown(template="link_missing", form=form, words={"action": path})


async def look_up(visit: Visit, kind: LinkKind, link: PageLink) -> Mapping[str, Any] | None:
    """What the API says of a link, which it does not use up; `None` if the link is over."""
    body = {"kind": kind, "token": link.token}
    if link.code and kind is LinkKind.VERIFICATION:
        body["code"] = link.code
    try:
        opened: Mapping[str, Any] = await visit.ask("/v1/links/lookup", body)
    except ApiRefusal as refusal:
        if refusal.status not in OVER:
            raise
        return None
    return opened


async def show_over(visit: Visit, kind: LinkKind) -> Shown:
    """Say that a link is over, the same for each reason, and how to get a new one.

    An invitation that is over waits for no answer any more; the start page would point to it.
    """
    if kind is LinkKind.INVITATION:
        visit.forget_link(kind)
    words = {"kind": kind, "user": await visit.user(), "email": visit.kept_address()}
    return Shown(template="link_over", form=Form(status=410), words=words)
