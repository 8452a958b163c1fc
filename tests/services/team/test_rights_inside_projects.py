"""An override protects its project: every route below one is decided inside it (Ci9, T2).

The routes come from `ROUTES`. A new route below a project is asked here without being named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from deploy.gateway.paths import public_routes
from rolecall import PROJECT_PERMISSIONS, SHIPPED_CATALOGS, CompiledCatalog, load_catalog
from services.team.routes import ROUTES
from shared.http.access import Permission, decided_in_project
from tests.sdk.older_catalogs import ACCOUNT_WIDE_PROJECTS, older
from tests.services.team.test_access import ask

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Reply, Team

BELOW = sorted(
    (route for route in ROUTES if "project_id" in route.parameters),
    key=lambda route: (route.operation_id == "deleteProject", route.operation_id),
)
"""The routes below a project; the one that deletes it comes last."""

OLDER = "older"
EVERYTHING = {"*": {"*": "all"}}


@dataclass
class Place:
    """A project with two admins, who have an override in it: `admin` acts, `other` is acted on."""

    account: Account
    catalog: CompiledCatalog
    admin: Person
    other: Person
    prod: str
    test: str

    async def restrict(self, whom: Person, grants: dict[str, Any]) -> None:
        answer = await self.account.owner.send("PUT", self.override(whom), {"grants": grants})
        answer.expect(200)

    def override(self, whom: Person, project_id: str | None = None) -> str:
        return f"{self.project(project_id)}/overrides/{whom.user_id}"

    def project(self, project_id: str | None = None) -> str:
        return f"{self.account.path}/projects/{project_id or self.prod}"

    async def ask_all(self, project_id: str) -> dict[str, Reply]:
        """What the admin gets from each route below the project."""
        ids = {"project_id": project_id, "user_id": self.other.user_id}
        return {
            route.operation_id: await ask(self.admin, route, self.account, **ids) for route in BELOW
        }

    async def look(self) -> Any:
        """The project and the overrides in it, as the owner sees them."""
        owner = self.account.owner
        return (
            await owner.get(self.project()),
            (await owner.get(f"{self.project()}/overrides"))["items"],
        )

    def view(self) -> dict[str, Any]:
        """The grants of a member who may look at the project and at one kind of resource."""
        seen = next(
            {entry.id: {entry.levels[0].id: "all"}}
            for entry in self.catalog.catalog.entries.values()
            if entry.project_scoped
        )
        return seen | {
            entry.id: {level.id: "all"}
            for entry in self.catalog.catalog.entries.values()
            for level in entry.levels
            if entry.project_scoped and "project:view" in entry.permission_names(level)
        }

    def all_of_the_owner(self) -> dict[str, Any]:
        """The grants that the owner holds inside a project, and can therefore give there."""
        catalog = self.catalog.catalog
        owner = catalog.role(catalog.owner_role)
        assert owner is not None
        return {
            name: dict(cells)
            for name, cells in owner.grants.items()
            if catalog.entries[name].project_scoped
        }


async def place_in(team: Team, name: str, version: str = "today") -> Place:
    catalog = CompiledCatalog(older(name) if version == OLDER else load_catalog(name))
    if version == OLDER:
        await team.publish(catalog.catalog)
    account = await team.account(catalog.id)
    admin, other = await account.join("admin"), await account.join("admin", "Other")
    made = [
        await account.owner.send("POST", f"{account.path}/projects", {"name": project})
        for project in ("Prod", "Test")
    ]
    prod, test = (answer.expect(201)["id"] for answer in made)
    place = Place(account, catalog, admin, other, prod, test)
    await place.restrict(other, {})
    return place


def denied(replies: dict[str, Reply]) -> dict[str, str]:
    """The routes that were refused, with the permission that each refusal names."""
    assert {reply.status for reply in replies.values()} <= {200, 204, 403}, replies
    return {
        operation: reply.body["permission"]
        for operation, reply in replies.items()
        if reply.status == 403
    }


READS = {route.operation_id for route in BELOW if route.method == "GET"}
WRITES = {route.operation_id for route in BELOW} - READS


@pytest.mark.rule("Ci9")
def test_every_route_below_a_project_needs_a_right_on_it() -> None:
    every = [route for routes in public_routes().values() for route in routes]
    below = [route for route in every if "project_id" in route.parameters]
    assert {route.operation_id for route in below} == READS | WRITES
    for route in below:
        assert decided_in_project(route.access), route.operation_id
    [create] = [route for route in ROUTES if route.operation_id == "createProject"]
    assert isinstance(create.access, Permission)
    assert create.access.name == "project:create"


@pytest.mark.rule("Ci9", "Ci12")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
@pytest.mark.parametrize("version", ["today", OLDER])
async def test_the_override_decides_every_route_below_its_project(
    team: Team, name: str, version: str
) -> None:
    place = await place_in(team, name, version)
    cannot_name_projects = version == OLDER and name in ACCOUNT_WIDE_PROJECTS
    await place.restrict(place.admin, place.view())
    before = await place.look()
    refused = denied(await place.ask_all(place.prod))
    assert refused.keys() == WRITES
    assert set(refused.values()) <= set(PROJECT_PERMISSIONS)
    told = await team.rows("request.refused")
    assert [row.data["permission"] for row in told] == list(refused.values())
    assert {row.project_id for row in told} == {place.prod}

    await place.restrict(place.admin, {})
    refused = denied(await place.ask_all(place.prod))
    assert refused.keys() == (WRITES if cannot_name_projects else READS | WRITES)
    listed = (await place.admin.get(f"{place.account.path}/projects"))["items"]
    shown = {item["id"] for item in listed}
    assert shown == {place.test} | ({place.prod} if cannot_name_projects else set())

    await place.restrict(place.other, {})
    assert (await place.look())[0] == before[0]
    assert {item["user_id"]: item["grants"] for item in (await place.look())[1]} == {
        place.admin.user_id: {},
        place.other.user_id: {},
    }
    await place.restrict(place.admin, place.all_of_the_owner())
    refused = denied(await place.ask_all(place.prod))
    assert refused.keys() == (WRITES if cannot_name_projects else set())


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
async def test_elsewhere_the_role_decides_and_creating_is_account_wide(
    team: Team, name: str
) -> None:
    place = await place_in(team, name)
    await place.restrict(place.admin, {})
    owner = place.account.owner
    there = place.override(place.other, place.test)
    (await owner.send("PUT", there, {"grants": {}})).expect(200)
    assert denied(await place.ask_all(place.test)) == {}
    projects = f"{place.account.path}/projects"
    (await place.admin.send("POST", projects, {"name": "Third"})).expect(201)
    taken = await place.admin.send("POST", projects, {"name": "prod"})
    assert (taken.status, taken.code) == (409, "project-name-taken")


@pytest.mark.rule("Ci9", "B5", "T2")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
async def test_a_restricted_admin_finds_no_way_around_the_override(team: Team, name: str) -> None:
    """By the override itself, the project, an accomplice, a new membership or the conversion."""
    place = await place_in(team, name)
    admin, account, path = place.admin, place.account, place.account.path
    roles = {role.id for role in place.catalog.catalog.roles if role.assignable}
    accomplice = await account.join(min(roles - {"admin"}, default="admin"), "Accomplice")
    if len(roles) == 1:
        await place.restrict(accomplice, {})
    await place.restrict(admin, place.view())

    async def tries(method: str, where: str, body: Any = None) -> str | None:
        answer = await admin.send(method, where, body)
        assert answer.status in {403, 409}, (method, where, answer.body)
        return answer.code

    everything, soon = {"grants": EVERYTHING}, {"expires_at": "2100-03-01T13:00:00Z"}
    for whom in (admin, place.other, accomplice):
        where = place.override(whom)
        assert await tries("PUT", where, everything) == "permission-missing"
        assert await tries("PUT", where, {"grants": place.view()} | soon) == "permission-missing"
        assert await tries("DELETE", where) == "permission-missing"
    assert await tries("DELETE", place.project()) == "permission-missing"
    assert await tries("PATCH", place.project(), {"name": "Gone"}) == "permission-missing"

    member = f"{path}/members/{accomplice.user_id}"
    if len(roles) > 1:
        assert await tries("PATCH", member, {"role": "admin"}) == "grants-exceeded"
    invited = {"email": "accomplice@example.com", "role": "admin"}
    assert await tries("POST", f"{path}/invitations", invited) == "grants-exceeded"
    convert = {"name": "Mine", "catalog": "standard"}
    assert await tries("POST", f"{path}/convert", convert) == "owner-only"

    (await admin.send("DELETE", member)).expect(204)
    assert await tries("POST", f"{path}/invitations", invited) == "grants-exceeded"
    mine = await admin.get(f"{path}/me/permissions?project={place.prod}")
    assert not {"project:manage", "project:delete"} & mine["permissions"].keys()
    assert (await account.owner.get(place.project()))["name"] == "Prod"


@pytest.mark.rule("Ci9", "Rp5")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
async def test_open_invitations_of_a_restricted_admin_pass_to_the_owner(
    team: Team, name: str
) -> None:
    """Otherwise an accomplice could accept later, as an admin without an override."""
    place = await place_in(team, name)
    account = place.account
    body = {"email": "accomplice@example.com", "role": "admin"}
    sent = await place.admin.send("POST", f"{account.path}/invitations", body)
    invitation_id = sent.expect(201)["invitation"]["id"]
    await place.restrict(place.admin, place.view())
    kept = await team.database["invitations"].find_one({"_id": invitation_id})
    assert kept is not None
    assert kept["inviter_user_id"] == account.owner.user_id
