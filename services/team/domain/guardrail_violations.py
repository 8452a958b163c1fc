"""Whether an account keeps its guardrails, and whether a change makes it worse (`B10`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rolecall import (
    AccountState,
    AccountStatus,
    Alternative,
    Member,
    Scope,
    Subject,
    alternatives,
    effective_matrix,
    membership_denial,
)
from services.team.domain.account_access import AccountAccess
from services.team.domain.account_policy import AccountPolicy
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from services.team.domain.roles import role_title
from shared.problems import Refusal, RefusalKind

Place = tuple[str, str]
"""A member and a project. Outside of all projects the role decides: then the project is empty."""

NO_MEMBER = NO_PROJECT = ""
"""No member stands in the place of the members who are missing."""

CONDITIONALLY_OWN, OWN, CONDITIONALLY, EVERYONES = 1, 2, 3, 4
"""How far a permission reaches. A member who holds it under a condition counts as a holder where a
guardrail forbids holders, and not where it wants some."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """Who holds what in an account at one moment, in epoch milliseconds.

    A suspended account is looked at as if it were active. A guardrail is about its members, and
    does not keep the platform from suspending it.
    """

    policy: AccountPolicy
    state: AccountState
    now: int

    @cached_property
    def members(self) -> tuple[tuple[str, str, Member], ...]:
        """The active members: user id, role and grants."""
        active = replace(self.state, status=AccountStatus.ACTIVE)
        return tuple(
            (user_id, self.policy.members[user_id].role, member)
            for user_id, member in active.members.items()
            if membership_denial(active, Subject(user_id), now=self.now) is None
        )

    @cached_property
    def overridden(self) -> set[Place]:
        """The members and projects with an override that is in force."""
        return {
            (user_id, project_id)
            for user_id, _, member in self.members
            for project_id, override in member.overrides.items()
            if override.active(now=self.now)
        }

    def reach(self, member: Member, permission: str | None, project_id: str) -> int:
        """How far the member's permission reaches there; 0 if it does not."""
        held = self.state.catalog.permissions.get(permission or "")
        if held is None or (project_id and project_id not in self.state.projects):
            return 0
        inside = project_id if project_id and held.project_scoped else None
        matrix = effective_matrix(self.state, member, inside, now=self.now)
        granted = matrix.granted(held.bit)
        return 0 if granted is None else max(map(_reach, alternatives(granted)))


