"""The receiver in `examples/webhooks`, written from the standard alone, takes real events."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest_asyncio

from services.notification.domain.webhook_secrets import new_salt, secret_of, signed_headers
from shared.contracts import team
from shared.ids import new_id
from shared.runtime.listeners import Listener, listen, url_of
from tests.services.notification.hooks import Hooks, running_hooks
from tests.services.notification.samples import ROLE_CHANGED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

KEY, WEBHOOK, SALT = bytes(range(32)), "whk_1", new_salt()


def example() -> Any:
    path = Path(__file__).parents[3] / "examples" / "webhooks" / "receiver.py"
    spec = importlib.util.spec_from_file_location("receiver", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECEIVER = example()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hooks(mongo_url: str) -> AsyncIterator[Hooks]:
    async with running_hooks(mongo_url, new_id("test")) as hooks:
        yield hooks


async def test_the_example_takes_each_event_once_with_either_secret(hooks: Hooks):
    worked: list[Mapping[str, Any]] = []

    async def work(event: Mapping[str, Any]) -> None:
        worked.append(event)

    sock = listen("127.0.0.1", 0)
    path = f"{url_of(sock)}/webhooks"
    body = {"url": path, "event_types": ["member.*"]}
    webhook = (await hooks.ask("POST", body=body)).expect(201)
    receiver = RECEIVER.WebhookReceiver(
        webhook["secret"], work, now=lambda: hooks.clock.now().timestamp()
    )
    listener = Listener(receiver.app(), sock)
    await listener.start()
    try:
        fact = team.MemberRoleChanged(**ROLE_CHANGED, ends_sessions=False)
        await hooks.happen(fact)
        (delivery,) = await hooks.settled(webhook)
        one = f"/{webhook['id']}/deliveries/{delivery['id']}/redeliver"
        (await hooks.ask("POST", f"/{webhook['id']}/rotate-secret", {})).expect(200)
        (await hooks.ask("POST", one)).expect(200)
        (delivery,) = await hooks.settled(webhook)
        assert [attempt["status"] for attempt in delivery["attempts"]] == [204, 204]
        (event,) = worked
        assert event["data"]["details"]["previous_role"] == fact.previous_role
    finally:
        await listener.stop()


def test_the_example_refuses_what_is_forged_or_old():
    secret = secret_of(KEY, WEBHOOK, SALT)
    genuine = signed_headers(KEY, WEBHOOK, [SALT], event_id="evt_1", timestamp=1000, body=b"{}")
    assert RECEIVER.verify(secret, genuine, b"{}", now=1300) == "evt_1"
    for headers, body, now in (
        (genuine, b"{} ", 1000),
        (genuine, b"{}", 1301),
        (genuine, b"{}", 699),
        (genuine | {"webhook-id": "evt_2"}, b"{}", 1000),
        (genuine | {"webhook-timestamp": "1001"}, b"{}", 1000),
        (genuine | {"webhook-timestamp": "soon"}, b"{}", 1000),
        (genuine | {"webhook-signature": "v1,"}, b"{}", 1000),
        ({}, b"{}", 1000),
    ):
        try:
            RECEIVER.verify(secret, headers, body, now=now)
        except RECEIVER.NotVerifiedError:
            continue
        raise AssertionError((headers, body, now))
