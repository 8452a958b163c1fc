"""The newest policy objects of one account, and the state that is built from them."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from rolecall import (
    NO_PROPERTIES,
    AccountState,
    CompiledCatalog,
    RegisteredResources,
    Resource,
    build_account,
    build_member,
)
from shared.contracts.policy_objects import OverrideObject, PolicyObject, PolicyObjectKind
from shared.following.newest import NewestStates

RESOURCE = PolicyObjectKind.RESOURCE
ACCOUNT_KINDS = frozenset(
    {
        PolicyObjectKind.ACCOUNT,
        PolicyObjectKind.MEMBER,
        PolicyObjectKind.PROJECT,
        PolicyObjectKind.OVERRIDE,
        RESOURCE,
    }
)


class AccountObjects:
    """The policy objects of one account.

    An account may have a hundred thousand registered resources. They are kept apart from the rest,
    as decisions use them, so that a change of the rest does not look at them and a change of one
    touches no other.
    """

    def __init__(self) -> None:
        self.newest = NewestStates()
        self._resource_revs: dict[str, int] = {}
        self._resources = RegisteredResources()
        self._changes: dict[tuple[str, str], Resource | None] = {}

    def take(self, policy_object: PolicyObject, state: Any) -> bool:
        """Take a state unless a newer one is known; whether it was taken.

        The end of an account is the end of all that is in it: no object tells each of them.
        """
        if policy_object.kind is RESOURCE:
            return self._take_resource(policy_object, state)
        taken = self.newest.take(policy_object, state)
        if taken and state is None and policy_object.kind is PolicyObjectKind.ACCOUNT:
            self.newest.clear()
            self._resource_revs.clear()
            self._changes.clear()
            self._resources = RegisteredResources()
        return taken

    def build(self, account_id: str, catalog: CompiledCatalog) -> AccountState:
        """Build the state from all objects."""
        account = self.newest.get(PolicyObjectKind.ACCOUNT, account_id)
        overrides: dict[str, list[OverrideObject]] = defaultdict(list)
        for _, override in self.newest.of_kind(PolicyObjectKind.OVERRIDE):
            overrides[override.user_id].append(override)
        members = [
            build_member(user_id, membership, overrides.get(user_id, ()), catalog=catalog)
            for user_id, membership in self.newest.of_kind(PolicyObjectKind.MEMBER)
        ]
        projects = [project_id for project_id, _ in self.newest.of_kind(PolicyObjectKind.PROJECT)]
        return build_account(
            account_id, account, members, projects, catalog=catalog, resources=self._current()
        )

    def with_changes(self, state: AccountState, users: Collection[str]) -> AccountState:
        """The state with these members and the resources as they are now; all else is the same."""
        if not users:
            return replace(state, resources=self._current())
        overrides: dict[str, list[OverrideObject]] = defaultdict(list)
        for _, override in self.newest.of_kind(PolicyObjectKind.OVERRIDE):
            if override.user_id in users:
                overrides[override.user_id].append(override)
        members = dict(state.members)
        for user_id in users:
            membership = self.newest.get(PolicyObjectKind.MEMBER, user_id)
            if membership is None:
                members.pop(user_id, None)
            else:
                members[user_id] = build_member(
                    user_id, membership, overrides.get(user_id, ()), catalog=state.catalog
                )
        return replace(state, members=members, resources=self._current())

    def states(self) -> Iterator[tuple[PolicyObjectKind, str, Any]]:
        """Kind, id and state of each object, as of the call; the account comes first."""
        resources = self._current()
        listed = [
            (kind, object_id, state)
            for kind in ACCOUNT_KINDS
            for object_id, state in self.newest.of_kind(kind)
        ]
        listed.sort(key=lambda each: each[0] is not PolicyObjectKind.ACCOUNT)
        return chain(
            listed,
            ((RESOURCE, f"{kind}/{name}", resources[kind, name]) for kind, name in resources),
        )

    def __len__(self) -> int:
        """The number of objects."""
        return len(self.newest) + len(self._resource_revs)

    def _take_resource(self, policy_object: PolicyObject, state: Any) -> bool:
        known = self._resource_revs.get(policy_object.id)
        if known is not None and policy_object.rev <= known:
            return False
        kind, _, resource_id = policy_object.id.partition("/")
        if state is None:
            self._resource_revs.pop(policy_object.id, None)
            self._changes[kind, resource_id] = None
        else:
            self._resource_revs[policy_object.id] = policy_object.rev
            self._changes[kind, resource_id] = Resource(
                resource_id,
                state.owner_id,
                state.project_id,
                state.properties or NO_PROPERTIES,
            )
        return True

    def _current(self) -> RegisteredResources:
        if self._changes:
            self._resources = self._resources.with_changes(self._changes)
            self._changes = {}
        return self._resources
