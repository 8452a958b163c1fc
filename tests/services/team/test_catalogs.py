"""Published catalogs on a running team: the operator's routes, moves of accounts, and the start."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import SHIPPED_CATALOGS, load_catalog
from services.team.domain.catalogs import MAX_CATALOG_BYTES
from services.team.store import PolicySnapshot, Store
from services.team.store.snapshot import CATALOG_PAGE
from shared.ids import new_id
from shared.mongo import causal_session
from shared.problems import AdminKeyWrong, StartRefused
from tests.sdk.older_catalogs import older
from tests.services.team.print_shop import (
    SHOP,
    limited_to,
    named,
    renamed_level,
    version,
    without,
    without_role,
)
from tests.services.team.running import Account, Reply, Team, running
from tests.support.service import ADMIN_KEY, KEYS

if TYPE_CHECKING:
    from rolecall import CompiledCatalog

PATH = "/internal/admin/catalogs"
LATER = version(limited_to(39))
BACK = {"levels": {"proof:accept": "proof:approve"}}
NO_APPRENTICE = version(without_role("apprentice"))


@pytest.fixture
def team(own_team: Team) -> Team:
    """A team of the test's own, because catalogs belong to no account."""
    return own_team


async def ask(team: Team, method: str, path: str = PATH, body: Any = None, **fields: Any) -> Reply:
    """A request of the operator."""
    return await team.send(method, path, body, token=fields.get("token", ADMIN_KEY))


async def publish(team: Team, catalog: CompiledCatalog, **fields: Any) -> dict[str, Any]:
    """Publish a catalog by the route."""
    body = {"content": catalog.catalog.to_mapping(), **fields}
    published: dict[str, Any] = (await ask(team, "POST", body=body)).expect(200)
    return published


async def shop(team: Team) -> Account:
    """An account of the print shop's catalog with an apprentice."""
    await publish(team, SHOP)
    account = await team.account("print-shop")
    await account.join("apprentice", "Abe")
    return account


async def listed(team: Team) -> dict[str, dict[str, Any]]:
    """The published versions by their id."""
    items = (await ask(team, "GET", f"{PATH}?limit=200")).expect(200)["items"]
    return {item["id"]: item for item in items}


async def test_only_the_operator_sees_publishes_and_moves(team: Team) -> None:
    for method, path in (
        ("GET", PATH),
        ("POST", PATH),
        ("GET", f"{PATH}/{SHOP.id}"),
        ("POST", f"{PATH}/{SHOP.id}/move"),
    ):
        for key in (None, "wrong", KEYS.private["team"]):
            refused = await ask(team, method, path, {} if method == "POST" else None, token=key)
            assert refused.status == 401, (method, path)
            assert key is None or refused.body["detail"] == AdminKeyWrong.detail


async def test_the_same_content_is_published_once(team: Team) -> None:
    checked = await publish(team, SHOP, dry_run=True)
    assert (checked["id"], checked["new"]) == (SHOP.id, True)
    assert SHOP.id not in await listed(team)
    first, again = await publish(team, SHOP), await publish(team, SHOP)
    assert (first["id"], first["new"], again["new"]) == (SHOP.id, True, False)
    assert (await publish(team, SHOP, dry_run=True))["new"] is False
    rows = await team.rows("catalog.published")
    [row] = [row for row in rows if row.resource.id == SHOP.id]
    assert (row.actor.type, row.resource.name) == ("operator", "Print Shop")
    assert row.policy_objects[0].state == {"content": SHOP.catalog.to_mapping()}
    shown = (await ask(team, "GET", f"{PATH}/{SHOP.id}")).expect(200)
    assert shown["content"] == SHOP.catalog.to_mapping()
    missing = await ask(team, "GET", f"{PATH}/print-shop")
    assert (missing.status, missing.code) == (404, "not-found")


async def test_every_fault_of_a_catalog_is_named_at_its_place(team: Team) -> None:
    content = SHOP.catalog.to_mapping() | {"owner_role": "king", "role_after_transfer": "master"}
    refused = await ask(team, "POST", body={"content": content})
    assert (refused.status, refused.code) == (422, "invalid")
    assert [error["pointer"] for error in refused.body["errors"]] == [
        "/content/owner_role",
        "/content/role_after_transfer",
    ]
    shipped = load_catalog("runos").to_mapping() | {"title": "Ours"}
    taken = await ask(team, "POST", body={"content": shipped})
    assert [error["pointer"] for error in taken.body["errors"]] == ["/content/name"]
    assert {row["name"] for row in (await listed(team)).values()} == set(SHIPPED_CATALOGS)


