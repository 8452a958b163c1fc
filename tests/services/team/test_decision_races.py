"""Decisions about one account at the same moment: each outcome is one that some order gives."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from rolecall import Catalog, load_catalog
from services.team.domain.custom_roles import CustomRole
from services.team.domain.invitations import InvitationStatus
from shared.ids import RoleId, UserId, new_id
from tests.lengths import length
from tests.services.team.races import Scene, raced, scene
from tests.services.team.running import Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.services.team.running import Reply


TIMES = length("RACES", short=12, soak=50)
CROWDS = length("CROWDS", short=1, soak=50)
CROWD = 64
SEATS = 3
NOTE = RoleId("role_" + "0e" * 16)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas on one database, asked in turn: what happens at once, does."""
    async with running(mongo_url, new_id("test"), replicas=2) as ready:
        await ready.publish(with_few_seats())
        yield ready


def with_few_seats() -> Catalog:
    """A catalog of the platform's own in which an account has `SEATS` members at most."""
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    policies = content["policies"] | {"member_limit": SEATS}
    return Catalog.from_mapping(content | {"name": "few-seats", "policies": policies})


def custom_role(team: Team) -> CustomRole:
    now = team.clock.now()
    return CustomRole(
        role_id=NOTE,
        name="Notes",
        description="",
        grants={"account": {"view": "all"}},
        created_by=UserId(new_id("usr")),
        created_at=now,
        updated_at=now,
    )


async def remove(name: str, where: Scene) -> Reply:
    return await where.owner.send("DELETE", f"{where.path}/members/{where.people[name].user_id}")


async def demote(by: str, whom: str, where: Scene) -> Reply:
    path = f"{where.path}/members/{where.people[whom].user_id}"
    return await where.people[by].send("PATCH", path, {"role": "basic"})


async def accept(name: str, where: Scene) -> Reply:
    return await where.accept(name)


async def revoke(name: str, where: Scene) -> Reply:
    return await where.owner.send("DELETE", f"{where.path}/invitations/{where.invitations[name]}")


async def replace_role(where: Scene) -> Reply:
    return await where.owner.send("DELETE", f"{where.path}/roles/{NOTE}?replacement=basic")


async def rename_role(name: str, tag: str, where: Scene) -> Reply:
    path = f"{where.path}/roles/{NOTE}"
    return await where.owner.send("PATCH", path, {"name": name}, If_Match=tag)


@pytest.mark.rule("T3")
async def test_of_two_admins_who_demote_each_other_one_stays(team: Team) -> None:
    async def check(where: Scene, one: Reply, other: Reply) -> str:
        found = await where.roles()
        assert sorted(found.values()) == ["admin", "basic", "owner"]
        assert found["Ana"] == ("admin" if one.status == 200 else "basic")
        return ""

    make = partial(scene, team, {"Ana": "admin", "Bea": "admin"})
    found = await raced(
        make, partial(demote, "Ana", "Bea"), partial(demote, "Bea", "Ana"), check, times=TIMES
    )
    assert found.keys() == {(200, 403, ""), (403, 200, "")}


@pytest.mark.rule("T3")
async def test_an_acceptance_or_the_revocation_wins(team: Team) -> None:
    async def check(where: Scene, accepted: Reply, revoked: Reply) -> str:
        assert ("Gus" in await where.roles()) is (accepted.status == 200)
        ended = (await where.invitation("Gus")).status
        assert ended is (
            InvitationStatus.ACCEPTED if accepted.status == 200 else InvitationStatus.REVOKED
        )
        return ""

    make = partial(scene, team, {}, invited={"Gus": ("Owner", "basic")})
    found = await raced(make, partial(accept, "Gus"), partial(revoke, "Gus"), check, times=TIMES)
    assert found.keys() == {(200, 404, ""), (410, 204, "")}


@pytest.mark.rule("Rp5", "T3")
async def test_an_acceptance_works_while_the_inviter_is_removed(team: Team) -> None:
    """The invitation is accepted before the removal, or it has passed to the owner by then."""

    async def check(where: Scene, accepted: Reply, removed: Reply) -> str:
        assert (await where.roles()).keys() == {"Owner", "Gus"}
        inviter = (await where.invitation("Gus")).inviter_user_id
        passed = removed.status == 200
        assert inviter == (where.owner if passed else where.people["Ana"]).user_id
        return ""

    make = partial(scene, team, {"Ana": "admin"}, invited={"Gus": ("Ana", "admin")})
    found = await raced(make, partial(accept, "Gus"), partial(remove, "Ana"), check, times=TIMES)
    assert found.keys() == {(200, 204, ""), (200, 200, "")}


@pytest.mark.rule("Ci8", "T3")
async def test_no_member_joins_with_a_role_that_is_deleted(team: Team) -> None:
    """Both requests succeed in either order: the member or the invitation gets the replacement."""

    async def check(where: Scene, accepted: Reply, deleted: Reply) -> str:
        assert (await where.roles()) == {"Owner": "owner", "Gus": "basic"}
        assert (await where.row()).roles == ()
        joined_with = (await where.invitation("Gus")).role
        return "joined first" if joined_with == NOTE else "deleted first"

    make = partial(scene, team, {}, invited={"Gus": ("Owner", NOTE)}, roles=(custom_role(team),))
    found = await raced(make, partial(accept, "Gus"), replace_role, check, times=TIMES)
    assert found.keys() == {(200, 204, "joined first"), (200, 204, "deleted first")}


@pytest.mark.rule("Ci8")
async def test_of_two_edits_of_one_role_with_one_tag_one_wins(team: Team) -> None:
    async def check(where: Scene, one: Reply, other: Reply) -> str:
        [role] = (await where.row()).roles
        assert role.name == ("One" if one.status == 200 else "Other")
        return ""

    make = partial(scene, team, {}, roles=(custom_role(team),))
    where = await make()
    read = await where.owner.send("GET", f"{where.path}/roles/{NOTE}")
    tag = read.headers["ETag"]
    found = await raced(
        make,
        partial(rename_role, "One", tag),
        partial(rename_role, "Other", tag),
        check,
        times=TIMES,
    )
    assert found.keys() == {(200, 412, ""), (412, 200, "")}


@pytest.mark.rule("Nv12", "T12")
async def test_sixty_four_acceptances_share_the_last_seat(team: Team) -> None:
    """More open invitations than seats, as after a move to a catalog with fewer."""
    guests = {f"Guest {number}": ("Owner", "basic") for number in range(CROWD)}
    members = {f"Member {number}": "basic" for number in range(SEATS - 1)}
    few = with_few_seats()
    for _ in range(CROWDS):
        where = await scene(team, members, invited=guests, catalog=few)
        answers = await asyncio.gather(*map(where.accept, guests))
        codes = sorted(str(answer.body.get("code", answer.status)) for answer in answers)
        assert codes == ["200"] + ["member-limit"] * (CROWD - 1)
        assert len(await where.roles()) == SEATS + 1
