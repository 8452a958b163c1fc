"""How is a real team run for a test, with a stand-in for the identity that it asks?"""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.team.app import build
from services.team.settings import Settings
from services.team.store import Store
from shared.auth import Authenticator, InternalVerifier
from shared.auth.access_tokens import sign_access_token, user_claims
from shared.auth.keys import decode, encode, public_jwk
from shared.bus import BusMessage, Verdict
from shared.bus.local import LocalBus
from shared.contracts import identity
from shared.contracts.calls import HEADS, KEY_SET, USER, Heads, InternalUser, KeySet
from shared.contracts.facts import Row
from shared.contracts.topology import AUDIT, Service
from shared.http import Api, Call, mount
from shared.http.client import InternalClient
from shared.http.internal import internal_route
from shared.ids import AccountId, SessionId, UserId, new_id
from shared.journal import rows
from shared.links import Link, Links
from shared.mongo import connect, transact
from shared.problems import NotFound, Unavailable
from shared.runtime.listeners import Listener, listen, url_of
from shared.runtime.settings import generate_internal_keys
from shared.timeouts import Timeouts
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.rows import row_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from rolecall import Catalog
    from shared.mongo import Database, DbClient, DbSession

ISSUER = "https://rolecall.example"
KEYS = generate_internal_keys(tuple(Service))
LINK_KEY = encode(secrets.token_bytes(32))
SIGNING_KEY = Ed25519PrivateKey.generate()
KID = "key_1"


@dataclass
class StandIn:
    """What identity would answer."""

    users: dict[str, InternalUser] = field(default_factory=dict)
    away: bool = False
    before_answering: Callable[[], Awaitable[None]] | None = None
    """What happens while team waits for a user."""

    @asynccontextmanager
    async def running(self, clock: SetClock) -> AsyncIterator[str]:
        async def user(ctx: object, call: Call[None, None]) -> InternalUser:
            if self.away:
                raise Unavailable
            if self.before_answering is not None:
                await self.before_answering()
            found = self.users.get(call.path["user_id"])
            if found is None:
                raise NotFound
            return found

        async def heads(ctx: object, call: Call[None, None]) -> Heads:
            return Heads(source="identity", epoch="e1", heads={})

        async def keys(ctx: object, call: Call[None, None]) -> KeySet:
            return KeySet(keys=[public_jwk(KID, SIGNING_KEY.public_key())])

        routes = (
            internal_route(USER, user),
            internal_route(HEADS, heads),
            internal_route(KEY_SET, keys),
        )
        verifier = InternalVerifier(service="identity", keys=KEYS.public, clock=clock)
        app = web.Application()
        mount(app, Api("identity", routes, None, authenticator=Authenticator(internal=verifier)))
        sock = listen("127.0.0.1", 0)
        listener = Listener(app, sock)
        await listener.start()
        yield url_of(sock)
        await listener.stop()


@dataclass
class Reply:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["code"])

    def expect(self, status: int) -> Any:
        assert self.status == status, (self.status, self.body)
        return self.body


@dataclass
class Person:
    """A user who talks to team."""

    team: Team
    user_id: str
    account_id: str
    email: str
    name: str
    acct: str = ""
    session_id: str = field(default_factory=lambda: new_id("ses"))

    @property
    def path(self) -> str:
        """Their personal account's address."""
        return f"/v1/accounts/{self.account_id}"

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        claims = user_claims(
            issuer=ISSUER,
            user_id=UserId(self.user_id),
            session_id=SessionId(self.session_id),
            account_id=AccountId(self.acct or self.account_id),
            now=self.team.clock.now(),
        )
        token = sign_access_token(SIGNING_KEY, KID, claims)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.team.send(
            method, path, body, headers={**sent, "Authorization": f"Bearer {token}"}
        )

    async def get(self, path: str) -> Any:
        return (await self.send("GET", path)).expect(200)


@dataclass
class Account:
    """A team account, and the people in it by role."""

    team: Team
    id: str
    owner: Person
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/v1/accounts/{self.id}"

    async def invite(self, email: str, role: str, *, by: Person | None = None) -> dict[str, str]:
        """The proof that a link delivery shows, or that a mail would carry."""
        body = {"email": email, "role": role}
        answer = await (by or self.owner).send("POST", f"{self.path}/invitations", body)
        return await self.team.proof(answer.expect(201)["invitation"]["id"])

    async def join(self, role: str, name: str | None = None) -> Person:
        """Somebody new who is a member with this role."""
        person = await self.team.person(name or role.title())
        proof = await self.invite(person.email, role)
        (await person.send("POST", "/v1/invitations/accept", proof)).expect(200)
        self.people[name or role] = person
        return person


