"""A real team for a test, with a stand-in for the identity that it asks."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from rolecall.client.jwk import decode
from services.team.app import build
from services.team.domain.invitations import Invitation
from services.team.settings import Settings
from services.team.store import Store
from services.team.store.places import of_account
from shared.auth.access_tokens import client_claims, sign_access_token, user_claims
from shared.auth.keys import public_jwk
from shared.auth.principals import ClientPrincipal
from shared.bus.local import LocalBus
from shared.contracts import identity
from shared.contracts.calls.identity import (
    NAMED_USERS,
    USER,
    InternalUser,
    NamedUser,
    NamedUsers,
    NamedUsersRequest,
)
from shared.contracts.calls.journal import HEADS, Heads
from shared.contracts.policy_objects import (
    PolicyObject,
    PolicyObjectKind,
    ServiceClientObject,
)
from shared.contracts.topology import Service
from shared.documents import read
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.ids import AccountId, ClientId, SessionId, UserId, new_id
from shared.links import Link, Links
from shared.mongo import AlreadyThere, majority, transact
from shared.problems import NotFound, Unavailable
from tests.clocks import LeaseClock
from tests.patience import PATIENT
from tests.services.authz.sources import Source
from tests.services.rows import row_of
from tests.services.team.joining import admit
from tests.support.service import (
    FAR,
    ISSUER,
    KEYS,
    Answered,
    RunningService,
    random_key,
    run_service,
)
from tests.support.sharded import sharded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping

    from rolecall import Catalog
    from services.team.use_cases.context import Ctx
    from shared.http.routes import Route
    from shared.mongo import DbSession
    from shared.timeouts import Timeouts

Reply = Answered
LINK_KEY = random_key()
SIGNING_KEY = Ed25519PrivateKey.generate()
KID = "key_1"


@dataclass
class StandIn:
    """The stand-in for identity."""

    source: Source
    """Identity's journal, which team follows."""
    users: dict[str, InternalUser] = field(default_factory=dict)
    away: bool = False
    epoch: str = "e1"
    before_answering: Callable[[], Awaitable[None]] | None = None
    """What happens while team waits for a user."""

    def routes(self) -> list[Route]:
        async def user(ctx: object, call: Call[None, None]) -> InternalUser:
            if self.away:
                raise Unavailable
            if self.before_answering is not None:
                await self.before_answering()
            found = self.users.get(call.path["user_id"])
            if found is None:
                raise NotFound
            return found

        async def named(ctx: object, call: Call[NamedUsersRequest, None]) -> NamedUsers:
            known = [self.users[each] for each in call.body.user_ids if each in self.users]
            return NamedUsers(
                users=tuple(NamedUser(named=user.user_id, **dict(user)) for user in known)
            )

        async def heads(ctx: object, call: Call[None, None]) -> Heads:
            return Heads(source="identity", epoch=self.epoch, heads={}, digests={})

        return [
            internal_route(USER, user),
            internal_route(NAMED_USERS, named),
            internal_route(HEADS, heads),
            *self.source.routes(),
        ]


@dataclass
class Person:
    """A user who talks to team."""

    team: Team
    user_id: str
    account_id: str
    email: str
    name: str
    acct: str = ""
    proved_seconds_ago: float = 0
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
            proved_at=self.team.clock.now() - timedelta(seconds=self.proved_seconds_ago),
        )
        token = sign_access_token(SIGNING_KEY, KID, claims)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.team.send(
            method, path, body, headers={**sent, "Authorization": f"Bearer {token}"}
        )

    async def get(self, path: str) -> Any:
        return (await self.send("GET", path)).expect(200)


@dataclass
class ServiceClient:
    """A service of the platform, with what its token says of it."""

    team: Team
    principal: ClientPrincipal

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        claims = client_claims(issuer=ISSUER, client=self.principal, now=self.team.clock.now())
        token = sign_access_token(SIGNING_KEY, KID, claims)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.team.send(
            method, path, body, headers={**sent, "Authorization": f"Bearer {token}"}
        )


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

    async def pending(self) -> list[Invitation]:
        """Its pending and expired invitations, as they are stored."""
        wanted = {**of_account(AccountId(self.id)), "status": "pending"}
        rows = majority(self.team.database, "invitations").find(wanted)
        return [read(Invitation, row) async for row in rows]

    async def join(self, role: str, name: str | None = None) -> Person:
        """A new user who is a member with this role."""
        person = await self.team.person(name or role.title())
        await admit(self.team.ctx, AccountId(self.id), person, role, inviter=self.owner)
        self.people[name or role] = person
        return person


