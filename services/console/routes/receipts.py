"""Since when a change is effective, which the page after the press says."""

import re
from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain.places import account_path
from services.console.routes.outcomes import SeeOther, with_query
from services.console.routes.visits import Visit

_REVISION = re.compile(r"team\.[A-Za-z0-9_-]{1,64}\.[0-9]{1,2}\.[0-9]{1,18}", re.ASCII)


async def read_receipt(visit: Visit) -> Mapping[str, Any] | None:
    """The receipt of the change that led to the page; None without one that is known."""
    revision = visit.said("revision")
    if _REVISION.fullmatch(revision) is None:
        return None
    try:
        receipt: Mapping[str, Any] = await visit.call(
            "GET", f"/v1/accounts/{visit.account_id}/revisions/{revision}"
        )
    except ApiRefusal:
        return None
    return receipt


def after_change(visit: Visit, *steps: str, done: str, revision: str | None) -> SeeOther:
    """The page of the account after a change, which says since when it is effective."""
    named = {"revision": revision} if revision else {}
    return SeeOther(with_query(account_path(visit.account_id, *steps), done=done, **named))