def _reach(one: Alternative) -> int:
    if one.scope is Scope.SELF:
        return OWN if one.when is None else CONDITIONALLY_OWN
    return EVERYONES if one.when is None else CONDITIONALLY


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One place in which a guardrail does not hold, or the members whom it misses.

    The member `user_id` holds what they should not. For those who may not see members, `members`
    says how many with the same `role` do. Without either, `holders` are too few. `role` is the
    title of the member's role, and `roles` are those of the guardrail's roles.
    """

    guardrail: Guardrail
    roles: tuple[str, ...]
    user_id: str | None = None
    name: str | None = None
    role: str | None = None
    members: int | None = None
    project_id: str | None = None
    holders: int | None = None

    @property
    def count(self) -> int:
        """How many places it stands for."""
        return 1 if self.members is None else self.members

    def __str__(self) -> str:
        """The violation in words, after "would be"."""
        rule = self.guardrail.rule
        where = "" if self.project_id is None else f" in {self.project_id}"
        if self.user_id is None and self.members is None:
            least = f"At least {rule.minimum} active members must"
            if rule.permission is None:
                return f"{least} have the role “{self.roles[0]}”; there would be {self.holders}"
            return f"{least} hold `{rule.permission}`{where}; there would be {self.holders}"
        who = self.name or self.user_id
        if self.members is not None:
            noun = "member" if self.members == 1 else "members"
            who = f"{self.members} {noun} with the role “{self.role}”"
        held = f"{who} would hold `{rule.permission}`{where}"
        if rule.kind is GuardrailKind.NEVER:
            return held if self.user_id is None else f"{held} with the role “{self.roles[0]}”"
        return f"{held} without one of the roles: {', '.join(self.roles)}"


class GuardrailViolated(Refusal):
    """A change would contradict a guardrail more than the account does already.

    It tells the first violation; `violations` has all of them.
    """

    kind = RefusalKind.CONFLICT
    code = "guardrail-violated"
    forbids = True
    detail = (
        "The guardrail “{guardrail}” does not allow this. {violation}. Choose another change, or"
        " delete the guardrail first."
    )

    def __init__(self, violation: Violation, *further: Violation) -> None:
        self.violations = (violation, *further)
        guardrail = violation.guardrail
        super().__init__(guardrail=guardrail.name, violation=str(violation))
        self.members = {
            "guardrail_id": guardrail.guardrail_id,
            "guardrail": guardrail.name,
            "user_id": violation.user_id,
            "project_id": violation.project_id,
            "permission": guardrail.rule.permission,
        }


def present(guardrail: Guardrail, held: Held) -> list[Violation]:
    """Every violation of one guardrail at this moment."""
    measured = _measured(guardrail.rule, held, held.overridden)
    return [_violation(guardrail, place, held) for place in sorted(measured)]


def added(guardrails: Sequence[Guardrail], before: Held, after: Held) -> list[Violation]:
    """The violations that a change adds or makes worse.

    A violation has a measure at its place: how many members are missing, or how far the permission
    reaches. It is added, or worse, where that measure is larger than before.
    """
    overridden = before.overridden | after.overridden
    found = []
    for guardrail in guardrails:
        was = _measured(guardrail.rule, before, overridden)
        is_ = _measured(guardrail.rule, after, overridden)
        worse = sorted(place for place, measure in is_.items() if measure > was.get(place, 0))
        found += [_violation(guardrail, place, after) for place in worse]
    return found


def told_to(access: AccountAccess, violations: Sequence[Violation]) -> list[Violation]:
    """The violations as the acting member may know them.

    Without the right to see members, they get no name but their own.
    """
    if access.sees_members:
        return list(violations)
    own = access.membership.user_id
    told: dict[object, Violation] = {}
    for one in violations:
        if one.user_id is None or one.user_id == own:
            told[one] = one
            continue
        unnamed = replace(one, user_id=None, name=None)
        known = told.get(unnamed)
        told[unnamed] = replace(unnamed, members=one.count + (0 if known is None else known.count))
    return list(told.values())


def _violation(guardrail: Guardrail, place: Place, held: Held) -> Violation:
    user_id, project_id = place
    roles = tuple(role_title(held.state.catalog, role) for role in guardrail.rule.roles)
    if user_id == NO_MEMBER:
        return Violation(
            guardrail=guardrail,
            roles=roles,
            project_id=project_id or None,
            holders=_holders(guardrail.rule, held),
        )
    person = held.policy.people.get(user_id)
    return Violation(
        guardrail=guardrail,
        roles=roles,
        user_id=user_id,
        name=None if person is None else person.name,
        role=role_title(held.state.catalog, held.policy.members[user_id].role),
        project_id=project_id or None,
    )


def _measured(rule: GuardrailRule, held: Held, overridden: Collection[Place]) -> dict[Place, int]:
    """The measure of the rule's violation at each place where it has one.

    A rule that names no project is looked at outside of all projects and at each `overridden`
    place; in every other project the role gives what it gives outside. A rule about a project that
    is gone holds.
    """
    if rule.project_id is not None and rule.project_id not in held.state.projects:
        return {}
    if rule.kind is GuardrailKind.MINIMUM_HOLDERS:
        missing = (rule.minimum or 0) - _holders(rule, held)
        return {(NO_MEMBER, rule.project_id or NO_PROJECT): missing} if missing > 0 else {}
    bound = {
        user_id: member
        for user_id, role, member in held.members
        if (role in rule.roles) is (rule.kind is GuardrailKind.NEVER)
    }
    if rule.project_id is not None:
        places = {(user_id, str(rule.project_id)) for user_id in bound}
    else:
        places = {(user_id, NO_PROJECT) for user_id in bound}
        places |= {place for place in overridden if place[0] in bound}
    reached = {
        (user_id, project_id): held.reach(bound[user_id], rule.permission, project_id)
        for user_id, project_id in places
    }
    return {place: reach for place, reach in reached.items() if reach}


def _holders(rule: GuardrailRule, held: Held) -> int:
    """How many active members have what the rule counts."""
    if rule.permission is None:
        return sum(role in rule.roles for _, role, _ in held.members)
    place = rule.project_id or NO_PROJECT
    return sum(
        held.reach(member, rule.permission, place) == EVERYONES for _, _, member in held.members
    )
