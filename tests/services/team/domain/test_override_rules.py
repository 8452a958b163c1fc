"""Setting, replacing and removing an override: tables, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Catalog, CompiledCatalog, load_catalog
from services.team.domain.account_access import AccessRows, AccountAccess, authorize
from services.team.domain.authority import EndExceeded, GrantsExceeded
from services.team.domain.override_rules import remove_override, require_offered, set_override
from services.team.domain.overrides import (
    OwnerNotOverridden,
    ProjectOverride,
    parse_grants,
)
from shared.catalog_parts import NotInThisCatalog
from shared.ids import MembershipId
from shared.problems import Invalid, NotFound, Refusal
from tests.services.team.led_catalog import CATALOG, GRANTS, HOUR
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, memory, user_id

if TYPE_CHECKING:
    from datetime import datetime

    from services.team.domain.members import Membership


def override(member: Membership, grants: str, seconds: int | None) -> ProjectOverride:
    return ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=member.user_id,
        membership_id=member.membership_id,
        grants=parse_grants(CATALOG.catalog, GRANTS[grants]),
        expires_at=None if seconds is None else START + timedelta(seconds=seconds),
        given_by=user_id("owner"),
        given_at=START,
    )


def access_of(
    world: Memory, member: Membership, own: tuple[str, int | None] | None = None
) -> AccountAccess:
    """The member inside the project; `own` is their override there."""
    rows = AccessRows(
        account=world.store.rows[ACCOUNT],
        catalog=CATALOG,
        membership=member,
        overrides=[] if own is None else [override(member, *own)],
        project=world.store.known_projects[PROJECT],
    )
    return authorize(rows, "member:update", now=START, project_id=PROJECT)


# actor's role, actor's own override, what the member has there, what is set, is it allowed
SETS: list[tuple[str, Any, Any, tuple[str, int | None], bool]] = [
    ("owner", None, None, ("everything", None), True),
    ("admin", None, None, ("work", None), True),
    ("lead", None, None, ("work", None), False),
    ("lead", ("everything", None), None, ("work", None), True),
    ("lead", ("everything", HOUR), None, ("work", HOUR), True),
    ("lead", ("everything", HOUR), None, ("work", HOUR + 1), False),
    ("lead", ("everything", HOUR), None, ("work", None), False),
    ("admin", ("look", None), None, ("look", None), True),
    ("admin", ("look", None), None, ("work", None), False),
    ("admin", ("look", HOUR), None, ("work", HOUR), False),
    ("admin", None, ("nothing", None), ("nothing", 60), True),
    ("lead", None, ("nothing", None), ("nothing", None), True),
    ("lead", None, ("nothing", None), ("nothing", 60), False),
    ("lead", None, ("nothing", 60), ("nothing", HOUR), True),
    ("lead", None, ("nothing", HOUR), ("nothing", 60), False),
]


@pytest.mark.rule("B5", "Ci9")
@pytest.mark.parametrize(("role", "own", "present", "new", "allowed"), SETS)
def test_an_override_gives_only_what_its_giver_holds_for_as_long(
    role: str,
    own: Any,
    present: Any,
    new: tuple[str, int | None],
    *,
    allowed: bool,
) -> None:
    world = memory(CATALOG)
    member = world.add("bea", "developer")
    actor = world.store.memberships[user_id("owner")] if role == "owner" else world.add("ana", role)
    before = [] if present is None else [override(member, *present)]

    def put() -> tuple[ProjectOverride, Any]:
        ends = None if new[1] is None else START + timedelta(seconds=new[1])
        return set_override(
            access_of(world, actor, own),
            member,
            member_overrides=before,
            grants=GRANTS[new[0]],
            expires_at=ends,
        )

    if not allowed:
        with pytest.raises(GrantsExceeded):
            put()
        return
    made, fact = put()
    assert made.grants == parse_grants(CATALOG.catalog, GRANTS[new[0]])
    assert (fact is None) is (present == new)
    assert fact is None or (fact.before is None) is (present is None)
    assert made.membership_id == member.membership_id


# actor's role, actor's own override, the override that is removed, is it allowed
REMOVALS: list[tuple[str, Any, tuple[str, int | None], bool]] = [
    ("admin", None, ("nothing", None), True),
    ("admin", ("look", None), ("nothing", None), False),
    ("lead", None, ("nothing", None), False),
    ("lead", None, ("everything", None), True),
    ("lead", ("everything", HOUR), ("nothing", HOUR), True),
    ("lead", ("everything", HOUR), ("nothing", None), False),
]


@pytest.mark.rule("B5", "Ci9")
@pytest.mark.parametrize(("role", "own", "present", "allowed"), REMOVALS)
def test_an_override_that_lowers_is_removed_by_a_holder_only(
    role: str, own: Any, present: tuple[str, int | None], *, allowed: bool
) -> None:
    world = memory(CATALOG)
    actor, member = world.add("ana", role), world.add("bea", "developer")
    access, removed = access_of(world, actor, own), override(member, *present)
    if not allowed:
        with pytest.raises(GrantsExceeded):
            remove_override(access, member, removed)
        return
    _, fact = remove_override(access, member, removed)
    assert fact.policy_objects[0].state is None


# the ends of the caller's membership, of the member's and of the override, in hours
ENDS = list(product((None, 1, 2, 3), repeat=3))


@pytest.mark.rule("B4", "B5", "Ci9")
@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize(("callers", "members", "overrides"), ENDS)
def test_an_override_gives_for_no_longer_than_the_caller_is_a_member(
    callers: int | None, members: int | None, overrides: int | None, *, removed: bool
) -> None:
    """What is gained ends with the override or with the membership that has it."""
    world = memory(CATALOG)
    actor = replace(world.add("ana", "admin"), expires_at=hours(callers))
    member = replace(world.add("bea", "developer"), expires_at=hours(members))
    access = access_of(world, actor)
    present = override(member, "nothing", None if overrides is None else overrides * HOUR)
    gained_until = min(members or 9, overrides or 9)

    def change() -> object:
        if removed:
            return remove_override(access, member, present)
        return set_override(
            access,
            member,
            member_overrides=[],
            grants=GRANTS["everything"],
            expires_at=hours(overrides),
        )

    if gained_until > (callers or 9):
        with pytest.raises(EndExceeded):
            change()
        return
    change()


def hours(number: int | None) -> datetime | None:
    return None if number is None else START + timedelta(hours=number)


# what differs from the override that is there, is it set anew
AGAIN: dict[str, tuple[dict[str, Any], bool]] = {
    "the same": ({}, False),
    "other grants": ({"grants": GRANTS["look"]}, True),
    "no end": ({"expires_at": None}, True),
    "another end": ({"expires_at": START + timedelta(seconds=HOUR + 1)}, True),
}


@pytest.mark.parametrize("what", AGAIN)
def test_an_override_that_is_put_again_unchanged_stays_as_it_was_given(what: str) -> None:
    """By another admin, and later: no fact, so no mail, and the first giver is still named."""
    differs, anew = AGAIN[what]
    world = memory(CATALOG)
    admin, member = world.add("ana", "admin"), world.add("bea", "developer")
    present = override(member, "work", HOUR)
    access = replace(access_of(world, admin), now=START + timedelta(seconds=60))
    wanted = {"grants": GRANTS["work"], "expires_at": present.expires_at} | differs

    made, fact = set_override(access, member, member_overrides=[present], **wanted)

    assert (fact is not None) is anew
    given = (made.given_by, made.given_at)
    assert given == ((admin.user_id, access.now) if anew else (present.given_by, START))


def test_an_override_of_an_earlier_membership_is_set_anew() -> None:
    world = memory(CATALOG)
    admin, member = world.add("ana", "admin"), world.add("bea", "developer")
    earlier = replace(override(member, "work", None), membership_id=MembershipId("mbr_earlier"))
    made, fact = set_override(
        access_of(world, admin),
        member,
        member_overrides=[earlier],
        grants=GRANTS["work"],
        expires_at=None,
    )
    assert fact is not None
    assert made.membership_id == member.membership_id


def test_an_expired_override_put_again_is_refused_for_its_end() -> None:
    world = memory(CATALOG)
    admin, member = world.add("ana", "admin"), world.add("bea", "developer")
    expired = override(member, "work", 0)
    with pytest.raises(Invalid):
        set_override(
            access_of(world, admin),
            member,
            member_overrides=[expired],
            grants=GRANTS["work"],
            expires_at=expired.expires_at,
        )


REFUSED: dict[str, tuple[dict[str, Any], type[Refusal]]] = {
    "the owner": ({"whom": "owner"}, OwnerNotOverridden),
    "an account-wide entry": ({"grants": {"balance": {"view": "all"}}}, Invalid),
    "an end that is past": ({"seconds": 0}, Invalid),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_invalid_override_is_refused(what: str) -> None:
    given, refusal = REFUSED[what]
    world = memory(CATALOG)
    world.add("bea", "developer")
    owner = world.store.memberships[user_id("owner")]
    with pytest.raises(refusal):
        set_override(
            access_of(world, owner),
            world.store.memberships[user_id(given.get("whom", "bea"))],
            member_overrides=[],
            grants=given.get("grants", {}),
            expires_at=START + timedelta(seconds=given.get("seconds", 60)),
        )


def test_an_override_that_is_missing_is_not_found() -> None:
    world = memory(CATALOG)
    owner, member = world.store.memberships[user_id("owner")], world.add("bea", "developer")
    with pytest.raises(NotFound):
        remove_override(access_of(world, owner), member, None)


def test_a_catalog_may_leave_overrides_out() -> None:
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    features = content["policies"]["features"] | {"overrides": False}
    policies = content["policies"] | {"features": features}
    plain = CompiledCatalog(Catalog.from_mapping(content | {"name": "plain", "policies": policies}))
    world = memory(plain)
    rows = AccessRows(
        account=world.store.rows[ACCOUNT],
        catalog=plain,
        membership=world.store.memberships[user_id("owner")],
    )
    with pytest.raises(NotInThisCatalog):
        require_offered(authorize(rows, "member:view", now=START))