@dataclass(kw_only=True)
class Team(RunningService):
    """A running team and everything that a test asks of it."""

    identity: StandIn
    clock: LeaseClock

    @property
    def ctx(self) -> Ctx:
        """What the use cases of the first replica work with."""
        ctx: Ctx = self.apps[0].public._ctx
        return ctx

    async def for_one_test(self) -> Self:
        self.identity.away, self.identity.before_answering = False, None
        return await super().for_one_test()

    def stranger(self, name: str = "Ana", email: str | None = None, **fields: Any) -> Person:
        """A user of identity that team has not heard of."""
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
        """A verified user that team has heard of."""
        person = self.stranger(name, email)
        await self.tell(row_of(verified(person)))
        return person

    async def service_client(
        self,
        *,
        accounts: Collection[str] | None = None,
        types: Collection[str] | None = None,
        scopes: Collection[str] = ("resources:write",),
    ) -> ServiceClient:
        """A service client that identity has created; None bounds nothing."""
        principal = ClientPrincipal(
            client_id=ClientId(new_id("cli")),
            scopes=frozenset(scopes),
            account_ids=None if accounts is None else frozenset(map(AccountId, accounts)),
            resource_types=None if types is None else frozenset(types),
        )
        known = ServiceClientObject(
            name="compute",
            scopes=tuple(scopes),
            account_ids=None if accounts is None else tuple(accounts),
            resource_types=None if types is None else tuple(types),
        )
        await self.identity.source.change(
            PolicyObject(
                kind=PolicyObjectKind.SERVICE_CLIENT,
                id=principal.client_id,
                state=known.model_dump(mode="json"),
            )
        )
        return ServiceClient(team=self, principal=principal)

    async def account(self, catalog: str = "standard", *, owner: Person | None = None) -> Account:
        """A team account of its owner, or of a new one."""
        owner = owner or await self.person("Owner")
        body = {"name": "Engines", "catalog": catalog}
        (await owner.send("POST", f"{owner.path}/convert", body)).expect(200)
        return Account(team=self, id=owner.account_id, owner=owner)

    async def publish(self, catalog: Catalog) -> None:
        """Make a catalog of the platform's own available, unless it is."""

        async def work(session: DbSession) -> None:
            await Store(self.database).insert_catalog(
                catalog, rev=0, now=self.clock.now(), session=session
            )

        with suppress(AlreadyThere):
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


async def quiet_heads(ctx: object, call: Call[None, None]) -> Heads:
    """The heads of notification, which has told nothing but what a test brings by the bus."""
    return Heads(source="notification", epoch="e1", heads={}, digests={})


def verified(person: Person) -> identity.UserVerified:
    return identity.UserVerified(
        user_id=person.user_id,
        email=person.email,
        name=person.name,
        account_id=person.account_id,
    )


@asynccontextmanager
async def running(
    mongo_url: str,
    database: str,
    *,
    replicas: int = 1,
    timeouts: Timeouts = PATIENT,
    wiring: Mapping[str, Any] | None = None,
    **fields: Any,
) -> AsyncIterator[Team]:
    """A real team on a real database, with generous limits; `fields` are settings.

    `wiring` is for `build`.
    """
    clock = LeaseClock(FAR)
    source = Source(
        "identity",
        keys=KEYS,
        jwks=public_jwk(KID, SIGNING_KEY.public_key()),
        clock=clock,
        bus=LocalBus(timeouts=timeouts),
    )
    stand_in = StandIn(source)
    async with run_service(
        Team,
        build,
        Settings,
        service=Service.TEAM,
        mongo_url=mongo_url,
        database=database,
        clock=clock,
        others={
            Service.IDENTITY: stand_in.routes(),
            Service.NOTIFICATION: [internal_route(HEADS, quiet_heads)],
        },
        fields={
            "link_key": SecretStr(LINK_KEY),
            "mails_per_address": 1_000,
            "first_mails_of_account": 1_000,
            **fields,
        },
        replicas=replicas,
        timeouts=timeouts,
        wiring={"wrap": sharded, **(wiring or {})},
        identity=stand_in,
    ) as team:
        source.bus = team.bus
        yield team
    await source.leases.close()