@dataclass
class Team:
    """A running team and everything that a test asks of it."""

    urls: Iterator[str]
    """The replicas, in turn and for ever."""
    inside: str
    http: aiohttp.ClientSession
    client: DbClient
    database: Database
    clock: SetClock
    identity: StandIn
    bus: LocalBus
    callers: dict[str, InternalClient]
    heard: list[Row]

    async def send(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        async with self.http.request(
            method, next(self.urls) + path, json=body, headers=headers or {}
        ) as answer:
            text = await answer.text()
            content = await answer.json(content_type=None) if text else None
            return Reply(answer.status, content, answer.headers)

    def stranger(self, name: str = "Ana", email: str | None = None, **fields: Any) -> Person:
        """Somebody whom identity knows, and team has not heard of."""
        person = Person(
            team=self,
            user_id=new_id("usr"),
            account_id=new_id("acc"),
            email=email or f"{name.lower().replace(' ', '.')}.{secrets.token_hex(3)}@example.com",
            name=name,
        )
        self.identity.users[person.user_id] = InternalUser(
            **{
                "user_id": person.user_id,
                "email": person.email,
                "email_verified": True,
                "name": name,
                "account_id": person.account_id,
                "status": "active",
            }
            | fields
        )
        return person

    async def person(self, name: str = "Ana", email: str | None = None) -> Person:
        """Somebody who has proved the address, and whose news team has heard."""
        person = self.stranger(name, email)
        await self.tell(row_of(verified(person)))
        return person

    async def account(self, catalog: str = "standard") -> Account:
        """A team account of a new owner."""
        owner = await self.person("Owner")
        body = {"name": "Engines", "catalog": catalog}
        (await owner.send("POST", f"{owner.path}/convert", body)).expect(200)
        return Account(team=self, id=owner.account_id, owner=owner)

    async def publish(self, catalog: Catalog) -> None:
        """Make a catalog of the platform's own available."""

        async def work(session: DbSession) -> None:
            await Store(self.database).insert_catalog(
                catalog, rev=0, now=self.clock.now(), session=session
            )

        await transact(self.client, work)

    async def proof(self, invitation_id: str, generation: int | None = None) -> dict[str, str]:
        """What the invitation's link carries, made from the key as team itself does."""
        if generation is None:
            found = await self.database["invitations"].find_one({"_id": invitation_id})
            assert found is not None
            generation = found["generation"]
        links = Links(decode(LINK_KEY), "invitation")
        link = Link(invitation_id, generation)
        return {"token": links.token(link), "code": links.code(link)}

    async def tell(self, row: Row) -> None:
        """Let the bus bring a fact of identity, and wait until it was taken."""
        await self.bus.publish([rows.message(row)])

    async def rows(self, *actions: str) -> list[Row]:
        """What the journal tells, each shard in its order; only these actions, if any are named."""
        found = [rows.read(row) async for row in self.database["journal"].find({})]
        found.sort(key=lambda row: (row.shard, row.seq))
        return [row for row in found if not actions or row.action in actions]


def verified(person: Person) -> identity.UserVerified:
    return identity.UserVerified(
        user_id=person.user_id,
        email=person.email,
        name=person.name,
        account_id=person.account_id,
    )


def settings_for(mongo_url: str, database: str, identity_url: str, **fields: Any) -> Settings:
    """What the environment would say."""
    return Settings(
        **{
            "mongo_url": SecretStr(mongo_url),
            "mongo_database": database,
            "amqp_url": SecretStr("memory://"),
            "public_url": ISSUER,
            "internal_key": SecretStr(KEYS.private["team"]),
            "internal_keys": KEYS.public,
            "internal_urls": {"identity": (identity_url,)},
            "admin_key": SecretStr("the-operators-key-0123456789abcdef"),
            "link_key": SecretStr(LINK_KEY),
            "mails_per_address": 1_000,
            **fields,
        }
    )


@asynccontextmanager
async def running(
    mongo_url: str, database: str, *, replicas: int = 1, timeouts: Timeouts = PATIENT, **fields: Any
) -> AsyncIterator[Team]:
    """A real team on real ports, on a real database and the in-process bus."""
    # The database deletes what has expired by its own clock, so this one is far ahead of it.
    clock, stand_in = SetClock(datetime(2100, 3, 1, 12, tzinfo=UTC)), StandIn()
    async with stand_in.running(clock) as identity_url:
        settings = settings_for(mongo_url, database, identity_url, **fields)
        bus, heard = LocalBus(timeouts=timeouts), []

        async def hear(message: BusMessage) -> Verdict:
            heard.append(Row.from_event(message.body))
            return Verdict.ACK

        async def resync() -> None:
            return None

        await bus.subscribe(AUDIT, hear, on_resync=resync)
        services = [
            build(settings, bus=bus, clock=clock, timeouts=timeouts) for _ in range(replicas)
        ]
        for service in services:
            await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
        client: DbClient = connect(mongo_url, app_name="test", timeouts=PATIENT)
        inside = services[0].addresses["internal"]
        callers = {
            name: InternalClient(
                service=name,
                key=SecretStr(KEYS.private[name]),
                urls={"team": [inside]},
                clock=clock,
            )
            for name in ("identity", "authz", "notification")
        }
        try:
            async with aiohttp.ClientSession() as http:
                yield Team(
                    urls=cycle([service.addresses["public"] for service in services]),
                    inside=inside,
                    http=http,
                    client=client,
                    database=client[database],
                    clock=clock,
                    identity=stand_in,
                    bus=bus,
                    callers=callers,
                    heard=heard,
                )
        finally:
            for caller in callers.values():
                await caller.close()
            for service in services:
                await service.stop()
            await bus.close()
            client.close()
