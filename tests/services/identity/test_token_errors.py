"""Errors of the token endpoint have the form of RFC 6749, whichever program notices them."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yarl import URL

from deploy.gateway.problems import MAX_BODY_BYTES
from shared.contracts.topology import Service
from shared.http.routes import BODY_CAP_BYTES
from tests.deploy.gateway.upstreams import Upstream, gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.services.identity.running import Identity

PATH = "/oauth2/token"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
GRANT = b"grant_type=client_credentials"
UNKNOWN = "cli_" + "0" * 32
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One broken request; `{id}` and `{secret}` in it stand for those of a client that exists."""

    status: int = 400
    error: str = "invalid_request"
    method: str = "POST"
    path: str = PATH
    headers: Headers = (FORM,)
    basic: str | None = "{id}:{secret}"
    body: bytes = GRANT
    length: bool = True

    def raw(self, client: Mapping[str, str]) -> bytes:
        """The bytes of the request."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: a", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.basic is not None:
            pair = b64encode(self.basic.format(**client).encode()).decode()
            lines.append(f"Authorization: Basic {pair}")
        if self.length and (self.body or self.method == "POST"):
            lines.append(f"Content-Length: {len(self.body)}")
        body = self.body.replace(b"{id}", client["id"].encode())
        body = body.replace(b"{secret}", client["secret"].encode())
        if self.length:
            lines[-1] = re.sub(r"^(Content-Length: ).*", rf"\g<1>{len(body)}", lines[-1])
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def typed(text: str) -> Headers:
    return (("Content-Type", text),)


UNAUTHENTICATED: dict[str, Any] = {"status": 401, "error": "invalid_client", "basic": None}
IN_FORM = GRANT + b"&client_id={id}&client_secret={secret}"
BROKEN = {
    "the method GET": Broken(status=405, method="GET", body=b""),
    "the method PUT": Broken(status=405, method="PUT"),
    "the method DELETE": Broken(status=405, method="DELETE", body=b""),
    "the method OPTIONS": Broken(status=405, method="OPTIONS", body=b""),
    "the method TRACE": Broken(status=405, method="TRACE", body=b""),
    "no content type": Broken(headers=()),
    "the content type of JSON": Broken(headers=typed("application/json"), body=b"{}"),
    "the content type of files": Broken(headers=typed("multipart/form-data; boundary=x")),
    "a content type that is none": Broken(headers=typed("x")),
    "a charset": Broken(headers=typed(f"{FORM[1]}; charset=utf-16")),
    "compression": Broken(headers=(FORM, ("Content-Encoding", "gzip"))),
    "no body": Broken(body=b""),
    "JSON as a form": Broken(body=b'{"grant_type": "client_credentials"}'),
    "bytes that are not text": Broken(body=GRANT + b"&scope=\xff\xfe"),
    "a field without a value or sign": Broken(body=GRANT + b"&scope"),
    "a field twice": Broken(body=GRANT + b"&" + GRANT),
    "an unknown field twice": Broken(body=GRANT + b"&a=1&a=2"),
    "too many fields": Broken(body=GRANT + b"".join(b"&f%d=1" % n for n in range(40))),
    "a bad percent-encoding": Broken(body=GRANT + b"&scope=%zz"),
    "a cut percent-encoding": Broken(body=GRANT + b"&scope=%4"),
    "percent-encoded bytes that are not text": Broken(body=GRANT + b"&scope=%ff"),
    "a percent-encoded NUL": Broken(body=GRANT + b"&scope=%00"),
    "a body over the cap of the service": Broken(
        status=413, body=GRANT + b"&x=" + b"x" * BODY_CAP_BYTES
    ),
    "a body over the cap of the gateway": Broken(
        status=413, body=GRANT + b"&x=" + b"x" * MAX_BODY_BYTES
    ),
    "no grant type": Broken(body=b"scope=authz%3Acheck"),
    "an empty grant type": Broken(body=b"grant_type="),
    "an unknown grant type": Broken(error="unsupported_grant_type", body=b"grant_type=password"),
    "an unknown scope": Broken(error="invalid_scope", body=GRANT + b"&scope=everything"),
    "a scope with a quote": Broken(error="invalid_scope", body=GRANT + b"&scope=%22%5C%0A"),
    "a field in the query": Broken(path=f"{PATH}?grant_type=client_credentials"),
    "the secret in the query": Broken(path=f"{PATH}?client_secret=x"),
    "the secret in header and form": Broken(body=IN_FORM),
    "another client in the form": Broken(body=GRANT + b"&client_id=" + UNKNOWN.encode()),
    "two Authorization headers": Broken(headers=(FORM, ("Authorization", "Basic eDp5"))),
    "no credentials": Broken(**UNAUTHENTICATED),
    "an id without a secret": Broken(**UNAUTHENTICATED, body=GRANT + b"&client_id={id}"),
    "a bearer token": Broken(**UNAUTHENTICATED, headers=(FORM, ("Authorization", "Bearer x"))),
    "a header without Base64": Broken(
        **UNAUTHENTICATED, headers=(FORM, ("Authorization", "Basic !!!"))
    ),
    "a header without a colon": Broken(
        **UNAUTHENTICATED, headers=(FORM, ("Authorization", "Basic eA=="))
    ),
    "a header with accents": Broken(
        **UNAUTHENTICATED, headers=(FORM, ("Authorization", "Basic \xe9"))
    ),
    "an unknown client": Broken(**{**UNAUTHENTICATED, "basic": f"{UNKNOWN}:x"}),
    "an id that is none": Broken(**{**UNAUTHENTICATED, "basic": "a b:x"}),
    "a wrong secret": Broken(**{**UNAUTHENTICATED, "basic": "{id}:rcs_wrong"}),
    "a wrong secret in the form": Broken(
        **UNAUTHENTICATED, body=GRANT + b"&client_id={id}&client_secret=rcs_wrong"
    ),
}
NOT_HTTP = {
    "two Hosts": Broken(headers=(FORM, ("Host", "b"))),
    "a header that is too long": Broken(headers=(FORM, ("X-Long", "x" * 70_000))),
    "a header without a name": Broken(headers=(FORM, ("", "x"))),
    "two lengths": Broken(headers=(FORM, ("Content-Length", "1"))),
    "a length that is none": Broken(length=False, headers=(FORM, ("Content-Length", "x"))),
    "broken chunks": Broken(
        length=False, headers=(FORM, ("Transfer-Encoding", "chunked")), body=b"zz\r\nx"
    ),
    "an unknown transfer coding": Broken(
        length=False, headers=(FORM, ("Transfer-Encoding", "zip"))
    ),
}
"""What the gateway's parser refuses before it looks for a location."""


