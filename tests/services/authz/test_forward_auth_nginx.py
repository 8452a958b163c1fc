"""The documented configuration of nginx, in a real nginx before two replicas of authz."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from deploy.programs.nginx import Nginx
from deploy.programs.program import free_port
from tests.deploy.gateway.upstreams import Upstream
from tests.servers import require_nginx
from tests.services.authz.histories import ACCOUNT, ANA, BO, INSTANCE, SESSION

GUIDE = Path(__file__).parents[3] / "docs" / "forward-auth.md"
WRITTEN = GUIDE.read_text()
MAP = WRITTEN.partition("```yaml\n")[2].partition("```")[0]
SNIPPET = WRITTEN.partition("```nginx\n")[2].partition("```")[0]
AROUND = """
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_buffer_size 1m;
  client_body_temp_path client_body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
{snippet}
}}
"""


@dataclass
class Client:
    http: aiohttp.ClientSession
    url: str


@asynccontextmanager
async def gateway(folder, replicas, service):
    """A client of an nginx with the documented configuration."""
    require_nginx()
    port = free_port()
    text = SNIPPET.replace("listen 80;", f"listen 127.0.0.1:{port};")
    for at, replica in enumerate(replicas, 1):
        address = replica.addresses["public"].removeprefix("http://")
        text = text.replace(f"authz-{at}.internal:8080", address)
    text = text.replace("instances.internal:8080", service.address)
    assert ".internal" not in text
    server = Nginx(folder, AROUND.format(snippet=text), port=port)
    await asyncio.to_thread(server.start)
    try:
        async with aiohttp.ClientSession() as http:
            yield Client(http, server.url)
    finally:
        await asyncio.to_thread(server.stop)


@pytest_asyncio.fixture(loop_scope="module")
async def before(world, tmp_path):
    """A client of the gateway, the replicas that it asks, and the service behind it."""
    file = tmp_path / "map.yaml"
    file.write_text(MAP)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(Upstream("instances").serving())
        replicas = [
            await stack.enter_async_context(world.replica(name, forward_auth_file=str(file)))
            for name in "ab"
        ]
        folder = tmp_path / "nginx"
        client = await stack.enter_async_context(gateway(folder, replicas, service))
        yield client, replicas, service


async def send(client, token, target, method="GET", **more):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= more.pop("headers", {})
    url = URL(f"{client.url}{target}", encoded=True)
    async with client.http.request(method, url, headers=headers, **more) as answer:
        told = await answer.json() if answer.status == 200 else None
        return answer.status, told, answer.headers


@pytest.mark.rule("B6")
async def test_nginx_passes_what_is_allowed_and_replaces_forged_headers(world, before):
    client, _, service = before
    forged = {f"Rolecall-{name}": ANA for name in ("User", "Client", "Role", "Override", "Account")}
    forged |= {"Rolecall-Reason": "x", "X-Original-URI": "/", "X-Original-Method": "PUT"}
    token = world.user_token(BO, SESSION)
    status, told, _ = await send(client, token, f"{INSTANCE}?q=%2F", headers=forged)
    assert status == 200
    assert told["path"] == f"{INSTANCE}?q=%2F"
    shown = {name: value for name, value in told["headers"].items() if name.startswith("rolecall-")}
    assert shown.pop("rolecall-revision").startswith("team.")
    assert shown == {
        "rolecall-user": BO,
        "rolecall-account": ACCOUNT,
        "rolecall-role": "developer",
        "rolecall-reason": "allowed",
    }
    assert len(service.requests) == 1


@pytest.mark.rule("B6")
async def test_nginx_refuses_with_401_and_403_and_asks_no_service(world, before):
    client, _, service = before
    status, _, headers = await send(client, None, INSTANCE)
    assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")
    token = world.user_token(BO, SESSION)
    project = f"/v1/accounts/{ACCOUNT}/projects/prj_x/instances"
    for method, target in (
        ("PUT", INSTANCE),
        ("POST", project),
        ("GET", f"{INSTANCE}/"),
        ("GET", f"/{INSTANCE}"),
        ("GET", f"{INSTANCE}%2F..%2Fi-2"),
        ("GET", f"{INSTANCE}/../i-2"),
        ("GET", INSTANCE.replace("i-1", "i%2D1")),
        ("GET", INSTANCE.replace("/v1", "/V1")),
        ("GET", "/"),
    ):
        status, _, _ = await send(client, token, target, method)
        assert status == 403, target
    assert service.requests == []


async def test_nginx_sends_the_body_to_the_service_only(world, before):
    client, _, service = before
    token = world.user_token(ANA, SESSION)
    target = f"/v1/accounts/{ACCOUNT}/projects/prj_{'1' * 32}/instances"
    status, told, _ = await send(client, token, target, "POST", data=b"x" * 100_000)
    assert status == 200
    assert told["length"] == 100_000
    assert len(service.requests) == 1


async def test_nginx_asks_the_next_replica_and_makes_503_of_no_decision(world, before):
    client, replicas, service = before
    token = world.user_token(BO, SESSION)
    replicas[0].public.closed = True  # as one that starts or ends
    for _ in range(4):
        assert (await send(client, token, INSTANCE))[0] == 200
    world.clock.skip(60)
    status, _, headers = await send(client, token, INSTANCE)
    assert (status, headers["Retry-After"]) == (503, "1")
    assert len(service.requests) == 4
