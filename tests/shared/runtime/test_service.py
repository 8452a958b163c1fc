"""A service from its start to its end."""

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import http_parser, web
from pydantic import SecretStr

from shared import metrics
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalSigner, InternalVerifier
from shared.auth.keys import generate_service_keys
from shared.http.access import Admin, Internal
from shared.http.api import Api
from shared.http.routes import Call, Route
from shared.runtime.listeners import Listener, listen, require_c_parser, url_of
from shared.runtime.service import ServiceApp
from shared.runtime.supervisor import Supervisor
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from tests.clocks import SetClock
from tests.shared.runtime.slow_service import Done, route, wait
from tests.waiting import wait_for


class Works:
    """What a service rests on, as a test arranges it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.broken = 0
        self.keys = True
        self.bus = True

    async def connect(self) -> None:
        self.log.append("connect")
        if self.broken:
            self.broken -= 1
            raise ConnectionError("the database is not there")

    async def loop(self) -> None:
        self.log.append("loop")
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append("loop ended")

    async def close(self) -> None:
        self.log.append("close")


@pytest.fixture
def works() -> Works:
    return Works()


@pytest.fixture
async def make_service(works: Works) -> AsyncIterator[Callable[..., ServiceApp]]:
    """Make services; they are stopped at the end."""
    services: list[ServiceApp] = []

    def make(*, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> ServiceApp:
        begun = asyncio.Event()
        begun.set()
        services.append(
            ServiceApp(
                "slow",
                public=Api("slow", [route("/begun", wait)], begun),
                internal=Api("slow", [], None),
                opens=[works.connect],
                tasks={"loop": works.loop},
                closes=[works.close],
                checks=lambda: {"keys": works.keys},
                informational=lambda: {"bus": works.bus},
                timeouts=timeouts,
            )
        )
        return services[-1]

    yield make
    for service in services:
        await service.stop()


@pytest.fixture
def service(make_service: Callable[..., ServiceApp]) -> ServiceApp:
    return make_service()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def get(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url) as response:
        return response.status, (await response.text()).removesuffix("\n")


async def test_processes_may_share_a_port_if_each_of_them_says_so():
    first = listen("127.0.0.1", 0, shared=True)
    port = first.getsockname()[1]
    first.listen()
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", port)
    second = listen("127.0.0.1", port, shared=True)
    assert second.getsockname() == first.getsockname()
    for each in (first, second):
        each.close()


async def test_a_service_opens_runs_its_tasks_and_closes(
    service: ServiceApp, works: Works, session: aiohttp.ClientSession
):
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    at = dict(service.addresses)
    assert await get(session, at["public"] + "/begun") == (200, Done().model_dump_json())
    assert (await get(session, at["internal"] + "/health/live"))[0] == 200
    assert (await get(session, at["internal"] + "/health/ready"))[0] == 200
    assert (await get(session, at["public"] + "/health/ready"))[0] == 404
    await wait_for(lambda: "loop" in works.log)
    await service.stop()
    assert works.log == ["connect", "loop", "loop ended", "close"]
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get(at["public"] + "/begun")


async def test_a_failing_check_is_named_in_the_readiness_answer(
    service: ServiceApp, works: Works, session: aiohttp.ClientSession
):
    await service.start(internal=listen("127.0.0.1", 0))
    works.keys = False
    status, body = await get(session, service.addresses["internal"] + "/health/ready")
    assert status == 503
    assert json.loads(body) == {
        "ready": False,
        "checks": {"started": True, "keys": False},
        "informational": {"bus": True},
    }


async def test_a_service_without_its_broker_is_ready_and_shows_it(
    service: ServiceApp, works: Works, session: aiohttp.ClientSession
):
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    works.bus = False
    status, body = await get(session, service.addresses["internal"] + "/health/ready")
    assert status == 200
    assert json.loads(body)["informational"] == {"bus": False}
    _, text = await get(session, service.addresses["internal"] + "/metrics")
    assert 'rolecall_health_check{check="bus",service="slow"} 0.0' in text
    assert 'rolecall_health_check{check="keys",service="slow"} 1.0' in text


async def test_the_public_port_is_closed_until_requests_can_be_answered(
    service: ServiceApp, works: Works, session: aiohttp.ClientSession
):
    works.keys = False
    internal, public = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    starting = asyncio.create_task(service.start(internal=internal, public=public))
    await wait_for(lambda: "loop" in works.log, what="the tasks")
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get(url_of(public) + "/begun")
    assert (await get(session, url_of(internal) + "/health/ready"))[0] == 503
    works.keys = True
    await starting
    assert (await get(session, url_of(public) + "/begun"))[0] == 200


async def test_a_draining_service_is_not_ready_and_answers_on_both_ports(
    service: ServiceApp, session: aiohttp.ClientSession
):
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    at = dict(service.addresses)
    await get(session, at["public"] + "/begun")
    service.drain()
    assert (await get(session, at["internal"] + "/health/ready"))[0] == 503
    assert (await get(session, at["internal"] + "/health/live"))[0] == 200
    for _ in range(2):
        async with session.get(at["public"] + "/begun") as answer:
            assert answer.status == 200
            # No later request takes this connection, which is about to be closed.
            assert answer.headers["Connection"] == "close"


async def test_a_request_on_its_way_at_the_end_of_the_drain_is_answered(
    service: ServiceApp, session: aiohttp.ClientSession
):
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    public = service.addresses["public"]
    port = int(public.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await get(session, public + "/begun")  # the service has accepted the connection before
    service.drain()
    stopping = asyncio.create_task(service.stop())

    async def refused() -> bool:
        try:
            await session.get(public + "/begun")
        except aiohttp.ClientConnectionError:
            return True
        return False

    await wait_for(refused, what="a closed port")
    writer.write(b"GET /begun HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    writer.close()
    await stopping


async def test_the_tasks_run_until_the_last_answer(session: aiohttp.ClientSession):
    """A task renews the leases by which requests are answered."""
    begun, may_end, log = asyncio.Event(), asyncio.Event(), list[str]()

    async def answer(ctx: None, call: Call[Any, Any]) -> Done:
        begun.set()
        await may_end.wait()
        log.append("answered")
        return Done()

    async def renew() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("renewal ended")

    async def give_back() -> None:
        log.append("given back")

    row = route("/internal/decide", answer)
    row = replace(row, method="POST", access=Internal(("audit",)))
    keys = generate_service_keys(("slow", "audit"))
    clock = SetClock()
    verifier = InternalVerifier(service="slow", keys=keys.public, clock=clock)
    stops = ServiceApp(
        "slow",
        public=Api("slow", [], None),
        internal=Api("slow", [row], None, authenticator=Authenticator(internal=verifier)),
        tasks={"renew": renew},
        closes=[give_back],
    )
    await stops.start(internal=listen("127.0.0.1", 0))
    signer = InternalSigner(service="audit", key=SecretStr(keys.private["audit"]), clock=clock)
    headers = {"Authorization": f"Bearer {signer.token('slow')}"}
    url = stops.addresses["internal"] + "/internal/decide"
    asking = asyncio.create_task(session.post(url, headers=headers))
    await begun.wait()
    stopping = asyncio.create_task(stops.stop())
    await wait_for(lambda: not stops.addresses, what="the end of the internal port")
    may_end.set()
    async with await asking as response:
        assert response.status == 200
    await stopping
    assert log == ["answered", "renewal ended", "given back"]


async def test_a_service_that_waits_at_its_start_is_alive_but_not_ready(
    service: ServiceApp, works: Works, session: aiohttp.ClientSession
):
    works.broken = 10**6
    internal, public = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    starting = asyncio.create_task(service.start(internal=internal, public=public))
    await wait_for(lambda: works.log)
    assert (await get(session, url_of(internal) + "/health/live"))[0] == 200
    assert (await get(session, url_of(internal) + "/health/ready"))[0] == 503
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get(url_of(public) + "/begun")
    works.broken = 0
    await starting
    assert (await get(session, url_of(public) + "/begun"))[0] == 200
    await wait_for(lambda: "loop" in works.log)


async def test_internal_routes_answer_while_a_step_waits_for_another_service(
    session: aiohttp.ClientSession,
):
    """Two services that start at once and need each other would wait without end."""
    begun, other = asyncio.Event(), asyncio.Event()
    begun.set()

    async def other_service() -> None:
        await other.wait()

    waits = ServiceApp(
        "slow",
        public=Api("slow", [route("/begun", wait)], begun),
        internal=Api("slow", [], begun),
        joins=[other_service],
    )
    internal, public = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    starting = asyncio.create_task(waits.start(internal=internal, public=public))

    await wait_for(lambda: not waits.internal.closed)
    assert (await get(session, url_of(internal) + "/health/ready"))[0] == 503
    with pytest.raises(aiohttp.ClientConnectionError):
        await session.get(url_of(public) + "/begun")
    other.set()
    await starting
    assert (await get(session, url_of(public) + "/begun"))[0] == 200
    assert (await get(session, url_of(internal) + "/health/ready"))[0] == 200
    await waits.stop()


async def test_internal_routes_answer_only_after_the_opening_steps(
    works: Works, service: ServiceApp, session: aiohttp.ClientSession
):
    works.broken = 10**6
    internal = listen("127.0.0.1", 0)
    starting = asyncio.create_task(service.start(internal=internal))
    await wait_for(lambda: works.log)
    assert service.internal.closed
    works.broken = 0
    await starting
    assert not service.internal.closed


async def test_a_running_request_can_be_reported_to_while_the_service_stops(
    session: aiohttp.ClientSession,
):
    """A write waits for a replica, whose report comes by the internal port."""
    begun, reported = asyncio.Event(), asyncio.Event()

    async def write(ctx: None, call: Call[Any, Any]) -> Done:
        begun.set()
        await reported.wait()
        return Done()

    async def live() -> bool:
        return (await get(session, at["internal"] + "/health/live"))[0] == 200

    stops = ServiceApp(
        "slow", public=Api("slow", [route("/write", write)], None), internal=Api("slow", [], None)
    )
    await stops.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    at = dict(stops.addresses)
    writing = asyncio.create_task(get(session, at["public"] + "/write"))
    await begun.wait()
    stopping = asyncio.create_task(stops.stop())
    await wait_for(lambda: "public" not in stops.addresses, what="the public port to close")
    assert await live()
    reported.set()
    assert (await writing)[0] == 200
    await stopping
    with pytest.raises(aiohttp.ClientConnectionError):
        await live()


async def test_a_step_that_never_succeeds_ends_the_start(
    works: Works, make_service: Callable[..., ServiceApp]
):
    works.broken = 10**6
    service = make_service(timeouts=Timeouts(start=0.3))
    with pytest.raises(ConnectionError):
        await service.start(internal=listen("127.0.0.1", 0))


async def test_a_gateway_may_serve_the_public_part(service: ServiceApp):
    await service.start(internal=listen("127.0.0.1", 0))
    assert set(service.addresses) == {"internal"}


async def test_metrics_are_shown_by_route_template(
    service: ServiceApp, session: aiohttp.ClientSession
):
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    await get(session, service.addresses["public"] + "/begun")
    await get(session, service.addresses["public"] + "/never-heard-of")
    _, text = await get(session, service.addresses["internal"] + "/metrics")
    labels = 'method="GET",route="/begun",service="slow",status="200"'
    assert f"rolecall_http_requests_total{{{labels}}}" in text
    assert "never-heard-of" not in text


def test_an_operator_route_is_never_public():
    row = Route(
        method="POST",
        path="/internal/admin/x",
        handler=wait,
        operation_id="adminX",
        summary="Test",
        tag="test",
        access=Admin(),
    )
    api = Api("slow", [row], None, authenticator=Authenticator())
    with pytest.raises(ValueError, match="adminX must not be public"):
        ServiceApp("slow", public=api, internal=Api("slow", [], None))


@pytest.mark.rule("T17")
def test_the_c_parser_is_required(monkeypatch: pytest.MonkeyPatch):
    require_c_parser()
    monkeypatch.setattr(http_parser, "HttpRequestParser", http_parser.HttpRequestParserPy)
    with pytest.raises(RuntimeError, match="C parser"):
        require_c_parser()


class Fragile:
    """A loop that fails in the given ways, one run after the other, and then goes on."""

    def __init__(self, *failures: BaseException) -> None:
        self._failures = list(failures)
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self._failures:
            raise self._failures.pop(0)
        await asyncio.Event().wait()


def crashes(name: str) -> float:
    value = metrics.REGISTRY.get_sample_value(
        "rolecall_task_crashes_total", {"service": "slow", "task": name}
    )
    return value or 0.0


async def test_a_loop_that_fails_is_started_again_and_counted(caplog):
    before = crashes("relay")
    loop = Fragile(RuntimeError("first"), asyncio.CancelledError(), OSError("third"))
    supervisor = Supervisor("slow", first_pause=0.001)
    supervisor.start({"relay": loop.run})
    await wait_for(lambda: loop.runs == 4)
    assert crashes("relay") == before + 3
    told = [record for record in caplog.records if record.name == "shared.runtime.supervisor"]
    assert [record.levelname for record in told] == ["ERROR"] * 3
    async with asyncio.timeout(30):
        await supervisor.stop()


async def test_a_loop_that_finds_no_free_file_is_started_again():
    full = [OSError(code, os.strerror(code)) for code in (errno.EMFILE, errno.ENFILE)]
    loop = Fragile(*full)
    supervisor = Supervisor("slow", first_pause=0.001)
    supervisor.start({"relay": loop.run})
    await wait_for(lambda: loop.runs == 3)
    await supervisor.stop()


async def test_stop_ends_loops_that_swallow_a_cancellation_or_fail_in_clean_up():
    running = asyncio.Barrier(3)

    async def swallows() -> None:
        await running.wait()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def fails() -> None:
        await running.wait()
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the connection was gone already")

    supervisor = Supervisor("slow", timeouts=Timeouts(cancel_again=0.01))
    supervisor.start({"swallows": swallows, "fails": fails})
    await running.wait()
    async with asyncio.timeout(30):
        await supervisor.stop()


async def test_a_loop_that_returns_is_done():
    done = asyncio.Event()

    async def once() -> None:
        assert not done.is_set()
        done.set()

    supervisor = Supervisor("slow")
    supervisor.start({"once": once})
    await done.wait()
    await supervisor.stop()


async def test_the_address_of_a_listener_is_known_after_its_end() -> None:
    """A start that a deadline cut off is logged after the end of its listeners."""
    listener = Listener(web.Application(), listen("127.0.0.1", 0))
    url = listener.url
    await listener.start()
    await listener.stop()
    assert listener.url == url
