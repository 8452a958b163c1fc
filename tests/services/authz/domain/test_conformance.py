"""Conformance of team's and authz's policy state: the same situation, the same decision."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall import (
    AccountStatus,
    Decision,
    Member,
    Reason,
    Resource,
    Scope,
    Subject,
    decide,
    is_outsider,
    milliseconds,
)
from services.authz.domain.checks import PermissionCheck, check_for_service
from services.team.domain.authority import require
from shared.auth.account_refusals import DeletingAccount, SuspendedAccount
from shared.problems import NotFound, PermissionMissing
from tests.services.authz.histories import ACCOUNT, ANA, BO, COMPILED, CY, NOON, PROD
from tests.services.authz.situations import (
    JUST_BEFORE_NOON,
    MILLISECOND,
    Situation,
    StatedMember,
    StatedOverride,
    state_from_journal,
    state_from_published_rows,
    state_from_rows,
)

WRITE, VIEW = {"instance": {"write": "all"}}, {"instance": {"view": "all"}}
IN_PROD = Resource(project_id=PROD)
ANYWHERE, OWN, FOREIGN = Resource(), Resource(owner_id=BO), Resource(owner_id=CY)
FRACTION = timedelta(microseconds=900)


def bo(role="developer", **fields):
    return StatedMember(user_id=BO, role=role, **fields)


def alone(role="developer", *, account="active", **fields):
    return Situation(members=(bo(role, **fields),), status=account)


def overridden(grants, *, role="developer", projects=(PROD,), membership="mem_1", **fields):
    override = StatedOverride(user_id=BO, project_id=PROD, grants=grants, **fields)
    return Situation(
        members=(bo(role, membership_id=membership),), overrides=(override,), projects=projects
    )


# Situation, permission, resource, moment of the check, reason, what decided.
TABLE = [
    ("a known role grants", alone(), "instance:write", ANYWHERE, NOON,
     Reason.ALLOWED, "role:developer"),
    ("a known role does not grant", alone("viewer"), "instance:write", ANYWHERE, NOON,
     Reason.PERMISSION_MISSING, "role:viewer"),
    ("an unknown role grants nothing", alone("retired"), "instance:view", ANYWHERE, NOON,
     Reason.PERMISSION_MISSING, "role:retired"),
    ("an unknown role does not even enter", alone("retired"), "account:view", ANYWHERE, NOON,
     Reason.PERMISSION_MISSING, "role:retired"),
    ("an unknown role with an override", overridden(WRITE, role="retired"),
     "instance:write", IN_PROD, NOON, Reason.ALLOWED, f"override:{PROD}"),
    ("an unknown role with an override, elsewhere", overridden(WRITE, role="retired"),
     "instance:write", ANYWHERE, NOON, Reason.PERMISSION_MISSING, "role:retired"),
    ("an unknown permission", alone("owner"), "instance:fly", ANYWHERE, NOON,
     Reason.PERMISSION_UNKNOWN, None),
    ("the owner", Situation(members=(StatedMember(user_id=BO, role="owner"),)),
     "member:remove", ANYWHERE, NOON, Reason.ALLOWED, "role:owner"),
    ("not a member", Situation(members=()), "instance:view", ANYWHERE, NOON,
     Reason.NOT_A_MEMBER, None),
    ("a suspended member", alone("admin", status="suspended"), "instance:view", ANYWHERE, NOON,
     Reason.MEMBERSHIP_SUSPENDED, None),
    ("a suspended account", alone("admin", account="suspended"), "instance:view", ANYWHERE, NOON,
     Reason.ACCOUNT_SUSPENDED, None),
    ("a deleted account", alone("admin", account="deleting"), "instance:view", ANYWHERE, NOON,
     Reason.ACCOUNT_DELETING, None),
    ("scope self, own resource", alone("basic"), "instance:write", OWN, NOON,
     Reason.ALLOWED, "role:basic"),
    ("scope self, another's resource", alone("basic"), "instance:write", FOREIGN, NOON,
     Reason.NOT_OWNER, "role:basic"),
    ("scope self, owner unknown", alone("basic"), "instance:write", ANYWHERE, NOON,
     Reason.OWNER_UNKNOWN, "role:basic"),
    ("a membership a millisecond before its end", alone(expires_at=NOON), "instance:write",
     ANYWHERE, NOON - MILLISECOND, Reason.ALLOWED, "role:developer"),
    ("a membership in the millisecond before its end", alone(expires_at=NOON), "instance:write",
     ANYWHERE, JUST_BEFORE_NOON, Reason.ALLOWED, "role:developer"),
    ("a membership at its end", alone(expires_at=NOON), "instance:write", ANYWHERE, NOON,
     Reason.MEMBERSHIP_EXPIRED, None),
    ("a membership's end is cut off to the millisecond", alone(expires_at=NOON + FRACTION),
     "instance:write", ANYWHERE, NOON, Reason.MEMBERSHIP_EXPIRED, None),
    ("a membership that ends a millisecond later", alone(expires_at=NOON + MILLISECOND),
     "instance:write", ANYWHERE, NOON + FRACTION, Reason.ALLOWED, "role:developer"),
    ("an end in another time zone",
     alone(expires_at=NOON.astimezone(timezone(timedelta(hours=5)))),
     "instance:write", ANYWHERE, NOON, Reason.MEMBERSHIP_EXPIRED, None),
    ("an override raises", overridden(WRITE, role="viewer"), "instance:write", IN_PROD, NOON,
     Reason.ALLOWED, f"override:{PROD}"),
    ("an override lowers", overridden(VIEW), "instance:write", IN_PROD, NOON,
     Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("an override lowers to own resources", overridden({"instance": {"write": "self"}}),
     "instance:write", Resource(project_id=PROD, owner_id=CY), NOON,
     Reason.NOT_OWNER, f"override:{PROD}"),
    ("an override without grants takes everything", overridden({}), "instance:view", IN_PROD, NOON,
     Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("an override leaves account-wide entries", overridden(VIEW), "member:view", IN_PROD, NOON,
     Reason.ALLOWED, "role:developer"),
    ("an override decides rights on its project", overridden(VIEW, role="admin"),
     "project:delete", IN_PROD, NOON, Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("an override decides where the project is the resource", overridden(VIEW, role="admin"),
     "project:delete", Resource(id=PROD), NOON, Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("an override does not decide the creation of projects", overridden(VIEW, role="admin"),
     "project:create", IN_PROD, NOON, Reason.ALLOWED, "role:admin"),
    ("an override does not reach outside its project", overridden(VIEW), "instance:write",
     ANYWHERE, NOON, Reason.ALLOWED, "role:developer"),
    ("an override of an earlier membership",
     overridden(VIEW, membership="mem_2"), "instance:write", IN_PROD, NOON,
     Reason.ALLOWED, "role:developer"),
    ("an override of another user with this membership's id",
     Situation(
         members=(bo(),),
         overrides=(StatedOverride(user_id=CY, project_id=PROD, grants=VIEW),),
         projects=(PROD,),
     ),
     "instance:write", IN_PROD, NOON, Reason.ALLOWED, "role:developer"),
    ("an override a millisecond before its end", overridden(VIEW, expires_at=NOON),
     "instance:write", IN_PROD, NOON - MILLISECOND, Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("an override at its end", overridden(VIEW, expires_at=NOON), "instance:write", IN_PROD, NOON,
     Reason.ALLOWED, "role:developer"),
    ("an override's end is cut off to the millisecond",
     overridden(WRITE, role="viewer", expires_at=NOON + FRACTION), "instance:write", IN_PROD, NOON,
     Reason.PERMISSION_MISSING, "role:viewer"),
    ("an override of a project that is gone", overridden(WRITE, projects=()),
     "instance:write", IN_PROD, NOON, Reason.PROJECT_UNKNOWN, None),
    ("a project of another account", overridden(WRITE), "instance:write",
     Resource(project_id="prj_elsewhere"), NOON, Reason.PROJECT_UNKNOWN, None),
    ("override grants with an unknown entry", overridden({"spaceship": {"write": "all"}}),
     "instance:view", IN_PROD, NOON, Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("override grants with an unknown level", overridden(WRITE | {"storage": {"fly": "all"}}),
     "instance:write", IN_PROD, NOON, Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("override grants with an unknown scope", overridden({"instance": {"write": "some"}}),
     "instance:write", IN_PROD, NOON, Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("override grants with an entry that is account-wide now",
     overridden(WRITE | {"member": {"view": "all"}}), "instance:write", IN_PROD, NOON,
     Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("override grants in a scope that the level does not offer",
     overridden(WRITE | {"monitoring": {"view": "self"}}), "instance:write", IN_PROD, NOON,
     Reason.PERMISSION_MISSING, f"override:{PROD}"),
    ("unreadable grants that are over", overridden({"x": {}}, expires_at=NOON), "instance:write",
     IN_PROD, NOON, Reason.ALLOWED, "role:developer"),
    ("unreadable grants leave the rest of the account", overridden({"x": {}}), "instance:write",
     ANYWHERE, NOON, Reason.ALLOWED, "role:developer"),
]  # fmt: skip


@pytest.mark.rule("Ci9", "B4")
@pytest.mark.parametrize("build", [state_from_rows, state_from_journal])
@pytest.mark.parametrize(
    ("sentence", "situation", "permission", "resource", "at", "reason", "decided_by"),
    TABLE,
    ids=[row[0] for row in TABLE],
)
def test_the_decision_in_this_situation(
    build, sentence, situation, permission, resource, at, reason, decided_by
):
    decision = decide(build(situation), Subject(BO), permission, resource, now=milliseconds(at))
    expected = Decision(allowed=reason is Reason.ALLOWED, reason=reason, decided_by=decided_by)
    assert decision == expected


# Situation, moment, whether Bo may not learn that the account exists.
OUTSIDERS = [
    ("a member", alone(), NOON, False),
    ("not a member", Situation(members=()), NOON, True),
    ("a suspended member", alone("admin", status="suspended"), NOON, True),
    ("a membership a millisecond before its end",
     alone(expires_at=NOON), NOON - MILLISECOND, False),
    ("a membership at its end", alone(expires_at=NOON), NOON, True),
    ("a member of a suspended account", alone(account="suspended"), NOON, False),
    ("not a member of a suspended account", Situation(members=(), status="suspended"), NOON, True),
    ("a suspended member of a suspended account",
     alone(account="suspended", status="suspended"), NOON, True),
    ("a member of a deleted account", alone(account="deleting"), NOON, False),
    ("not a member of a deleted account", Situation(members=(), status="deleting"), NOON, True),
    ("a member whose role is unknown", alone("retired"), NOON, False),
]  # fmt: skip
WHY = {"suspended": SuspendedAccount, "deleting": DeletingAccount}


@pytest.mark.rule("B4")
@pytest.mark.parametrize("build", [state_from_rows, state_from_journal])
@pytest.mark.parametrize(
    ("sentence", "situation", "at", "outside"), OUTSIDERS, ids=[row[0] for row in OUTSIDERS]
)
def test_only_an_active_member_learns_that_the_account_exists(
    build, sentence, situation, at, outside
):
    now = milliseconds(at)
    state = build(situation)
    assert is_outsider(state, BO, now=now) is outside
    authz_check = check_for_service(
        state, PermissionCheck(user_id=BO, account_id=ACCOUNT, permission="account:fly"), now=now
    )
    assert authz_check.member is not outside
    with pytest.raises(NotFound if outside else WHY.get(situation.status, PermissionMissing)):
        require(state, Subject(BO), "account:fly", now=at)


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_both_ways_give_the_same_state(row):
    situation = row[1]
    assert comparable(state_from_rows(situation)) == comparable(state_from_journal(situation))


def comparable(state):
    """The state with one catalog object, so that states of two processes can be compared."""
    assert state.catalog.id == COMPILED.id
    members = {user_id: plain(member) for user_id, member in state.members.items()}
    return replace(state, catalog=COMPILED, members=members, projects=frozenset(state.projects))


def plain(member: Member) -> Member:
    """The member without what a replica keeps besides."""
    return Member(**{each.name: getattr(member, each.name) for each in fields(Member)})


MOMENTS = st.none() | st.datetimes(
    datetime(2026, 2, 28), datetime(2026, 3, 2), timezones=st.just(UTC)
)
STATUSES = st.sampled_from(["active", "suspended"])
ACCOUNT_STATUSES = st.sampled_from([status.value for status in AccountStatus])
MEMBERSHIPS = st.sampled_from(["mem_1", "mem_2"])
PROJECTS = st.sampled_from([PROD, "prj_other", "prj_gone"])
GRANTS = st.dictionaries(
    st.sampled_from(["instance", "storage", "member", "spaceship", "vpc"]),
    st.dictionaries(st.sampled_from(["view", "write", "fly"]), st.sampled_from(list(Scope))),
    max_size=3,
)
SITUATIONS = st.builds(
    Situation,
    status=ACCOUNT_STATUSES,
    members=st.lists(
        st.builds(
            StatedMember,
            user_id=st.sampled_from([ANA, BO, CY]),
            role=st.sampled_from(["owner", "admin", "developer", "basic", "retired"]),
            membership_id=MEMBERSHIPS,
            status=STATUSES,
            expires_at=MOMENTS,
        ),
        unique_by=lambda member: member.user_id,
    ).map(tuple),
    overrides=st.lists(
        st.builds(
            StatedOverride,
            user_id=st.sampled_from([ANA, BO, CY]),
            project_id=PROJECTS,
            grants=GRANTS,
            membership_id=MEMBERSHIPS,
            expires_at=MOMENTS,
        ),
        unique_by=lambda override: (override.project_id, override.user_id),
    ).map(tuple),
    projects=st.sampled_from([(), (PROD,), (PROD, "prj_other")]),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situation=SITUATIONS)
def test_random_accounts_give_equal_states_both_ways(situation):
    from_rows = comparable(state_from_rows(situation))
    assert from_rows == comparable(state_from_journal(situation))
    assert from_rows == comparable(state_from_published_rows(situation))


@given(st.datetimes(timezones=st.just(UTC)))
def test_milliseconds_cut_the_rest_off(moment):
    whole = milliseconds(moment)
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=whole)
    assert timedelta(0) <= moment - instant < MILLISECOND


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no zone"):
        milliseconds(datetime(2026, 3, 1, 12))
