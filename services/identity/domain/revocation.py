"""Revocation (RFC 7009): access tokens of service clients that end before their time."""

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity_clients import ServiceClientTokenRevoked
from shared.contracts.policy_objects import AccessTokenObject, PolicyObject, PolicyObjectKind
from shared.ids import ClientId, TokenId


@dataclass(frozen=True, kw_only=True)
class RevokedToken:
    """An access token of a service client that was revoked; it expires at `expires_at`."""

    id: TokenId
    client_id: ClientId
    expires_at: datetime
    rev: int = 0


def revoked(token: RevokedToken) -> Fact:
    """Make the fact that an access token of a service client was revoked."""
    return Fact(
        payload=ServiceClientTokenRevoked(
            client_id=token.client_id, token_id=token.id, expires_at=token.expires_at
        ),
        resource=ResourceRef(type="service_client", id=token.client_id),
        policy_objects=(policy_object(token),),
    )


def policy_object(token: RevokedToken) -> PolicyObject:
    """Return the revoked token as those who follow identity know it."""
    state = AccessTokenObject(expires_at=token.expires_at)
    return PolicyObject(
        kind=PolicyObjectKind.ACCESS_TOKEN,
        id=token.id,
        rev=token.rev,
        state=state.model_dump(mode="json"),
    )
