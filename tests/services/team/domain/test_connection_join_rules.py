"""Who joins by the rule of a connection, and who may set it: tables, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rolecall import (
    AccountKind,
    AccountStatus,
    CompiledCatalog,
    Delivery,
    MembershipStatus,
    load_catalog,
)
from services.team.domain.account_access import AccessRows, authorize
from services.team.domain.connection_joins import (
    ConnectionRule,
    Join,
    JoinAttempt,
    RuleCheck,
    check_rule,
    join,
)
from services.team.domain.invitation_acceptance import Invitee, Inviter
from services.team.domain.invitations import Invitation, InvitationStatus
from services.team.domain.overrides import ProjectOverride
from shared.addresses import parse_address
from shared.contracts.calls.connections import JoinProblem, RuleProblem
from shared.ids import InvitationId, MembershipId
from tests.services.team.memory import ACCOUNT, PROJECT, START, Memory, memory, user_id

CATALOG = CompiledCatalog(load_catalog("standard"))
LIMIT = CATALOG.catalog.policies.member_limit
GUEST = parse_address("guest@example.com")
MEMBERSHIP = MembershipId("mem_" + "0d" * 16)
RULE = ConnectionRule(
    connection_id="sso_1", label="Acme", role="developer", set_by=user_id("giver")
)
PENDING = Invitation(
    account_id=ACCOUNT,
    invitation_id=InvitationId("inv_" + "0c" * 16),
    email=GUEST.typed,
    email_key=GUEST.key,
    role="basic",
    delivery=Delivery.EMAIL,
    inviter_user_id=user_id("owner"),
    inviter_name="Owner",
    inviter_email="owner@example.com",
    created_at=START,
    expires_at=START + timedelta(days=7),
)


def world_with(role: str) -> Memory:
    world = memory(CATALOG)
    world.add("giver", role)
    return world


def attempt(role: str = "admin", **fields: Any) -> JoinAttempt:
    """A guest at the door, whose rule was set by a member with this role."""
    world = world_with(role)
    giver = replace(world.store.memberships[user_id("giver")], **fields.pop("giver", {}))
    account = replace(world.store.rows[ACCOUNT], **fields.pop("account", {}))
    given: dict[str, Any] = {
        "rule": RULE,
        "account": account,
        "catalog": CATALOG,
        "user": Invitee(user_id=user_id("guest"), address=GUEST, name="Guest"),
        "giver": Inviter(membership=giver),
        "former": False,
        "pending": None,
        "taken": 0,
        "now": START,
    }
    return JoinAttempt(**(given | fields))


NAMELESS = Invitee(user_id=user_id("guest"), address=GUEST, name="")
SOON = START + timedelta(days=1)
REFUSED = [
    ({"account": {"status": AccountStatus.SUSPENDED}}, JoinProblem.ACCOUNT_CLOSED),
    ({"account": {"status": AccountStatus.DELETING}}, JoinProblem.ACCOUNT_CLOSED),
    ({"account": {"kind": AccountKind.PERSONAL}}, JoinProblem.NOT_A_TEAM),
    ({"former": True}, JoinProblem.FORMER_MEMBER),
    ({"user": NAMELESS}, JoinProblem.FORMER_MEMBER),
    ({"rule": replace(RULE, role="owner")}, JoinProblem.ROLE_UNKNOWN),
    ({"rule": replace(RULE, role="gone")}, JoinProblem.ROLE_UNKNOWN),
    ({"giver": {"status": MembershipStatus.SUSPENDED}}, JoinProblem.GIVER_NOT_ALLOWED),
    ({"giver": {"expires_at": START}}, JoinProblem.GIVER_NOT_ALLOWED),
    ({"giver": {"expires_at": SOON}}, JoinProblem.GIVER_NOT_ALLOWED),
    ({"role": "developer"}, JoinProblem.GIVER_NOT_ALLOWED),
    ({"role": "basic"}, JoinProblem.GIVER_NOT_ALLOWED),
    ({"taken": LIMIT}, JoinProblem.NO_FREE_SEAT),
    (
        {"taken": LIMIT, "pending": replace(PENDING, expires_at=START)},
        JoinProblem.NO_FREE_SEAT,
    ),
]


@pytest.mark.rule("B5", "B16")
@pytest.mark.parametrize(("fields", "problem"), REFUSED)
def test_what_keeps_a_user_out(fields: dict[str, Any], problem: JoinProblem) -> None:
    assert join(attempt(**fields), membership_id=MEMBERSHIP) is problem


@pytest.mark.rule("B5")
def test_a_member_who_is_gone_gives_nothing() -> None:
    gone = replace(attempt(), giver=None)
    assert join(gone, membership_id=MEMBERSHIP) is JoinProblem.GIVER_NOT_ALLOWED


@pytest.mark.rule("B5")
def test_a_member_gives_no_more_than_they_hold_in_each_project() -> None:
    whole = attempt()
    assert whole.giver is not None
    lowered = ProjectOverride(
        account_id=ACCOUNT,
        project_id=PROJECT,
        user_id=RULE.set_by,
        membership_id=whole.giver.membership.membership_id,
        grants=CATALOG.catalog.parse_grants({}, within_project=True),
        expires_at=None,
        given_by=user_id("owner"),
        given_at=START,
    )
    less = replace(whole, giver=replace(whole.giver, overrides=[lowered]))
    assert isinstance(join(whole, membership_id=MEMBERSHIP), Join)
    assert join(less, membership_id=MEMBERSHIP) is JoinProblem.GIVER_NOT_ALLOWED


@pytest.mark.parametrize(
    ("taken", "pending"), [(0, None), (LIMIT - 1, None), (LIMIT - 1, PENDING), (LIMIT, PENDING)]
)
def test_who_joins_takes_a_seat_or_that_of_the_invitation(
    taken: int, pending: Invitation | None
) -> None:
    joined = join(attempt(taken=taken, pending=pending), membership_id=MEMBERSHIP)
    assert isinstance(joined, Join)
    assert (joined.membership.role, joined.membership.invited_by) == ("developer", RULE.set_by)
    assert joined.membership.expires_at is None
    if pending is not None:
        assert joined.closed is not None
        assert joined.closed.status is InvitationStatus.REVOKED
        assert [fact.payload.type for fact in joined.facts] == [
            "team.invitation.revoked.v1",
            "team.member.joined_by_connection.v1",
        ]


@pytest.mark.rule("B5")
@pytest.mark.parametrize(
    ("role", "wanted", "fields", "problem"),
    [
        ("admin", "developer", {}, None),
        ("admin", "admin", {}, None),
        ("admin", "owner", {}, RuleProblem.ROLE_UNKNOWN),
        ("admin", "gone", {}, RuleProblem.ROLE_UNKNOWN),
        ("admin", "developer", {"expires_at": SOON}, RuleProblem.ENDS),
        ("developer", "basic", {}, RuleProblem.NOT_ALLOWED),
    ],
)
def test_who_may_set_a_rule(
    role: str, wanted: str, fields: dict[str, Any], problem: RuleProblem | None
) -> None:
    assert _checked(role, wanted, fields).problem is problem


def test_a_personal_account_has_no_rule() -> None:
    found = _checked("admin", "developer", {}, kind=AccountKind.PERSONAL)
    assert found.problem is RuleProblem.NOT_A_TEAM


def _checked(role: str, wanted: str, fields: dict[str, Any], **account: Any) -> RuleCheck:
    world = world_with(role)
    rows = AccessRows(
        account=replace(world.store.rows[ACCOUNT], **account),
        catalog=CATALOG,
        membership=replace(world.store.memberships[user_id("giver")], **fields),
    )
    return check_rule(authorize(rows, "account:view", now=START), wanted)
