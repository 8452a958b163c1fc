"""Asking authz whether a caller is signed in, and has a permission in an account."""

from typing import Protocol

from shared.auth.principals import ClientPrincipal, UserPrincipal, actor_of
from shared.contracts.calls.authz import DECIDE, LIVE_CALLER, CallerRequest, CheckRequest
from shared.http.client import InternalClient
from shared.ids import AccountId
from shared.problems import (
    ACCOUNT_CLOSED,
    NotFound,
    PermissionMissing,
    Refusal,
    TokenRevoked,
    Unavailable,
)
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts


class Checker(Protocol):
    """Checks a permission before a handler runs."""

    async def check(
        self,
        principal: UserPrincipal,
        account_id: AccountId,
        permission: str,
        *,
        revision: str | None,
    ) -> None:
        """Return when the permission is granted at `revision` (None: at any) or a later one.

        Raises:
            TokenRevoked: the session has ended.
            NotFound: the user is not a member; the account does not exist for them.
            PermissionMissing: the user is a member without the permission.
            SuspendedAccount, DeletingAccount: no member may do anything there now.
            Unavailable: it cannot be decided now.
        """
        ...


class AuthzChecker:
    """Asks authz, for services that do not know memberships themselves; fails closed."""

    def __init__(self, internal: InternalClient, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> None:
        """Ask through `internal`; a decision may take `timeouts.decide` seconds."""
        self._internal = internal
        self._timeouts = timeouts

    async def check_live(self, principal: UserPrincipal | ClientPrincipal) -> None:
        """Check that the caller's session or service client still exists.

        Raises:
            TokenRevoked: it does not.
            Unavailable: authz cannot tell now.
        """
        if isinstance(principal, UserPrincipal):
            request = CallerRequest(session_id=principal.session_id)
        else:
            request = CallerRequest(client_id=principal.client_id)
        try:
            answer = await self._internal.call(
                LIVE_CALLER, "authz", request, timeout=self._timeouts.decide
            )
        except Refusal as error:
            raise Unavailable from error
        if not answer.live:
            raise TokenRevoked

    async def check(
        self,
        principal: UserPrincipal,
        account_id: AccountId,
        permission: str,
        *,
        revision: str | None,
    ) -> None:
        """Check a permission as `Checker` says; every failure of authz is `Unavailable`."""
        request = CheckRequest(
            user_id=principal.user_id,
            session_id=principal.session_id,
            account_id=account_id,
            permission=permission,
            at_least_revision=revision,
        )
        try:
            result = await self._internal.call(
                DECIDE, "authz", request, act=actor_of(principal), timeout=self._timeouts.decide
            )
        except Refusal as error:
            raise Unavailable from error
        if result.session_ended:
            raise TokenRevoked
        if not result.member:
            raise NotFound
        closed = ACCOUNT_CLOSED.get(result.reason or "")
        if closed is not None:
            raise closed
        if not result.allowed:
            raise PermissionMissing(permission)
