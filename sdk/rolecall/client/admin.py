"""How does an operator make a service client?"""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit


class AdminError(Exception):
    """The service did not do what was asked.

    `unreachable` when it gave no usable answer, so that asking again may help.
    """

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an error here: following it would show the admin key to another host."""

    def redirect_request(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """OAuth client credentials; the secret is shown this once (RFC 6749, 4.4)."""

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
    timeout: float = 10.0,
) -> ServiceClient:
    """Make a service client at `<url>/internal/admin/service-clients`.

    `account_ids` and `resource_types` bind it; `None` leaves it unbound. `timeout` in seconds.

    Raises:
        AdminError: the service refused, or could not be asked.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise AdminError(f"{url!r} is no http or https address", unreachable=True)
    body = {
        "name": name,
        "scopes": scopes,
        "account_ids": account_ids,
        "resource_types": resource_types,
    }
    request = urllib.request.Request(  # noqa: S310  the scheme is checked above
        f"{url.rstrip('/')}/internal/admin/service-clients",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout) as response:
            answer = json.load(response)
        return ServiceClient(id=str(answer["id"]), secret=str(answer["secret"]))
    except urllib.error.HTTPError as error:
        with error:
            raise AdminError(_refusal(error), unreachable=error.code >= 500) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise AdminError(f"{url} does not answer: {reason}", unreachable=True) from error
    except (ValueError, KeyError, TypeError) as error:
        raise AdminError(
            f"{url} answered something else than a client", unreachable=True
        ) from error


def _refusal(error: urllib.error.HTTPError) -> str:
    # RFC 9457, if a service of ours said no; anything may stand between, so nothing is required.
    try:
        problem = json.load(error)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return f"refused with status {error.code}"
    said = problem.get("detail") or problem.get("title") or "no reason given"
    wrong = f" {json.dumps(problem['errors'])}" if problem.get("errors") else ""
    return f"refused with status {error.code} ({problem.get('code', 'no code')}): {said}{wrong}"
