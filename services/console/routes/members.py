"""The page of members and invitations: one table, whose address says what it shows."""

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import read_catalog
from services.console.routes.account_frame import AccountFrame, open_account, together
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.receipts import read_receipt
from services.console.routes.visits import Visit

SHOWN_MEMBERS = 50
ASKED = ("q", "status", "sort", "cursor")
"""The fields of the address that the API takes as they are."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Show a page of the list."""
    query = {name: visit.query[name] for name in ASKED if visit.query.get(name)}
    frame: AccountFrame
    frame, table, receipt, listed = await together(
        open_account(visit),
        read_catalog(visit),
        read_receipt(visit),
        visit.call(
            "GET",
            f"/v1/accounts/{visit.account_id}/members",
            query={"limit": str(SHOWN_MEMBERS), "counts": "true", **query},
        ),
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
    )


PAGES = (PageRoute(path=f"{places.ACCOUNT}/members", show=show),)
