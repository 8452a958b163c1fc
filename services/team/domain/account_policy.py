"""What decides in one account, as rows, and as it is after the facts of a change."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rolecall import (
    AccountState,
    CompiledCatalog,
    MembershipFields,
    OverrideFields,
    build_account,
    build_member,
)
from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from shared.contracts.facts import Fact
from shared.contracts.policy_objects import AccountObject, PolicyObjectKind
from shared.following.newest import read_states
from shared.ids import AccountId

GRANTING = frozenset(
    {
        PolicyObjectKind.ACCOUNT,
        PolicyObjectKind.MEMBER,
        PolicyObjectKind.PROJECT,
        PolicyObjectKind.OVERRIDE,
    }
)
"""The kinds of policy objects that say who holds what."""


@dataclass(frozen=True, kw_only=True)
class AccountPolicy:
    """All that authz decides from in one account, as of one moment of a transaction.

    `members` is keyed by user id, `overrides` by `<project id>/<user id>`. `people` are the
    memberships as they were read, also when `members` is as it is after a change.
    """

    account_id: AccountId
    account: AccountObject
    members: Mapping[str, MembershipFields]
    projects: frozenset[str]
    overrides: Mapping[str, OverrideFields]
    people: Mapping[str, Membership]

    def after(self, facts: Iterable[Fact]) -> "AccountPolicy":
        """The policy when the policy objects of these facts have been applied, as authz does it."""
        account = self.account
        members, overrides = dict(self.members), dict(self.overrides)
        projects = dict.fromkeys(self.projects)
        tables: dict[PolicyObjectKind, dict[str, Any]] = {
            PolicyObjectKind.MEMBER: members,
            PolicyObjectKind.PROJECT: projects,
            PolicyObjectKind.OVERRIDE: overrides,
        }
        for policy_object, state in read_states(
            policy_object for fact in facts for policy_object in fact.policy_objects
        ):
            table = tables.get(policy_object.kind)
            if policy_object.kind is PolicyObjectKind.ACCOUNT and state is None:
                members.clear()  # without the account there is nothing to hold
            elif policy_object.kind is PolicyObjectKind.ACCOUNT:
                account = state
            elif table is not None and state is None:
                table.pop(policy_object.id, None)
            elif table is not None:
                table[policy_object.id] = state
        return replace(
            self,
            account=account,
            members=members,
            projects=frozenset(projects),
            overrides=overrides,
        )

    def state(self, catalog: CompiledCatalog) -> AccountState:
        """What the decision core takes; `catalog` is the version that the account names."""
        catalog = catalog.with_roles(self.account.roles)
        by_member: defaultdict[str, list[OverrideFields]] = defaultdict(list)
        for override in self.overrides.values():
            by_member[override.user_id].append(override)
        members = [
            build_member(user_id, membership, by_member[user_id], catalog=catalog)
            for user_id, membership in self.members.items()
        ]
        return build_account(self.account_id, self.account, members, self.projects, catalog=catalog)


def account_policy(
    account: Account,
    members: Sequence[Membership],
    projects: Sequence[Project],
    overrides: Sequence[ProjectOverride],
) -> AccountPolicy:
    """The policy of an account, of all of its rows."""
    by_user = {str(member.user_id): member for member in members}
    return AccountPolicy(
        account_id=account.account_id,
        account=account.policy_state(),
        members=by_user,
        projects=frozenset(project.project_id for project in projects),
        overrides={f"{one.project_id}/{one.user_id}": one for one in overrides},
        people=by_user,
    )


def changes_grants(facts: Iterable[Fact]) -> bool:
    """Whether the facts may change who holds what."""
    return any(one.kind in GRANTING for fact in facts for one in fact.policy_objects)
