"""Overrides that expire give nothing back early, and nothing for longer than meant (B5)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.team.led_catalog import CATALOG, GRANTS, HOUR

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Reply, Team


class Place:
    """A project, and what is done with overrides in it."""

    def __init__(self, account: Account, project_id: str) -> None:
        self.account = account
        self.project_id = project_id

    async def put(self, actor: Person, whom: Person, grants: str, lasting: int | None) -> Reply:
        body: dict[str, Any] = {"grants": GRANTS[grants]}
        if lasting is not None:
            ends = self.account.team.clock.now() + timedelta(seconds=lasting)
            body["expires_at"] = ends.isoformat()
        return await actor.send("PUT", self._path(whom), body)

    async def lift(self, actor: Person, whom: Person) -> Reply:
        return await actor.send("DELETE", self._path(whom))

    async def holds(self, person: Person, permission: str) -> bool:
        path = f"{self.account.path}/me/permissions?project={self.project_id}"
        return permission in (await person.get(path))["permissions"]

    def _path(self, whom: Person) -> str:
        return f"{self.account.path}/projects/{self.project_id}/overrides/{whom.user_id}"


async def place_in(team: Team) -> Place:
    await team.publish(CATALOG.catalog)
    account = await team.account(CATALOG.id)
    made = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
    return Place(account, made.expect(201)["id"])


def refused(answer: Reply) -> bool:
    return (answer.status, answer.body.get("code")) == (403, "grants-exceeded")


@pytest.mark.rule("B5", "Ci9")
@pytest.mark.parametrize("lasting", [None, HOUR])
@pytest.mark.parametrize("actor", ["admin", "other"])
async def test_a_lowered_member_does_not_shorten_the_override(
    team: Team, lasting: int | None, actor: str
) -> None:
    place = await place_in(team)
    owner, admin = place.account.owner, await place.account.join("admin")
    other = await place.account.join("admin", "other")
    by = place.account.people[actor]
    for lowered in (admin, other):
        (await place.put(owner, lowered, "steer", lasting)).expect(200)
    for grants in ("nothing", "steer"):
        assert refused(await place.put(by, admin, grants, 1)), grants
    assert refused(await place.lift(by, admin))
    team.clock.move(2)
    assert not await place.holds(admin, "instance:delete")


@pytest.mark.rule("B5")
async def test_a_member_may_extend_a_lowering_override_but_not_shorten_it(team: Team) -> None:
    place = await place_in(team)
    owner, admin = place.account.owner, await place.account.join("admin")
    (await place.put(owner, admin, "steer", HOUR)).expect(200)
    for lasting in (HOUR, 2 * HOUR, None):
        (await place.put(admin, admin, "steer", lasting)).expect(200)
    assert refused(await place.put(admin, admin, "steer", 2 * HOUR))


@pytest.mark.rule("B5")
async def test_a_member_who_holds_the_restored_grants_may_shorten_an_override(team: Team) -> None:
    place = await place_in(team)
    owner, admin = place.account.owner, await place.account.join("admin")
    (await place.put(owner, admin, "nothing", None)).expect(200)
    (await place.put(owner, admin, "nothing", 1)).expect(200)
    team.clock.move(1)
    assert await place.holds(admin, "instance:delete")


async def test_an_override_that_has_ended_restricts_no_change(team: Team) -> None:
    place = await place_in(team)
    owner, admin = place.account.owner, await place.account.join("admin")
    (await place.put(owner, admin, "nothing", HOUR)).expect(200)
    team.clock.move(HOUR)
    (await place.put(admin, admin, "nothing", 1)).expect(200)


@pytest.mark.rule("B5")
async def test_a_raised_member_shortens_the_override_and_cannot_extend_it(team: Team) -> None:
    place = await place_in(team)
    owner, lead = place.account.owner, await place.account.join("lead")
    (await place.put(owner, lead, "everything", HOUR)).expect(200)
    for lasting in (HOUR + 1, None):
        assert refused(await place.put(lead, lead, "everything", lasting)), lasting
    (await place.put(lead, lead, "everything", HOUR)).expect(200)
    (await place.put(lead, lead, "everything", 60)).expect(200)
    (await place.put(lead, lead, "own", None)).expect(200)


@pytest.mark.rule("B5")
async def test_a_member_raised_for_a_time_gives_nothing_for_longer(team: Team) -> None:
    place = await place_in(team)
    owner, lead = place.account.owner, await place.account.join("lead")
    developer, admin = await place.account.join("developer"), await place.account.join("admin")
    (await place.put(owner, lead, "everything", HOUR)).expect(200)
    assert refused(await place.put(lead, developer, "work", None))
    (await place.put(lead, developer, "work", HOUR)).expect(200)
    (await place.put(owner, admin, "nothing", 2 * HOUR)).expect(200)
    assert refused(await place.lift(lead, admin))
    (await place.put(owner, admin, "nothing", HOUR)).expect(200)
    (await place.lift(lead, admin)).expect(204)
    (await place.put(owner, lead, "everything", None)).expect(200)
    (await place.put(lead, developer, "work", None)).expect(200)


@pytest.mark.rule("Ci9")
async def test_an_expired_override_is_marked_and_the_role_counts_again(team: Team) -> None:
    place = await place_in(team)
    account, member = place.account, await place.account.join("admin")
    mine = f"{account.path}/me/permissions?project={place.project_id}"
    assert (await member.get(mine))["override"] is None

    made = (await place.put(account.owner, member, "nothing", HOUR)).expect(200)
    assert made["expired"] is False
    listed = f"{account.path}/projects/{place.project_id}/overrides"
    for seconds, expired in ((0, False), (HOUR, True)):
        team.clock.move(seconds)
        [override] = (await account.owner.get(listed))["items"]
        view = await member.get(mine)
        assert override["expired"] is view["override"]["expired"] is expired
        assert view["override"]["expires_at"] == override["expires_at"]
        assert ("project:manage" in view["permissions"]) is expired
