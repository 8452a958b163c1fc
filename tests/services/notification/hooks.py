"""Notification as a running service, with a stand-in for authz and real receivers of webhooks."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import standardwebhooks
from aiohttp import web
from pydantic import SecretStr

from services.notification.app import build
from services.notification.domain.messages import MessageKind, message_id
from services.notification.settings import Security, Settings
from shared.auth.access_tokens import sign_access_token, user_claims
from shared.auth.keys import generate_key, public_jwk
from shared.contracts.calls.authz import (
    DECIDE,
    LIVE_CALLER,
    LIVE_CALLERS,
    CallerAnswer,
    CallerRequest,
    CallersAnswer,
    CallersRequest,
    CheckRequest,
    CheckResult,
)
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    ConnectionAccount,
    ConnectionAccountRequest,
)
from shared.contracts.calls.identity import (
    KEY_SET,
    READ_PEOPLE,
    USER,
    InternalUser,
    KeySet,
    PeoplePage,
    PeopleQuery,
)
from shared.contracts.calls.journal import HEADS, Heads
from shared.contracts.topology import Service
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.ids import AccountId, SessionId, UserId
from shared.mongo import DbClient, connect
from shared.problems import Unavailable
from shared.runtime.listeners import Listener, listen, url_of
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.rows import EPOCH, row_of
from tests.support.service import ISSUER, Answered, RunningService, random_key, run_service
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiohttp.abc import AbstractResolver

    from shared.contracts.facts import Payload, Row
    from shared.http.routes import Route
    from shared.timeouts import Timeouts

ACCOUNT, OTHER = AccountId("acc_" + "1" * 32), AccountId("acc_" + "2" * 32)
ANA = UserId("usr_" + "a" * 32)
SESSION = SessionId("ses_" + "0" * 32)
QUICK = replace(PATIENT, webhook_poll=0.05)
"""A test that moves the clock does not wait for the next look."""
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Authz:
    """The stand-in for authz, identity and the other sources."""

    allowed: bool = True
    team_away: bool = False
    ended: set[str] = field(default_factory=set)
    """The sessions that have ended."""
    users_away: bool = False
    asked_in_vain: int = 0
    """How often team was asked while it was away."""
    asked: list[CheckRequest] = field(default_factory=list)
    key: Any = field(default_factory=generate_key)

    async def read_user(self, ctx: None, call: Call[None, None]) -> InternalUser:
        if self.users_away:
            raise Unavailable
        return InternalUser(
            user_id=call.path["user_id"],
            email="ana@example.com",
            email_verified=True,
            name="Ana",
            account_id=OTHER,
        )

    async def read_people(self, ctx: None, call: Call[None, PeopleQuery]) -> PeoplePage:
        return PeoplePage(people=(), next_cursor=None)

    def routes(self) -> dict[Service, Sequence[Route]]:
        async def key_set(ctx: None, call: Call[None, None]) -> KeySet:
            return KeySet(keys=[public_jwk("k1", self.key.public_key())])

        async def live(ctx: None, call: Call[CallerRequest, None]) -> CallerAnswer:
            return CallerAnswer(live=call.body.session_id not in self.ended)

        async def live_ones(ctx: None, call: Call[CallersRequest, None]) -> CallersAnswer:
            return CallersAnswer(
                live=tuple(each.session_id not in self.ended for each in call.body.callers)
            )

        async def decide(ctx: None, call: Call[CheckRequest, None]) -> CheckResult:
            self.asked.append(call.body)
            reason = "allowed" if self.allowed else "permission-missing"
            return CheckResult(allowed=self.allowed, member=True, reason=reason)

        async def heads(ctx: None, call: Call[None, None]) -> Heads:
            return Heads(source="x", epoch=EPOCH, heads={}, digests={})

        async def account(
            ctx: None, call: Call[ConnectionAccountRequest, None]
        ) -> ConnectionAccount:
            if self.team_away:
                self.asked_in_vain += 1
                raise Unavailable
            managers = ("ana@example.com",) if call.body.managers else ()
            return ConnectionAccount(open=True, account_name="Acme", manager_emails=managers)

        told = internal_route(HEADS, heads)
        of_users = (
            internal_route(USER, self.read_user),
            internal_route(READ_PEOPLE, self.read_people),
        )
        return {
            Service.IDENTITY: (internal_route(KEY_SET, key_set), told, *of_users),
            Service.AUTHZ: (
                internal_route(DECIDE, decide),
                internal_route(LIVE_CALLER, live),
                internal_route(LIVE_CALLERS, live_ones),
            ),
            Service.TEAM: (told, internal_route(CONNECTION_ACCOUNT, account)),
            Service.AUDIT: (told,),
            Service.NOTIFICATION: (told,),
        }


@dataclass
class Received:
    """One request that a receiver got."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content

    def signed_with(self, secret: str) -> bool:
        """Whether the signature is by this secret; the oracle takes the time of the request."""
        stamp = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), tz=UTC)
        expected = standardwebhooks.Webhook(secret).sign(self.id, stamp, self.body.decode())
        return expected in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """A receiver of webhooks whose answers are scripted; without a script it answers 204."""

    got: list[Received] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    status: int = 204
    silent: bool = False
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Received(headers, await request.read(), request.path))
        if self.silent:
            await self.freed.wait()
        return self.answers.pop(0) if self.answers else web.Response(status=self.status)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver at an address of this machine."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    sock = listen("127.0.0.1", 0)
    listener = Listener(app, sock)
    await listener.start()
    receiver.url = f"{url_of(sock)}/hook"
    yield receiver
    receiver.freed.set()
    await listener.stop()


