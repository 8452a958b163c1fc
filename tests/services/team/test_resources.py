"""Registered resources: who writes, sees and reassigns them, and what stands in the way."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from shared.contracts.facts import MAX_ROW_BYTES
from shared.ids import new_id
from tests.services.team.running import Account, ServiceClient, Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


LIMIT = 600


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn."""
    async with running(mongo_url, new_id("test"), replicas=2, resources_per_account=LIMIT) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="module")
async def account(team: Team) -> Account:
    return await team.account()


@pytest_asyncio.fixture(loop_scope="module")
async def platform(team: Team) -> ServiceClient:
    return await team.service_client()


def items(count: int, *, first: int = 0, **fields: Any) -> dict[str, Any]:
    """A batch of instances."""
    numbers = range(first, first + count)
    return {"resources": [{"type": "instance", "id": f"i-{at:05}", **fields} for at in numbers]}


async def told(account: Account, action: str = "resource.registered") -> list[Any]:
    return [row for row in await account.team.rows(action) if row.account_id == account.id]


async def test_a_resource_is_registered_read_listed_and_deleted(
    account: Account, platform: ServiceClient
) -> None:
    member = await account.join("basic")
    path = f"{account.path}/resources/instance/i-1"
    body = {"owner_id": member.user_id, "properties": {"size": "small", "gpus": 2, "spot": True}}

    made = await platform.send("PUT", path, body)

    shown = made.expect(200)
    assert {name: shown[name] for name in ("type", "id", "project_id")} == {
        "type": "instance",
        "id": "i-1",
        "project_id": None,
    }
    assert (shown["owner_id"], shown["properties"]) == (member.user_id, body["properties"])
    assert "Rolecall-Revision" in made.headers
    for caller in (platform, account.owner):
        assert (await caller.send("GET", path)).expect(200) == shown
        listed = (await caller.send("GET", f"{account.path}/resources")).expect(200)
        assert listed == {"items": [shown], "next_cursor": None}
    [row] = await told(account)
    assert (row.resource.type, row.resource.id) == ("instance", "i-1")
    assert row.actor.type == "service_client"
    assert row.after == {"owner_id": member.user_id, "project_id": None} | {
        "properties": body["properties"]
    }
    (await platform.send("DELETE", path)).expect(204)
    assert (await platform.send("DELETE", path)).status == 404
    [gone] = await told(account, "resource.deleted")
    assert [one.state for one in gone.policy_objects] == [None]
    assert (await platform.send("GET", path)).status == 404


async def test_the_same_again_records_nothing(account: Account, platform: ServiceClient) -> None:
    path = f"{account.path}/resources/instance/i-1"
    first = (await platform.send("PUT", path, {"properties": {"a": 1, "b": "x"}})).expect(200)
    again = await platform.send("PUT", path, {"properties": {"b": "x", "a": 1}})
    assert again.expect(200) == first
    assert "Rolecall-Revision" not in again.headers
    assert len(await told(account)) == 1
    for other in (True, 1.0, "1"):
        changed = (await platform.send("PUT", path, {"properties": {"a": other, "b": "x"}})).body
        assert changed["properties"]["a"] == other
        assert changed["etag"] != first["etag"]
    assert len(await told(account)) == 4


@pytest.mark.rule("T1")
async def test_a_client_reaches_only_what_it_is_bound_to(team: Team, account: Account) -> None:
    """Bound to one, to two, to none: each names accounts, and the token says which."""
    other, third = await team.account(), await team.account()
    nowhere = f"/v1/accounts/{new_id('acc')}"
    clients = {
        "one": (await team.service_client(accounts=[account.id]), {account.path}),
        "two": (
            await team.service_client(accounts=[account.id, other.id]),
            {account.path, other.path},
        ),
        "none": (await team.service_client(accounts=[]), set[str]()),
        "all": (await team.service_client(), {account.path, other.path, third.path}),
    }
    for name, (client, open_to) in clients.items():
        for path in (account.path, other.path, third.path, nowhere):
            one = f"{path}/resources/instance/i-of-{name}"
            answers = [
                await client.send("PUT", one, {}),
                await client.send("GET", one),
                await client.send("GET", f"{path}/resources"),
                await client.send("POST", f"{path}/resources", items(1)),
                await client.send("DELETE", one),
            ]
            codes = {answer.body.get("code") if answer.body else None for answer in answers}
            if path in open_to:
                assert codes == {None}, (name, path)
            elif name == "all":
                assert codes == {"not-found"}
            else:
                assert codes == {"account-not-bound"}, (name, path)
    refused = [row for row in await team.rows("request.refused") if row.account_id]
    assert [row for row in refused if row.reason == "account-not-bound"] == []


