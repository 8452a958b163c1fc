"""Team and authz in this process, asked over HTTP alone, one request after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rolecall import Resource, milliseconds
from services.authz.app import build
from services.authz.domain.checks import PermissionCheck, decide_check
from services.authz.domain.policy_state import PolicyState
from services.authz.settings import Settings
from shared.auth.access_tokens import client_claims, sign_access_token
from shared.contracts.topology import Service
from shared.runtime.listeners import listen
from tests.patience import PATIENT
from tests.services.authz.intake import Intake
from tests.services.team.running import KID, SIGNING_KEY, Person, ServiceClient, Team, running
from tests.state_machine import catalogs, world
from tests.support.service import ADMIN_KEY, ISSUER, KEYS, Answered, stateless_settings

OVER_HTTP = 50
"""Of how many decisions one is asked over HTTP."""


class Check(NamedTuple):
    """What authz is asked about a user and a resource."""

    account_id: str
    user_id: str
    permission: str
    resource_id: str
    project_id: str | None
    owner_id: str | None


@dataclass(repr=False)
class Product:
    """The running services; a call returns when the answer is there."""

    runner: asyncio.Runner
    team: Team
    authz_url: str
    checker: ServiceClient
    clients: dict[str, ServiceClient]
    """The service clients that change something, by the model's name."""
    policy: PolicyState
    """What the replica of authz knows of team."""
    catalog_ids: dict[str, str]
    now: int = 0
    """How far the clock was moved, in seconds."""
    persons: dict[str, Person] = field(default_factory=dict)

    def people(self, number: int) -> list[Person]:
        """New users whom team knows."""

        async def known() -> list[Person]:
            return [await self.team.person(f"User {each}") for each in range(number)]

        found = self.runner.run(known())
        self.persons |= {person.user_id: person for person in found}
        return found

    def send(self, actor: str, method: str, path: str, body: Any = None) -> Answered:
        """The answer to a request of a user or of the platform."""
        if actor == world.PLATFORM:
            return self.runner.run(self.team.send(method, path, body, token=ADMIN_KEY))
        sender = self.clients.get(actor) or self.persons[actor]
        return self.runner.run(sender.send(method, path, body))

    def move(self, seconds: int) -> None:
        """Move the clock of all services."""
        self.team.clock.move(seconds)
        self.now += seconds

    def decisions(self, checks: Sequence[Check]) -> list[bool]:
        """What authz decides; one of many is asked over HTTP, and has to be the same."""
        decided = [self._decided(check) for check in checks]
        number = len(decided) // 2
        if len(decided) > OVER_HTTP:
            assert decided[number] is self.runner.run(self._decision(checks[number]))
        return decided

    def _decided(self, check: Check) -> bool:
        """The decision from the state that the replica of authz has."""
        return decide_check(
            self.policy.account(check.account_id),
            PermissionCheck(
                user_id=check.user_id,
                account_id=check.account_id,
                permission=check.permission,
                resource=Resource(check.resource_id, check.owner_id, check.project_id),
            ),
            sign_in_denial=None,
            now=milliseconds(self.team.clock.now()),
        ).allowed

    async def _decision(self, check: Check) -> bool:
        kind, _, action = check.permission.partition(":")
        told = {
            "account_id": check.account_id,
            "project_id": check.project_id,
            "owner_id": check.owner_id,
        }
        properties = {name: value for name, value in told.items() if value is not None}
        body = {
            "subject": {"type": "user", "id": check.user_id},
            "action": {"name": action},
            "resource": {"type": kind, "id": check.resource_id, "properties": properties},
        }
        claims = client_claims(
            issuer=ISSUER, client=self.checker.principal, now=self.team.clock.now()
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
            guardrails_per_account=world.GUARDRAIL_LIMIT,
            resources_per_account=world.RESOURCE_LIMIT,
            deletion_grace_days=3_650,
            invitations_per_account=100_000,
        )
    )
    catalog_ids = {}
    for key, catalog in catalogs.CATALOGS.items():
        body = {"content": catalog.content}
        answer = await team.send("POST", "/internal/admin/catalogs", body, token=ADMIN_KEY)
        assert answer.status in {200, 201}, answer.body
        catalog_ids[key] = answer.body["id"]
    checker = await team.service_client(scopes=("authz:check",))
    clients = {
        world.REGISTRAR: await team.service_client(scopes=("resources:write",)),
        world.PROVISIONER: await team.service_client(scopes=("members:provision",)),
    }
    source = team.identity.source
    audit = Intake(keys=KEYS, clock=team.clock)
    urls = {
        "team": team.inside,
        "identity": await source.start(),
        "audit": await audit.start(),
    }
    stack.push_async_callback(source.stop)
    stack.push_async_callback(audit.stop)
    settings = Settings(**stateless_settings(Service.AUTHZ, urls))
    service = build(settings, bus=team.bus, clock=team.clock, timeouts=PATIENT)
    stack.push_async_callback(service.stop)
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", 0))
    url = service.addresses["public"]
    return Product(
        runner=runner,
        team=team,
        authz_url=url,
        checker=checker,
        clients=clients,
        policy=service.public._ctx.policy,
        catalog_ids=catalog_ids,
    )
