"""How is a real identity run for a test, with stand-ins for the services that it asks?"""

from __future__ import annotations

import base64
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from services.identity.app import build
from services.identity.settings import Settings
from shared.auth import Authenticator, InternalVerifier
from shared.auth.keys import encode
from shared.bus import BusMessage, Verdict
from shared.bus.local import LocalBus
from shared.contracts.calls import (
    DECIDE,
    HEADS,
    INVITATION_LOOKUP,
    VERIFICATION_LINK,
    CheckRequest,
    CheckResult,
    Heads,
    InvitationLookupRequest,
    InvitedAddress,
    VerificationLinkRequest,
)
from shared.contracts.facts import Row, shard_of
from shared.contracts.topology import AUDIT, Service
from shared.http import Api, Call, mount
from shared.http.client import InternalClient
from shared.http.internal import internal_route
from shared.journal import rows
from shared.mongo import connect
from shared.problems import Refusal, RefusalKind
from shared.runtime.listeners import Listener, listen, url_of
from shared.runtime.settings import generate_internal_keys
from shared.timeouts import Timeouts
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.mongo import Database, DbClient

PASSWORD = "correct-horse-battery"
ADMIN_KEY = "the-operators-key-" + "0123456789abcdef"
ISSUER = "https://rolecall.example"
# The database's own clock deletes what has expired: nothing here may have.
FAR = datetime(2100, 3, 1, 12, tzinfo=UTC)
KEYS = generate_internal_keys(tuple(Service))
SECRETS = {name: encode(secrets.token_bytes(32)) for name in ("link", "refresh", "sealing")}


class NotValid(Refusal):
    kind = RefusalKind.GONE
    code = "invitation-not-valid"
    detail = "No."


@dataclass
class Neighbours:
    """What team and authz would answer."""

    invitations: dict[tuple[str, str], InvitedAddress] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)
    asked: list[CheckRequest] = field(default_factory=list)
    """What authz was asked."""
    url: str = ""

    def invite(self, email: str, delivery: str) -> dict[str, str]:
        """An invitation for this address, as a sign-up sends it."""
        proof = {"token": secrets.token_hex(8), "code": secrets.token_hex(4)}
        invited = InvitedAddress(email=email, delivery=delivery)
        self.invitations[proof["token"], proof["code"]] = invited
        return proof

    @asynccontextmanager
    async def running(self, clock: SetClock) -> AsyncIterator[None]:
        async def lookup(ctx: object, call: Call[InvitationLookupRequest, None]) -> InvitedAddress:
            try:
                return self.invitations[call.body.token, call.body.code]
            except KeyError:
                raise NotValid from None

        async def decide(ctx: object, call: Call[CheckRequest, None]) -> CheckResult:
            self.asked.append(call.body)
            member = (call.body.user_id, call.body.account_id) in self.members
            return CheckResult(allowed=member, member=member)

        async def heads(ctx: object, call: Call[None, None]) -> Heads:
            return Heads(source="team", epoch="e1", heads={})

        table = {
            "team": (
                internal_route(INVITATION_LOOKUP, lookup, refuses=(NotValid,)),
                internal_route(HEADS, heads),
            ),
            "authz": (internal_route(DECIDE, decide),),
        }
        app = web.Application()
        mount(
            app,
            *(
                Api(
                    name,
                    routes,
                    None,
                    authenticator=Authenticator(
                        internal=InternalVerifier(service=name, keys=KEYS.public, clock=clock)
                    ),
                )
                for name, routes in table.items()
            ),
        )
        sock = listen("127.0.0.1", 0)
        listener = Listener(app, sock)
        self.url = url_of(sock)
        await listener.start()
        try:
            yield
        finally:
            await listener.stop()


@dataclass
class Reply:
    status: int
    body: Any
    headers: Any
    text: str


