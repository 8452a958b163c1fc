"""The mails that tell creators of API tokens that a token ends soon."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.users import User, payload_fields
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity_tokens import ApiTokenExpiryAnnounced

TERMS = (timedelta(days=7), timedelta(days=1))
"""How long before its end a mail tells of it, the longest first."""


def next_notice(expires_at: datetime, *, after: datetime) -> datetime | None:
    """The first moment after `after` at which a mail is due, if there is one.

    Terms that have passed are left out. A token that lives for three days has one mail, and a
    service that was away for a week sends one mail and not two.
    """
    moments = [expires_at - term for term in TERMS]
    return next((moment for moment in moments if moment > after), None)


def is_due(token: ApiToken, now: datetime) -> bool:
    """Whether a mail about the end of the token is due."""
    return token.notice_at is not None and token.notice_at <= now


def passed_over(token: ApiToken, now: datetime) -> ApiToken:
    """The token after a mail was due, sent or not: the next one is of a later term."""
    return replace(token, notice_at=next_notice(token.expires_at, after=now))


def deserves_mail(token: ApiToken, creator: User | None, *, now: datetime) -> bool:
    """Whether the token still acts for a creator; a mail about another one would only confuse."""
    return token.live(now) and creator is not None and creator.disabled_at is None


def announced(token: ApiToken, creator: User, *, account_name: str) -> Fact:
    """Make the fact that a mail tells the creator of the token's end."""
    return Fact(
        payload=ApiTokenExpiryAnnounced(
            **payload_fields(creator)
            | {"account_id": token.account_id, "token_id": token.id, "token_name": token.name},
            account_name=account_name,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        ),
        resource=ResourceRef(type="api_token", id=token.id, name=token.name),
        account_id=token.account_id,
    )
