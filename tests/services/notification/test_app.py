"""The wired service turns a fact on the bus into a mail."""

from __future__ import annotations

import pytest
from aiohttp import web
from pydantic import TypeAdapter

from deploy.configuration import Addresses, Secrets, environment
from deploy.programs.program import free_port
from services.notification.app import build
from services.notification.domain.messages import MessageKind, message_id
from services.notification.settings import Settings
from shared.bus.local import LocalBus
from shared.contracts import identity, team
from shared.contracts.calls.base import LinkAnswer
from shared.contracts.calls.identity import VerificationLinkRequest
from shared.contracts.calls.journal import HEADS, Heads
from shared.contracts.calls.team import INVITATION_LINK, InvitationLinkRequest
from shared.contracts.notification import MessageSent
from shared.contracts.topology import AUDIT, Service
from shared.mongo import connect
from shared.runtime.listeners import listen
from tests.patience import PATIENT
from tests.services.notification.samples import OPEN, USER
from tests.services.rows import on_the_bus, row_of
from tests.waiting import wait_for

REQUEST: TypeAdapter[InvitationLinkRequest | VerificationLinkRequest] = TypeAdapter(
    InvitationLinkRequest | VerificationLinkRequest
)


class LinkOwnersOverHttp:
    """A stand-in for identity and team; its answer depends on the link's generation."""

    def __init__(self):
        self.asked = []
        self.port = free_port()

    def application(self):
        application = web.Application()
        application.router.add_post(INVITATION_LINK.path, self.link)
        application.router.add_get(HEADS.path, self.heads)
        return application

    async def link(self, request):
        assert request.headers["Authorization"].startswith("Bearer ")
        body = REQUEST.validate_json(await request.text())
        self.asked.append(body)
        if body.generation == 2:
            return web.json_response({"code": "link-not-valid", "detail": "gone"}, status=410)
        answer = LinkAnswer(url=f"https://cloud.example/#token={body.id}", code="C0DE")
        return web.json_response(answer.model_dump(mode="json"))

    async def heads(self, request):
        return web.json_response(Heads(source="x", epoch="e1", heads={}).model_dump(mode="json"))


@pytest.fixture
async def owners():
    owners = LinkOwnersOverHttp()
    runner = web.AppRunner(owners.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", owners.port).start()
    yield owners
    await runner.cleanup()


@pytest.fixture
async def bus():
    bus = LocalBus(timeouts=PATIENT)
    yield bus
    await bus.close()


@pytest.fixture
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
        "notification", given=Secrets.generate(), at=at, options={"mongo_database": database_name}
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
    row = row_of(identity.UserVerificationResent(**USER, generation=2))
    await bus.publish([on_the_bus(row)])
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    messages = client[database_name]["messages"]

    async def status():
        document = await messages.find_one({})
        return document is not None and document["status"] == "withdrawn"

    await wait_for(status, what="the message to be withdrawn")
    assert scripted.taken == []
    assert owners.asked == [
        VerificationLinkRequest(kind="verification", id=USER["user_id"], generation=2)
    ]
    client.close()


async def test_the_service_reports_its_readiness(service):
    assert service.ready() == {"started": True, "bus": True}
