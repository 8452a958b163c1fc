"""A service that accepts requests of a session after its end was acknowledged.

`python -m tests.faults.planted_sign_outs DEFECT SERVICE` runs it. The sign-out test must turn red
with each of them.
"""

import sys
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from services.identity.app import build as build_identity
from services.identity.settings import Settings as IdentitySettings
from services.team.app import build as build_team
from services.team.settings import Settings as TeamSettings
from shared.auth.principals import AccessTokenRef
from shared.following.live_callers import LiveCallers
from shared.leases import Leases
from shared.runtime.service import main
from tests.consistency.planted_variants import NoBarrier


class WithoutLease(LiveCallers):
    """Decides from its memory, however old that is."""

    def live(
        self,
        *,
        session_id: str | None = None,
        client_id: str | None = None,
        token_id: str | None = None,
        acting: Collection[str] = (),
        access_token: AccessTokenRef | None = None,
        made_of: Collection[AccessTokenRef] = (),
    ) -> bool:
        return session_id is None or not self._sign_ins.session_ended(session_id)


class _RowsOfAuthz:
    """The lease rows without those of team."""

    def __init__(self, store: Any) -> None:
        self._store = store

    async def live_rows(self, session: Any) -> list[Any]:
        found = await self._store.live_rows(session)
        return [row for row in found if row.id.startswith("authz/")]

    def session(self, after: Any = None) -> AbstractAsyncContextManager[Any]:
        found: AbstractAsyncContextManager[Any] = self._store.session(after)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class ForAuthzOnly(Leases):
    """Acknowledges when authz has applied the change: team learns of it by itself."""

    def __init__(self, store: Any, **options: Any) -> None:
        super().__init__(_RowsOfAuthz(store), **options)


def identity(leases: type[Leases]) -> None:
    """Run identity with these leases."""
    main(partial(build_identity, leases=leases), IdentitySettings)


def team(callers: type[LiveCallers]) -> None:
    """Run team with this check of callers."""
    main(partial(build_team, callers=callers), TeamSettings)


DEFECTS: dict[str, dict[str, Callable[[], None]]] = {
    "no-barrier": {"identity": partial(identity, NoBarrier)},
    "barrier-without-team": {"identity": partial(identity, ForAuthzOnly)},
    "no-lease-check": {"team": partial(team, WithoutLease)},
}
"""Defect → the services that differ, each with its process."""


if __name__ == "__main__":
    DEFECTS[sys.argv[1]][sys.argv[2]]()
