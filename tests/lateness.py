"""A pytest plugin that makes late what may be late: `--late 150 tests/services/team`.

Each command to the database, each request and each pause may take up to 150 milliseconds longer;
most do not. A test that assumes the pace of a background task, or the order of two, fails in
some of its runs then. `--repeat 20` counts them.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from pymongo import monitoring

if TYPE_CHECKING:
    from collections.abc import Generator

PROMPT, NEARLY_PROMPT = 0.7, 0.94
"""Of ten things seven are not late, and of a hundred six are late by up to the whole time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption("--late", type=int, default=0, help="milliseconds that a thing may be late")
    parser.addoption("--repeat", type=int, default=1, help="how often the chosen tests are run")


def pytest_configure(config: pytest.Config) -> None:
    """Make things late, if the run is to be so."""
    if milliseconds := config.option.late:
        lateness = Lateness(milliseconds / 1000)
        config.pluginmanager.register(lateness)
        monitoring.register(LateCommands(lateness))
        make_requests_late(lateness)
        make_pauses_late(lateness)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Repeat the tests in turn: one that follows itself would share its fixtures."""
    if config.option.repeat > 1:
        if len(items) == 1:
            raise pytest.UsageError("Choose two tests or more: they are repeated in turn.")
        items[:] = items * config.option.repeat


class Lateness:
    """How late the next thing is, in seconds; nothing between two tests."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._chance = random.Random()
        self._on = False

    def __call__(self) -> float:
        """Draw it."""
        drawn = self._chance.random()
        if not self._on or drawn < PROMPT:
            return 0.0
        return self._chance.random() * self._most / (5 if drawn < NEARLY_PROMPT else 1)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None]:
        """Be late while a test runs."""
        self._on = True
        try:
            yield
        finally:
            self._on = False


class LateCommands(monitoring.CommandListener):
    """Holds up the thread of a command, before it is sent and before its answer is read."""

    def __init__(self, lateness: Lateness) -> None:
        self._lateness = lateness

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Send it late."""
        time.sleep(self._lateness())

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Read the answer late."""
        time.sleep(self._lateness())

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Tell a failure at once."""


def make_requests_late(lateness: Lateness) -> None:
    """Hold up each request of aiohttp's client, and its answer."""
    ask = aiohttp.ClientSession._request

    async def late(self: aiohttp.ClientSession, *args: Any, **more: Any) -> aiohttp.ClientResponse:
        await prompt_sleep(lateness())
        answer = await ask(self, *args, **more)
        await prompt_sleep(lateness())
        return answer

    aiohttp.ClientSession._request = late  # type: ignore[method-assign]


prompt_sleep = asyncio.sleep


def make_pauses_late(lateness: Lateness) -> None:
    """Let each pause be longer, but not a turn of the event loop."""

    async def sleep(delay: float, result: Any = None) -> Any:
        return await prompt_sleep(delay + lateness() if delay > 0 else delay, result)

    asyncio.sleep = sleep
