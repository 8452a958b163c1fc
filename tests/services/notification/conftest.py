"""Notification on a real database and a scripted mail server."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import json
import secrets
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller

from deploy.programs.program import free_port
from services.notification.adapters.smtp import SmtpTransport
from services.notification.domain.mails import MailSender
from services.notification.domain.messages import HiddenRecipient, LinkRequest, MailLink
from services.notification.domain.preferences import UnsubscribeLinks
from services.notification.migrations import migrations
from services.notification.settings import Security
from services.notification.store import (
    Deliveries,
    Digests,
    Entries,
    Messages,
    Paces,
    People,
    PreferenceRows,
    Webhooks,
)
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.sender import run_sender
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.calls.identity import (
    FarewellRequest,
    InternalUser,
    PeoplePage,
    PersonKnown,
)
from shared.contracts.facts import SHARDS
from shared.contracts.refusals import MailboxFull
from shared.http.outbound import Outbound
from shared.journal import Journal
from shared.journal.relay import Relay
from shared.migrations import migrate
from shared.mongo import connect, majority
from shared.problems import Unavailable, refusal_of
from shared.receivers.posts import ReceiverPosts
from tests.patience import PATIENT
from tests.support.journal_keys import signer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from shared.mongo import Database

SENDER = MailSender(
    pages=True,
    address="no-reply@mail.example",
    name="Rolecall",
    product="Rolecall",
    public_url="https://cloud.example",
)


UNSUBSCRIBE_LINKS = UnsubscribeLinks(b"u" * 32, SENDER.public_url)


class MovedClock(SystemClock):
    """A clock that stands still until `ahead` is increased or `goes` is set."""

    def __init__(self):
        self.ahead = timedelta(0)
        self.goes = False
        self._made_at = super().now()

    def now(self):
        return (super().now() if self.goes else self._made_at) + self.ahead

    def boottime(self):
        return super().boottime() + self.ahead.total_seconds()


@dataclass
class LinkOwners:
    """A stand-in for the owners of links; the tests of their routes prove the real ones."""

    gone: set[tuple[str, int]] = field(default_factory=set)
    away: bool = False
    away_when_done: bool = False
    mailbox_full: bool = False
    asked: list[LinkRequest] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def link(self, request):
        self.asked.append(request)
        if self.away:
            raise Unavailable
        if isinstance(request, FarewellRequest):
            return self.addressee(request)
        if self.mailbox_full:
            raise MailboxFull
        if (request.id, request.generation) in self.gone:
            raise refusal_of(410, {"code": "link-not-valid"})
        token = f"{request.id}.{request.generation}.mac"
        return MailLink(url=f"https://cloud.example/{request.kind}?token={token}", code="K7QM2XWP")

    def addressee(self, request):
        if request.id in self.forgotten:
            raise refusal_of(410, {"code": "link-invalid"})
        return HiddenRecipient(email="bo@example.com", name="Bo Li")

    async def done(self, request):
        if self.away_when_done:
            raise Unavailable
        self.forgotten.append(request.id)


class NoAccounts:
    """A stand-in for team, where no webhook is disabled."""

    async def managers(self, account_id):
        raise Unavailable


@dataclass
class ListedUsers:
    """A stand-in for identity: its users page by page, or an earlier version without the list."""

    pages: list[list[PersonKnown]] = field(default_factory=list)
    earlier_version: bool = False
    asked: int = 0
    named: dict[str, InternalUser] = field(default_factory=dict)
    away: bool = False

    async def user(self, user_id):
        if self.away:
            raise Unavailable
        return self.named.get(user_id)

    async def page(self, cursor):
        self.asked += 1
        if self.away:
            raise Unavailable
        if self.earlier_version:
            return None
        number = int(cursor or 0)
        following = str(number + 1) if number + 1 < len(self.pages) else None
        return PeoplePage(people=tuple(self.pages[number]), next_cursor=following)


@dataclass
class KnownSessions:
    """A stand-in for authz, which knows the sessions that have ended."""

    ended: set[str] = field(default_factory=set)
    away: bool = False

    async def live(self, principals):
        if self.away:
            raise Unavailable
        return [each.session_id not in self.ended for each in principals]


@dataclass
class ScriptedServer:
    """A real SMTP server that records what it gets and whose replies are scripted."""

    hello_replies: list[str] = field(default_factory=list)
    sender_replies: list[str] = field(default_factory=list)
    recipient_replies: list[str] = field(default_factory=list)
    data_replies: list[str] = field(default_factory=list)
    taken: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    mails: list[email.message.EmailMessage] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    greetings: list[str] = field(default_factory=list)
    quits: int = 0
    after_data: Callable[[Any], Awaitable[None]] | None = None
    """Called with the server's connection after a mail's bytes arrived, before the reply."""
    port: int = field(default_factory=free_port)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        session.host_name = hostname
        self.greetings.append(hostname)
        self.sessions.add(id(session))
        return [self.hello_replies.pop(0)] if self.hello_replies else responses

    async def handle_HELO(self, server, session, envelope, hostname):  # noqa: N802
        session.host_name = hostname
        self.sessions.add(id(session))
        return self.hello_replies.pop(0) if self.hello_replies else "250 fine"

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802
        self.quits += 1
        return "221 bye"

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        reply = self.sender_replies.pop(0) if self.sender_replies else "250 fine"
        if reply.startswith("2"):
            envelope.mail_from = address
        return reply

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        reply = self.recipient_replies.pop(0) if self.recipient_replies else "250 fine"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply.encode("latin-1")

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        reply = self.data_replies.pop(0) if self.data_replies else "250 taken"
        if reply.startswith("2") or reply == "drop":
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.taken.append((tuple(envelope.rcpt_tos), str(parsed["Message-ID"])))
            self.mails.append(parsed)
        if self.after_data is not None:
            await self.after_data(server)
        if reply == "drop":
            server.transport.abort()
        return reply.encode("latin-1") if reply != "drop" else "250 taken"

    @property
    def message_ids(self):
        return [message_id for _, message_id in self.taken]


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    handler = ScriptedServer()
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@dataclass
class Sending:
    """Notification on a real database, towards the mail server at `port`."""

    ctx: Ctx
    transport: SmtpTransport
    clock: MovedClock
    owners: LinkOwners
    users: ListedUsers
    bus: LocalBus
    database: Database

    async def statuses(self):
        found = majority(self.database, "messages").find({})
        return {document["_id"]: document["status"] async for document in found}

    async def one(self):
        [document] = [each async for each in majority(self.database, "messages").find({})]
        return document

    async def rows(self):
        return [
            signed.row
            for shard in range(SHARDS)
            for signed in await self.ctx.journal.changes(shard, after=0, limit=500)
        ]

    async def facts(self):
        return [(row.action, row.data["message_id"]) for row in await self.rows()]

    async def facts_of_accounts(self):
        """The facts that the audit log of an account shows."""
        rows = [row for row in await self.rows() if row.account_id is not None]
        return [(row.account_id, row.action, row.data["kind"]) for row in rows]

    @contextlib.asynccontextmanager
    async def running(self, *, connections=4):
        task = asyncio.create_task(run_sender(self.ctx, connections=connections))
        try:
            yield task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def make_sending(mongo_url, database_name, *, port, clock=None) -> Sending:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[database_name]
    clock = clock or MovedClock()
    bus = LocalBus(timeouts=PATIENT)
    relay = Relay(database, bus, holder="tests", clock=clock)
    journal = Journal(
        client,
        database,
        source="notification",
        signer=signer("notification"),
        relay=relay,
        clock=clock,
        timeouts=PATIENT,
    )
    await migrate(database, migrations(signer("notification")), clock=SystemClock())
    await journal.start()
    owners, users = LinkOwners(), ListedUsers()
    transport = SmtpTransport(host="127.0.0.1", port=port, security=Security.NONE, clock=clock)
    ctx = Ctx(
        client=client,
        messages=Messages(database),
        digests=Digests(database),
        paces=Paces(database),
        people=People(database),
        entries=Entries(database),
        preferences=PreferenceRows(database),
        unsubscribe_links=UNSUBSCRIBE_LINKS,
        journal=journal,
        transport=transport,
        links=owners,
        sender=SENDER,
        clock=clock,
        queued=asyncio.Event(),
        webhooks=Webhooks(database),
        deliveries=Deliveries(database),
        posts=ReceiverPosts(Outbound(), clock, user_agent="tests"),
        accounts=NoAccounts(),
        users=users,
        signed_in=KnownSessions(),
        webhook_key=secrets.token_bytes(32),
        former_webhook_keys=(),
    )
    return Sending(
        ctx=ctx,
        transport=transport,
        clock=clock,
        owners=owners,
        users=users,
        bus=bus,
        database=database,
    )


async def end_sending(sending: Sending) -> None:
    await sending.transport.close()
    await sending.bus.close()
    sending.ctx.client.close()


@pytest_asyncio.fixture(loop_scope="module")
async def sending(mongo_url, database_name, scripted) -> AsyncIterator[Sending]:
    sending = await make_sending(mongo_url, database_name, port=scripted.port)
    yield sending
    await end_sending(sending)


async def _send_in_another_process(mongo_url: str, database_name: str, port: int) -> None:
    sending = await make_sending(mongo_url, database_name, port=port, clock=SystemClock())
    await run_sender(sending.ctx, connections=1)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    arguments = json.loads(sys.argv[1])
    asyncio.run(_send_in_another_process(**arguments))
