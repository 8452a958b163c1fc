"""Entity tags of accounts and of what is in them, in all rows that have them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from services.team.routes import ROUTES
from shared.http.access import Client
from shared.ids import new_id
from tests.services.team.running import Account, Person, ServiceClient, Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.http.routes import Route


STALE = '"stale"'
GRANTS = {"instance": {"view": "all"}}
BODIES: dict[str, list[Any]] = {
    "changeAccount": [{"name": "First"}, {"name": "Second"}],
    "changeMember": [{"role": "viewer"}, {"role": "admin"}],
    "renameProject": [{"name": "First {}"}, {"name": "Second {}"}],
    "changeRole": [{"name": "First {}"}, {"name": "Second {}"}],
    "registerResource": [{"properties": {"size": 1}}, {"properties": {"size": 2}}],
    "applyPolicy": [
        {"policy": {"version": 1, "projects": [{"name": "First"}]}},
        {"policy": {"version": 1, "projects": [{"name": "Second"}]}},
    ],
    "setOverride": [{"grants": {}}, {"grants": {"instance": {"view": "self"}}}],
}
"""Two changes by each row that takes a body; a new row with `represent` needs its own."""

CONDITIONAL = [route for route in ROUTES if route.represent is not None]
POLICY = "/v1/accounts/{account_id}/policy"
"""All that is in the account: its tag changes with each of them."""
READS = [route for route in CONDITIONAL if route.method == "GET"]
DELETION = "deleteAccount"
"""It leaves the account in another state; `test_account_deletion.py` compares its tag."""
MOVE = "moveToCatalog"
"""Its state has no read, and a preview tells the tag; `test_catalogs.py` compares it."""
WRITES = [
    route
    for route in CONDITIONAL
    if route.method != "GET" and route.operation_id not in {DELETION, MOVE}
]
_numbers = count(1)


def named(routes: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=[route.operation_id for route in routes])


def bodies(route: Route) -> list[Any]:
    """Two different bodies, with names that nothing else has."""
    if route.takes is None:
        return [None, None]
    number = next(_numbers)
    return [
        body | {"name": body["name"].format(number)} if "name" in body else body
        for body in BODIES[route.operation_id]
    ]


@dataclass
class Resources(Account):
    """An account, and what a row is about in it."""

    platform: ServiceClient = field(kw_only=True)

    def caller(self, route: Route) -> Person | ServiceClient:
        """Who may send what the row takes."""
        return self.platform if isinstance(route.access, Client) else self.owner

    async def member(self) -> Person:
        return await self.join("developer", f"Member {next(_numbers)}")

    async def project(self) -> str:
        body = {"name": f"project {next(_numbers)}"}
        answer = await self.owner.send("POST", f"{self.path}/projects", body)
        return str(answer.expect(201)["id"])

    async def of(self, route: Route) -> str:
        """The path of a new resource; of the one account, if the row is about the account."""
        path = route.path.replace("{account_id}", self.id)
        if "{project_id}" in path:
            path = path.replace("{project_id}", await self.project())
        if "{user_id}" in path:
            path = path.replace("{user_id}", (await self.member()).user_id)
        if "{role_id}" in path:
            role = {"name": f"role {next(_numbers)}", "grants": {"account": {"view": "all"}}}
            made = await self.owner.send("POST", f"{self.path}/roles", role)
            path = path.replace("{role_id}", str(made.expect(201)["id"]))
        if "{rid}" in path:
            path = path.replace("{type}", "instance").replace("{rid}", f"i-{next(_numbers)}")
            (await self.platform.send("PUT", path, {"properties": {"size": 0}})).expect(200)
        if "/overrides/" in path:
            body = {"grants": GRANTS, "expires_at": "2101-01-01T00:00:00.123456+02:00"}
            (await self.owner.send("PUT", path, body)).expect(200)
        return path

    async def tag(self, path: str) -> str:
        answer = await self.owner.send("GET", path)
        answer.expect(200)
        return str(answer.headers["ETag"])

    async def tags(self, paths: list[str]) -> list[str]:
        return [await self.tag(path) for path in paths]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn: what happens at once, does."""
    async with running(mongo_url, new_id("test"), replicas=2) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def resources(team: Team) -> Resources:
    return Resources(**vars(await team.account()), platform=await team.service_client())


