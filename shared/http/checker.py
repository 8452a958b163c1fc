"""Asking authz whether a caller is signed in, and has a permission in an account."""

from collections.abc import Sequence
from typing import Protocol

from rolecall import Reason
from shared.auth.account_refusals import SHUT_OUT
from shared.auth.api_token_refusals import TokenRestricted
from shared.auth.api_tokens import restriction_of
from shared.auth.principals import (
    AccessTokenRef,
    ApiTokenPrincipal,
    Bearer,
    DelegatedPrincipal,
    Member,
    UserPrincipal,
    actor_of,
)
from shared.catalog_parts import NotInThisCatalog
from shared.contracts.calls.authz import (
    DECIDE,
    FIND_TOKEN,
    LIVE_CALLER,
    LIVE_CALLERS,
    NEW_TOKEN,
    CallerRequest,
    CallersRequest,
    CheckRequest,
    CheckResult,
    FindTokenRequest,
    FoundToken,
    NewTokenAnswer,
    NewTokenRequest,
    TokenLimits,
)
from shared.contracts.calls.base import AnswerT, InternalCall, RequestT
from shared.contracts.facts import Actor
from shared.http.client import InternalClient
from shared.ids import AccountId, TokenId, UserId
from shared.problems import (
    ApiTokenOver,
    NotFound,
    PermissionMissing,
    Refusal,
    TokenRevoked,
    Unavailable,
)
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

TOKENS_AT_ONCE = 16
"""The API tokens that one process asks authz about at the same time."""


class Checker(Protocol):
    """Checks a permission before a handler runs."""

    async def check(
        self,
        principal: Member,
        account_id: AccountId,
        permission: str,
        *,
        revision: str | None,
        owner_id: str | None = None,
    ) -> None:
        """Return when the permission is granted at `revision` (None: at any) or a later one.

        `owner_id` is the user who owns what it is about.

        Raises:
            TokenRevoked: the session has ended, or the API token is over.
            NotFound: the user is not a member; the account does not exist for them.
            NotInThisCatalog: the account's catalog leaves the permission out.
            PermissionMissing: the user is a member without the permission.
            TokenRestricted: they hold it, and the restriction of their API token leaves it out.
            SuspendedAccount, DeletingAccount: no member may do anything there now.
            Unavailable: it cannot be decided now.
        """
        ...


class LiveChecker(Checker, Protocol):
    """Also checks whether a caller is still signed in."""

    async def check_live(self, principal: Bearer) -> None:
        """Return when the caller's session, service client or API token still exists.

        Raises:
            TokenRevoked, ApiTokenOver: it does not.
            Unavailable: it cannot be told now.
        """
        ...


class TokenChecker(Checker, Protocol):
    """Also checks what a new API token may carry."""

    async def check_new_token(
        self,
        principal: Member,
        account_id: AccountId,
        permission: str,
        limits: TokenLimits,
        *,
        revision: str | None,
    ) -> NewTokenAnswer:
        """Check that a member may make API tokens; it raises as `check`.

        The answer says what speaks against these limits.
        """
        ...