@pytest.mark.rule("T1")
async def test_a_client_writes_and_sees_its_own_types(team: Team, account: Account) -> None:
    platform = await team.service_client()
    compute, nothing = (
        await team.service_client(types=["instance"]),
        await team.service_client(types=[]),
    )
    bucket = f"{account.path}/resources/bucket/b-1"
    (await platform.send("PUT", bucket, {})).expect(200)
    (await compute.send("PUT", f"{account.path}/resources/instance/i-1", {})).expect(200)
    mixed = {"resources": [*items(1)["resources"], {"type": "bucket", "id": "b-2"}]}
    for method, path, body in (
        ("PUT", bucket, {}),
        ("GET", bucket, None),
        ("DELETE", bucket, None),
        ("GET", f"{account.path}/resources?type=bucket", None),
        ("POST", f"{account.path}/resources", mixed),
    ):
        answer = await compute.send(method, path, body)
        assert (answer.status, answer.code) == (403, "type-not-bound"), (method, path)
    rows = [row for row in await team.rows("request.refused") if row.account_id == account.id]
    assert [row.reason for row in rows] == ["type-not-bound"] * 5
    seen = {
        name: [
            item["id"]
            for item in (await client.send("GET", f"{account.path}/resources")).body["items"]
        ]
        for name, client in (("all", platform), ("compute", compute), ("nothing", nothing))
    }
    assert seen == {"all": ["b-1", "i-1"], "compute": ["i-1"], "nothing": []}


async def test_a_client_without_the_scope_and_members_cannot_write(
    team: Team, account: Account
) -> None:
    checking = await team.service_client(scopes=["authz:check"])
    path = f"{account.path}/resources/instance/i-1"
    assert (await checking.send("PUT", path, {})).code == "scope-missing"
    assert (await checking.send("GET", path)).code == "scope-missing"
    assert (await account.owner.send("PUT", path, {})).code == "wrong-principal"
    basic = await account.join("basic")
    assert (await basic.send("GET", path)).code == "permission-missing"


async def test_project_and_owner_belong_to_the_account(
    team: Team, account: Account, platform: ServiceClient
) -> None:
    other = await team.account()
    made = await other.owner.send("POST", f"{other.path}/projects", {"name": "p"})
    path = f"{account.path}/resources/instance/i-1"
    foreign = await platform.send("PUT", path, {"project_id": made.body["id"]})
    assert (foreign.status, foreign.code) == (422, "project-unknown")
    assert foreign.body["errors"][0]["pointer"] == "/project_id"
    stranger = await platform.send("PUT", path, {"owner_id": other.owner.user_id})
    assert (stranger.status, stranger.code) == (422, "owner-not-a-member")
    assert stranger.body["errors"][0]["pointer"] == "/owner_id"


@pytest.mark.parametrize(
    "body",
    [
        {"properties": {"a": None}},
        {"properties": {"a": [1]}},
        {"properties": {"a": {"b": 1}}},
        {"properties": {"a": 2**53}},
        {"properties": {"a": "x" * 257}},
        {"properties": {"a.b": 1}},
        {"properties": {"$a": 1}},
        {"properties": {"owner_id": "usr_1"}},
        {"properties": {f"a{number}": 1 for number in range(33)}},
        {"properties": {f"a{number}": "x" * 250 for number in range(9)}},
        {"owner_id": "ana@example.com"},
        {"project_id": "p"},
        {"type": "instance"},
    ],
    ids=lambda body: str(body)[:40],
)
async def test_what_is_not_bounded_is_refused(
    account: Account, platform: ServiceClient, body: dict[str, Any]
) -> None:
    answer = await platform.send("PUT", f"{account.path}/resources/instance/i-1", body)
    assert (answer.status, answer.code) == (422, "invalid")


