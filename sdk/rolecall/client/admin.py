"""Administration of a running Rolecall: service clients, catalogs and suspended accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from rolecall.client.operator import (
    EFFECTIVE_LATER,
    AdminError,
    OperatorRequests,
    unexpected_answer,
)

__all__ = [
    "AdminError",
    "PublishedCatalog",
    "ServiceClient",
    "create_client",
    "publish_catalog",
    "set_suspension",
]


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """OAuth client credentials (RFC 6749, 4.4); the secret is shown only once."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class PublishedCatalog:
    """A version of a catalog, `name@sha256`; `new` if this call published it, or would have."""

    id: str
    new: bool


def create_client(
    *,
    url: str,
    key: str,
    name: str,
    scopes: tuple[str, ...] = (),
    account_ids: tuple[str, ...] | None = None,
    resource_types: tuple[str, ...] | None = None,
    idempotency_key: str | None = None,
    operator_name: str | None = None,
    timeout: float = 10.0,
) -> ServiceClient:
    """Create a service client at `<url>/internal/admin/service-clients`.

    `account_ids` and `resource_types` bind it; `None` leaves it unbound. Calls with the same
    `idempotency_key` within a day create one client, whose secret only the first answer shows.
    `operator_name` stands in the audit log. `timeout` in seconds.

    Raises:
        AdminError: the service refused, or could not be asked.
    """
    body = {
        "name": name,
        "scopes": scopes,
        "account_ids": account_ids,
        "resource_types": resource_types,
    }
    headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
    operator = OperatorRequests(url, key, service="identity", name=operator_name, timeout=timeout)
    answer = operator.ask("POST", "service-clients", body, headers=headers)
    match answer.content:
        case {"id": client_id, "secret": str(secret)}:
            return ServiceClient(id=str(client_id), secret=secret)
        case {"id": client_id, "secret": None}:
            raise AdminError(
                f"An earlier request with this key created the client {client_id}, and its answer"
                " showed the secret. If you do not have it, create another client with a new key."
            )
    raise unexpected_answer(url, "a service client", service="identity")


def publish_catalog(
    *,
    url: str,
    key: str,
    content: Mapping[str, object],
    dry_run: bool = False,
    operator_name: str | None = None,
    timeout: float = 30.0,
) -> PublishedCatalog:
    """Publish a version of a catalog at `<url>/internal/admin/catalogs`; safe to repeat.

    `content` is what `Catalog.to_mapping` returns. With `dry_run` the service only checks it.
    `timeout` in seconds.

    Raises:
        AdminError: the service refused, or could not be asked; `faults` are the catalog's.
    """
    body = {"content": content, "dry_run": dry_run}
    operator = OperatorRequests(url, key, service="team", name=operator_name, timeout=timeout)
    answer = operator.ask("POST", "catalogs", body)
    match answer.content:
        case {"id": str(catalog_id), "new": bool(new)}:
            return PublishedCatalog(id=catalog_id, new=new)
    raise unexpected_answer(url, "a catalog", service="team")


def set_suspension(
    *,
    url: str,
    key: str,
    account_id: str,
    reason: str | None,
    operator_name: str | None = None,
    timeout: float = 10.0,
) -> bool:
    """Suspend an account, whose owner gets the reason by mail, or resume it with `None`.

    It is safe to repeat. `timeout` in seconds.

    Returns:
        whether every replica of authz has it.

    Raises:
        AdminError: the service refused, or could not be asked.
    """
    action, body = ("resume", None) if reason is None else ("suspend", {"reason": reason})
    path = f"accounts/{quote(account_id, safe='')}/{action}"
    operator = OperatorRequests(url, key, service="team", name=operator_name, timeout=timeout)
    answer = operator.ask("POST", path, body)
    match answer.content:
        case {"id": str(changed), "status": str()} if changed == account_id:
            return answer.status != EFFECTIVE_LATER
    raise unexpected_answer(url, "an account", service="team")
