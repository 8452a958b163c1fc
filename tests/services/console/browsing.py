"""A stand-in of the API, and browsers that visit the pages over it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

ACCESS = "e30.access.token"
SESSION, TOKENS, LINKS, ISSUER, FORM, NOTE = (
    f"__Host-rolecall_{name}" for name in ("session", "tokens", "links", "issuer", "form", "note")
)
CONNECTIONS = "GET /v1/login/oidc/connections"
FOLLOW = "GET /v1/me/notifications/stream"
TAIL = "GET /v1/accounts/acc_1/audit-events/tail"
EXPORT = "GET /v1/accounts/acc_1/audit-export"
BREAK = b"break"
"""The piece at which a streamed answer breaks off."""
STREAMED = {
    FOLLOW: "text/event-stream",
    TAIL: "text/event-stream",
    EXPORT: "application/jsonl; charset=utf-8",
}
"""What the API answers piece by piece, and as what."""
UNREAD = "GET /v1/me/notifications/unread-count"
ME = {
    "name": "Ana",
    "email": "ana@example.com",
    "current_account_id": "acc_1",
    "locale": "en",
    "time_zone": "UTC",
}
OPENED = {
    "account": {"id": "acc_1", "name": "Engines"},
    "email": "ana@example.com",
    "role_title": "Developer",
    "inviter_name": "Ada",
    "delivery": "email",
    "expires_at": None,
}


def tokens(
    *,
    expires_in: int = 900,
    refresh: str = "refresh-1",
    access: str = ACCESS,
    user_id: str = "usr_1",
) -> Mapping[str, Any]:
    return {
        "access_token": access,
        "refresh_token": refresh,
        "expires_in": expires_in,
        "user": {"id": user_id},
    }


def problem(status: int, code: str, **more: Any) -> tuple[int, Mapping[str, Any]]:
    return status, {"code": code, "detail": f"About {code}.", **more}


ACCESS_TO_END = {
    "api_tokens": 4,
    "identities": 1,
    "recent_api_tokens": 2,
    "recent_identities": 1,
}
ANSWERS: Mapping[str, tuple[int, Any]] = {
    "POST /v1/login": (200, tokens()),
    "POST /v1/login/passkey/begin": (200, {"challenge": "sealed", "options": {"rpId": "x"}}),
    "POST /v1/login/passkey/finish": (200, tokens()),
    "POST /v1/token/refresh": (200, tokens(refresh="refresh-2")),
    "POST /v1/signup": (202, {}),
    "POST /v1/email/resend": (202, {}),
    "POST /v1/email/verify": (200, tokens()),
    "POST /v1/password/reset": (204, None),
    "POST /v1/logout": (204, None),
    "POST /v1/links/lookup": (
        200,
        {"status": "open", "email": "ana@example.com", "access": ACCESS_TO_END},
    ),
    "POST /v1/me/email/lookup": (200, {"status": "open", "email": "ana@new.example"}),
    "POST /v1/invitations/lookup": (200, OPENED),
    "POST /v1/invitations/accept": (200, {"account_id": "acc_1"}),
    "POST /v1/session/switch": (200, {"access_token": ACCESS, "expires_in": 900}),
    CONNECTIONS: (200, {"items": []}),
    UNREAD: (200, {"unread": 0}),
    "GET /v1/me/notifications": (200, {"items": [], "next_cursor": None}),
    "GET /v1/me/notification-preferences": (200, {"groups": [], "off": [], "etag": '"s1"'}),
    "GET /v1/me": (200, ME),
    "GET /v1/me/mfa": (200, {"totp": None, "passkeys": 0, "recovery_codes_left": 0}),
    "GET /v1/me/passkeys": (200, {"items": []}),
    "GET /v1/accounts": (200, {"items": [], "next_cursor": None}),
}


@dataclass
class StandIn:
    """An API that gives fixed answers, and keeps what it was asked, but for what many pages ask."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=lambda: dict(ANSWERS))
    asked: list[tuple[str, Any, str]] = field(default_factory=list)
    url: str = ""
    pieces: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    """What is told to those who follow the notifications; an empty piece ends it."""
    followed: list[Mapping[str, str]] = field(default_factory=list)
    """The headers with which they asked."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when one has closed the connection."""
    queries: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    """The states for which changes were asked."""
    previewed: list[tuple[str, str]] = field(default_factory=list)
    """The changes that were asked for what a preview has said, with its tag."""
    keys: list[str] = field(default_factory=list)
    """The keys of requests that count once."""
    series: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    """Answers that are given one after another, before the fixed ones."""
    revisions: dict[str, str] = field(default_factory=dict)
    """The revisions that answers name."""
    silent_after: str = ""
    """The request after whose answer every read is answered with 503."""
    silent: bool = False
    late: dict[str, asyncio.Event] = field(default_factory=dict)
    """Requests that are answered when their event has come."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        name = f"{request.method} {request.path}"
        if name in STREAMED and name not in self.answers:
            return await self.tell(request, STREAMED[name])
        body = await request.json() if request.body_exists else None
        if name not in {CONNECTIONS, UNREAD}:
            self.asked.append((name, body, request.headers.get("Authorization", "")))
            self.queries.append((name, dict(request.query)))
        self.note_conditions(name, request.headers)
        if name in self.late:
            await self.late[name].wait()
        if self.silent and request.method == "GET":
            return web.json_response({"code": "unavailable"}, status=503)
        self.silent = self.silent or name == self.silent_after
        following = self.series.get(name)
        status, content = following.pop(0) if following else self.answers[name]
        revision = self.revisions.get(name)
        headers = {"Rolecall-Revision": revision} if revision else {}
        if content is None:
            return web.Response(status=status, headers=headers)
        if isinstance(content, dict) and content.get("etag"):
            headers["ETag"] = content["etag"]
        return web.json_response(content, status=status, headers=headers)

    def note_conditions(self, name: str, headers: Mapping[str, str]) -> None:
        if "If-Match" in headers:
            self.conditions.append(headers["If-Match"])
        if "If-None-Match" in headers:
            self.conditions.append(f"none {headers['If-None-Match']}")
        if "If-Preview-Match" in headers:
            self.previewed.append((name, headers["If-Preview-Match"]))
        if "Idempotency-Key" in headers:
            self.keys.append(headers["Idempotency-Key"])

    async def tell(self, request: web.BaseRequest, media: str) -> web.StreamResponse:
        self.followed.append(dict(request.headers))
        name = f"{request.method} {request.path}"
        self.queries.append((name, dict(request.query)))
        if name in self.late:
            await self.late[name].wait()
        response = web.StreamResponse(headers={"Content-Type": media})
        await response.prepare(request)
        try:
            while piece := await self.pieces.get():
                if piece == BREAK:
                    raise ConnectionAbortedError
                await response.write(piece)
        except ConnectionResetError:
            self.left.set()
        return response

    def asked_for(self, name: str) -> list[Any]:
        return [body for asked, body, _ in self.asked if asked == name]


@dataclass
class Browser:
    """A client with cookies that are sent back as a browser would on a secure connection."""

    http: aiohttp.ClientSession
    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    set_cookies: dict[str, str] = field(default_factory=dict)
    """Those of the last answer; an empty one is deleted."""
    text: str = ""
    status: int = 0

    async def send(self, method: str, path: str, **options: Any) -> str:
        """The path that the answer leads to, or nothing."""
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": sent, **options.pop("headers", {})}
        where = URL(self.url + path, encoded=True)
        async with self.http.request(
            method, where, headers=headers, allow_redirects=False, **options
        ) as answer:
            self.text, self.status = await answer.text(), answer.status
            self.lines = answer.headers.getall("Set-Cookie", [])
            self.set_cookies = {name: one.value for name, one in answer.cookies.items()}
            self.receive(self.set_cookies)
            return answer.headers.get("Location", "")

    def receive(self, cookies: Mapping[str, str]) -> None:
        """Keep the cookies of an answer, as a browser does when the answer arrives."""
        kept = {**self.cookies, **cookies}
        self.cookies = {name: value for name, value in kept.items() if value}

    def tab(self) -> Self:
        """Another tab, whose requests have the cookies of now, and whose answers arrive later."""
        return type(self)(self.http, self.url, dict(self.cookies))

    async def open(self, path: str) -> str:
        return await self.send("GET", path)

    async def press(self, path: str, **fields: str) -> str:
        """Press a button of the page that was opened last."""
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.text))
        return await self.send("POST", path, data={**hidden, **fields})

    async def sign_in(self) -> None:
        await self.open("/sign-in")
        assert await self.press("/sign-in", email="a@b.example", password="pw") == "/console"
