"""The documented configurations of Traefik and Envoy, in the real ones before replicas of authz."""

import json
from contextlib import AsyncExitStack

import aiohttp
import pytest
import pytest_asyncio
import yaml

from deploy.programs.program import free_port
from tests.deploy.gateway.upstreams import Upstream
from tests.deployment.gateways import Envoy, Traefik, running
from tests.services.authz.histories import ACCOUNT, ANA, BO, INSTANCE, SESSION
from tests.services.authz.test_forward_auth_nginx import MAP, WRITTEN, Client, send

pytestmark = [
    pytest.mark.deployment,
    pytest.mark.usefixtures("unmeasured"),
    pytest.mark.asyncio(loop_scope="module"),
]
HOST = {"Host": "api.example.com"}
REWRITTEN = {
    f"/{INSTANCE}": INSTANCE,
    f"{INSTANCE}/../i-2": INSTANCE.replace("i-1", "i-2"),
    INSTANCE.replace("i-1", "i%2D1"): INSTANCE,
}
"""Paths that Traefik makes plain before it asks: what was decided is what the service gets."""


def written(kind):
    """The block of the page for this gateway."""
    return WRITTEN.partition(f"<!-- {kind} -->\n```yaml\n")[2].partition("```")[0]


def placed(text, authz, service):
    text = text.replace("authz.internal:8080", authz.addresses["public"].removeprefix("http://"))
    text = text.replace("instances.internal:8080", service.address)
    assert ".internal" not in text
    return text


def traefik(folder, authz, service, port):
    routes = folder / "routes.yaml"
    static = {
        "entryPoints": {
            "web": {
                "address": f"127.0.0.1:{port}",
                "http": {"aliasHeadersStrategy": "delete"},
            }
        },
        "providers": {"file": {"filename": str(routes)}},
    }
    more = (
        "\n    start: {rule: Path(`/`), service: noop@internal, middlewares: [start]}\n  services:"
    )
    routed = placed(written("traefik"), authz, service).replace("\n  services:", more)
    start = "\n    start: {redirectRegex: {regex: ^.*$, replacement: /x}}\n  routers:"
    routed = routed.replace("\n  routers:", start)
    files = {"traefik.yaml": yaml.safe_dump(static), "routes.yaml": routed}
    return Traefik(folder, files, port=port)


def cluster(name, address):
    host, port = address.removeprefix("http://").split(":")
    at = {"socket_address": {"address": host, "port_value": int(port)}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": at}}]}]
    return {"name": name, "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def envoy(folder, authz, service, port):
    start = {"match": {"path": "/"}, "redirect": {"path_redirect": "/x", "response_code": "FOUND"}}
    off = {
        "envoy.filters.http.ext_authz": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http"
            ".ext_authz.v3.ExtAuthzPerRoute",
            "disabled": True,
        }
    }
    routes = [
        {**start, "typed_per_filter_config": off},
        {"match": {"prefix": "/"}, "route": {"cluster": "instances"}},
    ]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "all",
        "common_http_protocol_options": {"headers_with_underscores_action": "DROP_HEADER"},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        **yaml.safe_load(placed(written("envoy"), authz, service)),
    }
    name = "envoy.filters.network.http_connection_manager"
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": name, "typed_config": manager}]}],
    }
    clusters = [
        cluster("rolecall", authz.addresses["public"]),
        cluster("instances", service.address),
    ]
    text = json.dumps({"static_resources": {"listeners": [listener], "clusters": clusters}})
    return Envoy(folder, {"envoy.json": text}, port=port)


GATEWAYS = {"traefik": traefik, "envoy": envoy}


@pytest_asyncio.fixture(loop_scope="module", params=GATEWAYS)
async def before(world, tmp_path, request):
    """A client of the gateway, and the service behind it."""
    file = tmp_path / "map.yaml"
    file.write_text(MAP.replace("gateway: nginx", f"gateway: {request.param}"))
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(Upstream("instances").serving())
        replica = await stack.enter_async_context(world.replica("a", forward_auth_file=str(file)))
        folder = tmp_path / request.param
        folder.mkdir()
        server = GATEWAYS[request.param](folder, replica, service, free_port())
        await stack.enter_async_context(running(server))
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=HOST))
        yield request.param, Client(http, server.url), service


@pytest.mark.rule("B6")
async def test_what_is_allowed_passes_and_forged_headers_are_replaced(world, before):
    _, client, service = before
    forged = {f"Rolecall-{name}": ANA for name in ("User", "Client", "Role", "Override", "Account")}
    forged |= {"Rolecall-Reason": "x", "Rolecall_User": ANA}
    forged |= {"X-Forwarded-Uri": "/", "X-Forwarded-Method": "PUT", "X-Original-URI": "/"}
    token = world.user_token(BO, SESSION)
    status, told, _ = await send(client, token, f"{INSTANCE}?q=%2F", headers=forged)
    assert status == 200
    assert told["path"] == f"{INSTANCE}?q=%2F"
    shown = {name: value for name, value in told["headers"].items() if name.startswith("rolecall")}
    assert shown.pop("rolecall-revision").startswith("team.")
    assert {name: value for name, value in shown.items() if value} == {
        "rolecall-user": BO,
        "rolecall-account": ACCOUNT,
        "rolecall-role": "developer",
        "rolecall-reason": "allowed",
    }
    assert len(service.requests) == 1


@pytest.mark.rule("B6")
async def test_what_is_refused_reaches_no_service(world, before):
    kind, client, service = before
    status, _, headers = await send(client, None, INSTANCE)
    assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Bearer")
    token = world.user_token(BO, SESSION)
    project = f"/v1/accounts/{ACCOUNT}/projects/prj_x/instances"
    found = {}
    for method, target in (
        ("PUT", INSTANCE),
        ("POST", project),
        ("GET", f"{INSTANCE}/"),
        ("GET", f"/{INSTANCE}"),
        ("GET", f"{INSTANCE}%2F..%2Fi-2"),
        ("GET", f"{INSTANCE}/../i-2"),
        ("GET", INSTANCE.replace("i-1", "i%2D1")),
        ("GET", INSTANCE.replace("/v1", "/V1")),
        ("GET", "/x"),
    ):
        status, told, _ = await send(client, token, target, method)
        if status != 403:
            found[target] = told["path"]
    assert found == (REWRITTEN if kind == "traefik" else {})
    assert len(service.requests) == len(found)


async def test_a_body_reaches_the_service_only(world, before):
    _, client, service = before
    token = world.user_token(ANA, SESSION)
    target = f"/v1/accounts/{ACCOUNT}/projects/prj_{'1' * 32}/instances"
    status, told, _ = await send(client, token, target, "POST", data=b"x" * 100_000)
    assert (status, told["length"]) == (200, 100_000)
    assert len(service.requests) == 1


async def test_an_undecided_request_is_503_and_no_denial(world, before):
    _, client, service = before
    world.clock.skip(60)
    status, _, _ = await send(client, world.user_token(BO, SESSION), INSTANCE)
    assert status == 503
    assert service.requests == []
