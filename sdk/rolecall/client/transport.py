"""One HTTP request with the standard library: certificates are validated, redirects are errors."""

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from urllib.parse import quote_plus, urlsplit

from rolecall.client.deadline import Deadline, HttpHandler, HttpsHandler

MAX_ANSWER_BYTES = 1_000_000
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class UnreachableError(Exception):
    """The server gave no usable answer; a later attempt may get one."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status and JSON content of an answer; the content is `None` if it is not JSON."""

    status: int
    content: object

    def refusal(self) -> str:
        """The reason of a refusal (RFC 9457), or its status if the body does not say."""
        if not isinstance(self.content, dict):
            return f"refused with status {self.status}"
        problem = self.content
        code = problem.get("code") or problem.get("error") or "no code"
        text = (
            problem.get("detail")
            or problem.get("error_description")
            or problem.get("title")
            or "no reason given"
        )
        faults = problem.get("errors")
        errors = "".join(f" {_fault(each)}" for each in faults) if isinstance(faults, list) else ""
        request = f" Request {problem['request_id']}." if problem.get("request_id") else ""
        return f"refused with status {self.status} ({code}): {text}{errors}{request}"


def _fault(error: object) -> str:
    """What is wrong with one field, and which one."""
    if not isinstance(error, dict):
        return str(error)
    return f"{error.get('pointer')}: {str(error.get('message')).rstrip('.')}."


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A followed redirect would send the credential to another host."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""
        return


def is_http_address(url: str) -> bool:
    """Return whether the address has the scheme http or https, and a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def is_loopback(url: str) -> bool:
    """Whether the address is of this machine."""
    return urlsplit(url).hostname in _LOOPBACK_HOSTS


def usable_address(url: str, *, allow_http: bool) -> str:
    """The address of a Rolecall without a slash at its end.

    Raises:
        ValueError: it is not http or https, or would send secrets unencrypted to another machine.
    """
    if not is_http_address(url):
        raise ValueError(f"{url!r} is not an http or https address.")
    if urlsplit(url).scheme == "http" and not is_loopback(url) and not allow_http:
        raise ValueError(f"{url} is not encrypted. Use https, or pass allow_http=True.")
    return url.rstrip("/")


def basic_credentials(client_id: str, client_secret: str) -> str:
    """The header of a client that asks for a token (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def post(url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> HttpAnswer:
    """Send one POST, as `send`."""
    return send("POST", url, body=body, headers=headers, timeout=timeout)


def send(
    method: str, url: str, *, body: bytes | None, headers: Mapping[str, str], timeout: float
) -> HttpAnswer:
    """Send one request; `timeout` in seconds bounds all of it, apart from the look-up of the name.

    A proxy of the environment only tunnels https to other machines. It would read a request in
    plain http with its credential, and could answer it.

    Raises:
        UnreachableError: no connection, no valid certificate, no answer in time, or too large.
    """
    request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310  callers check the scheme
    try:
        deadline = Deadline(timeout)
        try:
            with _opener(deadline, direct=is_direct(url)).open(
                request, timeout=deadline.remaining()
            ) as response:
                return HttpAnswer(response.status, _content(response.read(MAX_ANSWER_BYTES + 1)))
        except urllib.error.HTTPError as error:
            with error:
                return answer_of(error)
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(
            f"{url} does not answer: {getattr(error, 'reason', error)}"
        ) from error


def answer_of(error: urllib.error.HTTPError) -> HttpAnswer:
    """The answer that urllib raises: its status is not one of success."""
    return HttpAnswer(error.code, _content(error.read(MAX_ANSWER_BYTES + 1)))


def is_direct(url: str) -> bool:
    """Whether the request goes to its server and to no proxy."""
    return urlsplit(url).scheme == "http" or is_loopback(url)


def _opener(deadline: Deadline, *, direct: bool) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({} if direct else None),
        NoRedirects,
        HttpHandler(deadline),
        HttpsHandler(deadline, authorities()),
    )


@cache
def authorities() -> ssl.SSLContext:
    """The certificate authorities of this machine."""
    # Reading the machine's certificate authorities takes longer than a check, so it happens once.
    return ssl.create_default_context()


def _content(body: bytes) -> object:
    if len(body) > MAX_ANSWER_BYTES:
        raise UnreachableError(f"The answer has more than {MAX_ANSWER_BYTES} bytes.")
    try:
        content: object = json.loads(body)
    except ValueError:
        return None
    return content