@dataclass(kw_only=True)
class Hooks(RunningService):
    """A running notification."""

    authz: Authz

    async def ask(
        self, method: str, path: str = "", body: Any = None, *, account: str = ACCOUNT, **more: Any
    ) -> Answered:
        """Send a request of Ana about the webhooks of an account."""
        claims = user_claims(
            issuer=ISSUER, user_id=ANA, session_id=SESSION, account_id=ACCOUNT, now=self.clock.now()
        )
        token = sign_access_token(self.authz.key, "k1", claims)
        return await self.send(
            method, f"/v1/accounts/{account}/webhooks{path}", body, token=token, **more
        )

    async def make(self, receiver: Receiver, **fields: Any) -> dict[str, Any]:
        """A new webhook to a receiver."""
        answer = await self.ask("POST", body={"url": receiver.url} | fields)
        return dict(answer.expect(201))

    async def happen(self, *facts: Payload, account_id: str = ACCOUNT) -> list[Row]:
        """Let facts of the account happen; they are taken when this returns."""
        rows = [row_of(fact, account_id=account_id) for fact in facts]
        for row in rows:
            await self.tell(row)
        return rows

    async def deliveries(self, webhook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
        answer = await self.ask("GET", f"/{webhook['id']}/deliveries{query}")
        return list(answer.expect(200)["items"])

    async def mail(self, row: Row, kind: MessageKind, recipient: str) -> dict[str, Any] | None:
        """The mail to a recipient that follows from a fact."""
        key = message_id(row.id, kind, recipient)
        found: dict[str, Any] | None = await self.database["messages"].find_one({"_id": key})
        return found

    async def settled_of(self, webhook: dict[str, Any], count: int) -> list[dict[str, Any]]:
        """The deliveries that succeeded, once there are as many."""

        async def all_there() -> list[dict[str, Any]] | None:
            found = await self.deliveries(webhook, "?status=delivered&limit=200")
            return found if len(found) >= count else None

        found: list[dict[str, Any]] = await wait_for(all_there, what="every delivery")
        return found

    async def settled(self, webhook: dict[str, Any]) -> list[dict[str, Any]]:
        """The deliveries of a webhook, once none is due now."""

        async def none_due() -> list[dict[str, Any]] | None:
            stored = self.database["deliveries"].find({"webhook_id": webhook["id"], "open": True})
            waiting = [one async for one in stored]
            if any(one["claim"] or one["due_at"] <= self.clock.now() for one in waiting):
                return None
            return await self.deliveries(webhook)

        found: list[dict[str, Any]] = await wait_for(none_due, what="no delivery that is due")
        return found


@asynccontextmanager
async def running_hooks(
    mongo_url: str,
    database: str,
    *,
    timeouts: Timeouts = QUICK,
    names: AbstractResolver | None = None,
    **fields: Any,
) -> AsyncIterator[Hooks]:
    """Notification on a real database; its receivers may be on this machine."""
    authz = Authz()
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": 9,
        "smtp_security": Security.NONE,
        "mail_from": "no-reply@mail.example",
        "webhook_key": SecretStr(f"{random_key()},{random_key()}"),
        "webhook_networks": LOOPBACK,
    }
    # The stand-in tells the same epoch for every source, this service among them.
    client: DbClient = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    await client[database]["heads"].insert_one({"_id": "epoch", "epoch": EPOCH})
    client.close()
    async with run_service(
        Hooks,
        build,
        Settings,
        service=Service.NOTIFICATION,
        mongo_url=mongo_url,
        database=database,
        clock=SetClock(datetime(2100, 3, 1, 12, tzinfo=UTC)),
        others=authz.routes(),
        fields={**settings, **fields},
        timeouts=timeouts,
        wiring={"names": names},
        authz=authz,
    ) as hooks:
        yield hooks
