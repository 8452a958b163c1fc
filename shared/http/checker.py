"""May this person do this in this account?"""

from typing import Protocol

from pydantic import BaseModel

from shared.auth.principals import UserPrincipal, actor_of
from shared.http.client import InternalClient
from shared.ids import AccountId
from shared.problems import NotFound, PermissionMissing, Refusal, Unavailable

DECIDE_SECONDS = 0.2


class Checker(Protocol):
    """Decides before a handler runs."""

    async def check(
        self,
        principal: UserPrincipal,
        account_id: AccountId,
        permission: str,
        *,
        revision: str | None,
    ) -> None:
        """Return when it is allowed, knowing at least `revision` if one is given.

        Raises:
            NotFound: not a member; the account does not exist for this person.
            PermissionMissing: a member, but without the permission.
            Unavailable: it cannot be decided now.
        """
        ...


class CheckRequest(BaseModel):
    """The body of `POST /internal/decisions`."""

    user_id: str
    session_id: str
    account_id: str
    permission: str
    at_least_revision: str | None = None


class CheckResult(BaseModel):
    """Its answer."""

    allowed: bool
    member: bool
    reason: str | None = None


class AuthzChecker:
    """Asks authz, for services that do not know memberships themselves; fails closed."""

    def __init__(self, internal: InternalClient) -> None:
        self._internal = internal

    async def check(
        self,
        principal: UserPrincipal,
        account_id: AccountId,
        permission: str,
        *,
        revision: str | None,
    ) -> None:
        """See `Checker`; every failure of authz is `Unavailable`."""
        question = CheckRequest(
            user_id=principal.user_id,
            session_id=principal.session_id,
            account_id=account_id,
            permission=permission,
            at_least_revision=revision,
        )
        try:
            answer = await self._internal.post(
                "authz",
                "/internal/decisions",
                question,
                act=actor_of(principal),
                timeout=DECIDE_SECONDS,
            )
            decision = CheckResult.model_validate(answer)
        except (Refusal, ValueError) as error:
            raise Unavailable from error
        if not decision.member:
            raise NotFound
        if not decision.allowed:
            raise PermissionMissing(permission)
