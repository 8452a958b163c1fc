"""The runtime of one service: start, run and stop."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from aiohttp import web

from shared import context, logs
from shared.bus import Bus
from shared.bus.rabbitmq import RabbitBus
from shared.http.access import Admin, Internal
from shared.http.api import Api
from shared.http.hosts import local_hosts_only
from shared.http.mounting import mount
from shared.http.proxies import NO_PROXIES, Proxies
from shared.mongo import DatabaseAway
from shared.problems import StartRefused
from shared.runtime import environment
from shared.runtime.connections import Connection, MakeConnection
from shared.runtime.health import Checks, Health, health_api
from shared.runtime.listeners import Listener, listen
from shared.runtime.server_addresses import MEMORY_BUS
from shared.runtime.settings import ListenerSettings, StatelessSettings
from shared.runtime.start import Step, open_step
from shared.runtime.supervisor import Loop, Supervisor
from shared.runtime.traces import exported_spans
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

CHECK_SECONDS = 0.02
"""The pause between two looks at the checks that the public port waits for."""

_log = logging.getLogger(__name__)


class ServiceApp:
    """One service, wired but not running.

    `opens` run in order before any request is answered. Then the internal routes answer, and
    `joins` run: the steps that may wait for another service, which may be waiting for this one.
    Each step is tried again for `Timeouts.start` seconds while the database or the broker is away,
    so each must be repeatable. `tasks` run under a supervisor until the service stops. The public
    port accepts connections when all of them run. `drains` end the answers that last as long as
    their connection. `closes` run last, in order. `checks` are the checks of `/health/ready`.
    `make_connection` makes the connections of the public port. `pages` adds routes of HTML.
    """

    def __init__(
        self,
        name: str,
        *,
        public: Api,
        internal: Api,
        opens: Sequence[Step] = (),
        joins: Sequence[Step] = (),
        tasks: Mapping[str, Loop] | None = None,
        closes: Sequence[Step] = (),
        checks: Checks = dict,
        informational: Checks = dict,
        drains: Sequence[Callable[[], None]] = (),
        proxies: Proxies = NO_PROXIES,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        make_connection: MakeConnection = Connection,
        pages: Callable[[web.Application], None] = lambda _: None,
    ) -> None:
        for route in public.routes:
            if isinstance(route.access, Internal | Admin):
                raise ValueError(f"{route.operation_id} must not be public")
        self.name = name
        self.public, self.internal, self.pages = public, internal, pages
        self.tasks = dict(tasks or {})
        self._opens = tuple(opens)
        self._joins = tuple(joins)
        self._closes = tuple(closes)
        self._checks = checks
        self._informational = informational
        self._drains = tuple(drains)
        self._proxies = proxies
        self._timeouts = timeouts
        self._make_connection = make_connection
        self._supervisor = Supervisor(name, timeouts=timeouts)
        self._listeners: dict[str, Listener] = {}
        self._started = False
        public.closed = internal.closed = True

    @property
    def addresses(self) -> Mapping[str, str]:
        """Its addresses: `internal`, and `public` unless another listener serves that API."""
        return {name: listener.url for name, listener in self._listeners.items()}

    def ready(self) -> Mapping[str, bool]:
        """The checks of `/health/ready` that count, and their results."""
        return {"started": self._started, **self._checks()}

    async def start(
        self,
        *,
        internal: socket.socket,
        public: socket.socket | None = None,
        local_hosts: bool = False,
    ) -> None:
        """Answer on these sockets. Without `public` the caller mounts `self.public`.

        Until it accepts, the public port refuses connections, so that a gateway takes another
        replica for every request, also for one that must not be sent twice.

        With `local_hosts` the internal port refuses requests that name another host than this
        machine.

        Raises:
            StartRefused: a condition that no retry changes, such as a port that is in use.
            Exception: what a step still raised after `Timeouts.start` seconds.
        """
        context.service.set(self.name)
        inside = web.Application()
        health = Health(service=self.name, checks=self.ready, informational=self._informational)
        mount(
            inside,
            self.internal,
            health_api(health),
            between_services=True,
            request_seconds=self._timeouts.request,
        )
        if local_hosts:
            inside.middlewares.append(local_hosts_only)
        self._listeners["internal"] = Listener(inside, internal)
        if public is not None:
            outside = web.Application()
            mount(
                outside,
                self.public,
                proxies=self._proxies,
                request_seconds=self._timeouts.request,
            )
            self.pages(outside)
            self._listeners["public"] = Listener(
                outside, public, make_connection=self._make_connection
            )
        await self._accept("internal")
        for step in self._opens:
            await open_step(step, seconds=self._timeouts.start)
        self.internal.closed = False
        for step in self._joins:
            await open_step(step, seconds=self._timeouts.start)
        self._supervisor.start(self.tasks)
        self.public.closed = False
        if public is not None:
            await self._until_checks_hold()
            await self._accept("public")
        _log.info("listening", extra={"addresses": dict(self.addresses)})
        self._started = True

    async def _accept(self, name: str) -> None:
        listener = self._listeners[name]
        with usable(listener.url):
            await listener.start()

    async def _until_checks_hold(self) -> None:
        told: list[str] = []
        while missing := [name for name, holds in self._checks().items() if not holds]:
            if missing != told:
                _log.info("the public port waits for checks", extra={"checks": missing})
                told = missing
            await asyncio.sleep(CHECK_SECONDS)

    def drain(self) -> None:
        """Become not ready, and answer until `stop`: others learn of the end after it has begun."""
        self._started = False
        for listener in self._listeners.values():
            listener.drain()
        for end in self._drains:
            end()

    async def stop(self) -> None:
        """Become not ready, let running requests end within ten seconds, stop the tasks, close.

        The internal port closes last: a write may be waiting for a report that arrives there. The
        tasks stop after both, because they keep the leases that answers depend on.
        """
        self._started = False
        for end in self._drains:
            end()
        for name in ("public", "internal"):
            listener = self._listeners.pop(name, None)
            if listener is not None:
                await listener.stop()
        await self._supervisor.stop()
        for step in self._closes:
            await step()


@contextlib.contextmanager
def usable(address: str) -> Iterator[None]:
    """Refuse the start when the address cannot be bound or listened at.

    Raises:
        StartRefused: another process uses it, or it is not one of this machine.
    """
    try:
        yield
    except OSError as problem:
        raise StartRefused(
            f"{address} cannot be used ({problem.strerror}). "
            "Stop the process that uses the port, or set another one."
        ) from problem


async def run(service: ServiceApp, settings: ListenerSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    After SIGTERM it answers for `drain_seconds` more, or until another signal: who sends requests
    learns only in that time that this replica ends.
    """
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.put_nowait, number)
    with usable(f"{settings.internal_host}:{settings.internal_port}"):
        internal = listen(settings.internal_host, settings.internal_port)
    with usable(f"{settings.host}:{settings.port}"):
        public = listen(settings.host, settings.port, shared=settings.share_port)
    starting = asyncio.create_task(service.start(internal=internal, public=public))
    asked = asyncio.create_task(signals.get())
    try:
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            # What is loaded now stays. Looking for garbage in it would stop every answer.
            gc.freeze()
            if await asked is signal.SIGTERM:
                service.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(settings.drain_seconds):
                        await signals.get()
    finally:
        for task in (starting, asked):
            task.cancel()
        await asyncio.gather(starting, asked, return_exceptions=True)
        await service.stop()
        _log.info("stopped")


