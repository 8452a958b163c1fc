"""The process of a service: start, addresses and end."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from shared.auth.keys import generate_service_keys
from tests.support.journal_keys import PUBLIC_KEYS
from tests.waiting import wait_for

KEYS = generate_service_keys(("slow",))
ENVIRONMENT = {
    "AMQP_URL": "amqp://guest:guest@127.0.0.1:1/",
    "PUBLIC_URL": "http://localhost",
    "INTERNAL_KEY": KEYS.private["slow"],
    "INTERNAL_KEYS": json.dumps(KEYS.public),
    "INTERNAL_URLS": "{}",
    "JOURNAL_KEYS": json.dumps(PUBLIC_KEYS),
    "ADMIN_KEY": "0123456789abcdef0123456789abcdef",
    "DRAIN_SECONDS": "0",
}


@asynccontextmanager
async def process(**changes: str | None) -> AsyncIterator[asyncio.subprocess.Process]:
    given = {f"ROLECALL_SLOW_{name}": value for name, value in (ENVIRONMENT | changes).items()}
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.shared.runtime.slow_service",
        env={name: value for name, value in (os.environ | given).items() if value is not None},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def addresses(started: asyncio.subprocess.Process) -> dict[str, str]:
    assert started.stdout is not None
    async with asyncio.timeout(120):
        async for text in started.stdout:
            line = json.loads(text)
            if line["msg"] == "listening":
                assert line["service"] == "slow"
                listening: dict[str, str] = line["addresses"]
                return listening
    raise AssertionError("it never said where it listens")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_running_request_end_and_takes_no_other(number: signal.Signals):
    async with process() as started, aiohttp.ClientSession() as session:
        at = await addresses(started)
        slow = asyncio.create_task(session.get(at["public"] + "/slow"))
        async with session.get(at["public"] + "/begun") as response:
            assert response.status == 200
        started.send_signal(number)
        async with await slow as response:
            assert await response.json() == {"done": True}
        async with asyncio.timeout(30):
            assert await started.wait() == 0
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(at["public"] + "/begun")


async def test_after_sigterm_requests_are_answered_until_the_next_signal():
    async with process(DRAIN_SECONDS="60") as started, aiohttp.ClientSession() as session:
        at = await addresses(started)

        async def ready() -> bool:
            async with session.get(at["internal"] + "/health/ready") as response:
                return response.status == 200

        async def not_ready() -> bool:
            return not await ready()

        await wait_for(ready, what="a service that is ready")
        started.send_signal(signal.SIGTERM)
        await wait_for(not_ready, what="a service that is not ready")
        async with session.get(at["public"] + "/slow") as response:
            assert response.status == 200
        assert started.returncode is None
        started.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await started.wait() == 0


@pytest.mark.parametrize("port", ["PORT", "INTERNAL_PORT"])
async def test_a_port_in_use_ends_the_process_with_status_2_and_a_sentence(port: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        async with process(**{port: str(number)}) as started:
            _, said = await started.communicate()
    assert started.returncode == 2
    assert said.decode() == (
        f"127.0.0.1:{number} cannot be used (Address already in use). "
        "Stop the process that uses the port, or set another one.\n"
    )


async def test_a_missing_value_ends_the_process_with_status_2_and_a_sentence():
    async with process(ADMIN_KEY=None) as started:
        _, said = await started.communicate()
    assert (started.returncode, said.decode()) == (2, "ROLECALL_SLOW_ADMIN_KEY is not set.\n")


async def test_an_absent_database_ends_the_start_with_status_1_and_a_sentence():
    async with process(DATABASE_AWAY="true") as started:
        _, said = await started.communicate()
    expected = "The database does not answer. Start it, or correct ROLECALL_SLOW_MONGO_URL.\n"
    assert (started.returncode, said.decode()) == (1, expected)


async def test_a_process_needs_a_broker():
    async with process(AMQP_URL="memory://") as started:
        _, said = await started.communicate()
    expected = "ROLECALL_SLOW_AMQP_URL must be the address of a broker.\n"
    assert (started.returncode, said.decode()) == (2, expected)
