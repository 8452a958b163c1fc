"""What opens a user's accounts besides the password: API tokens and linked identities."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.identities import LinkedIdentity
from shared.contracts.identity_access import AccessBesidePassword

RECENT = timedelta(days=30)
"""A thief acts soon after they came in; what is older is more probably the owner's."""
MAX_NAMES = 10
"""The names of each kind that a fact, and so a mail, lists."""


class EndAccess(StrEnum):
    """What a reset of the password ends besides sessions."""

    RECENT = "recent"
    """What was made in the last 30 days."""
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class OtherAccess:
    """Live API tokens of a user, and the identities that are linked to them."""

    tokens: tuple[ApiToken, ...] = ()
    identities: tuple[LinkedIdentity, ...] = ()

    def without(self, others: "OtherAccess") -> "OtherAccess":
        """What is left of it without these."""
        gone = {one.id for one in others.tokens} | {one.id for one in others.identities}
        return OtherAccess(
            tokens=tuple(one for one in self.tokens if one.id not in gone),
            identities=tuple(one for one in self.identities if one.id not in gone),
        )

    def described(
        self, *, more_tokens: int = 0, factors: Collection[str] = ()
    ) -> AccessBesidePassword:
        """As a fact tells it: `more_tokens` are further ones without a name."""
        return AccessBesidePassword(
            api_tokens=len(self.tokens) + more_tokens,
            token_names=tuple(sorted(one.name for one in self.tokens)[:MAX_NAMES]),
            issuers=tuple(sorted(one.label for one in self.identities)),
            second_factors=tuple(factors),
        )


def tokens_since(choice: EndAccess, *, now: datetime) -> datetime | None:
    """Return from which moment on tokens are looked for: a user can have thousands of others."""
    return now - RECENT if choice is EndAccess.RECENT else None


def to_end(
    found: OtherAccess, choice: EndAccess, *, had_password: bool, now: datetime
) -> OtherAccess:
    """Return what a reset ends, as the person chose.

    Without a choice a user who had no password keeps the identities: they sign in by them.
    """
    match choice:
        case EndAccess.NONE:
            return OtherAccess()
        case EndAccess.ALL:
            return found
        case EndAccess.RECENT:
            since = now - RECENT
            linked = found.identities if had_password else ()
            return OtherAccess(
                tokens=tuple(one for one in found.tokens if one.created_at >= since),
                identities=tuple(one for one in linked if one.linked_at >= since),
            )


@dataclass(frozen=True, kw_only=True)
class AccessToEnd:
    """How many API tokens and linked identities a reset can end, and how many `recent` ends."""

    api_tokens: int
    identities: int
    recent_api_tokens: int
    recent_identities: int


def access_to_end(
    linked: tuple[LinkedIdentity, ...],
    *,
    tokens: int,
    recent_tokens: int,
    had_password: bool,
    now: datetime,
) -> AccessToEnd:
    """Count what a reset can end, of which tokens are counted by the database."""
    found = OtherAccess(identities=linked)
    recent = to_end(found, EndAccess.RECENT, had_password=had_password, now=now)
    return AccessToEnd(
        api_tokens=tokens,
        identities=len(linked),
        recent_api_tokens=recent_tokens,
        recent_identities=len(recent.identities),
    )
