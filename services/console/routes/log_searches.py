"""The pages of saved searches of the audit log."""

from collections.abc import Mapping
from typing import Any

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.things import AccountThings, state_of
from services.console.routes.visits import Visit

SHARED_BY_OTHERS = "account:update"
"""What a member needs to change a search that another one has shared."""


async def show_one(visit: Visit, form: Form) -> Outcome:
    """Show one search, with its name to change."""
    frame: AccountFrame
    frame, search = await together(open_account(visit), _search(visit))
    own = search["created_by"] == frame.user["id"]
    return frame.shown(
        "account/log_search",
        section="log",
        form=form,
        search=search,
        own=own,
        changes=own or frame.may(SHARED_BY_OTHERS),
    )


async def change(visit: Visit) -> Outcome:
    """Give the search another name, or show it to others."""
    body = {"name": visit.typed.get("name", ""), "shared": "shared" in visit.typed}
    await visit.call(
        "PATCH",
        f"/v1/accounts/{visit.account_id}/audit-searches/{visit.place['search_id']}",
        body,
        if_match=state_of(visit),
    )
    return SEARCHES.to_list(visit, "search-changed")


async def _read_all(visit: Visit) -> Any:
    return await visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-searches", query=MANY)


async def _delete(visit: Visit) -> Any:
    return await visit.call(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/audit-searches/{visit.place['search_id']}",
        if_match=state_of(visit),
    )


async def _search(visit: Visit) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/audit-searches/{visit.place['search_id']}"
    )
    return found


SEARCHES = AccountThings(
    one="search",
    many="searches",
    section="log",
    path=places.LOG_SEARCHES,
    listing="account/log_searches",
    deletion="account/log_search_delete",
    deleted="search-deleted",
    read_all=_read_all,
    read_one=_search,
    delete=_delete,
)
PAGES = (
    SEARCHES.list_page,
    PageRoute(path=places.LOG_SEARCH, show=show_one, submit=change, fields=frozenset({"name"})),
    PageRoute(
        path=places.LOG_SEARCH_DELETE, show=SEARCHES.ask_delete, submit=SEARCHES.submit_delete
    ),
)
