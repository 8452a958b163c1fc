"""Any history leads to the state that is built from scratch, and no earlier state changes."""

import gc
import itertools
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall import AccountState
from rolecall.core.persistent import PART_SIZE
from services.authz.domain.policy_state import PolicyState
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    COMPILED,
    CY,
    NOON,
    OTHER_ACCOUNT,
    PROD,
    RUNPOD,
    STANDARD,
    account,
    catalog,
    member,
    no_member,
    override,
    project,
    resource,
)

CROWD = [f"usr_{number:032x}" for number in range(PART_SIZE + 40)]
USERS = st.sampled_from([ANA, BO, CROWD[3], CROWD[400]])


def gone(kind: PolicyObjectKind, object_id: str) -> PolicyObject:
    return PolicyObject(kind=kind, id=object_id, account_id=ACCOUNT, state=None)


def accounts(catalog_id: str, levels: list[str], status: str) -> PolicyObject:
    """The account with a custom role of these levels."""
    roles = {"rol_1": {"name": "Night", "grants": {"instance": dict.fromkeys(levels, "all")}}}
    told: PolicyObject = account(catalog=catalog_id, status=status, roles=roles if levels else {})
    return told


def joined(user: str, role: str, membership: str, attributes: dict[str, Any]) -> PolicyObject:
    return member(user, role, membership_id=membership, attributes=attributes)


OBJECTS = st.one_of(
    st.builds(
        accounts,
        st.sampled_from([STANDARD.id, RUNPOD.id]),
        st.sampled_from([[], ["view"], ["view", "write"]]),
        st.sampled_from(["active", "suspended"]),
    ),
    st.builds(
        joined,
        USERS,
        st.sampled_from(["admin", "viewer", "rol_1"]),
        st.sampled_from(["mem_" + "1" * 32, "mem_second"]),
        st.sampled_from([{}, {"team": "night"}]),
    ),
    st.builds(no_member, USERS),
    st.builds(
        lambda user, level, membership, end: override(
            user, {"instance": {level: "all"}}, membership_id=membership, expires_at=end
        ),
        USERS,
        st.sampled_from(["view", "write", "no such level"]),
        st.sampled_from(["mem_" + "1" * 32, "mem_second"]),
        st.sampled_from([None, NOON.isoformat()]),
    ),
    st.builds(lambda user: gone(PolicyObjectKind.OVERRIDE, f"{PROD}/{user}"), USERS),
    st.builds(project),
    st.builds(lambda: gone(PolicyObjectKind.PROJECT, PROD)),
    st.builds(
        lambda rid, owner: resource(rid, gone=owner is None, owner_id=owner, properties={"a": 1}),
        st.sampled_from(["i-1", "i-2"]),
        st.none() | USERS,
    ),
    st.builds(lambda: gone(PolicyObjectKind.ACCOUNT, ACCOUNT)),
    st.builds(catalog, st.just(RUNPOD.id)),
)


def numbered(rev: int, *policy_objects: PolicyObject) -> list[PolicyObject]:
    return [one.model_copy(update={"rev": rev}) for one in policy_objects]


START = numbered(1, catalog(STANDARD.id), account(), member(ANA, "admin"))
MANY = numbered(1, *(member(user, "viewer") for user in CROWD))


def picture(state: AccountState | None) -> tuple[str, AccountState] | None:
    """The state in plain dictionaries, with the catalog's id and without its identity."""
    if state is None:
        return None
    plain = replace(
        state,
        catalog=COMPILED,
        members=dict(state.members),
        projects=frozenset(state.projects),
        resources=dict(state.resources),
    )
    return state.catalog.id, plain


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    crowd=st.sampled_from([False, False, True]),
    changes=st.lists(st.lists(OBJECTS, min_size=1, max_size=3), max_size=8),
)
def test_any_history_gives_the_state_that_is_built_from_scratch(crowd, changes):
    """An account that ends takes its objects with it; those that follow begin anew."""
    start = [*START, *MANY] if crowd else START
    policy, revs = PolicyState(), itertools.count(2)
    policy.put(start)
    kept: list[Any] = []
    newest = {(one.kind, one.id): one for one in start}
    for change in changes:
        told = [one.model_copy(update={"rev": next(revs)}) for one in change]
        policy.put(told)
        for one in told:
            if one.kind is PolicyObjectKind.ACCOUNT and one.state is None:
                newest = {key: known for key, known in newest.items() if known.account_id is None}
            newest[one.kind, one.id] = one
        state = policy.account(ACCOUNT)
        kept.append((state, picture(state) if len(kept) % 3 == 1 else None))
    scratch = PolicyState()
    scratch.put(list(newest.values()))
    assert picture(policy.account(ACCOUNT)) == picture(scratch.account(ACCOUNT))
    assert policy.incomplete(ACCOUNT) == scratch.incomplete(ACCOUNT)
    if not crowd:
        again = PolicyState()
        again.put(republished(policy))
        assert picture(again.account(ACCOUNT)) == picture(policy.account(ACCOUNT))
    for earlier, then in kept:
        assert then is None or picture(earlier) == then


