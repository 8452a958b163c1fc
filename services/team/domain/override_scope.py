"""Which overrides of an account a comparison reads: an account may have thousands of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.team.domain.account_policy import AccountPolicy
from services.team.domain.guardrails import Guardrail, GuardrailKind, GuardrailRule
from shared.contracts.facts import Fact
from shared.contracts.policy_objects import PolicyObjectKind
from shared.ids import ProjectId, UserId


@dataclass(frozen=True, kw_only=True)
class OverrideScope:
    """The overrides of these users and those in these projects, or all of the account."""

    users: frozenset[UserId] = frozenset()
    projects: frozenset[ProjectId] = frozenset()
    everything: bool = False

    def __or__(self, other: "OverrideScope") -> "OverrideScope":
        """The overrides of both."""
        return OverrideScope(
            users=self.users | other.users,
            projects=self.projects | other.projects,
            everything=self.everything or other.everything,
        )

    def covers(self, other: "OverrideScope") -> bool:
        """Whether it has all that the other one has."""
        within = self.users >= other.users and self.projects >= other.projects
        return self.everything or (within and not other.everything)


EVERY_OVERRIDE = OverrideScope(everything=True)
NO_OVERRIDES = OverrideScope()


def counted(guardrails: Iterable[Guardrail]) -> OverrideScope:
    """The overrides that decide how many members hold what a guardrail counts.

    The other kinds of rule look at each member by itself. Who keeps their grants contradicts them
    as much after a change as before it, so those overrides need not be read.
    """
    rules = [one.rule for one in guardrails if one.rule.kind is GuardrailKind.MINIMUM_HOLDERS]
    projects = (rule.project_id for rule in rules if rule.permission is not None)
    return OverrideScope(projects=frozenset(one for one in projects if one is not None))


def measured(rule: GuardrailRule) -> OverrideScope:
    """The overrides that decide what contradicts a rule at the moment."""
    if rule.permission is None:
        return OverrideScope()
    if rule.project_id is not None:
        return OverrideScope(projects=frozenset({rule.project_id}))
    return OverrideScope() if rule.kind is GuardrailKind.MINIMUM_HOLDERS else EVERY_OVERRIDE


def touched(policy: AccountPolicy, facts: Iterable[Fact]) -> OverrideScope:
    """The overrides of those whose grants these facts may change; `policy` is that of before.

    Roles and catalog are the account's, so its own facts concern everyone. A new member or a new
    project has no overrides.
    """
    users, projects = set(), set()
    for one in (one for fact in facts for one in fact.policy_objects):
        match one.kind:
            case PolicyObjectKind.ACCOUNT:
                return EVERY_OVERRIDE
            case PolicyObjectKind.MEMBER | PolicyObjectKind.OVERRIDE:
                users.add(UserId(one.id.rpartition("/")[2]))
            case PolicyObjectKind.PROJECT:
                projects.add(ProjectId(one.id))
            case _:
                pass
    return OverrideScope(
        users=frozenset(users & policy.members.keys()),
        projects=frozenset(projects & policy.projects),
    )
