"""Tests of the guard of an aiohttp application with a client that the test controls."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from rolecall import CheckDecision, RolecallClient, UndecidedError
from rolecall.integrations.aiohttp import PermissionGuard
from tests.waiting import wait_for

PATH = "/accounts/acc_1/instances"
Http = TestClient[web.Request, web.Application]


class ControlledClient(RolecallClient):
    """Answers when the gate is open, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__("http://localhost:1", "cli_1", "secret")
        self.gate = threading.Event()
        self.asked: list[dict[str, Any]] = []
        self.threads: list[str] = []
        self.error: UndecidedError | None = None

    def check(self, subject_id: str, permission: str, **more: Any) -> CheckDecision:
        self.asked.append({"subject_id": subject_id, "permission": permission, **more})
        self.threads.append(threading.current_thread().name)
        if not self.gate.wait(60):
            raise TimeoutError
        if self.error is not None:
            raise self.error
        return CheckDecision(allowed=True, reason="allowed")


@pytest.fixture
def client() -> Iterator[ControlledClient]:
    client = ControlledClient()
    yield client
    client.gate.set()


@asynccontextmanager
async def application(client: RolecallClient, **options: Any) -> AsyncIterator[Http]:
    guard = PermissionGuard(client, subject=lambda _: "usr_1", **options)

    @guard.require(
        "instance:write",
        account="account_id",
        session=lambda request: request.headers.get("X-Session"),
        at_least_revision=lambda request: request.headers.get("Rolecall-Revision"),
    )
    async def create(request: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/accounts/{account_id}/instances", create)
    async with TestClient(TestServer(app)) as http:
        yield http


async def ask(http: Http, **headers: str) -> tuple[int, str | None, str | None]:
    async with http.post(PATH, headers=headers) as answer:
        content = await answer.json(content_type=None)
        return answer.status, content.get("code"), answer.headers.get("Retry-After")


async def test_session_and_revision_of_the_request_are_passed_on(client: ControlledClient) -> None:
    client.gate.set()
    async with application(client) as http:
        headers = {"X-Session": "ses_1", "Rolecall-Revision": "team.e1.3.6"}
        assert await ask(http, **headers) == (200, None, None)
        assert await ask(http) == (200, None, None)
    assert [(asked["session_id"], asked["at_least_revision"]) for asked in client.asked] == [
        ("ses_1", "team.e1.3.6"),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (UndecidedError("stale", temporary=True), (503, "undecided", "1")),
        (UndecidedError("wrong secret", temporary=False), (500, "check-failed", None)),
        (
            UndecidedError("not bound", temporary=False, request_refused=True),
            (403, "check-refused", None),
        ),
    ],
)
async def test_only_a_temporary_failure_asks_for_another_attempt(
    client: ControlledClient, error: UndecidedError, answer: tuple[int, str, str | None]
) -> None:
    client.gate.set()
    client.error = error
    async with application(client) as http:
        assert await ask(http) == answer


async def test_mistakes_of_a_route_are_told_once_and_never_to_its_users(
    client: ControlledClient, caplog: pytest.LogCaptureFixture
) -> None:
    guard = PermissionGuard(client, subject=lambda _: "usr_1")
    with pytest.raises(ValueError, match="is not a permission"):
        guard.require("instances", account="account_id")

    @guard.require("instance:write", account="acc")
    async def create(request: web.Request) -> web.Response:
        raise AssertionError

    app = web.Application()
    app.router.add_post("/accounts/{account_id}/instances", create)
    async with TestClient(TestServer(app)) as http:
        for _ in range(2):
            assert await ask(http) == (500, "check-failed", None)
    assert [("`acc`" in line) for line in caplog.messages] == [True]
    assert client.asked == []


async def test_a_full_guard_answers_at_once_and_spares_the_default_executor(
    client: ControlledClient,
) -> None:
    async with application(client, max_checks=3) as http:
        waiting = [asyncio.create_task(ask(http)) for _ in range(3)]
        await wait_for(lambda: len(client.asked) == 3, what="three checks")
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*(ask(http) for _ in range(40)))
        assert answers == [(503, "undecided", "1")] * 40
        assert len(client.asked) == 3
        assert all(name.startswith("rolecall-check") for name in client.threads)
        client.gate.set()
        assert await asyncio.gather(*waiting) == [(200, None, None)] * 3
        assert await ask(http) == (200, None, None)


async def test_a_check_whose_request_was_cancelled_keeps_its_place(
    client: ControlledClient,
) -> None:
    async with application(client, max_checks=1) as http:
        left = asyncio.create_task(ask(http))
        await wait_for(lambda: len(client.asked) == 1, what="the check")
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        assert await ask(http) == (503, "undecided", "1")
        client.gate.set()
        assert await wait_until_free(http) == (200, None, None)


async def wait_until_free(http: Http) -> tuple[int, str | None, str | None]:
    answers: list[tuple[int, str | None, str | None]] = []

    async def free() -> bool:
        answers.append(await ask(http))
        return answers[-1][0] == 200

    await wait_for(free, what="a free place")
    return answers[-1]
