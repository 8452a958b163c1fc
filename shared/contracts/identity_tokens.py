"""The facts that identity records about API tokens."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class _ApiToken(Payload):
    user_id: str
    email: str
    name: str
    account_id: str
    """The account of the token."""
    token_id: str
    token_name: str


class ApiTokenCreated(_ApiToken):
    """A member made an API token in an account; `account_id` is that account."""

    type: ClassVar[str] = "identity.api_token.created.v1"
    account_name: str = ""
    """Nothing if team did not say it in time."""
    expires_at: datetime
    restricted: bool


class ApiTokenRevoked(_ApiToken):
    """An API token was revoked, or ended with its membership, an undone address or a reset."""

    type: ClassVar[str] = "identity.api_token.revoked.v1"
    because: str


class ApiTokenExpiryAnnounced(_ApiToken):
    """A mail tells the creator of an API token that it ends soon."""

    type: ClassVar[str] = "identity.api_token.expiry_announced.v1"
    account_name: str
    expires_at: datetime
    last_used_at: datetime | None = None


FACTS: tuple[type[Payload], ...] = (ApiTokenCreated, ApiTokenRevoked, ApiTokenExpiryAnnounced)
