"""The wired service turns a fact on the bus into a mail."""

from __future__ import annotations

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import TypeAdapter

from deploy.configuration import Addresses, environment
from deploy.programs.program import free_port
from services.notification.adapters.links import InternalLinkSource
from services.notification.app import build
from services.notification.domain.messages import LinkRequest, MailLink, MessageKind, message_id
from services.notification.settings import Settings
from shared.auth.keys import generate_key, public_jwk
from shared.bus.local import LocalBus
from shared.contracts import identity, team
from shared.contracts.calls.base import LinkAnswer
from shared.contracts.calls.identity import (
    KEY_SET,
    PASSWORD_RESET_LINK,
    SIGN_UP_LINK,
    VERIFICATION_LINK,
    FarewellRequest,
    KeySet,
    PasswordResetLinkRequest,
    SignUpLinkRequest,
    VerificationLinkRequest,
)
from shared.contracts.calls.journal import HEADS, Heads
from shared.contracts.calls.team import INVITATION_LINK, InvitationLinkRequest
from shared.contracts.notification import MessageSent
from shared.contracts.topology import AUDIT, Service
from shared.mongo import connect
from shared.runtime.listeners import listen
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.notification.samples import OPEN, SIGN_UP
from tests.services.rows import on_the_bus, row_of
from tests.support.journal_keys import generated_secrets
from tests.support.service import caller_of
from tests.waiting import wait_for

REQUESTS: dict[str, TypeAdapter[LinkRequest]] = {
    INVITATION_LINK.path: TypeAdapter(InvitationLinkRequest | VerificationLinkRequest),
    SIGN_UP_LINK.path: TypeAdapter(SignUpLinkRequest),
    PASSWORD_RESET_LINK.path: TypeAdapter(PasswordResetLinkRequest),
}


class LinkOwnersOverHttp:
    """A stand-in for identity and team; its answer depends on the link's generation."""

    def __init__(self):
        self.asked = []
        self.port = free_port()
        self.key = generate_key()

    def application(self):
        application = web.Application()
        for path in REQUESTS:
            application.router.add_post(path, self.link)
        application.router.add_get(HEADS.path, self.heads)
        application.router.add_get(KEY_SET.path, self.keys)
        return application

    async def link(self, request):
        assert request.headers["Authorization"].startswith("Bearer ")
        body = REQUESTS[request.path].validate_json(await request.text())
        self.asked.append(body)
        if not isinstance(body, FarewellRequest) and body.generation == 2:
            return web.json_response({"code": "link-not-valid", "detail": "gone"}, status=410)
        answer = LinkAnswer(url=f"https://cloud.example/?token={body.id}", code="C0DE")
        return web.json_response(answer.model_dump(mode="json"))

    async def keys(self, request):
        return web.json_response(
            KeySet(keys=[public_jwk("k1", self.key.public_key())]).model_dump()
        )

    async def heads(self, request):
        return web.json_response(
            Heads(source="x", epoch="e1", heads={}, digests={}).model_dump(mode="json")
        )


@pytest_asyncio.fixture(loop_scope="module")
async def owners():
    owners = LinkOwnersOverHttp()
    runner = web.AppRunner(owners.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", owners.port).start()
    yield owners
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def bus():
    bus = LocalBus(timeouts=PATIENT)
    yield bus
    await bus.close()


@pytest_asyncio.fixture(loop_scope="module")
async def service(owners, bus, scripted, mongo_url, database_name, monkeypatch):
    at = Addresses(
        mongo_url=mongo_url,
        amqp_url="memory://",
        public_url="https://cloud.example",
        internal_urls={name: [f"http://127.0.0.1:{owners.port}"] for name in Service},
        smtp_host="127.0.0.1",
        smtp_port=scripted.port,
    )
    given = environment(
        "notification", given=generated_secrets(), at=at, options={"mongo_database": database_name}
    )
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    service = build(Settings(), bus=bus, timeouts=PATIENT)
    await service.start(internal=listen("127.0.0.1", 0))
    yield service
    await service.stop()


async def test_a_fact_on_the_bus_becomes_a_mail_and_a_fact_of_notification(
    service, owners, bus, scripted
):
    heard = []

    async def record_type(message):
        heard.append(message.type)
        return "ack"

    async def nothing():
        return None

    await bus.subscribe(AUDIT, record_type, on_resync=nothing)
    row = row_of(team.InvitationCreated(**OPEN, delivery="email"), account_id="acc_1")
    await bus.publish([on_the_bus(row)])
    expected = message_id(row.id, MessageKind.INVITATION, "bo@example.com")
    await wait_for(lambda: scripted.taken, what="the mail")
    assert scripted.taken == [(("bo@example.com",), f"<{expected}@cloud.example>")]
    assert owners.asked == [
        InvitationLinkRequest(kind="invitation", id=OPEN["invitation_id"], generation=1)
    ]
    await wait_for(lambda: MessageSent.type in heard, what="the fact of notification on the bus")


async def test_a_link_that_is_gone_is_not_mailed(
    service, owners, bus, scripted, mongo_url, database_name
):
    row = row_of(identity.SignUpRequested(**SIGN_UP, generation=2))
    await bus.publish([on_the_bus(row)])
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    messages = client[database_name]["messages"]

    async def status():
        document = await messages.find_one({})
        return document is not None and document["status"] == "withdrawn"

    await wait_for(status, what="the message to be withdrawn")
    assert scripted.taken == []
    assert owners.asked == [
        SignUpLinkRequest(kind="sign-up", id=SIGN_UP["sign_up_id"], generation=2)
    ]
    client.close()


@pytest.mark.parametrize(
    ("call", "request_", "code"),
    [
        (INVITATION_LINK, {"kind": "invitation", "id": "inv_" + "1" * 32}, "C0DE"),
        (SIGN_UP_LINK, {"kind": "sign-up", "id": "sup_" + "1" * 32}, "C0DE"),
        (PASSWORD_RESET_LINK, {"kind": "password-reset", "id": "usr_" + "1" * 32}, None),
        (VERIFICATION_LINK, {"kind": "verification", "id": "usr_" + "1" * 32}, "C0DE"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_each_kind_of_link_is_asked_of_its_owner(owners, call, request_, code):
    urls = dict.fromkeys(call.callees, f"http://127.0.0.1:{owners.port}")
    client = caller_of(Service.NOTIFICATION, urls, SetClock())
    request = call.request(**request_, generation=1)
    link = await InternalLinkSource(client).link(request)
    assert isinstance(link, MailLink)
    assert (link.url, link.code) == (f"https://cloud.example/?token={request.id}", code)
    assert owners.asked == [request]
    await client.close()


async def test_the_service_reports_its_readiness(service):
    await wait_for(lambda: service.ready() == {"started": True, "keys": True}, what="readiness")