SettingsT = TypeVar("SettingsT", bound=StatelessSettings)
SettingsT_contra = TypeVar("SettingsT_contra", bound=StatelessSettings, contravariant=True)


class Build(Protocol[SettingsT_contra]):
    """`build` of a service's `app.py`."""

    def __call__(self, settings: SettingsT_contra, *, bus: Bus) -> ServiceApp:
        """Wire the service; nothing runs yet."""


def main(build: Build[SettingsT], settings_class: type[SettingsT]) -> None:
    """Run the process of one service: `python -m services.<name>`."""
    gc.freeze()
    gc.enable()  # `__main__` imported without it
    settings = environment.load(settings_class)
    name = environment.service_name(settings_class)
    if settings.amqp_url.get_secret_value() == MEMORY_BUS:
        environment.refuse_start(
            [f"{environment.variable(settings_class, 'amqp_url')} must be the address of a broker."]
        )
    logs.setup(name, settings.log_level)
    environment.warn_of_unknown_names(settings_class)

    async def serve() -> None:
        bus = RabbitBus(settings.amqp_url.get_secret_value(), name)
        try:
            await run(build(settings, bus=bus), settings)
        finally:
            await bus.close()

    try:
        with exported_spans(name, settings), asyncio.Runner(loop_factory=event_loop) as runner:
            runner.run(serve())
    except StartRefused as refused:
        environment.refuse_start([str(refused)])
    except DatabaseAway as away:
        address = environment.variable(settings_class, "mongo_url")
        sys.stderr.write(f"The database does not answer. Start it, or correct {address}.\n")
        raise SystemExit(1) from away


def event_loop() -> asyncio.AbstractEventLoop:
    """Make a uvloop where it is installed, otherwise the standard loop."""
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
