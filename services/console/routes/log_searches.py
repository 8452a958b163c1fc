"""The pages of saved searches of the audit log."""

from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import path_step
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

SHARED_BY_OTHERS = "account:update"
"""What a member needs to change a search that another one has shared."""


async def show(visit: Visit, form: Form) -> Outcome:
    """List the searches that the visitor sees."""
    frame: AccountFrame
    frame, listed = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-searches", query=MANY),
    )
    return frame.shown("account/log_searches", section="log", form=form, searches=listed["items"])


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
    return SeeOther(_list_of(visit, "search-changed"))


async def ask_delete(visit: Visit, form: Form) -> Outcome:
    """Ask whether the search shall be deleted."""
    frame: AccountFrame
    frame, search = await together(open_account(visit), _search(visit))
    return frame.shown("account/log_search_delete", section="log", form=form, search=search)


async def delete(visit: Visit) -> Outcome:
    """Delete the search."""
    await visit.call(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/audit-searches/{visit.place['search_id']}",
        if_match=state_of(visit),
    )
    return SeeOther(_list_of(visit, "search-deleted"))


async def _search(visit: Visit) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/audit-searches/{visit.place['search_id']}"
    )
    return found


def _list_of(visit: Visit, done: str) -> str:
    path = places.LOG_SEARCHES.format_map(visit.place)
    return places.changed_address(path, {}, done=done)


def state_of(visit: Visit) -> str:
    """The state that the page of the form has shown: a press counts for it alone."""
    return f'"{path_step(visit.typed.get("state", "").strip(chr(34)))}"'


PAGES = (
    PageRoute(path=places.LOG_SEARCHES, show=show),
    PageRoute(path=places.LOG_SEARCH, show=show_one, submit=change, fields=frozenset({"name"})),
    PageRoute(path=places.LOG_SEARCH_DELETE, show=ask_delete, submit=delete),
)
