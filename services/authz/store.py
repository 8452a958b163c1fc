"""What does this replica know?

The state is in memory, for authz has no database. Things come in, an immutable `AccountState` per
account comes out, swapped whole: whoever holds one sees one state of it, never half of a change.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rolecall import (
    AccountKind,
    AccountState,
    AccountStatus,
    Catalog,
    CatalogError,
    CompiledCatalog,
    Matrix,
    Member,
    MembershipStatus,
    Override,
)
from shared.auth.access_tokens import ACCESS_SECONDS
from shared.contracts import policy_objects
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ServiceClientObject

logger = logging.getLogger(__name__)

_SESSION_MATTERS = timedelta(seconds=2 * ACCESS_SECONDS)
"""After this no access token of an ended session is left, whatever the clocks differ by."""

_OF_ACCOUNT = frozenset(
    {
        PolicyObjectKind.ACCOUNT,
        PolicyObjectKind.MEMBER,
        PolicyObjectKind.PROJECT,
        PolicyObjectKind.OVERRIDE,
    }
)
_NOTHING = 0


@dataclass(slots=True)
class _Versions:
    """The newest state of each thing; an older `rev` never replaces a newer one."""

    known: dict[tuple[PolicyObjectKind, str], tuple[int, Any]] = field(default_factory=dict)

    def take(self, policy_object: PolicyObject, state: Any) -> bool:
        key = policy_object.kind, policy_object.id
        known = self.known.get(key)
        if known is not None and policy_object.rev <= known[0]:
            return False
        if state is None:
            self.known.pop(key, None)
        else:
            self.known[key] = policy_object.rev, state
        return True

    def of(self, kind: PolicyObjectKind) -> Iterable[tuple[str, Any]]:
        return ((id_, state) for (known, id_), (_, state) in self.known.items() if known is kind)


class Policy:
    """Team's part: accounts with their members, projects, overrides, and the catalogs."""

    def __init__(self) -> None:
        self._policy_objects: dict[str, _Versions] = defaultdict(_Versions)
        self._catalog_objects = _Versions()
        self._catalogs: dict[str, CompiledCatalog] = {}
        self._accounts: dict[str, AccountState] = {}
        self._waiting: dict[str, set[str]] = defaultdict(set)

    def clear(self) -> None:
        """Forget everything."""
        self._policy_objects.clear()
        self._catalog_objects.known.clear()
        self._catalogs.clear()
        self._accounts.clear()
        self._waiting.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take new states, then rebuild each account that they touch.

        Raises:
            pydantic.ValidationError: a state has a shape that this version does not know. The
                change is then not applied, so the lease runs out: not knowing is no answer.
        """
        touched: dict[str, None] = {}
        for policy_object in policy_objects:
            state = (
                None
                if policy_object.state is None
                else _READ[policy_object.kind].model_validate(policy_object.state)
            )
            if policy_object.kind is PolicyObjectKind.CATALOG:
                touched |= dict.fromkeys(self._put_catalog(policy_object, state))
            elif policy_object.kind in _OF_ACCOUNT:
                account_id = (
                    policy_object.id
                    if policy_object.account_id is None
                    else policy_object.account_id
                )
                if self._policy_objects[account_id].take(policy_object, state):
                    touched[account_id] = None
        for account_id in touched:
            self._rebuild(account_id)

    def account(self, account_id: str) -> AccountState | None:
        """The account as of the last change; `None`: there is none."""
        return self._accounts.get(account_id)

    def incomplete(self, account_id: str) -> bool:
        """Whether the account exists but its catalog is not here yet: nothing can be said."""
        return any(account_id in waiting for waiting in self._waiting.values())

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self._accounts)

    def _put_catalog(self, policy_object: PolicyObject, state: Any) -> Iterable[str]:
        if not self._catalog_objects.take(policy_object, state):
            return ()
        self._catalogs.pop(policy_object.id, None)
        if state is not None:
            try:
                published = Catalog.from_published(state.content)
            except CatalogError as problem:
                logger.error("catalog %s cannot be read: %s", policy_object.id, problem)  # noqa: TRY400
                return ()
            self._catalogs[policy_object.id] = CompiledCatalog(
                published, published_as=policy_object.id
            )
        return self._waiting.pop(policy_object.id, ())

    def _rebuild(self, account_id: str) -> None:
        """Replace the account's state by one made of its newest things."""
        known = self._policy_objects[account_id]
        self._accounts.pop(account_id, None)
        for waiting in self._waiting.values():
            waiting.discard(account_id)
        account = known.known.get((PolicyObjectKind.ACCOUNT, account_id), (_NOTHING, None))[1]
        if account is None:
            if not known.known:
                del self._policy_objects[account_id]
            return
        catalog = self._catalogs.get(account.catalog)
        if catalog is None:
            self._waiting[account.catalog].add(account_id)
            return
        overrides: dict[str, dict[str, Override]] = defaultdict(dict)
        memberships = {
            user_id: member.membership_id for user_id, member in known.of(PolicyObjectKind.MEMBER)
        }
        for _, override in known.of(PolicyObjectKind.OVERRIDE):
            if memberships.get(override.user_id) == override.membership_id:
                overrides[override.user_id][override.project_id] = Override(
                    _override_matrix(catalog, override), _milliseconds(override.expires_at)
                )
        self._accounts[account_id] = AccountState(
            id=account_id,
            kind=AccountKind(account.kind),
            status=AccountStatus(account.status),
            owner_user_id=account.owner_user_id,
            catalog=catalog,
            members={
                user_id: Member(
                    user_id=user_id,
                    membership_id=member.membership_id,
                    role=catalog.roles.get(member.role) or Matrix(f"role:{member.role}", 0, 0),
                    status=MembershipStatus(member.status),
                    expires_at=_milliseconds(member.expires_at),
                    overrides=overrides.get(user_id, {}),
                )
                for user_id, member in known.of(PolicyObjectKind.MEMBER)
            },
            projects=frozenset(project_id for project_id, _ in known.of(PolicyObjectKind.PROJECT)),
        )


