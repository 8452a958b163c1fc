"""The page of members and invitations: one table, whose address says what it shows."""

from collections.abc import Mapping
from typing import Any

from services.console.domain import places
from services.console.domain.list_states import list_state
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import read_catalog
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.live import StateRoute
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.receipts import read_receipt
from services.console.routes.visits import Visit

SHOWN_MEMBERS = 50
ASKED = ("q", "status", "role", "sort", "cursor")
"""The fields of the address that the API takes as they are."""


async def _listed(visit: Visit) -> Mapping[str, Any]:
    """The page of the list that the address asks for."""
    query = {name: visit.query[name] for name in ASKED if visit.query.get(name)}
    listed: Mapping[str, Any] = await visit.call(
        "GET",
        f"/v1/accounts/{visit.account_id}/members",
        query={"limit": str(SHOWN_MEMBERS), "counts": "true", **query},
    )
    return listed


async def show(visit: Visit, form: Form) -> Outcome:
    """Show a page of the list."""
    frame: AccountFrame
    frame, table, receipt, listed = await together(
        open_account(visit),
        read_catalog(visit),
        read_receipt(visit),
        _listed(visit),
    )
    return frame.shown(
        "account/members",
        section="members",
        form=form,
        table=table,
        receipt=receipt,
        members=listed["items"],
        counts=listed["counts"],
        following=listed["next_cursor"],
        asked={name: visit.query.get(name, "") for name in ASKED},
        state=list_state(listed),
    )


async def state(visit: Visit) -> str:
    """The state of the list that the address asks for."""
    return list_state(await _listed(visit))


LIVE = StateRoute(path=places.MEMBERS_LIVE, state=state)
PAGES = (PageRoute(path=f"{places.ACCOUNT}/members", show=show),)
