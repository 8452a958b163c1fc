"""What the pages of roles, projects and access ask: the permission table, projects, names."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.console.adapters.api import NOT_THERE, ApiRefusal, path_step
from services.console.domain.permission_tables import PermissionTable, read_table
from services.console.domain.places import account_path
from services.console.routes.outcomes import SeeOther, with_query
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

PAGE = "200"
"""The most items that the API lists at once."""
MAX_PAGES = 20


async def read_catalog(visit: Visit) -> PermissionTable:
    """The table of the account, with the roles that the visitor may know."""
    return read_table(await visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"))


async def every_project(visit: Visit) -> Sequence[Mapping[str, Any]]:
    """Every project that the visitor may see, by name; the API bounds their number."""
    found: list[Mapping[str, Any]] = []
    query = {"limit": PAGE}
    for _ in range(MAX_PAGES):
        listed = await visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=query)
        found += listed["items"]
        if listed["next_cursor"] is None:
            break
        query = {"limit": PAGE, "cursor": listed["next_cursor"]}
    return found


async def project_names(visit: Visit) -> Mapping[str, str]:
    """The names of the projects that the visitor may see, by their ids."""
    return {one["id"]: one["name"] for one in await every_project(visit)}


async def member_names(visit: Visit, user_ids: Collection[str]) -> Mapping[str, str]:
    """What members are called, by their ids; who has left meanwhile is not in it."""
    known = sorted(set(user_ids))
    found = await together(*(_member(visit, user_id) for user_id in known))
    return {user_id: name for user_id, name in zip(known, found, strict=True) if name}


async def _member(visit: Visit, user_id: str) -> str:
    step = path_step(user_id)  # it may be from an address
    try:
        member = await visit.call("GET", f"/v1/accounts/{visit.account_id}/members/{step}")
    except ApiRefusal as refusal:
        if refusal.status != 404:
            raise
        return ""
    return str(member["name"] or member["email"])


def after_press(visit: Visit, *steps: str, done: str) -> SeeOther:
    """The page of the account after a press, which says what was done."""
    return SeeOther(with_query(account_path(visit.account_id, *steps), done=done))


def shown_state(visit: Visit) -> str:
    """The state for which a form was made, as the API compares it; none matches a bad one."""
    text = visit.typed.get("state", "")
    return text if text == NOT_THERE else f'"{path_step(text)}"'


def state_to_show(tag: str | None) -> str:
    """The state of something as a form names it; None: it does not exist."""
    return NOT_THERE if tag is None else path_step(tag.strip('"'))
