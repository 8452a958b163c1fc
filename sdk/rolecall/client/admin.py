"""Administration of a running Rolecall: service clients, catalogs and suspended accounts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rolecall.client.transport import HttpAnswer, UnreachableError, is_http_address, post

EFFECTIVE_LATER = 202
"""The status of a change that a replica may not have yet."""


class AdminError(Exception):
    """The service did not do what was asked.

    `unreachable`: the service gave no usable answer, and another attempt may help. `faults` are
    those of the input: a JSON pointer and a message each.
    """

    def __init__(
        self,
        message: str,
        *,
        unreachable: bool = False,
        faults: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.unreachable = unreachable
        self.faults = faults


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
    timeout: float = 10.0,
) -> ServiceClient:
    """Create a service client at `<url>/internal/admin/service-clients`.

    `account_ids` and `resource_types` bind it; `None` leaves it unbound. Calls with the same
    `idempotency_key` within a day create one client, whose secret only the first answer shows.
    `timeout` in seconds.

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
    answer = _ask(
        url, "service-clients", key, body, service="identity", headers=headers, timeout=timeout
    )
    match answer.content:
        case {"id": client_id, "secret": str(secret)}:
            return ServiceClient(id=str(client_id), secret=secret)
        case {"id": client_id, "secret": None}:
            raise AdminError(
                f"An earlier request with this key created the client {client_id}, and its answer"
                " showed the secret. If you do not have it, create another client with a new key."
            )
    raise _other_answer(url, "a service client", service="identity")


def publish_catalog(
    *,
    url: str,
    key: str,
    content: Mapping[str, object],
    dry_run: bool = False,
    timeout: float = 30.0,
) -> PublishedCatalog:
    """Publish a version of a catalog at `<url>/internal/admin/catalogs`; safe to repeat.

    `content` is what `Catalog.to_mapping` returns. With `dry_run` the service only checks it.
    `timeout` in seconds.

    Raises:
        AdminError: the service refused, or could not be asked; `faults` are the catalog's.
    """
    body = {"content": content, "dry_run": dry_run}
    answer = _ask(url, "catalogs", key, body, service="team", headers={}, timeout=timeout)
    match answer.content:
        case {"id": str(catalog_id), "new": bool(new)}:
            return PublishedCatalog(id=catalog_id, new=new)
    raise _other_answer(url, "a catalog", service="team")


def set_suspension(
    *, url: str, key: str, account_id: str, reason: str | None, timeout: float = 10.0
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
    answer = _ask(url, path, key, body, service="team", headers={}, timeout=timeout)
    match answer.content:
        case {"id": str(changed), "status": str()} if changed == account_id:
            return answer.status != EFFECTIVE_LATER
    raise _other_answer(url, "an account", service="team")


def _ask(
    url: str,
    path: str,
    key: str,
    body: Mapping[str, Any] | None,
    *,
    service: str,
    headers: Mapping[str, str],
    timeout: float,
) -> HttpAnswer:
    """Send one request of the operator, and return the answer unless it is a refusal."""
    if not is_http_address(url):
        raise AdminError(f"{url!r} is not an http or https address.", unreachable=True)
    sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
    try:
        answer = post(
            f"{url.rstrip('/')}/internal/admin/{path}",
            body=b"" if body is None else json.dumps(body).encode(),
            headers=sent,
            timeout=timeout,
        )
    except UnreachableError as error:
        raise AdminError(str(error), unreachable=True) from error
    if answer.status == 404:
        said = answer.refusal().rstrip(".")
        raise AdminError(
            f"{said}. Pass the internal address of {service}; {url} has no /internal/admin/{path}."
        )
    if answer.status >= 300:
        raise AdminError(
            answer.refusal(), unreachable=answer.status >= 500, faults=_faults(answer.content)
        )
    return answer


def _faults(problem: object) -> tuple[tuple[str, str], ...]:
    """The faults that a problem document lists (RFC 9457)."""
    listed = problem.get("errors") if isinstance(problem, dict) else None
    return tuple(
        (fault["pointer"], fault["message"])
        for fault in (listed if isinstance(listed, list) else ())
        if isinstance(fault, dict) and {"pointer", "message"} <= fault.keys()
    )


def _other_answer(url: str, wanted: str, *, service: str) -> AdminError:
    return AdminError(
        f"{url} did not answer with {wanted}. Check that this is {service}'s internal address.",
        unreachable=True,
    )