async def test_the_size_of_a_catalog_is_bounded(team: Team) -> None:
    content: dict[str, Any] = SHOP.catalog.to_mapping()
    content["description"] = "a" * MAX_CATALOG_BYTES
    refused = await ask(team, "POST", body={"content": content})
    assert (refused.status, refused.code) == (413, "catalog-too-large")
    assert refused.body["limit"] == MAX_CATALOG_BYTES
    content["description"] = "a" * (MAX_CATALOG_BYTES - len(json.dumps(SHOP.catalog.to_mapping())))
    (await ask(team, "POST", body={"content": content})).expect(200)


async def test_versions_stand_side_by_side_with_their_accounts(team: Team) -> None:
    account = await shop(team)
    team.clock.move(1)
    await publish(team, LATER)
    versions = await listed(team)
    standard = versions[load_catalog("standard").id]
    assert (standard["newest"], standard["of_new_accounts"], standard["accounts"]) == (
        True,
        True,
        1,
    )
    old, new = versions[SHOP.id], versions[LATER.id]
    assert (old["newest"], old["accounts"]) == (False, 1)
    assert (new["newest"], new["accounts"]) == (True, 0)
    other = await team.account("print-shop")
    assert (await other.owner.get(other.path))["catalog"] == LATER.id
    assert (await account.owner.get(account.path))["catalog"] == SHOP.id
    assert list(versions) == sorted(versions, key=lambda one: one.partition("@")[0])


async def test_an_owner_moves_the_account_with_a_mapping(team: Team) -> None:
    account = await shop(team)
    team.clock.move(1)
    await publish(team, NO_APPRENTICE)
    path = f"{account.path}/catalog"
    offered = (await account.owner.get(f"{account.path}/catalogs"))["items"]
    assert [one["name"] for one in offered] == sorted([*SHIPPED_CATALOGS, "print-shop"])
    [newest] = [one for one in offered if one["id"] == NO_APPRENTICE.id]
    assert [role["id"] for role in newest["roles"]] == [
        role.id for role in NO_APPRENTICE.catalog.roles
    ]
    body: dict[str, Any] = {"catalog": NO_APPRENTICE.id}
    refused = await account.owner.send("POST", path, body)
    assert (refused.status, refused.code) == (409, "mapping-needed")
    assert [error["pointer"] for error in refused.body["errors"]] == ["/mapping/roles/apprentice"]
    body |= {"mapping": {"roles": {"apprentice": "printer"}}}
    moved = (await account.owner.send("POST", path, body)).expect(200)
    assert moved["account"]["catalog"] == NO_APPRENTICE.id
    assert moved["changed"] == {
        "members": 1,
        "invitations": 0,
        "overrides": 0,
        "overrides_ended": 0,
        "roles_ended": [],
        "resource_types_lost": [],
    }
    abe = account.people["Abe"]
    assert (await abe.get(account.path))["role"] == "printer"
    again = (await account.owner.send("POST", path, body)).expect(200)
    assert again["changed"] is None
    assert len(await team.rows("account.moved")) == 1


async def test_a_move_after_a_preview_is_refused_once_the_account_has_changed(team: Team) -> None:
    account = await shop(team)
    target = version(named("book-shop"))
    await publish(team, target)
    owner, path = account.owner, f"{account.path}/catalog"
    roles = {"apprentice": "apprentice", "printer": "printer"}
    body = {"catalog": target.id, "mapping": {"roles": roles}}

    async def previewed() -> str:
        change = {"change": body | {"type": "catalog_move"}}
        preview = await owner.send("POST", f"{account.path}/changes/preview", change)
        return str(preview.expect(200)["etag"])

    seen = await previewed()
    assert await previewed() == seen
    project = await owner.send("POST", f"{account.path}/projects", {"name": "A"})
    project_path = f"{account.path}/projects/{project.expect(201)['id']}"
    changes: list[tuple[str, str, Any]] = [
        ("POST", f"{account.path}/invitations", {"email": "new@example.com", "role": "printer"}),
        ("POST", f"{account.path}/members/{account.people['Abe'].user_id}/suspend", None),
        ("DELETE", project_path, None),
    ]
    for method, place, sent in changes:
        known = await previewed()
        assert known != seen
        assert (await owner.send(method, place, sent)).status < 300
        refused = await owner.send("POST", path, body, If_Match=known)
        assert (refused.status, refused.code) == (412, "precondition-failed")
    known = await previewed()
    (await owner.send("POST", path, body, If_Match=known)).expect(200)
    again = (await owner.send("POST", path, body, If_Match=known)).expect(200)
    assert again["changed"] is None