class AuthzChecker:
    """Asks authz, for services that do not know memberships themselves; fails closed."""

    def __init__(self, internal: InternalClient, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> None:
        """Ask through `internal`; a decision may take `timeouts.decide` seconds."""
        self._internal = internal
        self._timeouts = timeouts
        self._searching = 0

    async def check_live(self, principal: Bearer) -> None:
        """Check that the caller's session, service client or API token still exists.

        Raises:
            TokenRevoked: it does not.
            Unavailable: authz cannot tell now.
        """
        answer = await self._ask(LIVE_CALLER, _caller(principal))
        if not answer.live:
            raise ApiTokenOver if isinstance(principal, ApiTokenPrincipal) else TokenRevoked

    async def live(self, principals: Sequence[Bearer]) -> Sequence[bool]:
        """Return of each caller whether `check_live` would pass.

        Raises:
            Unavailable: authz cannot tell now.
        """
        callers = tuple(_caller(each) for each in principals)
        answer = await self._ask(LIVE_CALLERS, CallersRequest(callers=callers))
        if len(answer.live) != len(callers):
            raise Unavailable
        return answer.live

    async def find_api_token(self, digest: str) -> ApiTokenPrincipal:
        """Return the API token with this SHA-256, as `FindApiToken` says.

        Only a few are looked up at the same time: strangers can make up tokens.
        """
        if self._searching >= TOKENS_AT_ONCE:
            raise Unavailable
        self._searching += 1
        try:
            answer = await self._ask(FIND_TOKEN, FindTokenRequest(digest=digest))
        finally:
            self._searching -= 1
        if answer.found is None:
            raise ApiTokenOver
        return _principal(answer.found)

    async def check(
        self,
        principal: Member,
        account_id: AccountId,
        permission: str,
        *,
        revision: str | None,
        owner_id: str | None = None,
    ) -> None:
        """Check a permission as `Checker` says; every failure of authz is `Unavailable`."""
        request = CheckRequest(
            user_id=principal.user_id,
            **_means(principal),
            account_id=account_id,
            permission=permission,
            owner_id=owner_id,
            at_least_revision=revision,
        )
        result = await self._ask(DECIDE, request, act=actor_of(principal))
        _require_allowed(principal, permission, result)

    async def check_new_token(
        self,
        principal: Member,
        account_id: AccountId,
        permission: str,
        limits: TokenLimits,
        *,
        revision: str | None,
    ) -> NewTokenAnswer:
        """Check that a member may make API tokens, as `Checker` says."""
        request = NewTokenRequest(
            user_id=principal.user_id,
            **_means(principal),
            account_id=account_id,
            permission=permission,
            owner_id=principal.user_id,
            at_least_revision=revision,
            limits=limits,
        )
        result = await self._ask(NEW_TOKEN, request, act=actor_of(principal))
        _require_allowed(principal, permission, result)
        return result

    async def _ask(
        self,
        call: InternalCall[RequestT, AnswerT],
        request: RequestT,
        *,
        act: Actor | None = None,
    ) -> AnswerT:
        """Ask authz. A refusal of it means that the answer cannot be known now.

        Raises:
            Unavailable: authz did not answer, or refused.
        """
        try:
            return await self._internal.call(
                call, "authz", request, act=act, timeout=self._timeouts.decide
            )
        except Refusal as error:
            raise Unavailable from error


def _caller(principal: Bearer) -> CallerRequest:
    match principal:
        case UserPrincipal():
            return CallerRequest(
                session_id=principal.session_id, **_access_token(principal.access_token)
            )
        case DelegatedPrincipal():
            return CallerRequest(
                session_id=principal.session_id,
                acting_client_ids=principal.client_ids,
                made_of=tuple((each.id, each.key_id) for each in principal.made_of),
                **_access_token(principal.access_token),
            )
        case ApiTokenPrincipal():
            return CallerRequest(token_id=principal.token_id)
        case _:
            return CallerRequest(
                client_id=principal.client_id, **_access_token(principal.access_token)
            )


def _access_token(token: AccessTokenRef | None) -> dict[str, str]:
    return {} if token is None else {"access_token_id": token.id, "key_id": token.key_id}


def _means(principal: Member) -> dict[str, str]:
    """The session or the API token of a request."""
    if isinstance(principal, ApiTokenPrincipal):
        return {"session_id": "", "token_id": principal.token_id}
    return {"session_id": principal.session_id}


def _require_allowed(principal: Member, permission: str, result: CheckResult) -> None:
    if result.session_ended:
        raise ApiTokenOver if isinstance(principal, ApiTokenPrincipal) else TokenRevoked
    if not result.member:
        raise NotFound
    closed = SHUT_OUT.get(result.reason or "")
    if closed is not None:
        raise closed
    if result.reason == Reason.PERMISSION_UNKNOWN:
        raise NotInThisCatalog(f"the permission {permission}", "Use another catalog for it.")
    if result.reason == Reason.TOKEN_RESTRICTED:
        raise TokenRestricted(permission)
    if not result.allowed:
        raise PermissionMissing(permission)


def _principal(found: FoundToken) -> ApiTokenPrincipal:
    return ApiTokenPrincipal(
        token_id=TokenId(found.token_id),
        user_id=UserId(found.user_id),
        account_id=AccountId(found.account_id),
        membership_id=found.membership_id,
        expires_at=found.expires_at,
        restriction=restriction_of(
            found.limits.projects, found.limits.grants, read_only=found.limits.read_only
        ),
    )
