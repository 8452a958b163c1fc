"""One real service for a test: real ports, a real database, the in-process bus and a set clock."""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING, Any, Self, TypeVar

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from rolecall.client.jwk import encode
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.keys import generate_service_keys
from shared.bus import BusMessage, Verdict
from shared.bus.local import LocalBus
from shared.contracts.facts import Row
from shared.contracts.topology import AUDIT, Service
from shared.http.api import Api
from shared.http.client import InternalClient
from shared.http.mounting import mount
from shared.journal import rows
from shared.mongo import connect
from shared.runtime.listeners import Listener, listen, url_of
from shared.runtime.settings import ServiceSettings
from tests.patience import PATIENT
from tests.support.journal_keys import JOURNAL_KEYS, PUBLIC_KEYS, signed
from tests.support.sessions import http_session
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from shared.clock import Clock
    from shared.http.routes import Route
    from shared.mongo import Database, DbClient
    from shared.runtime.service import ServiceApp
    from shared.timeouts import Timeouts
    from tests.clocks import SetClock

ISSUER = "https://rolecall.example"
ADMIN_KEY = "the-operators-key-" + "0123456789abcdef"
KEYS = generate_service_keys(tuple(Service))
FAR = datetime(2100, 3, 1, 12, tzinfo=UTC)
"""The database deletes what has expired by its own clock, so tests run far ahead of it."""


def random_key() -> str:
    """Give 32 random bytes as a setting holds them."""
    return encode(secrets.token_bytes(32))


@dataclass(frozen=True)
class Answered:
    """An answer over HTTP."""

    status: int
    body: Any
    headers: Any
    text: str

    @property
    def code(self) -> str:
        return str(self.body["code"])

    def expect(self, status: int) -> Any:
        assert self.status == status, (self.status, self.body)
        return self.body


@dataclass(kw_only=True)
class RunningService:
    """A running service, its surroundings, and what a test asks of it."""

    urls: Iterator[str]
    """The public addresses of the replicas in turn, without end."""
    inside: str
    http: aiohttp.ClientSession
    client: DbClient
    database: Database
    clock: SetClock
    bus: LocalBus
    callers: dict[str, InternalClient]
    """A client of the internal routes for each of the other services."""
    heard: list[Row]
    """What the bus has carried."""
    apps: list[ServiceApp]
    """The replicas."""
    since: Mapping[int, int] = field(default_factory=dict)
    """The last row of each shard before the test, where several tests share the service."""

    @property
    def url(self) -> str:
        """The public address of the next replica."""
        return next(self.urls)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | str | None = None,
    ) -> Answered:
        base = self.inside if path.startswith("/internal/") else self.url
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if isinstance(form, str):
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        async with self.http.request(
            method, base + path, json=body, data=form, headers=sent
        ) as answer:
            text = await answer.text()
            content = await answer.json(content_type=None) if text else None
            return Answered(answer.status, content, answer.headers, text)

    async def tell(self, row: Row) -> None:
        """Let the bus bring a fact of another service, and wait until it was taken."""
        await self.bus.publish([rows.message(signed(row))])

    async def for_one_test(self) -> Self:
        """The same service; its rows begin now."""
        heads = self.database["heads"].find({"last_seq": {"$gt": 0}})
        return replace(self, since={head["_id"]: head["last_seq"] async for head in heads})

    async def rows(self, *actions: str) -> list[Row]:
        """The rows of the test, each shard in its order; with `actions` only those."""
        heads = self.database["heads"].find({"last_seq": {"$gt": 0}})
        found: list[Row] = []
        # Many tests may share the service; each reads what is new in the shards.
        for shard, last in [(head["_id"], head["last_seq"]) async for head in heads]:
            if last > (earlier := self.since.get(shard, 0)):
                new = self.database["journal"].find({"shard": shard, "seq": {"$gt": earlier}})
                found += [rows.read(row).row async for row in new]
        found.sort(key=lambda row: (row.shard, row.seq))
        return [row for row in found if not actions or row.action in actions]

    async def all_heard(self) -> set[str]:
        """The ids of the rows on the bus, once they are all that were committed."""

        async def complete() -> bool:
            return {row.id for row in self.heard} == {
                rows.read(row).row.id async for row in self.database["journal"].find({})
            }

        done: bool = await wait_for(complete, what="every row on the bus")
        assert done
        return {row.id for row in self.heard}