async def test_an_override_that_was_over_before_a_move_stops_no_request(team: Team) -> None:
    account = await shop(team)
    owner, abe, other = account.owner, account.people["Abe"], await account.join("apprentice")
    project = (await owner.send("POST", f"{account.path}/projects", {"name": "A"})).expect(201)
    overrides = f"{account.path}/projects/{project['id']}/overrides"
    mine, theirs = f"{overrides}/{abe.user_id}", f"{overrides}/{other.user_id}"
    when = {"path": "subject.properties.rank", "equals": "high"}
    grants = {"proof": {"approve": {"scope": "all", "when": when}}}
    ends = (team.clock.now() + timedelta(minutes=1)).isoformat()
    for place in (mine, theirs):
        (await owner.send("PUT", place, {"grants": grants, "expires_at": ends})).expect(200)
    team.clock.move(61)
    target = version(renamed_level("proof", "approve", "accept"))
    await publish(team, target)
    body = {"catalog": target.id, "mapping": {"levels": {"proof:approve": "proof:accept"}}}
    (await owner.send("POST", f"{account.path}/catalog", body)).expect(200)
    people = f"{account.path}/members"
    requests: list[tuple[int, str, str, Any]] = [
        (200, "GET", overrides, None),
        (200, "GET", mine, None),
        (200, "PATCH", f"{people}/{abe.user_id}", {"attributes": {"rank": "high"}}),
        (200, "PATCH", f"{people}/{owner.user_id}", {"attributes": {"rank": "high"}}),
        (200, "PATCH", f"{people}/{abe.user_id}", {"role": "printer"}),
        (200, "POST", f"{people}/{abe.user_id}/suspend", None),
        (200, "POST", f"{people}/{abe.user_id}/resume", None),
        (200, "GET", f"{people}/{abe.user_id}/access?project={project['id']}", None),
        (200, "PUT", mine, {"grants": {"proof": {"accept": "all"}}}),
        (204, "DELETE", theirs, None),
        (200, "POST", f"{account.path}/catalog", body | {"catalog": SHOP.id, "mapping": BACK}),
    ]
    for status, method, path, sent in requests:
        answer = await owner.send(method, path, sent)
        assert answer.status == status, (method, path, answer.body)


@pytest.mark.rule("B9")
async def test_a_preview_lists_members_whose_new_role_grants_the_same(team: Team) -> None:
    """The role of another catalog is another one: they get a mail, and are counted by the move."""
    account = await shop(team)
    other = version(named("copy-shop"))
    await publish(team, other)
    body = {"catalog": "copy-shop", "mapping": {"roles": {"apprentice": "apprentice"}}}
    change = {"change": body | {"type": "catalog_move"}}
    preview = (await account.owner.send("POST", f"{account.path}/changes/preview", change)).expect(
        200
    )
    assert [item["user_id"] for item in preview["items"]] == [account.people["Abe"].user_id]
    moved = (await account.owner.send("POST", f"{account.path}/catalog", body)).expect(200)
    assert moved["changed"]["members"] == preview["members_concerned"] == 1
    [row] = [row for row in await team.rows("member.role_changed") if row.account_id == account.id]
    assert row.data["catalog_title"] == SHOP.catalog.title


async def test_an_unknown_catalog_is_refused_with_the_known_ones(team: Team) -> None:
    account = await team.account()
    for path, body in (("catalog", {}), ("catalog", {"mapping": {}}), ("convert", {"name": "New"})):
        wanted = {"catalog": "shop", **body}
        refused = await account.owner.send("POST", f"{account.path}/{path}", wanted)
        assert (refused.status, refused.code) == (422, "invalid")
        [error] = refused.body["errors"]
        assert all(name in error["message"] for name in SHIPPED_CATALOGS)


