"""A world for tests: replicas of authz between two sources, and callers of them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Any

import aiohttp
import pytest_asyncio
from pydantic import SecretStr

from rolecall.client.access_tokens import ACCESS_SECONDS
from services.authz.app import build
from services.authz.settings import Settings
from shared.auth.access_tokens import (
    client_claims,
    delegated_claims,
    sign_access_token,
    user_claims,
)
from shared.auth.bindings import ACT_SCOPE
from shared.auth.internal_tokens import InternalSigner
from shared.auth.keys import generate_key, generate_service_keys, public_jwk
from shared.auth.principals import AccessTokenRef, ClientPrincipal, DelegatedPrincipal
from shared.bus.local import LocalBus
from shared.cancellation import end
from shared.clock import SystemClock
from shared.contracts.calls.authz import DECIDE
from shared.contracts.topology import Service
from shared.following.journal_view import JournalView
from shared.ids import AccountId, ClientId, SessionId, UserId
from shared.runtime.listeners import listen
from shared.runtime.service import ServiceApp
from shared.timeouts import Timeouts
from tests.patience import PATIENT
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    CLIENT,
    STANDARD,
    account,
    catalog,
    member,
    project,
    service_client,
)
from tests.services.authz.intake import Intake
from tests.services.authz.sources import Source
from tests.support.journal_keys import PUBLIC_KEYS

ISSUER = "https://rolecall.example"
KEYS = generate_service_keys(tuple(Service))
SIGNING_KEY = generate_key()
TIMEOUTS = Timeouts(internal_call=60.0, source_call=60.0, snapshot_page=60.0, check_rest=60.0)
"""A slow machine does not look like an outage."""


class SkippingClock(SystemClock):
    """The machine's time of day; the time that measures leases moves only by `skip`.

    A lease then runs out when a test says so, and not because the machine is slow.
    """

    def __init__(self) -> None:
        self.elapsed = 1000.0
        self._reads_until_stop = 0

    def boottime(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        if self._reads_until_stop:
            self._reads_until_stop -= 1
            if not self._reads_until_stop:
                self.skip(60)
        return super().now()

    def skip(self, seconds: float) -> None:
        self.elapsed += seconds

    def stop_at(self, read: int) -> None:
        """Stop the process for a minute where the time of day is read for the n-th time."""
        self._reads_until_stop = read


@dataclass
class Response:
    status: int
    body: Any
    headers: Any


@dataclass
class World:
    """Two sources, a bus, replicas, and an HTTP client."""

    clock: SkippingClock
    team: Source
    identity: Source
    audit: Intake
    http: aiohttp.ClientSession
    urls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bus: LocalBus = field(default_factory=lambda: LocalBus(timeouts=PATIENT))

    @asynccontextmanager
    async def replica(
        self,
        name: str = "a",
        *,
        view: type[JournalView] = JournalView,
        timeouts: Timeouts = TIMEOUTS,
        ready: bool = True,
        hot_path: bool = True,
        compiled: ModuleType | None = None,
        at: tuple[socket.socket, socket.socket] | None = None,
        **more: Any,
    ) -> AsyncIterator[ServiceApp]:
        """A replica; `at` are its sockets if others must know them before: internal, public."""
        settings = Settings(
            amqp_url="memory://",
            public_url=ISSUER,
            internal_key=KEYS.private["authz"],
            internal_keys=KEYS.public,
            internal_urls=self.urls,
            journal_keys=PUBLIC_KEYS,
            admin_key="0123456789abcdef0123456789abcdef",
            replica=name,
            **more,
        )
        service = build(
            settings,
            bus=self.bus,
            clock=self.clock,
            view=view,
            timeouts=timeouts,
            hot_path=hot_path,
            compiled=compiled,
        )
        internal, public = at or (listen("127.0.0.1", 0), listen("127.0.0.1", 0))
        starting = asyncio.create_task(service.start(internal=internal, public=public))
        try:
            if ready:
                await starting
            yield service
        finally:
            await end([starting])
            await service.stop()

    def client_token(self, client_id: str = CLIENT, scopes=("authz:check",)) -> str:
        client = ClientPrincipal(client_id=ClientId(client_id), scopes=frozenset(scopes))
        claims = client_claims(issuer=ISSUER, client=client, now=self.clock.now())
        return sign_access_token(SIGNING_KEY, "k1", claims)

    def delegated_token(
        self,
        user_id: str,
        session_id: str,
        *client_ids: str,
        account_id: str | None = ACCOUNT,
        made_of: tuple[AccessTokenRef, ...] = (),
    ) -> str:
        """The token of a client that acts for a user; the others had the token before."""
        now = self.clock.now()
        principal = DelegatedPrincipal(
            user_id=UserId(user_id),
            session_id=SessionId(session_id),
            client_ids=tuple(map(ClientId, client_ids)),
            account_id=None if account_id is None else AccountId(account_id),
            made_of=made_of,
        )
        until = int(now.timestamp()) + ACCESS_SECONDS
        claims = delegated_claims(
            issuer=ISSUER, principal=principal, scope=ACT_SCOPE, now=now, until=until
        )
        return sign_access_token(SIGNING_KEY, "k1", claims)

    def user_token(self, user_id: str, session_id: str, account_id: str | None = ACCOUNT) -> str:
        claims = user_claims(
            issuer=ISSUER,
            user_id=UserId(user_id),
            session_id=SessionId(session_id),
            account_id=None if account_id is None else AccountId(account_id),
            now=self.clock.now(),
        )
        return sign_access_token(SIGNING_KEY, "k1", claims)

    async def post(
        self,
        service: ServiceApp,
        body,
        *,
        token: str | None = None,
        path: str = "/access/v1/evaluation",
        **extra,
    ) -> Response:
        url = service.addresses["public"] + path
        headers = {"Authorization": f"Bearer {token or self.client_token()}"}
        headers |= extra.pop("headers", {})
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self.http.post(url, headers=headers, **sent) as answer:
            return Response(answer.status, await answer.json(content_type=None), answer.headers)

    async def check(self, service: ServiceApp, user: str, permission: str, **more: Any) -> Response:
        body = evaluation(user, permission, **more.pop("of", {}))
        return await self.post(service, body, **more)

    async def ask_inside(
        self,
        service: ServiceApp,
        body: dict[str, Any],
        *,
        path: str = DECIDE.path,
        caller: str = "audit",
    ) -> Response:
        signer = InternalSigner(
            service=caller, key=SecretStr(KEYS.private[caller]), clock=self.clock
        )
        headers = {"Authorization": f"Bearer {signer.token('authz', act=None)}"}
        url = service.addresses["internal"] + path
        async with self.http.post(url, headers=headers, json=body) as answer:
            return Response(answer.status, await answer.json(content_type=None), answer.headers)


def evaluation(
    user: str, permission: str, *, context: dict[str, Any] | None = None, **properties: Any
) -> dict[str, Any]:
    """An AuthZEN evaluation request; it names `ACCOUNT` unless `account_id` differs."""
    kind, _, action = permission.partition(":")
    known = {"account_id": ACCOUNT} | properties
    request: dict[str, Any] = {
        "subject": {"type": "user", "id": user},
        "action": {"name": action},
        "resource": {
            "type": kind,
            "id": "i-1",
            "properties": {name: value for name, value in known.items() if value is not None},
        },
    }
    return request if context is None else request | {"context": context}


@pytest_asyncio.fixture(loop_scope="module")
async def world(request):
    """Both sources with what every test knows; a parameter is the seconds of their leases."""
    clock = SkippingClock()
    bus = LocalBus(timeouts=PATIENT)
    jwks = public_jwk("k1", SIGNING_KEY.public_key())
    team, identity = (
        Source(name, keys=KEYS, jwks=jwks, clock=clock, bus=bus, ttl=getattr(request, "param", 1))
        for name in ("team", "identity")
    )
    team.write(catalog(STANDARD.id))
    team.write(account(), member(ANA, "owner"))
    team.write(member(BO, "developer"))
    team.write(project())
    identity.write(service_client())
    async with aiohttp.ClientSession() as http:
        audit = Intake(keys=KEYS, clock=clock)
        made = World(clock=clock, team=team, identity=identity, audit=audit, http=http, bus=bus)
        made.urls = {
            "team": (await team.start(),),
            "identity": (await identity.start(),),
            "audit": (await audit.start(),),
        }
        yield made
        await audit.stop()
        await team.stop()
        await identity.stop()
        await bus.close()
