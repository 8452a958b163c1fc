"""The facts that identity records about service clients, which the operator manages."""

from datetime import datetime
from typing import ClassVar

from shared.contracts.facts import Payload


class _ServiceClient(Payload):
    client_id: str
    name: str


class ServiceClientCreated(_ServiceClient):
    """The operator created a service client."""

    type: ClassVar[str] = "identity.service_client.created.v1"
    scopes: tuple[str, ...]


class ServiceClientSecretRotated(_ServiceClient):
    """The operator gave a service client another secret; the former one is valid until a time."""

    type: ClassVar[str] = "identity.service_client.secret_rotated.v1"
    old_secret_until: datetime | None


class ServiceClientOldSecretEnded(_ServiceClient):
    """The operator ended the former secret of a service client before its time."""

    type: ClassVar[str] = "identity.service_client.old_secret_ended.v1"


class ServiceClientDisabled(_ServiceClient):
    """The operator disabled a service client: no service accepts it until it is enabled."""

    type: ClassVar[str] = "identity.service_client.disabled.v1"


class ServiceClientEnabled(_ServiceClient):
    """The operator enabled a service client again."""

    type: ClassVar[str] = "identity.service_client.enabled.v1"


class ServiceClientDeleted(_ServiceClient):
    """The operator deleted a service client for good."""

    type: ClassVar[str] = "identity.service_client.deleted.v1"


class ServiceClientTokenRevoked(Payload):
    """An access token of a service client was revoked before its end, at `expires_at`."""

    type: ClassVar[str] = "identity.service_client.token_revoked.v1"
    client_id: str
    token_id: str
    expires_at: datetime


FACTS: tuple[type[Payload], ...] = (
    ServiceClientCreated,
    ServiceClientTokenRevoked,
    ServiceClientSecretRotated,
    ServiceClientOldSecretEnded,
    ServiceClientDisabled,
    ServiceClientEnabled,
    ServiceClientDeleted,
)
