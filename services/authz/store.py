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
from shared.access_tokens import ACCESS_SECONDS
from shared.contracts import things
from shared.contracts.things import Kind, ServiceClientState, Thing

logger = logging.getLogger(__name__)

_SESSION_MATTERS = timedelta(seconds=2 * ACCESS_SECONDS)
"""After this no access token of an ended session is left, whatever the clocks differ by."""

_OF_ACCOUNT = frozenset({Kind.ACCOUNT, Kind.MEMBER, Kind.PROJECT, Kind.OVERRIDE})
_NOTHING = 0


@dataclass(slots=True)
class _Versions:
    """The newest state of each thing; an older `rev` never replaces a newer one."""

    known: dict[tuple[Kind, str], tuple[int, Any]] = field(default_factory=dict)

    def take(self, thing: Thing, state: Any) -> bool:
        key = thing.kind, thing.id
        known = self.known.get(key)
        if known is not None and thing.rev <= known[0]:
            return False
        if state is None:
            self.known.pop(key, None)
        else:
            self.known[key] = thing.rev, state
        return True

    def of(self, kind: Kind) -> Iterable[tuple[str, Any]]:
        return ((id_, state) for (known, id_), (_, state) in self.known.items() if known is kind)


class Policy:
    """Team's part: accounts with their members, projects, overrides, and the catalogs."""

    def __init__(self) -> None:
        self._things: dict[str, _Versions] = defaultdict(_Versions)
        self._catalog_things = _Versions()
        self._catalogs: dict[str, CompiledCatalog] = {}
        self._accounts: dict[str, AccountState] = {}
        self._waiting: dict[str, set[str]] = defaultdict(set)

    def clear(self) -> None:
        """Forget everything."""
        self._things.clear()
        self._catalog_things.known.clear()
        self._catalogs.clear()
        self._accounts.clear()
        self._waiting.clear()

    def put(self, things_: Iterable[Thing]) -> None:
        """Take new states, then rebuild each account that they touch.

        Raises:
            pydantic.ValidationError: a state has a shape that this version does not know. The
                change is then not applied, so the lease runs out: not knowing is no answer.
        """
        touched: dict[str, None] = {}
        for thing in things_:
            state = None if thing.state is None else _READ[thing.kind].model_validate(thing.state)
            if thing.kind is Kind.CATALOG:
                touched |= dict.fromkeys(self._put_catalog(thing, state))
            elif thing.kind in _OF_ACCOUNT:
                account_id = thing.id if thing.account_id is None else thing.account_id
                if self._things[account_id].take(thing, state):
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

    def _put_catalog(self, thing: Thing, state: Any) -> Iterable[str]:
        if not self._catalog_things.take(thing, state):
            return ()
        self._catalogs.pop(thing.id, None)
        if state is not None:
            try:
                published = Catalog.from_published(state.content)
            except CatalogError as problem:
                logger.error("catalog %s cannot be read: %s", thing.id, problem)  # noqa: TRY400
                return ()
            self._catalogs[thing.id] = CompiledCatalog(published, published_as=thing.id)
        return self._waiting.pop(thing.id, ())

    def _rebuild(self, account_id: str) -> None:
        """Replace the account's state by one made of its newest things."""
        known = self._things[account_id]
        self._accounts.pop(account_id, None)
        for waiting in self._waiting.values():
            waiting.discard(account_id)
        account = known.known.get((Kind.ACCOUNT, account_id), (_NOTHING, None))[1]
        if account is None:
            if not known.known:
                del self._things[account_id]
            return
        catalog = self._catalogs.get(account.catalog)
        if catalog is None:
            self._waiting[account.catalog].add(account_id)
            return
        overrides: dict[str, dict[str, Override]] = defaultdict(dict)
        memberships = {user_id: member.membership_id for user_id, member in known.of(Kind.MEMBER)}
        for _, override in known.of(Kind.OVERRIDE):
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
                for user_id, member in known.of(Kind.MEMBER)
            },
            projects=frozenset(project_id for project_id, _ in known.of(Kind.PROJECT)),
        )


class SignIns:
    """Identity's part: service clients, and sessions that ended while a token may live."""

    def __init__(self) -> None:
        self._things = _Versions()

    def clear(self) -> None:
        """Forget everything."""
        self._things.known.clear()

    def put(self, things_: Iterable[Thing]) -> None:
        """Take new states; see `Policy.put`."""
        latest: datetime | None = None
        for thing in things_:
            if thing.kind in {Kind.SESSION, Kind.SERVICE_CLIENT}:
                content = thing.state
                state = None if content is None else _READ[thing.kind].model_validate(content)
                if self._things.take(thing, state) and thing.kind is Kind.SESSION and state:
                    latest = max(latest or state.ended_at, state.ended_at)
        if latest is not None:
            self._drop_before(latest - _SESSION_MATTERS)

    def ended(self, session_id: str) -> bool:
        """Whether this session was ended."""
        return (Kind.SESSION, session_id) in self._things.known

    def client(self, client_id: str) -> ServiceClientState | None:
        """The service client, if there is one."""
        state: ServiceClientState | None
        _, state = self._things.known.get((Kind.SERVICE_CLIENT, client_id), (_NOTHING, None))
        return state

    def _drop_before(self, moment: datetime) -> None:
        old = [
            session_id
            for session_id, session in self._things.of(Kind.SESSION)
            if session.ended_at < moment
        ]
        for session_id in old:
            del self._things.known[Kind.SESSION, session_id]


def _override_matrix(catalog: CompiledCatalog, override: things.OverrideState) -> Matrix:
    """The override's grants; none where the catalog does not know them any more."""
    try:
        grants = catalog.catalog.parse_grants(override.grants, within_project=True)
    except CatalogError:
        return Matrix(f"override:{override.project_id}", 0, 0)
    return catalog.override_matrix(override.project_id, grants)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


_READ: dict[Kind, Any] = {
    Kind.ACCOUNT: things.AccountState,
    Kind.MEMBER: things.MemberState,
    Kind.PROJECT: things.ProjectState,
    Kind.OVERRIDE: things.OverrideState,
    Kind.CATALOG: things.CatalogState,
    Kind.SESSION: things.SessionState,
    Kind.SERVICE_CLIENT: things.ServiceClientState,
}
