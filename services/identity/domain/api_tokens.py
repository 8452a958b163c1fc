"""API tokens: what is stored of one, how long it lives, and the facts about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rolecall import Problem
from services.identity.domain.users import User, payload_fields
from shared.contracts.calls.authz import TokenLimits
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity_tokens import ApiTokenCreated, ApiTokenRevoked
from shared.contracts.policy_objects import ApiTokenObject, PolicyObject, PolicyObjectKind
from shared.ids import AccountId, MembershipId, TokenId, UserId
from shared.problems import Refusal, RefusalKind

DEFAULT_LIFETIME = timedelta(days=90)
MAX_LIFETIME_DAYS = 366
MAX_LIVE_TOKENS = 100
"""The tokens that one member has in one account at the same time."""


class TokenEnd(StrEnum):
    """Why a token was revoked."""

    REVOKED = "revoked"
    MEMBERSHIP_ENDED = "membership-ended"
    USER_ERASED = "user-erased"
    ADDRESS_RESTORED = "address-restored"
    FACTOR_TAKEN_BACK = "factor-taken-back"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - a reason


class TooManyTokens(Refusal):
    """The member has as many tokens as one may have."""

    kind = RefusalKind.CONFLICT
    code = "too-many-tokens"
    detail = "You have {limit} API tokens in this account. Revoke one that you do not need."


class RestrictionUnknown(Refusal):
    """A restriction names what the account does not have."""

    kind = RefusalKind.INVALID
    code = "restriction-unknown"
    detail = (
        "The account has no such project, entry or level: {unknown}. Take those that its catalog"
        " and its projects list."
    )

    def __init__(self, unknown: Sequence[str]) -> None:
        """`unknown` has ids of projects, and grants as `entry:level`."""
        errors = []
        for name in unknown:
            entry, colon, level = name.rpartition(":")
            if colon:
                place = Problem(("restriction", "grants", entry), f"There is no `{level}` of this.")
            else:
                place = Problem(("restriction", "projects"), f"There is no project `{name}`.")
            errors.append((place.pointer, place.message))
        super().__init__(errors=errors, unknown=list(unknown))


class RestrictionNotHeld(Refusal):
    """A restriction names permissions that the creator does not hold (`B5`)."""

    kind = RefusalKind.DENIED
    code = "grants-exceeded"
    detail = "You can give only permissions that you hold yourself. You do not hold: {missing}."


class TokenTooWide(Refusal):
    """An API token makes a token that reaches further, or lives longer, than itself."""

    kind = RefusalKind.DENIED
    code = "token-too-wide"
    detail = (
        "An API token makes only tokens that reach no further and live no longer than itself."
        " Restrict the new one at least as much."
    )


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """An API token of a member; `secret_hash` is all that is kept of its secret.

    `projects` and `grants` are `None` where they restrict nothing; `grants` has levels by entry.
    """

    id: TokenId
    user_id: UserId
    account_id: AccountId
    membership_id: MembershipId
    name: str
    secret_hash: str
    created_at: datetime
    expires_at: datetime
    projects: tuple[str, ...] | None = None
    grants: Mapping[str, Any] | None = None
    read_only: bool = False
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    notice_at: datetime | None = None
    """When the next mail about the token's end is due."""
    rev: int = 0

    @property
    def limits(self) -> TokenLimits:
        """What the token is restricted to."""
        grants = self.grants
        return TokenLimits(
            projects=self.projects,
            grants=None if grants is None else {name: tuple(of) for name, of in grants.items()},
            read_only=self.read_only,
        )

    def live(self, now: datetime) -> bool:
        """Whether the token may still be used."""
        return self.revoked_at is None and now < self.expires_at


def created(token: ApiToken, creator: User, *, account_name: str) -> Fact:
    """Make the fact that a member made a token."""
    restricted = token.limits != TokenLimits()
    return _fact(
        token,
        ApiTokenCreated(
            **_fields(token, creator),
            account_name=account_name,
            expires_at=token.expires_at,
            restricted=restricted,
        ),
        after={
            "name": token.name,
            "expires_at": token.expires_at,
            **token.limits.model_dump(mode="json"),
        },
        policy_object=policy_object(token),
    )


def revoke(
    token: ApiToken, creator: User, *, because: TokenEnd, now: datetime, rev: int
) -> tuple[ApiToken, Fact]:
    """Revoke a token; no replica accepts it any more once the fact is applied."""
    revoked = replace(token, revoked_at=now, notice_at=None, rev=rev)
    return revoked, _fact(
        revoked,
        ApiTokenRevoked(**_fields(token, creator), because=because),
        before={"name": token.name},
        policy_object=PolicyObject(
            kind=PolicyObjectKind.API_TOKEN, id=token.id, rev=rev, state=None
        ),
    )


def policy_object(token: ApiToken) -> PolicyObject:
    """Return the token as those who follow identity know it."""
    state = ApiTokenObject(
        secret_hash=token.secret_hash,
        user_id=token.user_id,
        account_id=token.account_id,
        membership_id=token.membership_id,
        created_at=token.created_at,
        expires_at=token.expires_at,
        **token.limits.model_dump(),
    )
    return PolicyObject(
        kind=PolicyObjectKind.API_TOKEN,
        id=token.id,
        rev=token.rev,
        state=state.model_dump(mode="json"),
    )


def _fields(token: ApiToken, creator: User) -> dict[str, str]:
    return {
        **payload_fields(creator),
        "account_id": token.account_id,
        "token_id": token.id,
        "token_name": token.name,
    }


def _fact(
    token: ApiToken,
    payload: ApiTokenCreated | ApiTokenRevoked,
    *,
    policy_object: PolicyObject,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Fact:
    return Fact(
        payload=payload,
        resource=ResourceRef(type="api_token", id=token.id, name=token.name),
        account_id=token.account_id,
        before=before,
        after=after,
        policy_objects=(policy_object,),
    )