class SignIns:
    """Identity's part: service clients, and sessions that ended while a token may live."""

    def __init__(self) -> None:
        self._policy_objects = _Versions()

    def clear(self) -> None:
        """Forget everything."""
        self._policy_objects.known.clear()

    def put(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take new states; see `Policy.put`."""
        latest: datetime | None = None
        for policy_object in policy_objects:
            if policy_object.kind in {PolicyObjectKind.SESSION, PolicyObjectKind.SERVICE_CLIENT}:
                content = policy_object.state
                state = (
                    None if content is None else _READ[policy_object.kind].model_validate(content)
                )
                if (
                    self._policy_objects.take(policy_object, state)
                    and policy_object.kind is PolicyObjectKind.SESSION
                    and state
                ):
                    latest = max(latest or state.ended_at, state.ended_at)
        if latest is not None:
            self._drop_before(latest - _SESSION_MATTERS)

    def ended(self, session_id: str) -> bool:
        """Whether this session was ended."""
        return (PolicyObjectKind.SESSION, session_id) in self._policy_objects.known

    def client(self, client_id: str) -> ServiceClientObject | None:
        """The service client, if there is one."""
        state: ServiceClientObject | None
        _, state = self._policy_objects.known.get(
            (PolicyObjectKind.SERVICE_CLIENT, client_id), (_NOTHING, None)
        )
        return state

    def _drop_before(self, moment: datetime) -> None:
        old = [
            session_id
            for session_id, session in self._policy_objects.of(PolicyObjectKind.SESSION)
            if session.ended_at < moment
        ]
        for session_id in old:
            del self._policy_objects.known[PolicyObjectKind.SESSION, session_id]


def _override_matrix(catalog: CompiledCatalog, override: policy_objects.OverrideObject) -> Matrix:
    """The override's grants; none where the catalog does not know them any more."""
    try:
        grants = catalog.catalog.parse_grants(override.grants, within_project=True)
    except CatalogError:
        return Matrix(f"override:{override.project_id}", 0, 0)
    return catalog.override_matrix(override.project_id, grants)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


_READ: dict[PolicyObjectKind, Any] = {
    PolicyObjectKind.ACCOUNT: policy_objects.AccountObject,
    PolicyObjectKind.MEMBER: policy_objects.MemberObject,
    PolicyObjectKind.PROJECT: policy_objects.ProjectObject,
    PolicyObjectKind.OVERRIDE: policy_objects.OverrideObject,
    PolicyObjectKind.CATALOG: policy_objects.CatalogObject,
    PolicyObjectKind.SESSION: policy_objects.SessionObject,
    PolicyObjectKind.SERVICE_CLIENT: policy_objects.ServiceClientObject,
}
