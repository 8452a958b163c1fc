"""Projects, and other grants inside one."""

from __future__ import annotations

from typing import Any

import pytest

from rolecall import Catalog, load_catalog
from shared.ids import new_id
from tests.services.team.running import Account, Person, Team

VIEW_ONLY = {"grants": {"instance": {"view": "all"}}}


async def project_in(account: Account, name: str = "prod") -> str:
    answer = await account.owner.send("POST", f"{account.path}/projects", {"name": name})
    return str(answer.expect(201)["id"])


def place(account: Account, project_id: str, person: Person) -> str:
    return f"{account.path}/projects/{project_id}/overrides/{person.user_id}"


async def test_a_refusal_calls_a_project_as_the_catalog_does(team: Team) -> None:
    account = await team.account("runos")
    await project_in(account)
    taken = await account.owner.send("POST", f"{account.path}/projects", {"name": "PROD"})
    assert taken.body["detail"].startswith("Another cluster of this account has that name.")
    bo = await account.join("admin")
    project_id = await project_in(account, "test")
    override = {"grants": {"users": {"view": "all"}}}
    wide = await account.owner.send("PUT", place(account, project_id, bo), override)
    assert wide.body["errors"][0]["message"].endswith("that are decided inside one cluster.")
    await account.owner.send("PUT", place(account, project_id, bo), {"grants": {}})
    [row] = await team.rows("override.set")
    assert row.data["project_word"] == "cluster"


async def test_a_project_is_created_renamed_and_deleted(team: Team) -> None:
    account = await team.account()
    owner, path = account.owner, f"{account.path}/projects"
    project_id = await project_in(account)
    taken = await owner.send("POST", path, {"name": "PROD"})
    assert (taken.status, taken.code) == (409, "project-name-taken")
    (await owner.send("PATCH", f"{path}/{project_id}", {"name": "Production"})).expect(200)
    assert [item["name"] for item in (await owner.get(path))["items"]] == ["Production"]
    assert (await owner.get(f"{path}/{project_id}"))["name"] == "Production"
    (await owner.send("DELETE", f"{path}/{project_id}")).expect(204)
    assert (await owner.send("GET", f"{path}/{project_id}")).status == 404
    assert (await owner.send("DELETE", f"{path}/{project_id}")).status == 404
    told = await team.rows("project.created", "project.renamed", "project.deleted")
    assert [row.policy_objects[0].state for row in told] == [
        {"name": "prod"},
        {"name": "Production"},
        None,
    ]


@pytest.mark.rule("T1")
async def test_a_project_of_another_account_is_not_found(team: Team) -> None:
    mine, other = await team.account(), await team.account()
    project_id = await project_in(other)
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = await mine.owner.send(method, f"{mine.path}/projects/{project_id}", body)
        assert answer.status == 404
    assert (await other.owner.get(f"{other.path}/projects/{project_id}"))["name"] == "prod"


@pytest.mark.rule("Ci9", "Ro3")
async def test_an_override_replaces_the_role_inside_its_project_only(team: Team) -> None:
    """It lowers, it raises, and removing it reverts to the role."""
    account = await team.account()
    member = await account.join("developer")
    project_id, other_id = await project_in(account), await project_in(account, "test")
    path = place(account, project_id, member)

    async def held(project: str) -> str | None:
        mine = await member.get(f"{account.path}/me/permissions?project={project}")
        found: str | None = mine["permissions"].get("instance:write")
        return found

    role_says = await held(other_id)
    assert role_says == "all"
    answer = await account.owner.send("PUT", path, VIEW_ONLY)
    assert answer.expect(200)["grants"] == {"instance": {"view": "all"}}
    assert (await held(project_id), await held(other_id)) == (None, "all")
    listed = await account.owner.get(f"{account.path}/projects/{project_id}/overrides")
    assert [item["user_id"] for item in listed["items"]] == [member.user_id]
    (await account.owner.send("DELETE", path)).expect(204)
    assert await held(project_id) == "all"
    assert (await account.owner.send("DELETE", path)).status == 404
    told = await team.rows("override.set", "override.removed")
    assert told[0].policy_objects[0].state is not None
    assert told[0].policy_objects[0].state["membership_id"].startswith("mem_")
    assert told[1].policy_objects[0].state is None