async def test_rolecalls_own_types_and_repeats_in_a_batch_are_refused(
    account: Account, platform: ServiceClient
) -> None:
    for own in ("project", "account", "member", "api_token"):
        answer = await platform.send("PUT", f"{account.path}/resources/{own}/x", {})
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/path/type")
    twice = {"resources": [*items(2)["resources"], *items(1)["resources"]]}
    answer = await platform.send("POST", f"{account.path}/resources", twice)
    assert answer.body["errors"][0]["pointer"] == "/resources/2"


async def test_a_batch_has_a_result_for_each_and_few_facts(
    account: Account, platform: ServiceClient
) -> None:
    """Resources with long properties are rows that the journal takes."""
    member = await account.join("basic")
    long = {f"key{number}": "x" * 200 for number in range(9)}
    batch = items(200, owner_id=member.user_id, properties=long)
    batch["resources"] += items(198, first=200)["resources"]
    batch["resources"] += [
        {"type": "instance", "id": "wrong-owner", "owner_id": new_id("usr")},
        {"type": "instance", "id": "wrong-project", "project_id": new_id("prj")},
    ]

    answer = await platform.send("POST", f"{account.path}/resources", batch)

    results = answer.expect(200)["results"]
    assert [done["id"] for done in results] == [one["id"] for one in batch["resources"]]
    assert [done["status"] for done in results] == ["registered"] * 398 + ["refused"] * 2
    assert [done["refusal"]["code"] for done in results[-2:]] == [
        "owner-not-a-member",
        "project-unknown",
    ]
    rows = await told(account)
    assert len({row.change_id for row in rows}) == 1
    assert max(len(row.to_event()) for row in rows) < MAX_ROW_BYTES
    assert {row.resource.type for row in rows} == {"account"}
    named = [one["id"] for row in rows for one in row.after["resources"]]
    assert named == [done["id"] for done in results[:-2]]
    assert [one.id for row in rows for one in row.policy_objects] == [
        f"instance/{at}" for at in named
    ]

    batch["resources"][0]["properties"] = {}
    again = (await platform.send("POST", f"{account.path}/resources", batch)).expect(200)
    assert [done["status"] for done in again["results"]] == [
        "changed",
        *["unchanged"] * 397,
        *["refused"] * 2,
    ]
    [changed] = (await told(account))[len(rows) :]
    assert changed.resource.id == "i-00000"


async def test_the_list_is_paged_and_filtered(account: Account, platform: ServiceClient) -> None:
    member = await account.join("basic")
    made = await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})
    project = made.expect(201)["id"]
    batch = items(7, owner_id=member.user_id)
    batch["resources"] += items(3, first=7, project_id=project)["resources"]
    batch["resources"].append({"type": "bucket", "id": "b-1", "owner_id": member.user_id})
    (await platform.send("POST", f"{account.path}/resources", batch)).expect(200)

    async def listed(query: str) -> list[str]:
        found, cursor = [], ""
        while cursor is not None:
            page = await account.owner.get(f"{account.path}/resources?limit=2{query}{cursor}")
            found += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        return found

    instances = [f"i-{at:05}" for at in range(10)]
    assert await listed("") == ["b-1", *instances]
    assert await listed("&type=instance") == instances
    assert await listed(f"&project={project}") == instances[7:]
    assert await listed(f"&owner={member.user_id}") == ["b-1", *instances[:7]]
    assert await listed(f"&owner={member.user_id}&type=bucket") == ["b-1"]
    assert await listed(f"&owner={member.user_id}&project={project}") == []


