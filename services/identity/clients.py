"""Which other services of the platform may ask, and for what?"""

import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity import ServiceClientCreated
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ServiceClientObject
from shared.ids import AccountId, ClientId

SECRET_PREFIX = "rcs_"  # noqa: S105 - so that a leaked secret is recognised


class Scope(StrEnum):
    """What a service client may be made for."""

    AUTHZ_CHECK = "authz:check"
    AUDIT_WRITE = "audit:write"
    USAGE_WRITE = "usage:write"
    MEMBERS_PROVISION = "members:provision"


@dataclass(frozen=True, kw_only=True)
class ServiceClient:
    """Another service of the platform; `None` binds it to no account or resource type."""

    id: ClientId
    name: str
    secret_hash: str
    scopes: tuple[str, ...]
    account_ids: tuple[str, ...] | None
    resource_types: tuple[str, ...] | None
    rev: int = 0

    def proves(self, secret: str) -> bool:
        """Whether it is this client's secret."""
        return hmac.compare_digest(hash_secret(secret), self.secret_hash)


def new_secret() -> str:
    """A secret of 256 random bits: no slow hash is needed to keep it."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What is stored of a secret."""
    return sha256(secret.encode()).hexdigest()


def principal_of(client: ServiceClient, scopes: frozenset[str]) -> ClientPrincipal:
    """Who a token with these scopes speaks for."""
    bound, types = client.account_ids, client.resource_types
    return ClientPrincipal(
        client_id=client.id,
        scopes=scopes,
        account_ids=None if bound is None else frozenset(map(AccountId, bound)),
        resource_types=None if types is None else frozenset(types),
    )


def created(client: ServiceClient) -> Fact:
    """The client exists."""
    return Fact(
        payload=ServiceClientCreated(client_id=client.id, name=client.name, scopes=client.scopes),
        resource=ResourceRef(type="service_client", id=client.id, name=client.name),
        after={"name": client.name, "scopes": list(client.scopes)},
        policy_objects=(policy_object(client),),
    )


def policy_object(client: ServiceClient) -> PolicyObject:
    """The client as authz knows it."""
    state = ServiceClientObject(
        name=client.name,
        scopes=client.scopes,
        account_ids=client.account_ids,
        resource_types=client.resource_types,
    )
    return PolicyObject(
        kind=PolicyObjectKind.SERVICE_CLIENT,
        id=client.id,
        rev=client.rev,
        state=state.model_dump(mode="json"),
    )
