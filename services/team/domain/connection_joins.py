"""Who joins an account by the rule of one of its connections, and with which role (B16)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rolecall import (
    AccountKind,
    AccountStatus,
    CompiledCatalog,
    Role,
    Subject,
    decide,
    grants_not_held,
    lasts_until,
    milliseconds,
)
from services.team.domain import invitations
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.authority import (
    INVITE,
    account_state,
    may_invite_with,
    member_state,
    role_grants,
)
from services.team.domain.catalog_texts import own_title, translations
from services.team.domain.invitation_acceptance import Invitee, Inviter
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.roles import RoleUnknown, assignable_role
from shared.contracts.calls.connections import JoinProblem, RuleProblem
from shared.contracts.facts import Fact, Outcome, ResourceRef
from shared.contracts.team_connections import JoinRefused, MemberJoinedByConnection
from shared.ids import MembershipId, UserId

OF_THE_USER = frozenset({JoinProblem.FORMER_MEMBER})
"""The problems that are of one user. Those of the rule are told to the managers."""


@dataclass(frozen=True, kw_only=True)
class ConnectionRule:
    """The rule: who signs in through the connection gets the role, from the member who set it."""

    connection_id: str
    label: str
    role: str
    set_by: UserId

    def ref(self) -> ResourceRef:
        """The connection as an audit record names it."""
        return ResourceRef(type="sso_connection", id=self.connection_id, name=self.label)


@dataclass(frozen=True, kw_only=True)
class RuleCheck:
    """Whether a member may set a rule; `missing` has the grants that they do not hold."""

    problem: RuleProblem | None = None
    missing: tuple[str, ...] = ()
    assignable: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JoinAttempt:
    """A user at the door, and what the account looks like at this moment.

    `giver` is the member who has set the rule, as they are now (`B5`). `former`: the user was a
    member before, and comes back by an invitation alone. `pending` is the address's invitation, and
    `taken` counts the seats that are taken, those of open invitations included.
    """

    rule: ConnectionRule
    account: Account
    catalog: CompiledCatalog
    user: Invitee
    giver: Inviter | None
    former: bool
    pending: Invitation | None
    taken: int
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Join:
    """A new membership, and the invitation of its address, which it closes."""

    membership: Membership
    closed: Invitation | None
    facts: tuple[Fact, ...]


def check_rule(access: AccountAccess, role_id: str) -> RuleCheck:
    """Whether the acting member may have people join with a role: what inviting needs (`B5`)."""
    now = milliseconds(access.now)
    if access.account.kind is not AccountKind.TEAM:
        return RuleCheck(problem=RuleProblem.NOT_A_TEAM)
    try:
        role = assignable_role(access.catalog, role_id)
    except RoleUnknown:
        assignable = tuple(one.id for one in access.catalog.all_roles() if one.assignable)
        return RuleCheck(problem=RuleProblem.ROLE_UNKNOWN, assignable=assignable)
    if not decide(access.state, Subject(access.member.user_id), INVITE, now=now).allowed:
        return RuleCheck(problem=RuleProblem.NOT_ALLOWED)
    missing = grants_not_held(
        access.state, access.member, role_grants(access.state, role.id), now=now
    )
    if missing:
        return RuleCheck(problem=RuleProblem.NOT_HELD, missing=tuple(missing))
    if not lasts_until(access.member, None):
        return RuleCheck(problem=RuleProblem.ENDS)
    return RuleCheck()


def join(joining: JoinAttempt, *, membership_id: MembershipId) -> Join | JoinProblem:
    """Make the user, who is not a member, one by the rule; or name what keeps them out."""
    for problem, applies in _PROBLEMS.items():
        if applies(joining):
            return problem
    rule, user, pending = joining.rule, joining.user, joining.pending
    account, catalog = joining.account, joining.catalog
    role = assignable_role(catalog, rule.role)
    member = Membership(
        account_id=account.account_id,
        user_id=user.user_id,
        membership_id=membership_id,
        role=role.id,
        email=user.address.typed,
        email_key=user.address.key,
        name=user.name,
        joined_at=joining.now,
        invited_by=rule.set_by,
        last_active_at=joining.now,
    )
    closed, facts = None, [_joined(joining, rule, member, role)]
    if pending is not None:
        closed, fact = invitations.revoke(pending, account=account, reason="joined")
        facts.insert(0, fact)
    return Join(membership=member, closed=closed, facts=tuple(facts))


def refuse(
    rule: ConnectionRule,
    problem: JoinProblem,
    user: Invitee,
    *,
    account: Account,
    managers: Sequence[Membership],
) -> Fact:
    """The fact that the rule could not make the user a member; it is recorded once."""
    return Fact(
        payload=JoinRefused(
            account_name=account.name,
            user_id=user.user_id,
            email=user.address.typed,
            name=user.name,
            role=rule.role,
            connection_id=rule.connection_id,
            connection_label=rule.label,
            rule_set_by=rule.set_by,
            problem=problem.value,
            manager_emails=tuple(manager.email for manager in managers),
        ),
        resource=rule.ref(),
        outcome=Outcome.DENIED,
        reason=problem.value,
        after={"role": rule.role, "user_id": user.user_id, "rule_set_by": rule.set_by},
    )


def _may_not_give(joining: JoinAttempt) -> bool:
    """Whether the member who set the rule could not invite with its role at this moment."""
    giver, catalog = joining.giver, joining.catalog
    if giver is None:
        return True
    member = member_state(catalog, giver.membership, giver.overrides)
    state = account_state(joining.account, catalog, [member])
    return not may_invite_with(state, member, joining.rule.role, now=joining.now, until=None)


def _role_unknown(joining: JoinAttempt) -> bool:
    role = joining.catalog.role(joining.rule.role)
    return role is None or not role.assignable


def _no_free_seat(joining: JoinAttempt) -> bool:
    pending = joining.pending
    freed = 0 if pending is None or not pending.open(joining.now) else 1
    return joining.taken - freed >= joining.catalog.catalog.policies.member_limit


def _joined(joining: JoinAttempt, rule: ConnectionRule, member: Membership, role: Role) -> Fact:
    return Fact(
        payload=MemberJoinedByConnection(
            account_name=joining.account.name,
            user_id=member.user_id,
            email=member.email,
            name=member.name,
            role=member.role,
            role_title=role.title,
            translations=translations(
                joining.catalog, role_title=own_title(joining.catalog, role.id)
            ),
            connection_id=rule.connection_id,
            connection_label=rule.label,
            rule_set_by=rule.set_by,
        ),
        resource=member.ref(),
        after={
            "role": member.role,
            "membership_id": member.membership_id,
            "connection_id": rule.connection_id,
            "rule_set_by": rule.set_by,
        },
        policy_objects=(member.policy_object(),),
    )


_PROBLEMS: Mapping[JoinProblem, Callable[[JoinAttempt], bool]] = {
    JoinProblem.ACCOUNT_CLOSED: lambda one: one.account.status is not AccountStatus.ACTIVE,
    JoinProblem.FORMER_MEMBER: lambda one: one.former or not one.user.name,
    JoinProblem.NOT_A_TEAM: lambda one: one.account.kind is not AccountKind.TEAM,
    JoinProblem.ROLE_UNKNOWN: _role_unknown,
    JoinProblem.GIVER_NOT_ALLOWED: _may_not_give,
    JoinProblem.NO_FREE_SEAT: _no_free_seat,
}
"""What keeps a user out, the first that applies. An erased user has no name."""