def republished(policy: PolicyState) -> list[PolicyObject]:
    """What the state tells of itself, as objects."""
    objects = [
        PolicyObject(
            kind=kind, id=object_id, account_id=ACCOUNT, rev=1, state=state.model_dump(mode="json")
        )
        for kind, object_id, state in policy.objects(ACCOUNT)
    ]
    for catalog_id in (STANDARD.id, RUNPOD.id):
        content = policy.catalog_content(catalog_id)
        if content is not None:
            objects.append(catalog(catalog_id).model_copy(update={"rev": 1}))
    return objects


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_change_with_an_unreadable_time_is_not_taken_even_in_part(place):
    """What cannot be read may be found late, and then nothing may have been replaced."""
    policy = PolicyState()
    policy.put(
        numbered(1, catalog(STANDARD.id), account(), member(BO, "admin"), member(CY, "admin"))
    )
    policy.put(numbered(1, account(OTHER_ACCOUNT), member(CY, "admin", OTHER_ACCOUNT)))
    before = [picture(policy.account(each)) for each in (ACCOUNT, OTHER_ACCOUNT)]
    change = [no_member(CY, OTHER_ACCOUNT), no_member(CY)]
    change.insert(place, member(BO, "viewer", expires_at="2026-03-01T12:00:00"))
    with pytest.raises(ValueError, match="no zone"):
        policy.put(numbered(2, *change))
    with pytest.raises(ValueError, match="no zone"):
        policy.put(numbered(2, *change))
    assert [picture(policy.account(each)) for each in (ACCOUNT, OTHER_ACCOUNT)] == before


@pytest.mark.parametrize("crowd", [[], MANY], ids=["small", "large"])
def test_an_override_counts_from_its_change_until_that_of_its_end(crowd):
    """Neither change tells anything else of the member."""
    policy = PolicyState()
    policy.put([*START, *numbered(1, member(BO, "viewer"), project()), *crowd])

    def overridden() -> bool:
        state = policy.account(ACCOUNT)
        assert state is not None
        return PROD in state.members[BO].overrides

    policy.put(numbered(2, override(BO, {"instance": {"write": "all"}})))
    assert overridden()
    policy.put(numbered(3, gone(PolicyObjectKind.OVERRIDE, f"{PROD}/{BO}")))
    assert not overridden()


def test_a_member_takes_little_memory():
    """Beside the id of the user: the record, the number in it, and a share of the map."""
    users = [f"usr_{number:032x}" for number in range(10_000)]
    # What other threads and the measuring of lines allocate meanwhile is not in each of them.
    assert any(taken_by(users) / len(users) < 1.5 * 160 for _ in range(3))


def taken_by(users: list[str]) -> int:
    """The bytes that these members take."""
    pages = [
        [told(user, rev) for rev, user in enumerate(users[at : at + 1_000], at)]
        for at in range(0, len(users), 1_000)
    ]
    policy = PolicyState()
    policy.put(START)
    gc.collect()
    tracemalloc.start()
    while pages:
        policy.put(pages.pop())
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken


def told(user: str, rev: int) -> PolicyObject:
    """A member as it comes from a page, with ids of the length of those of the product."""
    stated = member(user, "viewer", membership_id=f"mem_{rev + 2**80:032x}")
    return PolicyObject(**stated.model_dump() | {"rev": 2**40 + rev})


def test_an_edited_role_reaches_every_member_and_no_earlier_state():
    """The members of a large account get it when they are looked at."""
    night = accounts(STANDARD.id, ["view"], "active")
    policy = PolicyState()
    crowd = [member(user, "rol_1") for user in CROWD]
    policy.put(numbered(1, catalog(STANDARD.id), night, *crowd))
    before = policy.account(ACCOUNT)
    policy.put(numbered(2, accounts(STANDARD.id, ["view", "write"], "active")))
    after = policy.account(ACCOUNT)
    policy.put(numbered(3, accounts(STANDARD.id, [], "active")))
    last = policy.account(ACCOUNT)
    assert before is not None
    assert after is not None
    assert last is not None
    user = CROWD[7]
    masks = [state.members[user].role.all_mask for state in (last, after, before)]
    assert masks[0] == 0
    assert 0 != masks[1] != masks[2] != 0
