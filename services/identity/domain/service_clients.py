"""Service clients: other services of the platform, their scopes and their secrets."""

import hmac
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity import ServiceClientCreated
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ServiceClientObject
from shared.ids import AccountId, ClientId

SECRET_PREFIX = "rcs_"  # noqa: S105 - a scanner recognises a leaked secret by it


class ClientScope(StrEnum):
    """What a service client may do."""

    AUTHZ_CHECK = "authz:check"
    AUDIT_WRITE = "audit:write"
    USAGE_WRITE = "usage:write"
    MEMBERS_PROVISION = "members:provision"
    RESOURCES_WRITE = "resources:write"


@dataclass(frozen=True, kw_only=True)
class ServiceClient:
    """Another service of the platform; `None` means every account or every resource type."""

    id: ClientId
    name: str
    secret_hash: str
    scopes: tuple[str, ...]
    account_ids: tuple[str, ...] | None
    resource_types: tuple[str, ...] | None
    rev: int = 0

    def has_secret(self, secret: str) -> bool:
        """Return whether this is the client's secret; each comparison takes the same time."""
        return hmac.compare_digest(hash_secret(secret), self.secret_hash)


def hash_secret(secret: str) -> str:
    """Return what is stored of a secret; 256 random bits need no slow hash."""
    return sha256(secret.encode()).hexdigest()


def principal_of(client: ServiceClient, scopes: frozenset[str]) -> ClientPrincipal:
    """Return the principal of a token with these scopes."""
    account_ids, resource_types = client.account_ids, client.resource_types
    return ClientPrincipal(
        client_id=client.id,
        scopes=scopes,
        account_ids=None if account_ids is None else frozenset(map(AccountId, account_ids)),
        resource_types=None if resource_types is None else frozenset(resource_types),
    )


def created(client: ServiceClient) -> Fact:
    """Make the fact that a service client was created."""
    return Fact(
        payload=ServiceClientCreated(client_id=client.id, name=client.name, scopes=client.scopes),
        resource=ResourceRef(type="service_client", id=client.id, name=client.name),
        after={"name": client.name, "scopes": list(client.scopes)},
        policy_objects=(policy_object(client),),
    )


def policy_object(client: ServiceClient) -> PolicyObject:
    """Return the client as authz knows it."""
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