async def test_the_seven_resources_declare_their_tags() -> None:
    assert {route.operation_id for route in READS} == {
        "getAccount",
        "getMember",
        "getRole",
        "getProject",
        "getOverride",
        "getResource",
        "getPolicy",
    }
    read = {route.path for route in READS}
    changing = [r for r in ROUTES if r.path in read and r.method in {"PATCH", "PUT", "DELETE"}]
    assert {route.operation_id for route in changing} == {
        DELETION,
        *(route.operation_id for route in WRITES),
    }


@named(READS)
async def test_a_read_answers_304_while_the_state_is_the_known_one(
    resources: Resources, route: Route
) -> None:
    owner, path = resources.owner, await resources.of(route)
    first = await owner.send("GET", path)
    tag = first.headers["ETag"]
    assert first.expect(200)["etag"] == tag

    for known in (tag, f"W/{tag}", f'"a,b", {tag}', "*"):
        again = await owner.send("GET", path, If_None_Match=known)
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
        assert again.headers["Cache-Control"] == "no-store"
    head = await owner.send("HEAD", path, If_None_Match=tag)
    assert (head.status, head.headers["ETag"]) == (304, tag)
    for headers in ({"If_None_Match": STALE}, {"If_Match": tag}, {"If_Match": "*"}):
        assert (await owner.send("GET", path, **headers)).expect(200) == first.body
    stale = await owner.send("GET", path, If_Match=STALE)
    assert (stale.status, stale.code) == (412, "precondition-failed")
    malformed = await owner.send("GET", path, If_None_Match="abc")
    assert malformed.expect(422)["errors"][0]["pointer"] == "/headers/If-None-Match"


@named(WRITES)
async def test_a_write_for_another_state_is_refused_and_changes_nothing(
    resources: Resources, route: Route
) -> None:
    owner, path = resources.owner, await resources.of(route)
    before = await owner.send("GET", path)
    tag = before.headers["ETag"]
    rows = len(await resources.team.rows())

    refused = {
        ("If_Match", STALE): (412, "precondition-failed"),
        ("If_Match", f"W/{tag}"): (412, "precondition-failed"),
        ("If_None_Match", tag): (412, "precondition-failed"),
        ("If_None_Match", "*"): (412, "precondition-failed"),
        ("If_Match", tag.strip('"')): (422, "invalid"),
    }
    for (name, sent), expected in refused.items():
        answer = await resources.caller(route).send(
            route.method, path, bodies(route)[0], **{name: sent}
        )
        assert (answer.status, answer.code) == expected, (name, sent)
    assert (await owner.send("GET", path)).expect(200) == before.body
    assert len(await resources.team.rows()) == rows


@named(WRITES)
async def test_a_write_for_the_current_state_answers_with_the_new_tag(
    resources: Resources, route: Route
) -> None:
    owner, path = resources.owner, await resources.of(route)
    tag = await resources.tag(path)

    caller = resources.caller(route)
    answer = await caller.send(route.method, path, bodies(route)[0], If_Match=f"{STALE}, {tag}")

    if route.method == "DELETE":
        answer.expect(204)
        assert (await owner.send("GET", path)).status == 404
        return
    new = await resources.tag(path)
    assert answer.expect(200)["etag"] == new != tag
    assert answer.headers.get("ETag") == (None if route.method == "PUT" else new)


@named([route for route in WRITES if route.takes is not None])
async def test_a_stale_write_of_what_is_already_so_is_answered_as_done(
    resources: Resources, route: Route
) -> None:
    """It may repeat a change whose answer was lost with its replica."""
    owner, caller, path = resources.owner, resources.caller(route), await resources.of(route)
    tag, (wanted, other) = await resources.tag(path), bodies(route)
    (await caller.send(route.method, path, wanted, If_Match=tag)).expect(200)
    changed = await owner.get(path)
    rows = len(await resources.team.rows())

    repeat = await caller.send(route.method, path, wanted, If_Match=tag)

    assert repeat.expect(200)["etag"] == changed["etag"] != tag
    assert await owner.get(path) == changed
    assert len(await resources.team.rows()) == rows
    assert (await caller.send(route.method, path, other, If_Match=tag)).status == 412


@named([route for route in WRITES if route.path not in {"/v1/accounts/{account_id}", POLICY}])
async def test_where_nothing_is_only_the_put_that_would_create_is_412(
    resources: Resources, route: Route
) -> None:
    """RFC 9110 (13.2.1): a request that is refused anyway is refused for that reason."""
    path = await resources.of(route)
    caller = resources.caller(route)
    (await caller.send("DELETE", path)).expect(204)
    answer = await caller.send(route.method, path, bodies(route)[0], If_Match="*")
    assert answer.status == (412 if route.method == "PUT" else 404)


