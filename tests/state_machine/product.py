"""Team and authz in this process, asked over HTTP alone, one request after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from services.authz.app import build
from services.authz.settings import Settings
from shared.auth.access_tokens import client_claims, sign_access_token
from shared.contracts.topology import Service
from shared.runtime.listeners import listen
from tests.patience import PATIENT
from tests.services.team.running import KID, SIGNING_KEY, Person, ServiceClient, Team, running
from tests.state_machine import catalogs, world
from tests.support.service import ADMIN_KEY, ISSUER, Answered, stateless_settings

Check = tuple[str, str, str, str | None, str]
"""Account, user, permission, project and the owner of the resource."""
FIRST_CATALOGS = ("free", "strict")


@dataclass
class Product:
    """The running services; a call returns when the answer is there."""

    runner: asyncio.Runner
    team: Team
    authz_url: str
    client: ServiceClient

    def people(self, number: int) -> list[Person]:
        """New users whom team knows."""

        async def known() -> list[Person]:
            return [await self.team.person(f"User {each}") for each in range(number)]

        return self.runner.run(known())

    def send(self, person: Person, method: str, path: str, body: Any = None) -> Answered:
        """The answer to a user's request."""
        return self.runner.run(person.send(method, path, body))

    def operate(self, path: str, body: Any = None) -> Answered:
        """The answer to the operator's request."""
        return self.runner.run(self.team.send("POST", path, body, token=ADMIN_KEY))

    def move(self, seconds: int) -> None:
        """Move the clock of all services."""
        self.team.clock.move(seconds)

    def decisions(self, checks: Sequence[Check]) -> list[bool]:
        """What authz decides."""

        async def asked() -> list[bool]:
            return [await self._decision(check) for check in checks]

        return self.runner.run(asked())

    async def _decision(self, check: Check) -> bool:
        account_id, user_id, permission, project_id, owner_id = check
        kind, _, action = permission.partition(":")
        properties = {"account_id": account_id, "owner_id": owner_id}
        if project_id is not None:
            properties["project_id"] = project_id
        body = {
            "subject": {"type": "user", "id": user_id},
            "action": {"name": action},
            "resource": {"type": kind, "id": project_id or "one", "properties": properties},
        }
        claims = client_claims(
            issuer=ISSUER, client=self.client.principal, now=self.team.clock.now()
        )
        token = sign_access_token(SIGNING_KEY, KID, claims)
        url = f"{self.authz_url}/access/v1/evaluation"
        headers = {"Authorization": f"Bearer {token}"}
        async with self.team.http.post(url, json=body, headers=headers) as answer:
            content = await answer.json()
            assert answer.status == 200, content
            decision: bool = content["decision"]
            return decision


@contextmanager
def started(mongo_url: str, database: str) -> Iterator[Product]:
    """Run team and one replica of authz, with the small catalogs and limits of the model."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(_start(stack, runner, mongo_url, database))
        finally:
            runner.run(stack.aclose())


async def _start(
    stack: AsyncExitStack, runner: asyncio.Runner, mongo_url: str, database: str
) -> Product:
    team = await stack.enter_async_context(
        running(
            mongo_url,
            database,
            projects_per_account=world.PROJECT_LIMIT,
            roles_per_account=world.ROLE_LIMIT,
            accounts_per_user=world.ACCOUNT_LIMIT,
            deletion_grace_days=3_650,
            invitations_per_account=100_000,
        )
    )
    for name in FIRST_CATALOGS:
        body = {"content": catalogs.content(name)}
        answer = await team.send("POST", "/internal/admin/catalogs", body, token=ADMIN_KEY)
        assert answer.status in {200, 201}, answer.body
    client = await team.service_client(scopes=("authz:check",))
    source = team.identity.source
    urls = {"team": team.inside, "identity": await source.start()}
    stack.push_async_callback(source.stop)
    settings = Settings(**stateless_settings(Service.AUTHZ, urls))
    service = build(settings, bus=team.bus, clock=team.clock, timeouts=PATIENT)
    stack.push_async_callback(service.stop)
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    return Product(runner=runner, team=team, authz_url=service.addresses["public"], client=client)
