"""Tests of the policy state of a replica: snapshot and changes in every order."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall import AccountStatus, Reason, Resource, Subject, decide
from services.authz.domain.policy_state import PolicyState
from shared.contracts.facts import shard_of
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.journal_view import JournalRow, JournalView
from shared.following.lease_grants import LeaseGrant
from shared.following.sign_in_state import SignInState
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    CLIENT,
    CY,
    NOON,
    OTHER_ACCOUNT,
    PROD,
    RUNPOD,
    SESSION,
    STANDARD,
    account,
    catalog,
    ended,
    member,
    no_member,
    override,
    project,
    resource,
    service_client,
)
from tests.support.chains import digest_at, digests_at

OVERRIDE = {"instance": {"write": "all"}}


def at(rev: int, *policy_objects: PolicyObject) -> list[PolicyObject]:
    return [policy_object.model_copy(update={"rev": rev}) for policy_object in policy_objects]


def told(*policy_objects: PolicyObject) -> PolicyState:
    """A state that took each object in turn."""
    policy = PolicyState()
    for rev, policy_object in enumerate(policy_objects, 1):
        policy.put(at(rev, policy_object))
    return policy


def answer(policy: PolicyState, user_id: str, permission: str, **resource: Any) -> Reason:
    state = policy.account(ACCOUNT)
    assert state is not None
    now = int(NOON.timestamp() * 1000)
    return decide(state, Subject(user_id), permission, Resource(**resource), now=now).reason


def picture(policy: PolicyState) -> dict[str, Any]:
    """Everything that a decision can rest on, in a form that can be compared."""
    found: dict[str, Any] = {}
    for account_id in (ACCOUNT, OTHER_ACCOUNT):
        state = policy.account(account_id)
        found[account_id] = (
            policy.incomplete(account_id),
            state
            and (
                state.kind,
                state.status,
                state.owner_user_id,
                state.catalog.id,
                state.projects,
                dict(state.members),
                dict(state.resources),
            ),
        )
    return found


def test_an_account_is_built_from_its_objects():
    policy = told(
        catalog(STANDARD.id),
        account(),
        member(ANA, "owner"),
        member(BO, "basic"),
        project(),
        override(BO, OVERRIDE),
    )
    assert answer(policy, ANA, "member:remove") is Reason.ALLOWED
    assert answer(policy, BO, "balance:view") is Reason.PERMISSION_MISSING
    assert answer(policy, BO, "instance:write", project_id=PROD) is Reason.ALLOWED
    assert answer(policy, CY, "instance:write") is Reason.NOT_A_MEMBER


def test_an_older_revision_never_replaces_a_newer_one():
    policy = told(catalog(STANDARD.id), account(), member(BO, "admin"))
    policy.put(at(9, member(BO, "basic")))
    policy.put(at(8, member(BO, "owner"), no_member(BO)))
    assert answer(policy, BO, "member:remove") is Reason.PERMISSION_MISSING


def test_a_state_that_a_reader_holds_does_not_change():
    policy = told(catalog(STANDARD.id), account(), member(BO, "admin"))
    before = policy.account(ACCOUNT)
    policy.put(at(9, no_member(BO)))
    assert before is not None
    assert BO in before.members
    assert answer(policy, BO, "instance:write") is Reason.NOT_A_MEMBER


def test_an_account_is_incomplete_until_its_catalog_arrives():
    policy = told(account(), member(BO, "developer"))
    assert policy.account(ACCOUNT) is None
    assert policy.incomplete(ACCOUNT)
    policy.put(at(1, catalog(STANDARD.id)))
    assert not policy.incomplete(ACCOUNT)
    assert answer(policy, BO, "instance:write") is Reason.ALLOWED


def test_an_account_with_an_unknown_catalog_is_not_answered_for():
    policy = told(catalog(STANDARD.id), account(), member(BO, "developer"))
    policy.put(at(9, account(catalog=RUNPOD.id)))
    assert policy.account(ACCOUNT) is None
    assert policy.incomplete(ACCOUNT)


def test_a_deleted_account_is_neither_known_nor_incomplete():
    policy = told(catalog(STANDARD.id), account(), member(BO, "admin"))
    policy.put(
        at(
            9,
            PolicyObject(kind=PolicyObjectKind.ACCOUNT, id=ACCOUNT, account_id=ACCOUNT, state=None),
        )
    )
    assert policy.account(ACCOUNT) is None
    assert not policy.incomplete(ACCOUNT)


def test_an_override_ends_with_its_membership():
    policy = told(
        catalog(STANDARD.id),
        account(),
        project(),
        member(BO, "viewer"),
        override(BO, OVERRIDE),
        no_member(BO),
        member(BO, "viewer", membership_id="mem_second"),
    )
    assert answer(policy, BO, "instance:write", project_id=PROD) is Reason.PERMISSION_MISSING


@pytest.mark.parametrize(
    ("policy_object", "permission"),
    [
        (member(BO, "no such role"), "instance:write"),
        (override(BO, {"no such entry": {"write": "all"}}), "instance:write"),
    ],
)
def test_roles_and_grants_unknown_to_the_catalog_grant_nothing(policy_object, permission):
    policy = told(catalog(STANDARD.id), account(), project(), member(BO, "admin"), policy_object)
    assert answer(policy, BO, permission, project_id=PROD) is Reason.PERMISSION_MISSING


def test_expiry_and_suspension_are_applied():
    policy = told(
        catalog(STANDARD.id),
        account(),
        project(),
        member(BO, "admin", expires_at=NOON.isoformat()),
        member(CY, "basic"),
        override(CY, OVERRIDE, expires_at=NOON.isoformat()),
        member(ANA, "owner", status="suspended"),
    )
    assert answer(policy, BO, "instance:write") is Reason.MEMBERSHIP_EXPIRED
    assert answer(policy, CY, "instance:write", project_id=PROD) is Reason.OWNER_UNKNOWN
    assert answer(policy, ANA, "instance:write") is Reason.MEMBERSHIP_SUSPENDED
    policy.put(at(9, account(status="suspended")))
    state = policy.account(ACCOUNT)
    assert state is not None
    assert state.status is AccountStatus.SUSPENDED


def test_an_account_takes_its_members_and_projects_with_it():
    policy = told(catalog(STANDARD.id), account(), project(), member(BO, "admin"))
    gone = PolicyObject(kind=PolicyObjectKind.ACCOUNT, id=ACCOUNT, account_id=ACCOUNT, state=None)

    policy.put(at(9, gone))

    assert picture(policy) == picture(told(catalog(STANDARD.id)))
    policy.put(at(10, account()))
    state = policy.account(ACCOUNT)
    assert state is not None
    assert (dict(state.members), state.projects) == ({}, frozenset())


def test_an_unknown_shape_is_an_error_and_nothing_is_taken():
    broken = PolicyObject(
        kind=PolicyObjectKind.MEMBER, id=BO, account_id=ACCOUNT, state={"role": 7}
    )
    policy = told(catalog(STANDARD.id), account(), member(BO, "admin"))
    before = picture(policy)
    with pytest.raises(ValueError, match="unknown shape"):
        policy.put(at(9, no_member(BO), member(CY, "admin"), broken))
    policy.put(at(10, catalog(RUNPOD.id)))
    policy.put(at(11, project()))
    assert answer(policy, BO, "instance:write") is Reason.ALLOWED
    assert answer(policy, CY, "instance:write") is Reason.NOT_A_MEMBER
    assert before[ACCOUNT][1][-2:] == picture(policy)[ACCOUNT][1][-2:]


def test_an_older_account_never_replaces_a_newer_one():
    policy = told(catalog(STANDARD.id))
    policy.put(at(5, account(status="suspended")))
    policy.put(at(4, account()))
    state = policy.account(ACCOUNT)
    assert state is not None
    assert state.status is AccountStatus.SUSPENDED
    policy.put(at(6, account(status="deleting")) + at(5, account()))
    state = policy.account(ACCOUNT)
    assert state is not None
    assert state.status is AccountStatus.DELETING


def test_a_catalog_that_cannot_be_read_leaves_its_accounts_undecided():
    """The one that was known before is not what the account follows now."""
    policy = told(catalog(STANDARD.id), account(), member(BO, "developer"))
    unreadable = catalog(STANDARD.id).model_copy(update={"state": {"content": {"later": 1}}})
    policy.put(at(9, unreadable, account()))
    assert policy.account(ACCOUNT) is None
    assert policy.incomplete(ACCOUNT)


def test_an_older_catalog_never_replaces_a_newer_one():
    policy = PolicyState()
    for rev in (5, 4):
        found = catalog(STANDARD.id)
        content = {**(found.state or {})["content"], "title": f"Of {rev}"}
        policy.put(at(rev, found.model_copy(update={"state": {"content": content}})))
    newest = policy.catalog_content(STANDARD.id)
    assert newest is not None
    assert newest["title"] == "Of 5"


def test_a_cleared_state_equals_a_new_one():
    policy = told(catalog(STANDARD.id), account(), member(BO, "admin"))
    policy.clear()
    assert picture(policy) == picture(PolicyState())
    policy.put(at(1, catalog(STANDARD.id), account()))
    state = policy.account(ACCOUNT)
    assert state is not None
    assert state.members == {}


def test_ended_sessions_are_kept_while_a_token_may_be_valid():
    known = SignInState()
    known.put([service_client(), ended()])
    client = known.client(CLIENT)
    assert client is not None
    assert client.scopes == ("authz:check",)
    assert known.session_ended(SESSION)
    known.put(at(2, ended("ses_later", NOON + timedelta(seconds=599))))
    assert known.session_ended(SESSION)
    known.put(at(3, ended("ses_last", NOON + timedelta(seconds=601))))
    assert not known.session_ended(SESSION)
    assert known.session_ended("ses_later")
    known.put([PolicyObject(kind=PolicyObjectKind.SERVICE_CLIENT, id=CLIENT, rev=4, state=None)])
    assert known.client(CLIENT) is None


# Any history, cut anywhere into snapshot and changes, in any order, with duplicates and losses.

ROLES = st.sampled_from(["owner", "admin", "developer", "basic", "gone role"])
USERS = st.sampled_from([ANA, BO, CY])
ACCOUNTS = st.sampled_from([ACCOUNT, OTHER_ACCOUNT])
OBJECTS = st.one_of(
    st.builds(catalog, st.sampled_from([STANDARD.id, RUNPOD.id])),
    st.builds(
        lambda account_id, name: account(account_id, catalog=name),
        ACCOUNTS,
        st.sampled_from([STANDARD.id, RUNPOD.id]),
    ),
    st.builds(member, USERS, ROLES, ACCOUNTS),
    st.builds(no_member, USERS, ACCOUNTS),
    st.builds(lambda account_id: project(account_id=account_id), ACCOUNTS),
    st.builds(
        lambda account_id, rid, owner: resource(
            rid, account_id=account_id, gone=owner is None, owner_id=owner
        ),
        ACCOUNTS,
        st.sampled_from(["i-1", "i-2"]),
        st.one_of(st.none(), USERS),
    ),
    st.builds(
        lambda user, account_id, level: override(user, {"instance": {level: "all"}}, account_id),
        USERS,
        ACCOUNTS,
        st.sampled_from(["write", "no such level"]),
    ),
)


def key(policy_object: PolicyObject) -> str:
    return policy_object.account_id or policy_object.id


def journal(changes: list[list[PolicyObject]]) -> dict[int, list[JournalRow]]:
    """Changes as rows; all objects of one change belong to the shard of its first."""
    shards: dict[int, list[JournalRow]] = {}
    for change in changes:
        first = key(change[0])
        policy_objects = [policy_object for policy_object in change if key(policy_object) == first]
        rows = shards.setdefault(shard_of(first), [])
        start = len(rows)
        for part, policy_object in enumerate(policy_objects, 1):
            seq = start + part
            rows.append(
                JournalRow(
                    epoch="e1",
                    shard=shard_of(first),
                    seq=seq,
                    previous=digest_at(shard_of(first), seq - 1),
                    digest=digest_at(shard_of(first), seq),
                    part=part,
                    parts=len(policy_objects),
                    policy_objects=(policy_object.model_copy(update={"rev": seq}),),
                )
            )
    return shards


def boundary(rows: list[JournalRow], wanted: int) -> int:
    """The last end of a change at or before this sequence."""
    return max((row.seq for row in rows[:wanted] if row.part == row.parts), default=0)


LARGEST_CHANGE = 3
"""A page that cannot hold a whole change would be fetched again and again."""


def read_snapshot(shards, data) -> tuple[dict[int, int], list[PolicyObject]]:
    """Heads of some moment, and each object as of then or of a later moment of its own."""
    heads, snapshot = {}, []
    for shard, rows in shards.items():
        heads[shard] = boundary(rows, data.draw(st.integers(0, len(rows)), label="head"))
        newest = {}
        for row in rows:
            for policy_object in row.policy_objects:
                if row.seq <= heads[shard] or data.draw(st.booleans(), label="read later"):
                    newest[policy_object.kind, policy_object.account_id, policy_object.id] = (
                        policy_object
                    )
        snapshot += [
            policy_object for policy_object in newest.values() if policy_object.state is not None
        ]
    return heads, snapshot


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(
        st.lists(OBJECTS, min_size=1, max_size=LARGEST_CHANGE), min_size=1, max_size=12
    ),
    data=st.data(),
)
def test_any_order_of_snapshot_and_changes_gives_the_same_state(changes, data):
    shards = journal(changes)
    meant = PolicyState()
    for rows in shards.values():
        for row in rows:
            meant.put(row.policy_objects)

    heads, snapshot = read_snapshot(shards, data)
    policy = PolicyState()
    view = JournalView(policy)
    everything = [row for rows in shards.values() for row in rows]
    heard = data.draw(st.lists(st.sampled_from(everything), max_size=20), label="heard")
    before = data.draw(st.integers(0, len(heard)), label="heard before the snapshot")
    for row in heard[:before]:
        view.on_change(row)
    view.load(epoch="e1", heads=heads, digests=digests_at(heads), policy_objects=snapshot)
    for row in heard[before:]:
        view.on_change(row)
    ask = view.ask(0.0)
    newest = {shard: len(rows) for shard, rows in shards.items()}
    view.granted(ask, LeaseGrant(epoch="e1", heads=newest, digests=digests_at(newest), ttl=3))
    while missing := view.missing():
        assert not view.holds(0.0), "a lease counts only once its heads are applied"
        for shard, after in missing.items():
            for row in shards[shard][after : after + LARGEST_CHANGE]:
                view.on_change(row)
    assert view.holds(0.0)
    assert picture(policy) == picture(meant)


def test_nothing_of_an_unreadable_snapshot_survives_in_the_next_one():
    policy = PolicyState()
    view = JournalView(policy)
    known = at(1, catalog(STANDARD.id), account(), member(ANA, "owner"))
    gone, strange = at(1, member(BO, "basic"), member(CY, "basic", status="of another version"))
    with pytest.raises(ValueError, match="unknown shape"):
        view.load(
            epoch="e1", heads={}, digests=digests_at({}), policy_objects=[*known, gone, strange]
        )
    view.load(epoch="e1", heads={}, digests=digests_at({}), policy_objects=known)
    assert answer(policy, BO, "account:view") is Reason.NOT_A_MEMBER


def test_a_custom_role_decides_as_the_newest_account_has_it():
    def with_role(*levels: str) -> PolicyObject:
        grants = {"instance": dict.fromkeys(levels, "all")}
        told: PolicyObject = account(roles={"rol_1": {"name": "Night", "grants": grants}})
        return told

    policy = told(catalog(STANDARD.id), with_role("view", "write"), member(BO, "rol_1"))
    assert answer(policy, BO, "instance:write") is Reason.ALLOWED
    policy.put(at(4, with_role("view")))
    assert answer(policy, BO, "instance:write") is Reason.PERMISSION_MISSING
    assert answer(policy, BO, "instance:view") is Reason.ALLOWED
    policy.put(at(5, account()))
    assert answer(policy, BO, "instance:view") is Reason.PERMISSION_MISSING


@pytest.mark.rule("Nv8", "Ci13")
def test_what_is_registered_wins_over_what_a_check_says():
    policy = told(
        catalog(STANDARD.id), account(), member(BO, "basic"), project(), resource(owner_id=ANA)
    )
    claims = {"id": "i-1", "owner_id": BO}
    assert answer(policy, BO, "instance:write", **claims) is Reason.RESOURCE_CONFLICT
    assert answer(policy, BO, "instance:write", id="i-1") is Reason.NOT_OWNER
    assert answer(policy, BO, "instance:write", id="i-1", project_id=PROD) is (
        Reason.RESOURCE_CONFLICT
    )
    assert answer(policy, BO, "instance:write", id="i-2", owner_id=BO) is Reason.ALLOWED
    policy.put(at(9, resource(owner_id=BO)))
    assert answer(policy, BO, "instance:write", **claims) is Reason.ALLOWED
    policy.put(at(8, resource(owner_id=ANA)))
    assert answer(policy, BO, "instance:write", **claims) is Reason.ALLOWED
    policy.put(at(10, resource(gone=True)))
    assert answer(policy, BO, "instance:write", **claims) is Reason.ALLOWED
    assert answer(policy, BO, "instance:write", id="i-1") is Reason.OWNER_UNKNOWN


def test_an_override_counts_in_the_project_that_is_registered():
    """The caller of the check need not know the project, and cannot name another one."""
    policy = told(
        catalog(STANDARD.id),
        account(),
        member(BO, "admin"),
        project(),
        override(BO, {"instance": {"view": "all"}}),
        resource(project_id=PROD),
    )
    assert answer(policy, BO, "instance:write", id="i-1") is Reason.PERMISSION_MISSING
    assert answer(policy, BO, "instance:view", id="i-1") is Reason.ALLOWED
    assert answer(policy, BO, "instance:write", id="i-2") is Reason.ALLOWED


def test_resources_alone_do_not_rebuild_their_account():
    policy = told(catalog(STANDARD.id), account(), member(BO, "basic"), resource())
    before = policy.account(ACCOUNT)
    batch = [resource(f"i-{number}", owner_id=BO) for number in range(1_000)]
    policy.put(at(9, *batch))
    after = policy.account(ACCOUNT)
    assert before is not None
    assert after is not None
    assert after.members is before.members
    assert (len(before.resources), len(after.resources)) == (1, 1_000)
    assert answer(policy, BO, "instance:write", id="i-999") is Reason.ALLOWED


def test_resources_end_with_their_account():
    policy = told(catalog(STANDARD.id), account(), member(BO, "basic"), resource(owner_id=ANA))
    gone = PolicyObject(kind=PolicyObjectKind.ACCOUNT, id=ACCOUNT, account_id=ACCOUNT, state=None)
    policy.put(at(9, gone))
    policy.put(at(10, account(), member(BO, "basic")))
    state = policy.account(ACCOUNT)
    assert state is not None
    assert len(state.resources) == 0


def test_resources_wait_for_their_account():
    policy = told(resource(owner_id=BO))
    assert policy.account(ACCOUNT) is None
    policy.put(at(2, catalog(STANDARD.id), account(), member(BO, "basic")))
    assert answer(policy, BO, "instance:write", id="i-1") is Reason.ALLOWED


def test_an_object_of_a_later_kind_is_left_out():
    """A row that an older version could not read would stop it for good."""
    later = PolicyObject.model_validate(
        {"kind": "review", "id": "rev_1", "account_id": ACCOUNT, "rev": 3, "state": {"due": 7}}
    )
    assert PolicyObject.model_validate_json(later.model_dump_json()) == later
    policy = told(catalog(STANDARD.id), account(), member(BO, "basic"))
    before = picture(policy)
    policy.put(at(9, later, project()))
    assert answer(policy, BO, "instance:view", project_id=PROD) is Reason.OWNER_UNKNOWN
    assert before[ACCOUNT][1][:3] == picture(policy)[ACCOUNT][1][:3]
    SignInState().put([later])


def test_a_change_of_members_leaves_the_others_as_they_are() -> None:
    """The cost of one member, or of a page of them, is not that of the whole account."""
    policy = told(catalog(STANDARD.id), account(), member(ANA, "admin"), member(BO, "viewer"))
    before = policy.account(ACCOUNT)
    policy.put(at(9, member(BO, "admin"), member(CY, "viewer")))
    after = policy.account(ACCOUNT)
    assert before is not None
    assert after is not None
    assert after.members[ANA] is before.members[ANA]
    assert (before.members[BO].role.source, CY in before.members) == ("role:viewer", False)
    assert [after.members[user].role.source for user in (BO, CY)] == ["role:admin", "role:viewer"]
    assert after.projects is before.projects


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                [
                    member(BO, "viewer"),
                    member(BO, "admin"),
                    no_member(BO),
                    member(CY, "viewer"),
                    no_member(CY),
                    override(BO, OVERRIDE),
                    project(PROD),
                    account(),
                    account(catalog=RUNPOD.id),
                ]
            ),
            min_size=1,
            max_size=4,
        ),
        max_size=8,
    )
)
def test_the_state_after_changes_is_that_of_a_snapshot(changes: list[list[PolicyObject]]) -> None:
    """The result does not depend on which part of an account a change builds anew."""
    start = [catalog(STANDARD.id), catalog(RUNPOD.id), account(), member(ANA, "admin")]
    policy, newest = told(*start), {(one.kind, one.id): one for one in start}
    revs = itertools.count(10)
    for change in changes:
        policy.put([one for each in change for one in at(next(revs), each)])
        newest |= {(one.kind, one.id): one for one in change}
    snapshot = PolicyState()
    snapshot.put(at(1, *newest.values()))
    after, loaded = policy.account(ACCOUNT), snapshot.account(ACCOUNT)
    assert after is not None
    assert loaded is not None
    assert after.catalog.id == loaded.catalog.id
    assert after == replace(loaded, catalog=after.catalog)
