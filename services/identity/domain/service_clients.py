"""Service clients: other services of the platform, their scopes and their secrets."""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.contracts.identity_clients import (
    ServiceClientCreated,
    ServiceClientDeleted,
    ServiceClientDisabled,
    ServiceClientEnabled,
    ServiceClientOldSecretEnded,
    ServiceClientSecretRotated,
)
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ServiceClientObject
from shared.ids import AccountId, ClientId
from shared.problems import Refusal, RefusalKind

SECRET_PREFIX = "rcs_"  # noqa: S105 - a scanner recognises a leaked secret by it


class ClientScope(StrEnum):
    """What a service client may do."""

    AUTHZ_CHECK = "authz:check"
    AUDIT_WRITE = "audit:write"
    USAGE_WRITE = "usage:write"
    MEMBERS_PROVISION = "members:provision"
    RESOURCES_WRITE = "resources:write"
    USERS_ACT = "users:act"


class ClientStatus(StrEnum):
    """Whether a service client may act."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """Until the operator enables it again."""
    DELETED = "deleted"
    """For good; the row stays for the audit log and for repeats."""


class ClientDeleted(Refusal):
    """The client was deleted, which is for good."""

    kind = RefusalKind.CONFLICT
    code = "client-deleted"
    detail = "This service client was deleted. Create another one."


@dataclass(frozen=True, kw_only=True)
class ServiceClient:
    """Another service of the platform; `None` means every account or every resource type.

    `old_secret_hash` is the one of the secret before the last rotation. It is valid until
    `old_secret_until`.
    """

    id: ClientId
    name: str
    secret_hash: str
    scopes: tuple[str, ...]
    account_ids: tuple[str, ...] | None
    resource_types: tuple[str, ...] | None
    status: ClientStatus = ClientStatus.ACTIVE
    created_at: datetime | None = None
    secret_set_at: datetime | None = None
    old_secret_hash: str | None = None
    old_secret_until: datetime | None = None
    rev: int = 0

    @property
    def active(self) -> bool:
        """Whether it may act."""
        return self.status is ClientStatus.ACTIVE

    def has_secret(self, secret: str, *, now: datetime) -> bool:
        """Return whether this is a valid secret; each comparison takes the same time."""
        given = hash_secret(secret)
        is_new = hmac.compare_digest(given, self.secret_hash)
        is_old = hmac.compare_digest(given, self.old_secret_hash or "")
        return self.active and (is_new or (is_old and self.old_secret_valid(now)))

    def old_secret_valid(self, now: datetime) -> bool:
        """Whether the secret before the last rotation is still valid."""
        return self.old_secret_until is not None and now < self.old_secret_until


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


def rotate_secret(
    client: ServiceClient, secret_hash: str, *, keep_old: timedelta, now: datetime
) -> tuple[ServiceClient, Fact]:
    """Give the client a new secret; the one that it had is valid for `keep_old` more.

    An older one ends at once: at most two are valid.

    Raises:
        ClientDeleted.
    """
    _require_not_deleted(client)
    until = now + keep_old if keep_old else None
    rotated = replace(
        client,
        secret_hash=secret_hash,
        secret_set_at=now,
        old_secret_hash=client.secret_hash if until else None,
        old_secret_until=until,
    )
    return rotated, _fact(
        rotated,
        ServiceClientSecretRotated(client_id=client.id, name=client.name, old_secret_until=until),
        after={"old_secret_until": until},
    )


def end_old_secret(
    client: ServiceClient, *, now: datetime
) -> tuple[ServiceClient, tuple[Fact, ...]]:
    """End the secret before the last rotation now; without one there is no fact.

    Raises:
        ClientDeleted.
    """
    _require_not_deleted(client)
    ended = replace(client, old_secret_hash=None, old_secret_until=None)
    if not client.old_secret_valid(now):
        return ended, ()
    fact = _fact(ended, ServiceClientOldSecretEnded(client_id=client.id, name=client.name))
    return ended, (fact,)


_ENDINGS: dict[ClientStatus, type[ServiceClientDisabled | ServiceClientEnabled]] = {
    ClientStatus.DISABLED: ServiceClientDisabled,
    ClientStatus.ACTIVE: ServiceClientEnabled,
}


def set_status(
    client: ServiceClient, status: ClientStatus, *, rev: int
) -> tuple[ServiceClient, tuple[Fact, ...]]:
    """Disable, enable or delete the client; without a change there is no fact.

    A deleted client keeps no secret.

    Raises:
        ClientDeleted: it was deleted, and is asked to be anything else.
    """
    if client.status is status:
        return client, ()
    _require_not_deleted(client)
    changed = replace(client, status=status, rev=rev)
    if status is ClientStatus.DELETED:
        changed = replace(changed, secret_hash="", old_secret_hash=None, old_secret_until=None)
        payload: Payload = ServiceClientDeleted(client_id=client.id, name=client.name)
    else:
        payload = _ENDINGS[status](client_id=client.id, name=client.name)
    states = {"before": {"status": client.status.value}, "after": {"status": status.value}}
    return changed, (_fact(changed, payload, **states, policy_objects=(policy_object(changed),)),)


def _require_not_deleted(client: ServiceClient) -> None:
    if client.status is ClientStatus.DELETED:
        raise ClientDeleted


def _fact(client: ServiceClient, payload: Payload, **fields: Any) -> Fact:
    resource = ResourceRef(type="service_client", id=client.id, name=client.name)
    return Fact(payload=payload, resource=resource, **fields)


def policy_object(client: ServiceClient) -> PolicyObject:
    """Return the client as authz knows it: one that may not act does not exist."""
    if not client.active:
        return PolicyObject(
            kind=PolicyObjectKind.SERVICE_CLIENT, id=client.id, rev=client.rev, state=None
        )
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
