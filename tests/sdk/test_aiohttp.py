"""Tests of the aiohttp integration and of the client against a running Rolecall."""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import rolecall
from rolecall import RolecallClient, UndecidedError
from rolecall.aio import Rolecall
from rolecall.integrations.aiohttp import PermissionGuard
from tests.e2e.journey import Team, World, gather_team
from tests.e2e.one_process import OneProcess
from tests.e2e.people import Person
from tests.patience import PATIENT_SECONDS
from tests.servers import UNMEASURED
from tests.waiting import wait_for


class Product(OneProcess):
    """The server of these tests, without coverage: they are about its clients."""

    def environment(self) -> Mapping[str, str]:
        """Measure nothing in its process and its database."""
        return {**super().environment(), **UNMEASURED}


@pytest.fixture(scope="module")
def product(tmp_path_factory) -> Iterator[OneProcess]:
    running = Product(tmp_path_factory.mktemp("product"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def client(product: OneProcess) -> RolecallClient:
    deployment = product.deployment()
    return RolecallClient(
        deployment.gateway, deployment.client_id, deployment.client_secret, timeout=30
    )


@pytest.fixture
async def world(product: OneProcess) -> AsyncIterator[World]:
    async with aiohttp.ClientSession() as http:
        yield World(product.deployment(), http)


def instances_app(client: RolecallClient) -> web.Application:
    """A service of the platform; its callers name themselves in a header."""
    guard = PermissionGuard(client, subject=lambda request: request.headers.get("X-User"))

    @guard.require("instance:write", account="account_id")
    async def create(request: web.Request) -> web.Response:
        return web.json_response({"created": True}, status=201)

    @guard.require(
        "instance:view",
        account="account_id",
        resource="instance_id",
        owner=lambda request: request.query.get("owner"),
    )
    async def show(request: web.Request) -> web.Response:
        return web.json_response({"id": request.match_info["instance_id"]})

    @guard.require("instance:view", account="account_id", project="project_id")
    async def show_all(request: web.Request) -> web.Response:
        return web.json_response([])

    app = web.Application()
    app.router.add_post("/accounts/{account_id}/instances", create)
    app.router.add_get("/accounts/{account_id}/instances/{instance_id}", show)
    app.router.add_get("/accounts/{account_id}/projects/{project_id}/instances", show_all)
    return app


async def send(
    http: TestClient[web.Request, web.Application], method: str, path: str, user: str | None = None
) -> tuple[int, str | None]:
    """The status of an answer, and the code of its problem."""
    headers = {} if user is None else {"X-User": user}
    async with http.request(method, path, headers=headers) as answer:
        body = await answer.json(content_type=None)
        if answer.status < 400:
            return answer.status, None
        assert answer.content_type == "application/problem+json"
        assert body.keys() == {"type", "title", "status", "code", "detail"}
        assert body["type"] == f"urn:rolecall:problem:{body['code']}"
        assert body["status"] == answer.status
        return answer.status, body["code"]


async def run_readme_example(product: OneProcess, user_id: str, account_id: str) -> str:
    """What the first example of the SDK's README prints."""
    readme = (Path(rolecall.__file__).parents[1] / "README.md").read_text()
    example = readme.split("```python\n")[1].split("```")[0]
    deployment = product.deployment()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        example,
        env={
            "PYTHONPATH": str(Path(rolecall.__file__).parents[1]),
            "ROLECALL_URL": deployment.gateway,
            "ROLECALL_CLIENT_ID": deployment.client_id,
            "ROLECALL_CLIENT_SECRET": deployment.client_secret,
            "USER_ID": user_id,
            "ACCOUNT_ID": account_id,
        },
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    return printed.decode()


async def test_a_service_asks_a_running_rolecall(
    product: OneProcess, client: RolecallClient, world: World
) -> None:
    team: Team = await gather_team(world, "standard")
    developer, basic = team.mail.user_id, team.link.user_id
    path = f"/accounts/{team.account_id}/instances"
    async with TestClient(TestServer(instances_app(client))) as http:
        assert await send(http, "POST", path) == (401, "unauthenticated")
        assert await send(http, "POST", path, developer) == (201, None)
        assert await send(http, "POST", path, "usr_unknown") == (403, "permission-missing")
        assert await send(http, "GET", f"{path}/i-1?owner={basic}", basic) == (200, None)
        assert await send(http, "GET", f"{path}/i-1?owner={developer}", basic) == (
            403,
            "permission-missing",
        )
        elsewhere = f"/accounts/{team.account_id}/projects/prj_unknown/instances"
        assert await send(http, "GET", elsewhere, developer) == (403, "permission-missing")

    decision = await asyncio.to_thread(
        client.check, developer, "instance:write", account_id=team.account_id
    )
    assert decision
    assert (decision.reason, decision.role) == ("allowed", "developer")

    assert (await run_readme_example(product, developer, team.account_id)) == "allowed\n"

    removed = await team.owner.send("DELETE", f"{team.path}/members/{developer}")
    removed.expect(202, 204)
    revision = removed.headers["Rolecall-Revision"]
    decision = await asyncio.to_thread(
        client.check,
        developer,
        "instance:write",
        account_id=team.account_id,
        at_least_revision=revision,
    )
    assert (decision.allowed, decision.reason) == (False, "not-a-member")


def instances_service(rc: Rolecall) -> web.Application:
    """The example of a guarded service."""
    path = Path(rolecall.__file__).parents[2] / "examples" / "instances" / "instances.py"
    spec = importlib.util.spec_from_file_location("instances", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    built: web.Application = module.build(rc)
    return built


@pytest.mark.parametrize("mode", ["remote", "local"])
async def test_the_example_registers_its_instances_and_guards_them(
    product: OneProcess, world: World, mode: str
) -> None:
    team = await gather_team(world, "standard")
    deployment = product.deployment()
    async with (
        Rolecall(
            deployment.gateway,
            client_id=deployment.client_id,
            client_secret=deployment.client_secret,
            mode=mode,
            account=team.account_id if mode == "local" else None,
            timeout=PATIENT_SECONDS,
        ) as rc,
        TestClient(TestServer(instances_service(rc))) as http,
    ):
        await rc.ready()

        async def send(
            method: str, path: str, person: Person, revision: str = ""
        ) -> tuple[int, Any, str]:
            headers = {"Authorization": f"Bearer {person.token}"}
            headers |= {"Rolecall-Revision": revision} if revision else {}
            async with http.request(method, path, headers=headers) as found:
                body = await found.json() if found.content_type == "application/json" else None
                return found.status, body, found.headers.get("Rolecall-Revision", "")

        path = f"/accounts/{team.account_id}/instances"
        assert (await http.get("/health")).status == 200
        assert (await http.post(path)).status == 401
        status, made, revision = await send("POST", path, team.owner)
        assert (status, made["owner"]) == (201, team.owner.user_id)
        instance = f"{path}/{made['id']}"
        assert (await send("GET", instance, team.mail, revision))[0] == 200
        # The role of this member reaches own instances only, and this one is registered.
        assert (await send("GET", instance, team.link, revision))[0] == 403
        assert (await send("DELETE", instance, team.link, revision))[0] == 403
        status, own, revision = await send("POST", path, team.link)
        assert status == 201
        assert (await send("GET", f"{path}/{own['id']}", team.link, revision))[0] == 200
        # Everybody owns an account of their own, and has every permission there.
        elsewhere = f"/accounts/{team.link.account_id}/instances/{made['id']}"
        assert (await send("GET", elsewhere, team.link))[0] == 404
        assert (await send("DELETE", elsewhere, team.link))[0] == 404
        assert (await send("GET", instance, team.owner))[0] == 200
        assert (await send("DELETE", instance, team.owner))[0] == 204
        await actions_are_in_the_audit_log(team, made["id"], own["id"])


async def actions_are_in_the_audit_log(team: Team, made: str, own: str) -> None:
    """The service has written what its users did, each by the user who did it (Rp13, Ci14)."""
    expected = {
        (made, "instance.created", team.owner.user_id),
        (made, "instance.deleted", team.owner.user_id),
        (own, "instance.created", team.link.user_id),
    }

    async def arrived() -> bool:
        log = await team.owner.get(f"{team.path}/audit-events?action=instance.*")
        shown = {(one["resource"]["id"], one["action"], one["actor"]["id"]) for one in log["items"]}
        return shown == expected

    await wait_for(arrived)


async def test_a_wrong_secret_is_undecided_and_answered_500(product: OneProcess) -> None:
    deployment = product.deployment()
    client = RolecallClient(deployment.gateway, deployment.client_id, "wrong", timeout=30)
    with pytest.raises(UndecidedError, match="invalid_client") as failed:
        await asyncio.to_thread(client.check, "usr_b", "instance:write")
    assert not failed.value.temporary
    async with TestClient(TestServer(instances_app(client))) as http:
        answer = await send(http, "POST", "/accounts/acc_1/instances", "usr_b")
        assert answer == (500, "check-failed")


async def test_a_revision_that_has_not_arrived_is_undecided(
    client: RolecallClient, world: World
) -> None:
    owner = world.person("Ada Owner")
    await owner.sign_up()
    await owner.get(f"/v1/accounts/{owner.account_id}")
    decision = await asyncio.to_thread(
        client.check, owner.user_id, "account:view", account_id=owner.account_id
    )
    assert decision
    assert decision.revision is not None
    *position, sequence = decision.revision.split(".")
    future = ".".join([*position, str(int(sequence) + 1000)])
    with pytest.raises(UndecidedError, match="stale") as failed:
        await asyncio.to_thread(
            client.check,
            owner.user_id,
            "account:view",
            account_id=owner.account_id,
            at_least_revision=future,
        )
    assert failed.value.temporary
