"""identity, team and several replicas of authz in one process, with a bus that delivers nothing.

The replicas learn of each change from the heads of its source only, as while the broker is away.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from pydantic import SecretStr

from services.authz.app import build as build_authz
from services.authz.settings import Settings as AuthzSettings
from services.identity.app import build as build_identity
from services.identity.settings import Settings as IdentitySettings
from services.team.app import build as build_team
from services.team.settings import Settings as TeamSettings
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.calls.decision_counts import DENIALS, DenialReport
from shared.contracts.calls.identity import SIGN_UP_LINK, SignUpLinkRequest
from shared.contracts.calls.journal import HEADS
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.journal import Journal, rows
from shared.links import Links
from shared.mongo import connect
from shared.runtime.listeners import listen, url_of
from shared.secret_keys import secret_bytes
from tests.e2e.people import Browser, Person, Platform
from tests.patience import PATIENT
from tests.services.team.running import quiet_heads
from tests.support.service import (
    ADMIN_KEY,
    KEYS,
    common_settings,
    random_key,
    stand_ins,
    stateless_settings,
)
from tests.support.sessions import http_session
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from socket import socket

    from shared.bus import BusMessage
    from shared.mongo import DbClient
    from shared.runtime.service import ServiceApp
    from shared.timeouts import Timeouts

REPLICAS = 3
LEASE_SECONDS = 1.0
"""A replica asks for the heads four times in it."""


class SilentBus(LocalBus):
    """Confirms each message and delivers none."""

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        return None


@dataclass(kw_only=True)
class SeveralReplicas:
    """The running services, and what a test asks of them."""

    identity: str
    team: str
    authz: tuple[str, ...]
    """The public address of each replica."""
    internal: str
    """identity's internal address."""
    internal_of_team: str
    http: aiohttp.ClientSession
    client: DbClient
    names: dict[Service, str]
    """The database of each service."""
    sign_up_links: Links
    invitation_links: Links
    notification: InternalClient

    def person(self, name: str) -> Person:
        return Person(http=self.http, base=self.team, name=name)

    async def mailed_link(self, person: Person) -> dict[str, str]:
        """Sign up with the address, and give what notification would mail."""
        body = {"email": person.email, "name": person.name}
        (await person.send("POST", "/v1/signup", body, base=self.identity)).expect(202)
        journal = self.client[self.names[Service.IDENTITY]]["journal"]
        told = [rows.read(found).row.data async for found in journal.find({})]
        [data] = [data for data in told if data.get("email") == person.email]
        request = SignUpLinkRequest(
            kind="sign-up", id=data["sign_up_id"], generation=data["generation"]
        )
        answer = await self.notification.call(SIGN_UP_LINK, Service.IDENTITY, request)
        return {"token": answer.url.partition("?token=")[2], "code": answer.code}

    async def make_client(self) -> Platform:
        """A new service client, with an access token."""
        operator = Browser(http=self.http, base=self.internal, token=ADMIN_KEY)
        body = {
            "name": "platform",
            "scopes": ["authz:check", "resources:write", "members:provision"],
        }
        made = await operator.send("POST", "/internal/admin/service-clients", body)
        client = made.expect(201)
        platform = Platform(http=self.http, base=self.identity)
        await platform.sign_in(client["id"], client["secret"])
        return platform


async def take_denials(ctx: object, call: Call[DenialReport, None]) -> None:
    """Take denied decisions, as audit does."""


@asynccontextmanager
async def several_replicas(
    mongo_url: str,
    database_name: str,
    *,
    timeouts: Timeouts = PATIENT,
    identity_journal: type[Journal] = Journal,
) -> AsyncIterator[SeveralReplicas]:
    """Run the services until the block ends."""
    clock, bus = SystemClock(), SilentBus(timeouts=timeouts)
    names = {service: f"{database_name}_{service}" for service in (Service.IDENTITY, Service.TEAM)}

    async with AsyncExitStack() as running:
        client: DbClient = connect(mongo_url, app_name="test", timeouts=PATIENT)
        running.callback(client.close)
        running.push_async_callback(bus.close)
        others = {
            Service.NOTIFICATION: [internal_route(HEADS, quiet_heads)],
            Service.AUDIT: [internal_route(DENIALS, take_denials)],
        }
        urls = dict(await running.enter_async_context(stand_ins(others, clock=clock)))
        inside = {service: listen("127.0.0.1", 0) for service in names}
        replicas = [listen("127.0.0.1", 0) for _ in range(REPLICAS)]
        urls |= {str(service): url_of(sock) for service, sock in inside.items()}
        urls[str(Service.AUTHZ)] = url_of(replicas[0])
        keys: dict[str, Any] = {
            name: SecretStr(random_key()) for name in ("link_key", "refresh_key", "sealing_key")
        }

        def stored(service: Service) -> dict[str, Any]:
            found = common_settings(service, mongo_url, names[service], urls)
            return found | {"lease_seconds": LEASE_SECONDS}

        given: dict[str, Any] = {"bus": bus, "clock": clock, "timeouts": timeouts}
        of_identity = IdentitySettings(**stored(Service.IDENTITY), **keys, answer_step_seconds=0.01)
        of_team = TeamSettings(**stored(Service.TEAM), link_key=keys["link_key"])
        of_authz = AuthzSettings(**stateless_settings(Service.AUTHZ, urls))
        identity = build_identity(of_identity, **given, journal=identity_journal)
        team = build_team(of_team, **given)
        authz = [build_authz(of_authz, **given) for _ in replicas]
        apps: list[tuple[ServiceApp, socket]] = [
            (identity, inside[Service.IDENTITY]),
            (team, inside[Service.TEAM]),
            *zip(authz, replicas, strict=True),
        ]
        for app, sock in apps:
            running.push_async_callback(app.stop)
            await app.start(internal=sock, public=listen("127.0.0.1", 0))
        await wait_for(
            lambda: all(all(app.ready().values()) for app, _ in apps),
            what="services that are ready",
        )
        notification = InternalClient(
            service=Service.NOTIFICATION,
            key=SecretStr(KEYS.private[Service.NOTIFICATION]),
            urls={name: [url] for name, url in urls.items()},
            clock=clock,
            timeouts=PATIENT,
        )
        running.push_async_callback(notification.close)
        link_key = secret_bytes(keys["link_key"])
        yield SeveralReplicas(
            identity=identity.addresses["public"],
            team=team.addresses["public"],
            authz=tuple(app.addresses["public"] for app in authz),
            internal=identity.addresses["internal"],
            internal_of_team=team.addresses["internal"],
            http=await running.enter_async_context(http_session()),
            client=client,
            names=names,
            sign_up_links=Links(link_key, "sign-up"),
            invitation_links=Links(link_key, "invitation"),
            notification=notification,
        )
