"""An identity that trusts a local issuer, and what a browser does there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from services.identity.domain.sso_connections import EVERY_DOMAIN
from tests.clocks import SetClock
from tests.services.identity.running import Identity, running
from tests.support.issuer import CLIENT_ID, CLIENT_SECRET, LocalIssuer, local_issuer
from tests.support.service import FAR, Answered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ANA = {"sub": "person-1", "email": "ana@corp.example", "email_verified": True, "name": "Ana Diaz"}


class Published(set[str]):
    """Text records that every name has, where no name server is asked."""

    async def of(self, name: str) -> frozenset[str]:
        return frozenset(self)


class Browser:
    """A person's browser between identity and the issuer."""

    def __init__(
        self, identity: Identity, issuer: LocalIssuer, published: Published | None = None
    ) -> None:
        self.identity = identity
        self.issuer = issuer
        self.published = Published() if published is None else published

    async def begin(self, name: str = "corp", **fields: str) -> Answered:
        body = fields or {"connection": name}
        return await self.identity.post("/v1/login/oidc/begin", body)

    async def answer(self, connection: str = "corp", **changed: Any) -> dict[str, Any]:
        """What the page of the callback sends: the issuer's answer, and what the browser kept."""
        begun = (await self.begin(connection)).expect(200)
        return (
            self.issuer.browse(begun["authorization_url"]) | {"binding": begun["binding"]} | changed
        )

    async def finish(self, answer: dict[str, Any]) -> Answered:
        return await self.identity.post("/v1/login/oidc/finish", answer)

    async def sign_in(self, connection: str = "corp", **changed: Any) -> Answered:
        return await self.finish(await self.answer(connection, **changed))

    async def begin_link(self, token: str, connection: str = "corp") -> dict[str, Any]:
        path, body = "/v1/me/identity-links", {"connection": connection}
        begun = (await self.identity.post(path, body, token=token)).expect(200)
        return self.issuer.browse(begun["authorization_url"]) | {"binding": begun["binding"]}

    async def link(self, token: str, connection: str = "corp") -> Answered:
        body = await self.begin_link(token, connection)
        return await self.identity.post("/v1/me/identities", body, token=token)

    async def identities(self, token: str) -> list[dict[str, Any]]:
        found = await self.identity.send("GET", "/v1/me/identities", token=token)
        return list(found.expect(200)["items"])

    async def unlink(self, token: str, identity_id: str) -> Answered:
        return await self.identity.send("DELETE", f"/v1/me/identities/{identity_id}", token=token)


def connection(issuer: LocalIssuer, name: str = "corp", **fields: Any) -> dict[str, Any]:
    """A connection as the setting has it."""
    return {
        "id": name,
        "label": name.title(),
        "issuer": issuer.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "trusted_domains": ("corp.example",),
    } | fields


@asynccontextmanager
async def signing_in(
    mongo_url: str, database: str, *, wiring: Mapping[str, Any] | None = None, **options: Any
) -> AsyncIterator[Browser]:
    """An identity with three connections to one local issuer, by how far each is trusted."""
    clock, published = SetClock(FAR), Published()
    async with local_issuer(clock) as issuer:
        connections = (
            connection(issuer),
            connection(issuer, "open", trusted_domains=(EVERY_DOMAIN,)),
            connection(issuer, "none", trusted_domains=()),
        )
        async with running(
            mongo_url,
            database,
            clock=clock,
            sso_networks=("127.0.0.0/8",),
            sso_connections=connections,
            wiring={"texts": published, **(wiring or {})},
            **options,
        ) as identity:
            issuer.person = dict(ANA)
            yield Browser(identity, issuer, published)
