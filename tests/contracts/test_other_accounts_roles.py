"""Each role may do exactly what the catalog says, on every row that names a permission."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from rolecall import (
    AccountKind,
    AccountState,
    AccountStatus,
    CompiledCatalog,
    Member,
    Resource,
    Subject,
    decide,
    load_catalog,
)
from shared.http.access import Permission
from shared.http.routes import Route
from shared.ids import PREFIXES, new_id
from tests.contracts.allowed import ALLOWED
from tests.contracts.asking import Asking, Case
from tests.contracts.people import CATALOG, People
from tests.contracts.rows import ROWS, body_of, path_of, request
from tests.contracts.test_other_accounts import everything
from tests.e2e.people import Person
from tests.waiting import wait_for

ROLES = tuple(role.id for role in load_catalog(CATALOG).roles)
GUARDED = tuple((row, row.access) for row in ROWS if isinstance(row.access, Permission))

DENIED: tuple[int, str | None] = (403, "permission-missing")
FOR_THE_OWNER: dict[str, tuple[int, str | None]] = {
    "convertAccount": (409, "already-a-team"),
    "moveToCatalog": (200, None),
    "listCatalogChoices": (200, None),
    "revertAccount": (422, "confirmation-wrong"),
    "deleteAccount": (422, "confirmation-wrong"),
    "restoreAccount": (200, None),
    "leaveAccount": (409, "owner-cannot-leave"),
    "offerOwnership": (422, "receiver-unfit"),
    "cancelOwnershipTransfer": (404, "not-found"),
    "previewChange": (409, "owner-cannot-leave"),
}
UNNAMED = {
    "suspendMember": "user_id",
    "resumeMember": "user_id",
    "removeMember": "user_id",
    "removeOverride": "user_id",
    "resendInvitation": "invitation_id",
    "revokeInvitation": "invitation_id",
    "deleteRole": "role_id",
    "deleteGuardrail": "guardrail_id",
    "revokeApiToken": "token_id",
    "proveConnectionDomain": "connection_id",
    "deleteAccountConnection": "connection_id",
    "deleteWebhook": "webhook_id",
    "testWebhook": "webhook_id",
    "deleteAuditStream": "stream_id",
    "testAuditStream": "stream_id",
    "deleteAuditSearch": "search_id",
}


def holds(role: str, permission: str, *, own: bool = False) -> bool:
    """What the catalog says, without any service: for all resources, or for `own` ones."""
    catalog = CompiledCatalog(load_catalog(CATALOG))
    member = Member(user_id="usr", role=catalog.roles[role])
    account = AccountState(
        id="acc",
        kind=AccountKind.TEAM,
        status=AccountStatus.ACTIVE,
        owner_user_id="usr",
        catalog=catalog,
        members={"usr": member},
    )
    resource = Resource(owner_id="usr" if own else None)
    return decide(account, Subject("usr"), permission, resource, now=0).allowed


def members_of(people: People) -> dict[str, Person]:
    """A member for each role of the catalog."""
    return {"owner": people.team.owner, **people.by_role}


def cases(
    people: People, projects: dict[str, str], *, allowed: bool
) -> Iterator[tuple[Person, str, Case]]:
    """What the catalog allows, or what it denies; leaving comes last."""
    rows = sorted(GUARDED, key=lambda guarded: guarded[0].operation_id == "leaveAccount")
    for row, access in rows:
        for role, person in members_of(people).items():
            needed = [name for name in (access.name, access.in_project) if name is not None]
            if all(holds(role, name, own=access.own) for name in needed) is allowed:
                case = aimed(row, people, role, person, projects[role], allowed=allowed)
                yield person, access.name, case


def aimed(
    row: Route, people: People, role: str, person: Person, project_id: str, *, allowed: bool
) -> Case:
    """The request of this member, and what must come back."""
    status, code = DENIED
    ids = people.team.ids
    if row.operation_id == "deleteProject":
        ids = ids | {"project_id": project_id}
    if allowed:
        for_the_owner = FOR_THE_OWNER if role == "owner" else {}
        status, code = for_the_owner.get(row.operation_id, ALLOWED[row.operation_id])
        if row.operation_id == "getApiToken" and not holds(role, "api_token:view"):
            status, code = 404, "not-found"  # it is the owner's
        if row.operation_id in UNNAMED:
            name = UNNAMED[row.operation_id]
            ids = ids | {name: new_id(PREFIXES.get(name, "rol"))}
    return request(
        row,
        people,
        role,
        body_of(row, people),
        path=path_of(row, ids),
        token=person.token,
        statuses={status},
        code=code,
    )


def test_the_table_knows_every_guarded_row_and_every_role():
    assert {row.operation_id for row, _ in GUARDED} == set(ALLOWED)
    roles = {role.id for role in load_catalog(CATALOG).roles}
    assert {"owner", "admin", "operator", "developer", "billing", "basic", "viewer"} == roles
    held = {
        (role, access.name) for _, access in GUARDED for role in roles if holds(role, access.name)
    }
    needed = {access.name for _, access in GUARDED}
    assert {permission for role, permission in held if role == "owner"} == needed
    assert all(holds("owner", access.in_project) for _, access in GUARDED if access.in_project)
    assert ("viewer", "member:invite") not in held
    assert ("developer", "audit_log:view") not in held
    assert ("operator", "project:manage") in held
    assert ("operator", "project:create") in held


@pytest.mark.rule("Ci12", "Nv4", "Ro2")
async def test_each_role_may_do_what_the_catalog_says_and_nothing_else(
    asking: Asking, people: People
):
    assert set(members_of(people)) == set(ROLES)
    await make_room(people)
    projects = {role: await new_project(people, f"to be deleted by {role}") for role in ROLES}

    before = await everything(people.team)
    denied: Counter[str] = Counter()
    for person, permission, case in cases(people, projects, allowed=False):
        said = await asking.send(case)
        assert asking.wrong(case, said) is None, (case.name, said.status, said.text)
        assert said.problem["permission"] == permission, case.name
        path = set(case.path.partition("?")[0].split("/"))
        if not path & RECORDED_ELSEWHERE and not case.path.endswith("/policy/plan"):
            denied[person.user_id] += 1
    assert await everything(people.team) == before
    await asyncio.gather(*(recorded(people, *each) for each in denied.items()))

    for _, _, case in cases(people, projects, allowed=True):
        await asking.check([case])


RECORDED_ELSEWHERE = {
    "audit-events",
    "audit-checkpoint",
    "audit-export",
    "audit-retention",
    "audit-streams",
    "audit-searches",
    "usage",
    "api-tokens",
    "sso-connections",
    "webhooks",
}
"""Parts of paths of other services, which count the denials that they are told."""


async def make_room(people: People) -> None:
    """Delete what tests before this one have made of which an account may have few."""
    team = people.team
    names = ("guardrail_id", "connection_id", "webhook_id", "stream_id", "search_id")
    kept = {team.ids[name] for name in names}
    for name in ("guardrails", "sso-connections", "webhooks", "audit-streams", "audit-searches"):
        path = f"{team.path}/{name}"
        for one in (await team.owner.get(path))["items"]:
            if one["id"] not in kept:
                (await team.owner.send("DELETE", f"{path}/{one['id']}")).expect(204)


async def new_project(people: People, name: str) -> str:
    """A project that may go."""
    team = people.team
    made = await team.owner.send("POST", f"{team.path}/projects", {"name": name})
    return str(made.expect(201)["id"])


async def recorded(people: People, user_id: str, denials: int) -> None:
    """Each denial is in the account's log, under who was denied."""
    path = f"{people.team.path}/audit-events?limit=200&outcome=denied&user={user_id}"

    async def all_there() -> bool:
        found: list[dict[str, Any]] = (await people.team.owner.get(path))["items"]
        # Decisions that another service asked for are counted in records of their own.
        items = [item for item in found if item["action"] != "access.denied"]
        assert {item["reason"] for item in items} == {"permission-missing"}
        assert len(items) <= denials
        return len(items) == denials

    await wait_for(all_there, what=f"{denials} denials in the log")