@dataclass
class Identity:
    """A running identity and everything that a test asks of it."""

    url: str
    inside: str
    http: aiohttp.ClientSession
    notification: InternalClient
    database: Database
    clock: SetClock
    neighbours: Neighbours
    bus: LocalBus
    heard: list[Row]
    """What the bus carried."""

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | str | None = None,
    ) -> Reply:
        base = self.inside if path.startswith("/internal/") else self.url
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if isinstance(form, str):
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        async with self.http.request(
            method, base + path, json=body, data=form, headers=sent
        ) as answer:
            text = await answer.text()
            parsed = await answer.json(content_type=None) if text else None
            return Reply(answer.status, parsed, answer.headers, text)

    async def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return await self.send("POST", path, body, **options)

    async def sign_up(
        self, email: str, *, password: str = PASSWORD, name: str = "Ana", **options: Any
    ) -> Reply:
        body = {"email": email, "name": name, "password": password}
        return await self.post("/v1/signup", body, **options)

    async def log_in(self, email: str, password: str = PASSWORD, **options: Any) -> Reply:
        return await self.post("/v1/login", {"email": email, "password": password}, **options)

    async def link(self, user_id: str, generation: int = 1) -> dict[str, str]:
        """What notification gets to put into the mail."""
        request = VerificationLinkRequest(kind="verification", id=user_id, generation=generation)
        answer = await self.notification.call(VERIFICATION_LINK, "identity", request)
        return {"token": answer.url.partition("#token=")[2], "code": answer.code}

    async def newest_user(self, email: str) -> str:
        """The user who signed up last with this address, by the fact that tells of it."""
        told = [row for row in await self.rows("user.signed_up") if row.data["email"] == email]
        return str(max(told, key=lambda row: row.id).data["user_id"])

    async def person(self, email: str, *, name: str = "Ana") -> dict[str, Any]:
        """Sign up, prove the address, and be signed in."""
        assert (await self.sign_up(email, name=name)).status == 202
        link = await self.link(await self.newest_user(email))
        answer = await self.post("/v1/email/verify", link)
        assert answer.status == 200, answer.text
        return dict(answer.body)

    async def make_client(self, **fields: Any) -> dict[str, str]:
        body = {"name": "billing", "scopes": ["authz:check"]} | fields
        answer = await self.post("/internal/admin/service-clients", body, token=ADMIN_KEY)
        assert answer.status == 201, answer.text
        return dict(answer.body)

    async def get_token(self, client: dict[str, str] | None, form: dict[str, str] | str) -> Reply:
        headers = {}
        if client is not None:
            pair = f"{client['id']}:{client['secret']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return await self.post("/oauth2/token", form=form, headers=headers)

    async def rows(self, action: str | None = None) -> list[Row]:
        """The journal of people and clients, oldest first; or one action's rows."""
        found = [rows.read(row) async for row in self.database["journal"].find({})]
        found.sort(key=lambda row: row.id)
        if action is None:
            return [row for row in found if row.action != "signing_key.created"]
        return [row for row in found if row.action == action]

    async def actions_of(self, user_id: str) -> list[str]:
        """What the journal tells of one user's shard, in its order."""
        shard = shard_of(user_id)
        found = [row for row in await self.rows() if row.shard == shard]
        return [row.action for row in sorted(found, key=lambda row: row.seq)]

    async def tell(self, row: Row) -> None:
        """Let the bus bring a fact of another service, and wait until it was taken."""
        await self.bus.publish([rows.message(row)])

    async def all_heard(self) -> set[str]:
        """The ids of the rows on the bus, once these are all that were committed."""

        async def none_left() -> bool:
            return {row.id for row in self.heard} == {
                rows.read(row).id async for row in self.database["journal"].find({})
            }

        done: bool = await wait_for(none_left, what="every row on the bus")
        assert done
        return {row.id for row in self.heard}


def settings_for(mongo_url: str, database: str, neighbours: str, **fields: Any) -> Settings:
    """What the environment would say."""
    return Settings(
        **{
            "mongo_url": SecretStr(mongo_url),
            "mongo_database": database,
            "amqp_url": SecretStr("memory://"),
            "public_url": ISSUER,
            "internal_key": SecretStr(KEYS.private["identity"]),
            "internal_keys": KEYS.public,
            "internal_urls": {"team": (neighbours,), "authz": (neighbours,)},
            "admin_key": SecretStr(ADMIN_KEY),
            "trusted_proxies": ("127.0.0.0/8",),
            "link_key": SecretStr(SECRETS["link"]),
            "refresh_key": SecretStr(SECRETS["refresh"]),
            "sealing_key": SecretStr(SECRETS["sealing"]),
            "answer_step_seconds": 0.02,
            **fields,
        }
    )


@asynccontextmanager
async def running(
    mongo_url: str,
    database: str,
    *,
    clock: SetClock | None = None,
    neighbours: Neighbours | None = None,
    timeouts: Timeouts = PATIENT,
    **fields: Any,
) -> AsyncIterator[Identity]:
    """A real identity on two real ports, on a real database and the in-process bus."""
    clock = clock or SetClock(FAR)
    neighbours = neighbours or Neighbours()
    async with neighbours.running(clock):
        settings = settings_for(mongo_url, database, neighbours.url, **fields)
        bus = LocalBus(timeouts=timeouts)
        heard: list[Row] = []

        async def hear(message: BusMessage) -> Verdict:
            heard.append(Row.from_event(message.body))
            return Verdict.ACK

        async def resync() -> None:
            return None

        await bus.subscribe(AUDIT, hear, on_resync=resync)
        service = build(settings, bus=bus, clock=clock, timeouts=timeouts)
        public = listen("127.0.0.1", 0)
        client: DbClient = connect(mongo_url, app_name="test", timeouts=PATIENT)
        notification = None
        try:
            await service.start(internal=listen("127.0.0.1", 0), public=public)
            notification = InternalClient(
                service="notification",
                key=SecretStr(KEYS.private["notification"]),
                urls={"identity": [service.addresses["internal"]]},
                clock=clock,
            )
            async with aiohttp.ClientSession() as http:
                yield Identity(
                    url=service.addresses["public"],
                    inside=service.addresses["internal"],
                    http=http,
                    notification=notification,
                    database=client[database],
                    clock=clock,
                    neighbours=neighbours,
                    bus=bus,
                    heard=heard,
                )
        finally:
            if notification is not None:
                await notification.close()
            await service.stop()
            await bus.close()
            client.close()