RunningT = TypeVar("RunningT", bound=RunningService)


@asynccontextmanager
async def stand_ins(
    routes: Mapping[Service, Sequence[Route]], *, clock: Clock
) -> AsyncIterator[Mapping[str, str]]:
    """Serve the internal routes of other services; gives the address of each."""

    def api(service: Service, table: Sequence[Route]) -> Api:
        verifier = InternalVerifier(service=service, keys=KEYS.public, clock=clock)
        return Api(service, table, None, authenticator=Authenticator(internal=verifier))

    urls = {}
    async with AsyncExitStack() as running:
        for service, table in routes.items():
            app = web.Application()
            mount(app, api(service, table))
            sock = listen("127.0.0.1", 0)
            listener = Listener(app, sock)
            await listener.start()
            running.push_async_callback(listener.stop)
            urls[str(service)] = url_of(sock)
        yield urls


@asynccontextmanager
async def run_service(
    kind: type[RunningT],
    build: Callable[..., ServiceApp],
    settings: type[ServiceSettings],
    *,
    service: Service,
    mongo_url: str,
    database: str,
    clock: SetClock,
    others: Mapping[Service, Sequence[Route]],
    fields: Mapping[str, Any],
    timeouts: Timeouts = PATIENT,
    replicas: int = 1,
    wiring: Mapping[str, Any] | None = None,
    **extra: Any,
) -> AsyncIterator[RunningT]:
    """Run the replicas of a service between stand-ins for the `others`.

    `fields` are settings, `wiring` is for `build`, and `extra` for the fields of `kind`.
    """
    bus = LocalBus(timeouts=timeouts)
    heard: list[Row] = []

    async def hear(message: BusMessage) -> Verdict:
        heard.append(Row.from_event(message.body))
        return Verdict.ACK

    async def resync() -> None:
        return None

    async with AsyncExitStack() as running:
        client: DbClient = connect(mongo_url, app_name="test", timeouts=PATIENT)
        running.callback(client.close)
        running.push_async_callback(bus.close)
        urls = await running.enter_async_context(stand_ins(others, clock=clock))
        read = settings(**{**common_settings(service, mongo_url, database, urls), **fields})
        await bus.subscribe(AUDIT, hear, on_resync=resync)
        given = {"bus": bus, "clock": clock, "timeouts": timeouts, **(wiring or {})}
        apps = [build(read, **given) for _ in range(replicas)]
        for app in apps:
            running.push_async_callback(app.stop)
            await app.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
        await wait_for(
            lambda: all(all(app.ready().values()) for app in apps), what="replicas that are ready"
        )
        inside = apps[0].addresses["internal"]
        callers = {str(name): caller_of(name, {service: inside}, clock) for name in Service}
        for caller in callers.values():
            running.push_async_callback(caller.close)
        yield kind(
            urls=cycle([app.addresses["public"] for app in apps]),
            inside=inside,
            http=await running.enter_async_context(http_session()),
            client=client,
            database=client[database],
            clock=clock,
            bus=bus,
            callers=callers,
            heard=heard,
            apps=apps,
            **extra,
        )


def caller_of(service: Service, urls: Mapping[Service, str], clock: SetClock) -> InternalClient:
    """A client that calls internal routes as this service."""
    return InternalClient(
        service=service,
        key=SecretStr(KEYS.private[service]),
        urls={str(name): [url] for name, url in urls.items()},
        clock=clock,
        timeouts=PATIENT,
    )


def common_settings(
    service: Service, mongo_url: str, database: str, urls: Mapping[str, str]
) -> dict[str, Any]:
    """The settings that every service with a database needs."""
    return stateless_settings(service, urls) | {
        "mongo_url": SecretStr(mongo_url),
        "mongo_database": database,
        "journal_key": SecretStr(JOURNAL_KEYS.private[service]),
    }


def stateless_settings(service: Service, urls: Mapping[str, str]) -> dict[str, Any]:
    """The settings that every service needs."""
    return {
        "amqp_url": SecretStr("memory://"),
        "public_url": ISSUER,
        "requests_at_once": 1000,
        "internal_key": SecretStr(KEYS.private[service]),
        "internal_keys": KEYS.public,
        "journal_keys": PUBLIC_KEYS,
        "internal_urls": {name: (url,) for name, url in urls.items()},
        "admin_key": SecretStr(ADMIN_KEY),
    }
