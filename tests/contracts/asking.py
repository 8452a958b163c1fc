"""Cases of requests with their expected answers, and the sender that compares them."""

import asyncio
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
from yarl import URL

from shared.http.streams import EVENT_STREAM
from shared.http.validation import MAX_POINTER_CHARACTERS
from tests.contracts.described import undescribed
from tests.contracts.people import People
from tests.e2e.people import PASSWORD

PROBLEM = "application/problem+json"
OAUTH_PATHS = {"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"}
SANE = range(200, 500)
MAX_SHOWN_FAULTS = 12


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request and what must come back; `path` is sent exactly as it stands here.

    With `pointer` one of the answer's errors must be there or below. A refusal of the token
    endpoint has the form of RFC 6749 (5.2). There, `code` is an `error`, and that of a problem
    stands for `invalid_request`.
    """

    name: str
    method: str
    path: str
    statuses: Collection[int]
    token: str | None = None
    body: bytes | None = None
    chunked: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    code: str | None = None
    pointer: str | None = None


@dataclass(frozen=True)
class Said:
    """An answer, unread."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.raw.decode(errors="replace")

    @property
    def problem(self) -> dict[str, Any]:
        """The body of a refusal; empty when it is not a JSON object."""
        try:
            body = json.loads(self.raw)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


class Asking:
    """Sends many cases, and tells what was wrong with the answers."""

    def __init__(self, http: aiohttp.ClientSession, people: People) -> None:
        self._http = http
        self._base = people.deployment.gateway
        self.people = people

    async def send(self, case: Case) -> Said:
        """The answer to one case."""
        headers = [*case.headers]
        names = {name.lower() for name, _ in headers}
        if case.token is not None and "authorization" not in names:
            headers.append(("Authorization", f"Bearer {case.token}"))
        async with self._http.request(
            case.method,
            URL(self._base + case.path, encoded=True),
            data=_pieces(case.body) if case.chunked and case.body else _whole(case.body),
            headers=headers,
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
        ) as response:
            endless = response.content_type == EVENT_STREAM
            body = await (response.content.readany() if endless else response.read())
            return Said(response.status, dict(response.headers), body)

    async def check(self, cases: Iterable[Case]) -> None:
        """Ask all of them, eight at a time.

        Raises:
            AssertionError: naming each answer that was wrong, and why.
        """
        asked = list(cases)
        assert asked
        told = [told for told in await asyncio.gather(*map(self._ask, asked)) if told]
        assert not told, "\n".join([f"{len(told)} of {len(asked)} wrong", *told[:MAX_SHOWN_FAULTS]])

    async def _ask(self, case: Case) -> str | None:
        try:
            said = await self.send(case)
        except aiohttp.ClientError as broken:
            return f"{case.name}: no answer: {broken!r}"
        wrong = self.wrong(case, said)
        request = f"{case.method} {case.path[:120]}"
        return (
            f"{case.name}: {request}: {wrong}; {said.status} {said.text[:300]}" if wrong else None
        )

    def wrong(self, case: Case, said: Said) -> str | None:
        """What differs from what must come back, if anything does."""
        if said.status not in case.statuses:
            return f"expected {_shown(case.statuses)}"
        if fault := undescribed(case.method, case.path, said.status, said.headers, said.raw):
            return fault
        if said.status < 400 or case.method == "HEAD":
            return None
        secrets = {PASSWORD, case.token or PASSWORD, self.people.deployment.client_secret}
        if any(secret in said.text for secret in secrets):
            return "tells a secret"
        if URL(case.path, encoded=True).path in OAUTH_PATHS:
            return _wrong_oauth_error(case, said)
        return _wrong_problem(case, said)


def _wrong_oauth_error(case: Case, said: Said) -> str | None:
    code = case.code if case.code is None or "-" not in case.code else "invalid_request"
    checks = {
        "has other members": set(said.problem) == {"error", "error_description"},
        f"has not the error {code}": code in {None, said.problem.get("error")},
        "may be kept by a cache": said.headers.get("Cache-Control") == "no-store",
        "names no scheme": (said.status == 401)
        == said.headers.get("WWW-Authenticate", "").startswith("Basic"),
    }
    return next((wrong for wrong, right in checks.items() if not right), None)


def _wrong_problem(case: Case, said: Said) -> str | None:
    problem = said.problem
    pointers = [error.get("pointer") for error in problem.get("errors", ())]
    below = [
        pointer
        for pointer in pointers
        if case.pointer is None or pointer == case.pointer or pointer.startswith(f"{case.pointer}/")
    ]
    checks = {
        "is not a problem document": said.headers.get("Content-Type", "").startswith(PROBLEM),
        "has no code": isinstance(problem.get("code"), str),
        f"has not the code {case.code}": case.code in {None, problem.get("code")},
        "tells another status": problem.get("status") == said.status,
        "tells no request id": problem.get("request_id") == said.headers.get("Rolecall-Request-ID"),
        "may be kept by a cache": said.headers.get("Cache-Control") == "no-store",
        "points nowhere": said.status != 422 or bool(pointers),
        f"has no pointer to {case.pointer}": case.pointer is None or bool(below),
        "points out of the request": not any(_leads_out(each, case) for each in pointers),
        "names no scheme": said.status != 401 or "WWW-Authenticate" in said.headers,
        "names no method": said.status != 405 or "Allow" in said.headers,
    }
    return next((wrong for wrong, right in checks.items() if not right), None)


def _leads_out(pointer: str, case: Case) -> bool:
    """Whether nothing is there in the request, nor can be: what lacks a member is there."""
    if (
        pointer.startswith(("/query/", "/headers/", "/path/"))
        or len(pointer) == MAX_POINTER_CHARACTERS
    ):
        return False
    try:
        value = json.loads(case.body or b"")
    except (ValueError, RecursionError):
        return case.body is None
    for step in pointer.split("/")[1:]:
        if not isinstance(value, dict | list):
            return True
        name = step.replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, dict) else value[int(name)]
    return False


def _shown(statuses: Collection[int]) -> str:
    if statuses is SANE:
        return "an answer below 500"
    return " or ".join(map(str, sorted(statuses)))


def _whole(body: bytes | None) -> BytesIO | None:
    """The body with its length; from raw bytes the client would warn of a large one."""
    return None if body is None else BytesIO(body)


async def _pieces(body: bytes) -> Any:
    for start in range(0, len(body), 16_384):
        yield body[start : start + 16_384]
