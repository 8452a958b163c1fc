"""Administration of a running Rolecall: create service clients."""

import json
from dataclasses import dataclass

from rolecall.client.transport import UnreachableError, is_http_address, post


class AdminError(Exception):
    """The service did not do what was asked.

    `unreachable`: the service gave no usable answer, and another attempt may help.
    """

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """OAuth client credentials (RFC 6749, 4.4); the secret is shown only once."""

    id: str
    secret: str


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
    if not is_http_address(url):
        raise AdminError(f"{url!r} is not an http or https address.", unreachable=True)
    body = {
        "name": name,
        "scopes": scopes,
        "account_ids": account_ids,
        "resource_types": resource_types,
    }
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    try:
        answer = post(
            f"{url.rstrip('/')}/internal/admin/service-clients",
            body=json.dumps(body).encode(),
            headers=headers,
            timeout=timeout,
        )
    except UnreachableError as error:
        raise AdminError(str(error), unreachable=True) from error
    if answer.status == 404:
        said = answer.refusal().rstrip(".")
        raise AdminError(f"{said}. Pass the internal address of identity; {url} has no such route.")
    if answer.status >= 300:
        raise AdminError(answer.refusal(), unreachable=answer.status >= 500)
    match answer.content:
        case {"id": client_id, "secret": str(secret)}:
            return ServiceClient(id=str(client_id), secret=secret)
        case {"id": client_id, "secret": None}:
            raise AdminError(
                f"An earlier request with this key created the client {client_id}, and its answer"
                " showed the secret. If you do not have it, create another client with a new key."
            )
    raise AdminError(
        f"{url} did not answer with a service client. Check that this is identity's"
        " internal address.",
        unreachable=True,
    )