async def test_the_platform_moves_accounts_in_batches(team: Team) -> None:
    accounts = [await shop(team) for _ in range(3)]
    stays = await team.account()
    await publish(team, NO_APPRENTICE)
    path = f"{PATH}/{SHOP.id}/move"
    body: dict[str, Any] = {"catalog": NO_APPRENTICE.id, "limit": 2}
    refused = (await ask(team, "POST", path, body)).expect(200)
    assert [(item["moved"], item["code"]) for item in refused["items"]] == [
        (False, "mapping-needed"),
        (False, "mapping-needed"),
    ]
    assert refused["items"][0]["errors"][0]["pointer"] == "/mapping/roles/apprentice"
    body["mapping"] = {"roles": {"apprentice": "printer"}}
    tried = (await ask(team, "POST", path, body | {"dry_run": True})).expect(200)
    assert [item["changed"]["members"] for item in tried["items"]] == [1, 1]
    assert [(item["moved"], item["revision"]) for item in tried["items"]] == [(False, None)] * 2
    assert (await listed(team))[SHOP.id]["accounts"] == 3

    found: list[str] = []
    last: str | None = None
    while True:
        batch = (await ask(team, "POST", path, body | {"after": last})).expect(200)
        assert all(item["moved"] and item["revision"] for item in batch["items"])
        found += [item["account_id"] for item in batch["items"]]
        last = batch["last"]
        if last is None:
            break
    assert sorted(found) == sorted(account.id for account in accounts)
    assert (await stays.owner.get(stays.path))["catalog"] == load_catalog("standard").id
    versions = await listed(team)
    assert (versions[SHOP.id]["accounts"], versions[NO_APPRENTICE.id]["accounts"]) == (0, 3)
    [row, *_] = await team.rows("account.moved")
    assert (row.actor.type, row.data["by_platform"]) == ("operator", True)


async def test_a_batch_with_a_wrong_mapping_moves_nothing(team: Team) -> None:
    await shop(team)
    await publish(team, LATER)
    body = {"catalog": LATER.id, "mapping": {"roles": {"apprentice": "king"}}}
    refused = await ask(team, "POST", f"{PATH}/{SHOP.id}/move", body)
    assert (refused.status, refused.code) == (422, "invalid")
    gone = await ask(team, "POST", f"{PATH}/print-shop@1/move", {"catalog": LATER.id})
    assert (gone.status, gone.code) == (404, "not-found")
    assert await team.rows("account.moved") == []


async def test_a_later_version_leaves_accounts_on_theirs_until_they_move(
    mongo_url: str, database_name: str
) -> None:
    """An earlier release had another version of `standard`."""
    earlier = older("standard")
    async with running(mongo_url, database_name) as team:
        await team.publish(earlier)
        account = await team.account(earlier.id)
        await account.join("developer", "Dora")
    async with running(mongo_url, database_name) as team:
        owner = account.owner
        owner.team = team
        assert (await owner.get(account.path))["catalog"] == earlier.id
        versions = await listed(team)
        assert versions[load_catalog("standard").id]["newest"] is True
        assert versions[earlier.id]["accounts"] == 1
        moved = await owner.send("POST", f"{account.path}/catalog", {"catalog": "standard"})
        assert moved.expect(200)["account"]["catalog"] == load_catalog("standard").id


async def test_new_accounts_get_the_catalog_of_the_setting(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name) as team:
        await publish(team, SHOP)
        team.clock.move(1)
        await publish(team, LATER)
    for setting, expected in (("print-shop", LATER.id), (SHOP.id, SHOP.id)):
        async with running(mongo_url, database_name, personal_catalog=setting) as team:
            ana = await team.person("Ana")
            assert (await ana.get(ana.path))["catalog"] == expected
            assert (await listed(team))[expected]["of_new_accounts"] is True


async def test_catalogs_have_pages_of_their_own_in_the_snapshot(team: Team) -> None:
    """A page with all of them could be too large, and authz must get each of them once."""
    for limit in range(1, CATALOG_PAGE):
        await team.publish(version(limited_to(limit)).catalog)
    account = await team.account()
    snapshot = PolicySnapshot(team.database, Store(team.database))
    place: str | None = ""
    pages: list[list[str]] = []
    async with causal_session(team.client) as session:
        while place is not None:
            items, place = await snapshot.read(place, session)
            pages.append([item.id for item in items])
    catalogs = [one for page in pages for one in page if "@" in one]
    assert len(catalogs) == len(set(catalogs)) == CATALOG_PAGE - 1 + len(SHIPPED_CATALOGS)
    assert max(len(page) for page in pages) <= CATALOG_PAGE
    assert account.id in {one for page in pages for one in page}


@pytest.mark.parametrize("name", ["print-shop", f"standard@{'0' * 64}"])
async def test_a_setting_that_names_no_published_catalog_refuses_the_start(
    mongo_url: str, database_name: str, name: str
) -> None:
    with pytest.raises(StartRefused) as refused:
        async with running(mongo_url, database_name, personal_catalog=name):
            pass
    assert str(refused.value).startswith(
        f"ROLECALL_TEAM_PERSONAL_CATALOG names the catalog {name}, which is not published."
        " Published are: cloud-iam, novita, runos, runpod, standard."
    )
    assert "rolecall catalog publish" in str(refused.value)


