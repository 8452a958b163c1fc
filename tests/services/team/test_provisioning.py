"""Tests of the members that a service client provisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall import AccountKind, CompiledCatalog, MembershipStatus, load_catalog
from services.team.domain.invitations import InvitationStatus
from services.team.use_cases import invitations
from services.team.use_cases.provisioning import MEMBERS_PER_WRITE
from shared.addresses import parse_address
from shared.contracts.facts import shard_of
from shared.http.routes import Reply
from tests.services.team.memory import ACCOUNT, START, Memory, finished, memory, user_id
from tests.services.team.provisioning import know, provision, reply, state

if TYPE_CHECKING:
    from shared.contracts.facts import Fact

STANDARD = CompiledCatalog(load_catalog("standard"))
NOVITA = CompiledCatalog(load_catalog("novita"))
LATER = (START + timedelta(days=30)).isoformat()
NAMES = ("ana", "bo", "cy", "di")


def told(world: Memory, action: str) -> list[Fact]:
    return [fact for fact in world.journal.facts if fact.payload.type == f"team.{action}.v1"]


def invite(world: Memory, email: str, *, by: str = "owner", role: str = "basic") -> None:
    finished(
        invitations.create(
            world.ctx,
            world.request(by, "member:invite"),
            address=parse_address(email),
            role_id=role,
            delivery=None,
        )
    )


def test_members_are_added_changed_and_removed_by_the_ids_of_the_platform() -> None:
    world = memory(STANDARD)
    know(world, "ana", "bo")
    added = {"role": "developer", "attributes": {"site": "north"}, "expires_at": LATER}
    assert provision(
        world, {"external_id": "ana", **added}, {"external_id": "bo", "role": "basic"}
    ) == [
        "added",
        "added",
    ]
    ana = world.store.memberships[user_id("ana")]
    assert (ana.role, dict(ana.attributes)) == ("developer", {"site": "north"})
    assert ana.expires_at == START + timedelta(days=30)
    assert (ana.email, ana.name) == ("ana@example.com", "Ana")
    [fact, _] = told(world, "member.provisioned")
    assert fact.policy_objects[0].state == ana.policy_object().state
    assert world.journal.effective_everywhere == [True]

    assert provision(
        world,
        {"external_id": "ana", "role": "basic", "expires_at": None},
        {"user_id": user_id("bo"), "remove": True},
    ) == ["updated", "removed"]

    changed = world.store.memberships[user_id("ana")]
    assert (changed.role, changed.expires_at) == ("basic", None)
    assert (changed.membership_id, dict(changed.attributes)) == (
        ana.membership_id,
        {"site": "north"},
    )
    assert user_id("bo") not in world.store.memberships
    assert len(told(world, "member.removed")) == 1


def test_the_platforms_own_id_of_a_member_is_told_once() -> None:
    world = memory(STANDARD)
    know(world, "ana")
    entry = {"external_id": "ana", "role": "basic"}
    provision(world, entry)
    [fact] = told(world, "member.provisioned")
    assert (fact.policy_objects[0].state or {})["external_id"] == "ana"
    assert provision(world, entry, {"user_id": user_id("ana")}) == [
        "unchanged",
        "repeated-in-batch",
    ]
    assert provision(world, {"user_id": user_id("ana"), "role": "viewer"}) == ["updated"]
    assert world.store.memberships[user_id("ana")].external_id == "ana"
    assert told(world, "member.linked") == []


def test_a_member_without_an_external_id_gets_the_one_that_names_them() -> None:
    world = memory(STANDARD)
    know(world, "ana")
    world.add("ana", "basic")
    assert provision(world, {"external_id": "ana"}) == ["updated"]
    [fact] = told(world, "member.linked")
    assert (fact.policy_objects[0].state or {})["external_id"] == "ana"
    assert (fact.before, fact.after) == ({"external_id": None}, {"external_id": "ana"})
    assert provision(world, {"external_id": "ana"}) == ["unchanged"]


CHANGES: list[dict[str, Any]] = [
    {"role": "developer"},
    {"expires_at": LATER},
    {"expires_at": None},
    {"attributes": {"site": "north"}},
]


@pytest.mark.parametrize("status", MembershipStatus)
@pytest.mark.parametrize(("one", "other"), list(product(CHANGES, repeat=2)))
def test_the_last_fact_of_a_changed_member_tells_all_that_changed(
    one: dict[str, Any], other: dict[str, Any], status: MembershipStatus
) -> None:
    world = memory(STANDARD)
    know(world, "ana")
    ana = replace(world.add("ana", "basic"), status=status, expires_at=START + timedelta(days=1))
    world.store.memberships[ana.user_id] = ana

    assert provision(world, {"external_id": "ana", **one, **other}) == ["updated"]

    changed = world.store.memberships[ana.user_id]
    assert changed != ana
    [*_, last] = [policy for fact in world.journal.facts for policy in fact.policy_objects]
    assert last == changed.policy_object()


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        ({"external_id": "owner", "role": "basic"}, "owner-protected"),
        ({"external_id": "owner", "expires_at": LATER}, "owner-protected"),
        ({"user_id": user_id("owner"), "remove": True}, "owner-protected"),
        ({"external_id": "owner", "role": "owner"}, "updated"),
        ({"user_id": user_id("owner"), "role": "owner"}, "unchanged"),
        ({"external_id": "owner", "attributes": {"site": "north"}}, "updated"),
        ({"external_id": "ana"}, "invalid"),
        ({"external_id": "ana", "role": "owner"}, "role-unknown"),
        ({"external_id": "ana", "role": "none"}, "role-unknown"),
        ({"external_id": "ana", "role": "basic", "expires_at": START.isoformat()}, "invalid"),
        ({"external_id": "ana", "role": "basic", "attributes": {"Site": 1}}, "invalid"),
        ({"external_id": "unknown", "role": "basic"}, "user-unknown"),
        ({"user_id": "usr_" + "9" * 32, "role": "basic"}, "user-unknown"),
        ({"user_id": "usr_" + "9" * 32, "remove": True}, "unchanged"),
        ({"external_id": "ana", "remove": True}, "unchanged"),
        ({"external_id": "member", "role": "owner"}, "role-unknown"),
    ],
)
def test_one_entry_is_refused_and_the_others_are_done(entry: dict[str, Any], outcome: str) -> None:
    world = memory(STANDARD)
    know(world, "ana", "bo", "owner", "member")
    world.add("member", "basic")
    before = state(world)["members"]

    outcomes = provision(world, entry, {"external_id": "bo", "role": "viewer"})

    assert outcomes == [outcome, "added"]
    after = state(world)["members"]
    assert after.pop(user_id("bo"))[0] == "viewer"
    assert (after == before) is (outcome != "updated")
    denied = told(world, "request.refused")
    assert [fact.reason for fact in denied] == (
        ["owner-protected"] * (outcome == "owner-protected")
    )


def test_a_user_is_named_once_in_a_request() -> None:
    world = memory(STANDARD)
    know(world, "ana")
    first, again = (
        {"external_id": "ana", "role": "basic"},
        {"user_id": user_id("ana"), "remove": True},
    )
    assert provision(world, first, again) == ["added", "repeated-in-batch"]
    assert user_id("ana") in world.store.memberships


@pytest.mark.rule("Nv12")
@pytest.mark.parametrize("dry_run", [False, True])
def test_the_member_limit_is_exact_across_pages(*, dry_run: bool) -> None:
    world = memory(NOVITA)
    limit = NOVITA.catalog.policies.member_limit
    names = [f"user{number}" for number in range(limit + 5)]
    know(world, *names)
    invite(world, "guest@example.com", role="basic")
    entries = [{"external_id": name, "role": "basic"} for name in names]

    outcomes = provision(world, *entries, dry_run=dry_run)

    assert outcomes == ["added"] * (limit - 1) + ["member-limit"] * 6
    assert len(world.store.memberships) == (1 if dry_run else limit)


def test_a_removal_frees_the_seat_for_the_next_entry() -> None:
    world = memory(NOVITA)
    limit = NOVITA.catalog.policies.member_limit
    names = [f"user{number}" for number in range(limit + 1)]
    know(world, *names)
    provision(world, *[{"external_id": name, "role": "basic"} for name in names[:limit]])
    swap: list[dict[str, Any]] = [
        {"external_id": names[0], "remove": True},
        {"external_id": names[-1], "role": "basic"},
    ]
    assert provision(world, *reversed(swap)) == ["member-limit", "removed"]
    assert provision(world, swap[1]) == ["added"]


def test_the_invitation_of_a_new_member_is_closed_and_leaves_its_seat() -> None:
    world = memory(NOVITA)
    limit = NOVITA.catalog.policies.member_limit
    names = [f"user{number}" for number in range(limit)]
    know(world, *names)
    provision(world, *[{"external_id": name, "role": "basic"} for name in names[:-1]])
    invite(world, f"{names[-1]}@example.com", role="basic")

    assert provision(world, {"external_id": names[-1], "role": "basic"}) == ["added"]

    [invitation] = world.store.invited.values()
    assert invitation.status is InvitationStatus.REVOKED
    assert [fact.reason for fact in told(world, "invitation.revoked")] == ["provisioned"]


@pytest.mark.parametrize("entry", [{"role": "basic"}, {"remove": True}])
def test_invitations_pass_to_the_owner_when_their_inviter_loses_the_right(
    entry: dict[str, Any],
) -> None:
    world = memory(STANDARD)
    know(world, "chief")
    world.add("chief", "admin")
    invite(world, "guest@example.com", by="chief")
    provision(world, {"external_id": "chief", **entry})
    [invitation] = world.store.invited.values()
    assert invitation.inviter_user_id == user_id("owner")
    assert len(told(world, "invitation.passed")) == 1


def test_a_personal_account_has_to_be_converted_first() -> None:
    world = memory(STANDARD, kind=AccountKind.PERSONAL)
    know(world, "ana")
    assert provision(world, {"external_id": "ana", "role": "basic"}) == ["not-a-team"]
    runos = CompiledCatalog(load_catalog("runos"))
    world = memory(runos, kind=AccountKind.PERSONAL)
    know(world, "ana", "bo")
    role = next(role.id for role in runos.all_roles() if role.assignable)
    entries = [{"external_id": name, "role": role} for name in ("ana", "bo")]
    assert provision(world, *entries) == ["added", "added"]
    assert world.store.rows[ACCOUNT].kind is AccountKind.TEAM
    assert len(told(world, "account.converted")) == 1


@pytest.mark.parametrize("notify", [False, True])
def test_mails_tell_new_members_on_request_only(*, notify: bool) -> None:
    world = memory(STANDARD)
    know(world, "ana")
    entry = {"external_id": "ana", "role": "basic"}
    provision(world, entry, notify=notify)
    provision(world, entry | {"role": "viewer"}, notify=notify)
    provision(world, entry | {"role": "viewer"}, notify=notify)
    facts = [*told(world, "member.provisioned"), *told(world, "member.role_changed")]
    assert [fact.payload.model_dump()["notify"] for fact in facts] == [notify, notify]


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    world = memory(STANDARD)
    know(world, *NAMES, "owner")
    world.add("di", "admin")
    entries: list[dict[str, Any]] = [
        {"external_id": "ana", "role": "basic"},
        {"external_id": "di", "remove": True},
        {"external_id": "owner", "remove": True},
        {"external_id": "bo", "role": "none"},
    ]
    before, facts = state(world), len(world.journal.facts)
    tried = provision(world, *entries, dry_run=True)
    assert (state(world), len(world.journal.facts)) == (before, facts)
    assert world.journal.effective_everywhere == []
    assert (
        provision(world, *entries)
        == tried
        == ["added", "removed", "owner-protected", "role-unknown"]
    )


def test_a_large_request_is_written_in_pages_and_acknowledged_once() -> None:
    world = memory(STANDARD)
    names = [f"user{number}" for number in range(2 * MEMBERS_PER_WRITE + 1)]
    know(world, *names)
    answer = reply(world, *[{"external_id": name, "role": "basic"} for name in names])
    assert isinstance(answer, Reply)
    assert world.journal.effective_everywhere == [False, False, True]
    assert answer.written is not None
    assert answer.written.revision == f"team.e1.0.{len(names)}"
    revisions = [fact.account_rev for fact in told(world, "member.provisioned")]
    assert revisions == list(range(2, len(names) + 2))


def test_a_last_page_without_a_change_waits_for_the_earlier_ones() -> None:
    world = memory(STANDARD)
    names = [f"user{number}" for number in range(MEMBERS_PER_WRITE + 1)]
    know(world, *names)
    entries = [{"external_id": name, "role": "basic"} for name in names]
    provision(world, entries[-1])
    world.journal.settled.clear()
    answer = reply(world, *entries)
    assert world.journal.settled == [shard_of(ACCOUNT)]
    assert answer.written is not None
    assert answer.written.revision is not None


ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"external_id": st.sampled_from((*NAMES, "owner", "unknown"))},
        optional={
            "role": st.sampled_from(("basic", "viewer", "admin", "none")),
            "attributes": st.dictionaries(st.sampled_from(("a", "b")), st.booleans(), max_size=2),
            "expires_at": st.sampled_from((None, LATER, START.isoformat())),
        },
    )
    | st.fixed_dictionaries({"external_id": st.sampled_from(NAMES), "remove": st.just(value=True)}),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(entries=ENTRIES, data=st.data())
def test_any_prefix_repeated_leaves_the_same_state(
    entries: list[dict[str, Any]], data: st.DataObject
) -> None:
    """A request that broke off and is sent again ends as if it had come through at once."""
    unique = list({entry["external_id"]: entry for entry in entries}.values())
    prefix = data.draw(st.integers(min_value=0, max_value=len(unique)))
    whole, broken = memory(STANDARD), memory(STANDARD)
    for world in (whole, broken):
        know(world, *NAMES, "owner")
        world.add("di", "admin")
        invite(world, "ana@example.com", by="di")
    if prefix:
        provision(broken, *unique[:prefix])
    provision(broken, *unique)
    provision(whole, *unique)
    assert state(broken) == state(whole)
    facts = len([fact for fact in broken.journal.facts if fact.outcome == "succeeded"])

    outcomes = provision(broken, *unique)

    assert not {"added", "updated", "removed"} & set(outcomes)
    assert len([f for f in broken.journal.facts if f.outcome == "succeeded"]) == facts
    assert state(broken) == state(whole)