async def test_the_limit_of_resources_is_exact(account: Account, platform: ServiceClient) -> None:
    for first in (0, 250):
        batch = items(250, first=first)
        (await platform.send("POST", f"{account.path}/resources", batch)).expect(200)
    answer = await platform.send("POST", f"{account.path}/resources", items(250, first=400))
    counts = [done["status"] for done in answer.expect(200)["results"]]
    assert counts == ["unchanged"] * 100 + ["registered"] * 100 + ["refused"] * 50
    beyond = f"{account.path}/resources/instance/one-more"
    full = await platform.send("PUT", beyond, {})
    assert (full.status, full.code, full.body["limit"]) == (409, "resource-limit", LIMIT)
    (await platform.send("DELETE", f"{account.path}/resources/instance/i-00000")).expect(204)
    at_once = await asyncio.gather(
        *(platform.send("PUT", f"{beyond}-{number}", {}) for number in range(4))
    )
    assert sorted(answer.status for answer in at_once) == [200, 409, 409, 409]


async def test_a_project_with_resources_is_not_deleted(
    account: Account, platform: ServiceClient
) -> None:
    made = await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})
    project = made.expect(201)["id"]
    path = f"{account.path}/resources/instance/i-1"
    (await platform.send("PUT", path, {"project_id": project})).expect(200)

    refused = await account.owner.send("DELETE", f"{account.path}/projects/{project}")

    assert (refused.status, refused.code) == (409, "project-has-resources")
    assert refused.body["count"] == 1
    (await platform.send("PUT", path, {})).expect(200)
    (await account.owner.send("DELETE", f"{account.path}/projects/{project}")).expect(204)


@pytest.mark.rule("Nv3", "Ci13")
async def test_resources_outlive_their_owners_membership(
    account: Account, platform: ServiceClient
) -> None:
    member, heir = await account.join("basic"), await account.join("developer")
    batch = items(3, owner_id=member.user_id)
    (await platform.send("POST", f"{account.path}/resources", batch)).expect(200)

    removed = await account.owner.send("DELETE", f"{account.path}/members/{member.user_id}")

    body = {"passed_invitations": [], "owned_resources": 3, "reassigned_resources": 0}
    assert removed.expect(200) == body
    [row] = [
        row for row in await account.team.rows("member.removed") if row.account_id == account.id
    ]
    assert row.before is not None
    assert row.before["owned_resources"] == 3
    path = f"{account.path}/resources/instance/i-00000"
    kept = {"owner_id": member.user_id, "properties": {"size": "small"}}
    assert (await platform.send("PUT", path, kept)).expect(200)["owner_id"] == member.user_id
    given = {"from_user_id": member.user_id, "to_user_id": heir.user_id}
    done = await account.owner.send("POST", f"{account.path}/resources/reassign", given)
    assert done.expect(200) == {"reassigned": 3, "remaining": 0}
    owners = {
        item["owner_id"] for item in (await account.owner.get(f"{account.path}/resources"))["items"]
    }
    assert owners == {heir.user_id}
    [told_once] = await told(account, "resource.reassigned")
    assert json.dumps(told_once.before).count(member.user_id) == 3
    assert (told_once.data["email"], told_once.data["from_name"]) == (heir.email, "")


async def test_a_removal_reassigns_in_the_same_change(
    account: Account, platform: ServiceClient
) -> None:
    member, heir = await account.join("basic"), await account.join("developer")
    (
        await platform.send("POST", f"{account.path}/resources", items(2, owner_id=member.user_id))
    ).expect(200)
    path = f"{account.path}/members/{member.user_id}?reassign_to="
    for to in (new_id("usr"), member.user_id):
        answer = await account.owner.send("DELETE", path + to)
        assert answer.status == 422
        assert answer.body["errors"][0]["pointer"] == "/query/reassign_to"
    removed = await account.owner.send("DELETE", path + heir.user_id)
    body = {"passed_invitations": [], "owned_resources": 0, "reassigned_resources": 2}
    assert removed.expect(200) == body
    rows = [row for row in await account.team.rows() if row.account_id == account.id][-2:]
    assert [row.action for row in rows] == ["resource.reassigned", "member.removed"]
    assert len({row.change_id for row in rows}) == 1
    told_to = {"email": heir.email, "name": heir.name, "from_name": member.name}
    assert rows[0].data.items() >= {"to_user_id": heir.user_id, **told_to}.items()