async def test_a_put_that_must_create_does_not_replace(resources: Resources) -> None:
    owner, member = resources.owner, await resources.member()
    project = f"{resources.path}/projects/{await resources.project()}"
    path = f"{project}/overrides/{member.user_id}"
    first = await owner.send("PUT", path, {"grants": GRANTS}, If_None_Match="*")
    second = await owner.send("PUT", path, {"grants": {}}, If_None_Match="*")
    assert (first.status, second.status, second.code) == (200, 412, "precondition-failed")
    assert (await owner.get(path))["grants"] == GRANTS


async def test_a_precondition_tells_nothing_to_callers_without_the_right(
    resources: Resources,
) -> None:
    viewer = await resources.join("viewer")
    stranger = await resources.team.person("Stranger")
    for sent in (STALE, "*"):
        refused = await viewer.send("PATCH", resources.path, {"name": "x"}, If_Match=sent)
        assert (refused.status, refused.code) == (403, "permission-missing")
        hidden = await stranger.send("GET", resources.path, If_None_Match=sent)
        assert hidden.status == 404


async def test_a_tag_does_not_change_with_what_happens_beside_the_resource(
    resources: Resources,
) -> None:
    owner = resources.owner
    paths = [await resources.of(route) for route in READS if route.path != POLICY]
    before = await resources.tags(paths)

    await resources.invite("later@example.com", "viewer")
    [override] = [route for route in WRITES if route.operation_id == "setOverride"]
    other = await resources.of(override)
    changed = f"{resources.path}/members/{(await resources.member()).user_id}"
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", changed, {"role": "viewer"}),
        ("DELETE", changed, None),
        ("PUT", other, {"grants": {}}),
        ("DELETE", other, None),
        ("DELETE", other.rpartition("/overrides/")[0], None),
    ]
    for method, path, body in changes:
        assert (await owner.send(method, path, body)).status in {200, 204}

    assert await resources.tags(paths) == before


async def test_a_tag_is_made_from_the_state_and_survives_a_restore(resources: Resources) -> None:
    """After a restore the numbers of journal and account may be others for the same state."""
    paths = [await resources.of(route) for route in READS]
    before = await resources.tags(paths)
    for name in ("accounts", "members", "projects", "overrides", "resources"):
        rows = resources.team.database[name]
        await rows.update_many({"account_id": resources.id}, {"$inc": {"rev": 1_000}})
    accounts = resources.team.database["accounts"]
    await accounts.update_one({"_id": resources.id}, {"$inc": {"account_rev": 1_000}})
    assert await resources.tags(paths) == before


async def test_what_a_post_answers_has_the_tag_of_its_read(resources: Resources) -> None:
    created = await resources.owner.send("POST", f"{resources.path}/projects", {"name": "prod"})
    path = f"{resources.path}/projects/{created.expect(201)['id']}"
    assert created.body["etag"] == await resources.tag(path)
    ana = await resources.team.person("Ana")
    converted = await ana.send("POST", f"{ana.path}/convert", {"name": "Motors"})
    read = await ana.send("GET", ana.path)
    assert converted.expect(200)["etag"] == read.headers["ETag"]


async def test_lists_carry_the_tag_of_each_item(resources: Resources) -> None:
    paths = {route.operation_id: await resources.of(route) for route in READS}
    lists = {
        "getAccount": "/v1/me/accounts",
        "getMember": f"{resources.path}/members",
        "getProject": f"{resources.path}/projects",
        "getOverride": paths["getOverride"].rpartition("/")[0],
        "getResource": f"{resources.path}/resources",
    }
    for name, path in lists.items():
        items = (await resources.owner.get(path))["items"]
        assert await resources.tag(paths[name]) in [item["etag"] for item in items], name


@named(WRITES)
async def test_of_two_writers_with_the_same_tag_one_wins(
    resources: Resources, route: Route
) -> None:
    """Each asks another replica, and both have read the same state."""
    path = await resources.of(route)
    tag = await resources.tag(path)
    answers = await asyncio.gather(
        *(
            resources.caller(route).send(route.method, path, body, If_Match=tag)
            for body in bodies(route)
        )
    )
    expected = [204, 404] if route.method == "DELETE" else [200, 412]
    assert sorted(answer.status for answer in answers) == expected