async def test_an_override_ends_by_itself(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    project_id = await project_in(account)
    body = VIEW_ONLY | {"expires_at": "2100-03-01T13:00:00Z"}
    (await account.owner.send("PUT", place(account, project_id, member), body)).expect(200)
    path = f"{account.path}/me/permissions?project={project_id}"
    team.clock.move(3599)
    assert "instance:write" not in (await member.get(path))["permissions"]
    team.clock.move(1)
    assert "instance:write" in (await member.get(path))["permissions"]
    past = VIEW_ONLY | {"expires_at": "2100-03-01T13:00:00Z"}
    late = await account.owner.send("PUT", place(account, project_id, member), past)
    assert late.expect(422)["errors"][0]["pointer"] == "/expires_at"


BAD_GRANTS = {
    "/grants/balance": {"balance": {"view": "all"}},
    "/grants/nothing": {"nothing": {"view": "all"}},
    "/grants/instance/fly": {"instance": {"fly": "all"}},
    "/grants/instance/view": {"instance": {"view": "some"}},
}


@pytest.mark.rule("Ci9")
async def test_an_override_takes_project_scoped_entries_only(team: Team) -> None:
    """Account-wide entries cannot be overridden."""
    account = await team.account()
    member = await account.join("developer")
    project_id = await project_in(account)
    for pointer, grants in BAD_GRANTS.items():
        answer = await account.owner.send(
            "PUT", place(account, project_id, member), {"grants": grants}
        )
        assert answer.expect(422)["errors"][0]["pointer"] == pointer


async def test_the_owner_and_a_stranger_cannot_be_overridden(team: Team) -> None:
    account = await team.account()
    stranger = await team.person("Stranger")
    project_id = await project_in(account)
    answer = await account.owner.send("PUT", place(account, project_id, account.owner), VIEW_ONLY)
    assert (answer.status, answer.code) == (409, "owner-protected")
    answer = await account.owner.send("PUT", place(account, project_id, stranger), VIEW_ONLY)
    assert answer.status == 404
    nowhere = place(account, new_id("prj"), stranger)
    assert (await account.owner.send("PUT", nowhere, VIEW_ONLY)).status == 404


async def test_deleting_a_project_deletes_its_overrides(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    project_id = await project_in(account)
    (await account.owner.send("PUT", place(account, project_id, member), VIEW_ONLY)).expect(200)
    (await account.owner.send("DELETE", f"{account.path}/projects/{project_id}")).expect(204)
    assert await team.database["overrides"].count_documents({"account_id": account.id}) == 0
    [told] = await team.rows("project.deleted")
    assert told.before == {"name": "prod", "overridden": [member.user_id]}


async def test_project_view_is_decided_in_each_project_by_itself(team: Team) -> None:
    """cloud-iam's and runos's tables have a row for projects, so an override can hide one."""
    account = await team.account("cloud-iam")
    member = await account.join("operator")
    shown, hidden = await project_in(account, "shown"), await project_in(account, "hidden")
    grants = {"grants": {"compute_instances": {"view": "all"}}}
    (await account.owner.send("PUT", place(account, hidden, member), grants)).expect(200)
    listed = await member.get(f"{account.path}/projects")
    assert [item["id"] for item in listed["items"]] == [shown]
    assert (await member.send("GET", f"{account.path}/projects/{hidden}")).status == 403
    assert (await member.get(f"{account.path}/projects/{shown}"))["name"] == "shown"


async def test_overrides_that_the_catalog_leaves_out_are_not_found(team: Team) -> None:
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    features = content["policies"]["features"] | {"overrides": False}
    policies = content["policies"] | {"features": features}
    catalog = Catalog.from_mapping(content | {"name": "plain", "policies": policies})
    await team.publish(catalog)
    account = await team.account("plain")
    member = await account.join("developer")
    project_id = await project_in(account)
    path = place(account, project_id, member)
    for method, body, where in (
        ("GET", None, path.rpartition("/")[0]),
        ("PUT", VIEW_ONLY, path),
        ("DELETE", None, path),
    ):
        answer = await account.owner.send(method, where, body)
        assert (answer.status, answer.code) == (404, "not-in-this-catalog")