async def answer_of(url: URL, raw: bytes) -> tuple[int, dict[str, str], Any]:
    """Send a request as it stands; give the status, the headers and the JSON of its answer."""
    assert url.host is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(raw)
    answer = b""
    while b"\r\n\r\n" not in answer and (part := await reader.read(65_536)):
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += await reader.read(65_536)
    writer.close()
    return int(first.split()[1]), headers, json.loads(body)


def wrong(broken: Broken, status: int, headers: dict[str, str], document: Any) -> str | None:
    """What in an answer differs from RFC 6749, section 5.2, if anything does."""
    basic = headers.get("www-authenticate", "").startswith("Basic ")
    checks = {
        "another status": status == broken.status,
        "not JSON": headers["content-type"].startswith("application/json"),
        "other members": set(document) == {"error", "error_description"},
        "another error": document.get("error") == broken.error,
        "an illegal description": re.fullmatch(
            r"[\x20\x21\x23-\x5b\x5d-\x7e]{10,}", document.get("error_description", "")
        ),
        "may be kept": (headers.get("cache-control"), headers.get("pragma"))
        == ("no-store", "no-cache"),
        "no challenge for Basic": basic == (status == 401),
        "no allowed method": headers.get("allow") == ("POST" if status == 405 else None),
        "no time to wait": ("retry-after" in headers) == (status in {429, 503}),
    }
    return next((what for what, right in checks.items() if not right), None)


async def faults(url: URL, table: Mapping[str, Broken], client: Mapping[str, str]) -> list[str]:
    """The requests of a table that are not answered as the RFC says."""

    async def fault(name: str, broken: Broken) -> str | None:
        status, headers, document = await answer_of(url, broken.raw(client))
        what = wrong(broken, status, headers, document)
        return what and f"{name}: {what}: {status} {document} {headers}"

    found = await asyncio.gather(*(fault(name, broken) for name, broken in table.items()))
    return [told for told in found if told]


@asynccontextmanager
async def behind_nginx(folder: Path, url: str) -> AsyncIterator[URL]:
    """The address of an nginx in front of a service that runs, or does not."""
    address = URL(url)
    assert address.port is not None
    upstream = Upstream(Service.IDENTITY, status=None, port=address.port)
    async with gateway(folder, {PATH: Service.IDENTITY}, [upstream]) as http:
        assert http._base_url is not None
        yield http._base_url


async def test_broken_requests_are_answered_in_the_form_of_rfc_6749(
    identity: Identity, tmp_path: Path
) -> None:
    assert len(BROKEN) > 40
    client = await identity.make_client()
    good = Broken(basic=None, body=IN_FORM).raw(client)
    async with behind_nginx(tmp_path, identity.url) as gateway_url:
        for url, table in ((URL(identity.url), BROKEN), (gateway_url, BROKEN | NOT_HTTP)):
            assert await faults(url, table, client) == []
            status, headers, document = await answer_of(url, good)
            assert (status, document["token_type"]) == (200, "Bearer")
            assert (headers["cache-control"], headers["pragma"]) == ("no-store", "no-cache")


async def test_a_token_endpoint_that_is_down_answers_in_the_same_form(tmp_path: Path) -> None:
    async with behind_nginx(tmp_path, "http://127.0.0.1:1") as url:
        away = Broken(status=503, error="temporarily_unavailable")
        assert await faults(url, {"away": away}, {"id": UNKNOWN, "secret": "x"}) == []