async def test_parts_that_a_catalog_leaves_out_are_not_there(team: Team) -> None:
    await publish(team, version(without(custom_roles=False, overrides=False)))
    account = await team.account("print-shop")
    member = await account.join("printer", "Pia")
    project = await account.owner.send("POST", f"{account.path}/projects", {"name": "Posters"})
    inside = f"{account.path}/projects/{project.expect(201)['id']}/overrides"
    grants = {"grants": {"press": {"watch": "all"}}}
    role = {"name": "Night shift", "grants": {"shop": {"enter": "all"}}}
    for method, path, body in (
        ("POST", f"{account.path}/roles", role),
        ("DELETE", f"{account.path}/roles/{new_id('rol')}", None),
        ("GET", inside, None),
        ("PUT", f"{inside}/{member.user_id}", grants),
        ("DELETE", f"{inside}/{member.user_id}", None),
    ):
        refused = await account.owner.send(method, path, body)
        assert (refused.status, refused.code) == (404, "not-in-this-catalog"), path


async def test_a_move_lists_types_for_which_the_catalog_has_no_permission(team: Team) -> None:
    """Of registered resources and of the account's own clients; the preview lists the same."""
    await publish(team, SHOP)
    account, other = await team.account("print-shop"), await team.account("print-shop")
    owner, platform = account.owner, await team.service_client()
    for place in ("instance/i-1", "press/p-1", "press/p-2", "press0/p-3", "press_old/p-4"):
        path = f"{account.path}/resources/{place}"
        (await platform.send("PUT", path, {})).expect(200)
    await team.service_client(accounts=[account.id], types=["plate", "instance"])
    await team.service_client(accounts=[other.id], types=["ink"])
    await team.service_client(types=["paper"])
    move = {"catalog": "standard"}
    lost = ["plate", "press", "press0", "press_old"]

    preview = {"change": {"type": "catalog_move", **move}}
    shown = (await owner.send("POST", f"{account.path}/changes/preview", preview)).expect(200)
    tried = {"catalog": "standard", "dry_run": True}
    batch = (await ask(team, "POST", f"{PATH}/{SHOP.id}/move", tried)).expect(200)
    moved = (await owner.send("POST", f"{account.path}/catalog", move)).expect(200)

    assert shown["resource_types_lost"] == moved["changed"]["resource_types_lost"] == lost
    of_batch = {one["account_id"]: one["changed"] for one in batch["items"]}
    assert of_batch[account.id]["resource_types_lost"] == lost
    assert of_batch[other.id]["resource_types_lost"] == ["ink"]
    [row] = await team.rows("account.moved")
    assert row.after is not None
    assert row.after["changed"]["resource_types_lost"] == lost
    leave = {"change": {"type": "project_create", "name": "prod"}}
    kept = (await owner.send("POST", f"{account.path}/changes/preview", leave)).expect(200)
    assert kept["resource_types_lost"] == []


async def test_a_catalog_is_found_without_reading_the_contents_of_others(team: Team) -> None:
    """The list of versions does not carry their contents."""
    await publish(team, SHOP)
    [found] = await Store(team.database).catalog_versions(name="print-shop")
    assert (found.catalog_id, found.title) == (SHOP.id, "Print Shop")


async def test_moves_of_overrides_and_custom_roles_are_in_the_database(team: Team) -> None:
    account = await shop(team)
    owner = account.owner
    member = account.people["Abe"]
    grants = {"proof": {"approve": "self"}}
    role = {"name": "Night shift", "grants": {"shop": {"enter": "all"}, **grants}}
    made = (await owner.send("POST", f"{account.path}/roles", role)).expect(201)
    project = await owner.send("POST", f"{account.path}/projects", {"name": "Posters"})
    place = f"{account.path}/projects/{project.expect(201)['id']}/overrides/{member.user_id}"
    (await owner.send("PUT", place, {"grants": grants})).expect(200)
    target = version(renamed_level("proof", "approve", "accept"))
    await publish(team, target)
    mapping = {"levels": {"proof:approve": "proof:accept"}}
    body = {"catalog": target.id, "mapping": mapping}
    moved = (await owner.send("POST", f"{account.path}/catalog", body)).expect(200)
    assert (moved["changed"]["overrides"], moved["changed"]["members"]) == (1, 0)
    assert (await owner.get(place))["grants"] == {"proof": {"accept": "self"}}
    shown = await owner.get(f"{account.path}/roles/{made['id']}")
    assert shown["grants"] == {"shop": {"enter": "all"}, "proof": {"accept": "self"}}
    held = await member.get(f"{account.path}/me/permissions?project={project.body['id']}")
    assert held["permissions"]["proof:accept"] == "self"
    assert "press:watch" not in held["permissions"]
