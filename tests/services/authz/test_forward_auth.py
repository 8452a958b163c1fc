"""Tests of `/forward-auth`: statuses, identity headers, and the requests of each gateway."""

import asyncio
import json

import pytest
import pytest_asyncio

from services.authz.adapters.forward_auth_files import read_map
from shared.auth.api_tokens import new_api_token
from shared.problems import StartRefused
from tests.services.authz.conftest import Response
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CY,
    INSTANCE,
    MEMBERSHIP,
    OTHER_ACCOUNT,
    PROD,
    SESSION,
    account,
    api_token,
    ended,
    member,
    override,
    resource,
    second_factor,
    service_client,
)
from tests.waiting import wait_for

MAP = """
gateway: {gateway}
routes:
  - methods: [GET, HEAD]
    path: /v1/accounts/{{account}}/instances/{{id}}
    permission: instance:view
  - methods: [POST]
    path: /v1/accounts/{{account}}/projects/{{project}}/instances
    permission: instance:write
    scope: instances:sweep
  - methods: [DELETE]
    path: /v1/instances/{{id}}
    permission: instance:write
    scope: instances:sweep
  - methods: [GET]
    path: /v1/balance
    host: api.example.com
    permission: balance:view
"""
SWEEPER = "cli_" + "e" * 32
OF_VOLUMES = "cli_" + "7" * 32
IN_PROJECT = f"/v1/accounts/{ACCOUNT}/projects/{PROD}/instances"
IDENTITY = ("User", "Client", "Account", "Role", "Override", "Reason", "Revision")


def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    for gateway in ("nginx", "traefik", "envoy"):
        (folder / f"{gateway}.yaml").write_text(MAP.format(gateway=gateway))
    return folder


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return files(tmp_path_factory)


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world, maps, request):
    """A replica that a gateway asks, by default nginx."""
    world.team.write(member(CY, "basic"))
    world.team.write(override(CY, {"instance": {"write": "all"}}))
    world.team.write(resource("i-9", owner_id=BO, project_id=PROD))
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[OTHER_ACCOUNT], scopes=["instances:sweep"]),
        service_client(SWEEPER, account_ids=[ACCOUNT], scopes=["instances:sweep"]),
        service_client(OF_VOLUMES, resource_types=["volume"], scopes=["instances:sweep"]),
    )
    gateway = getattr(request, "param", "nginx")
    async with world.replica(forward_auth_file=str(maps / f"{gateway}.yaml")) as running:
        yield running


async def ask(world, authz, headers, *, method="GET", path="/forward-auth") -> Response:
    """Send one request with exactly these bytes in its first line."""
    host, port = authz.addresses["public"].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    if not any(name == "Host" for name, _ in headers):
        lines.append(f"Host: {host}")
    writer.write(("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1"))
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    first, *rest = head.decode().split("\r\n")
    told = {name: value.strip() for name, _, value in (line.partition(":") for line in rest)}
    return Response(int(first.split()[1]), json.loads(body) if body else None, told)


async def through_nginx(world, authz, token, target, method="GET", host="x.example", more=()):
    headers = [
        ("X-Original-Method", method),
        ("X-Original-URI", target),
        ("X-Original-Host", host),
        *more,
    ]
    if token is not None:
        headers.append(("Authorization", f"Bearer {token}"))
    return await ask(world, authz, headers)


async def test_a_200_names_the_sender_and_what_allowed_it(world, authz):
    said = await through_nginx(world, authz, world.user_token(BO, SESSION), INSTANCE)
    assert (said.status, said.body) == (200, None)
    shown = {name: said.headers[f"Rolecall-{name}"] for name in IDENTITY}
    assert shown.pop("Revision").startswith("team.")
    assert shown == {
        "User": BO,
        "Client": "",
        "Account": ACCOUNT,
        "Role": "developer",
        "Override": "",
        "Reason": "allowed",
    }


async def test_the_project_of_the_path_is_decided_in(world, authz):
    target = f"/v1/accounts/{ACCOUNT}/projects/{PROD}/instances"
    token = world.user_token(CY, SESSION)
    said = await through_nginx(world, authz, token, target, "POST")
    assert (said.status, said.headers["Rolecall-Override"]) == (200, PROD)
    other = f"/v1/accounts/{ACCOUNT}/projects/prj_x/instances"
    said = await through_nginx(world, authz, token, other, "POST")
    assert (said.status, said.body["reason"]) == (403, "project-unknown")


async def test_a_registered_resource_is_decided_by_its_owner_and_project(world, authz):
    token = world.user_token(CY, SESSION)
    for rid, status in (("i-9", 200), ("i-8", 403)):
        said = await through_nginx(world, authz, token, f"/v1/instances/{rid}", "DELETE")
        assert said.status == status


async def test_a_denial_is_403_with_its_reason(world, authz):
    token = world.user_token(BO, SESSION)
    said = await through_nginx(world, authz, token, "/v1/balance", host="api.example.com")
    assert (said.status, said.body["code"]) == (403, "request-denied")
    assert said.body["reason"] == "permission-missing"
    outside = await through_nginx(world, authz, token, INSTANCE.replace("a" * 32, "b" * 32))
    assert (outside.status, outside.body["reason"]) == (403, "not-a-member")


@pytest.mark.rule("B1")
async def test_a_gateway_is_told_that_a_second_factor_is_demanded(world, authz):
    token = world.user_token(BO, SESSION)
    await world.team.change(account(require_second_factor=True))
    said = await through_nginx(world, authz, token, INSTANCE)
    assert (said.status, said.body["reason"]) == (403, "second-factor-required")
    await world.identity.change(second_factor(BO))
    assert (await through_nginx(world, authz, token, INSTANCE)).status == 200


@pytest.mark.parametrize("token", [None, "x", "a.b.c", "two words"])
async def test_without_a_valid_token_the_answer_is_401(world, authz, token):
    said = await through_nginx(world, authz, token, INSTANCE)
    assert said.status == 401
    assert said.headers["WWW-Authenticate"].startswith("Bearer")
    two = [("Authorization", f"Bearer {world.user_token(BO, SESSION)}")]
    said = await through_nginx(world, authz, "x", INSTANCE, more=two)
    assert said.status == 401


async def test_the_end_of_a_session_is_401_at_once(world, authz):
    token = world.user_token(BO, SESSION)
    assert (await through_nginx(world, authz, token, INSTANCE)).status == 200
    await world.identity.change(ended())
    said = await through_nginx(world, authz, token, INSTANCE)
    assert (said.status, said.body["code"]) == (401, "token-revoked")


async def test_a_stale_replica_is_undecided_and_not_a_denial(world, authz):
    token = world.user_token(BO, SESSION)
    world.clock.skip(60)
    said = await through_nginx(world, authz, token, INSTANCE)
    assert said.status == 503
    assert "Rolecall-User" not in said.headers


async def test_the_revision_of_the_sender_is_reached_first(world, authz):
    token = world.user_token(BO, SESSION)
    [signed] = world.team.write(member(BO, "viewer"))
    source, epoch, shard, seq = signed.row.position
    known = [("Rolecall-Revision", f"{source}.{epoch}.{shard}.{seq}")]
    said = await through_nginx(world, authz, token, INSTANCE, more=known)
    assert said.headers["Rolecall-Role"] == "viewer"
    forged = [("Rolecall-Revision", "x")]
    assert (await through_nginx(world, authz, token, INSTANCE, more=forged)).status == 403


@pytest.mark.parametrize(
    ("client", "target", "method", "status"),
    [
        (SWEEPER, "/v1/instances/i-1", "DELETE", 200),
        (SWEEPER, INSTANCE, "GET", 403),
        (BOUND_CLIENT, "/v1/instances/i-1", "DELETE", 200),
        (SWEEPER, IN_PROJECT, "POST", 200),
        (BOUND_CLIENT, IN_PROJECT, "POST", 403),
    ],
)
async def test_a_service_client_passes_by_its_scope(world, authz, client, target, method, status):
    token = world.client_token(client, ("instances:sweep",))
    said = await through_nginx(world, authz, token, target, method)
    assert said.status == status
    if status == 200:
        assert (said.headers["Rolecall-Client"], said.headers["Rolecall-User"]) == (client, "")
        assert said.headers["Rolecall-Account"] in {ACCOUNT, OTHER_ACCOUNT}


async def test_a_client_without_the_scope_or_deleted_does_not_pass(world, authz):
    token = world.client_token(scopes=("authz:check", "instances:sweep"))
    said = await through_nginx(world, authz, token, "/v1/instances/i-1", "DELETE")
    assert said.status == 403
    gone = world.client_token("cli_" + "f" * 32, ("instances:sweep",))
    assert (await through_nginx(world, authz, gone, "/v1/instances/i-1", "DELETE")).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("X-Original-Method", "GET")],
        [("X-Original-URI", INSTANCE)],
        [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", INSTANCE)],
        [("X-Original-Method", "GET"), *[("X-Original-URI", INSTANCE)] * 2],
        [*[("X-Original-Method", "GET")] * 2, ("X-Original-URI", INSTANCE)],
        [("X-Original-Method", "get"), ("X-Original-URI", INSTANCE)],
        [("X-Original-Method", "GET"), ("X-Original-URI", INSTANCE.replace("i-1", "i%2D1"))],
        [("X-Original-Method", "GET"), ("X-Original-URI", f"{INSTANCE}%2Fdisks")],
        [("X-Original-Method", "GET"), ("X-Original-URI", f"/x/..{INSTANCE}")],
        [("X-Original-Method", "GET"), ("X-Original-URI", "/\xe4")],
    ],
)
async def test_what_nginx_does_not_tell_plainly_once_is_403(world, authz, headers):
    token = ("Authorization", f"Bearer {world.user_token(ANA, SESSION)}")
    said = await ask(world, authz, [token, *headers])
    assert (said.status, said.body["code"]) == (403, "no-route-matches")


@pytest.mark.parametrize("method", ["POST", "PATCH", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("path", ["/forward-auth", "/forward-auth/x", "/forward-auth/%0a?q=1"])
async def test_every_method_below_the_path_has_one_of_the_four_statuses(world, authz, method, path):
    said = await ask(world, authz, [], method=method, path=path)
    assert said.status == 401
    token = [("Authorization", f"Bearer {world.user_token(ANA, SESSION)}")]
    assert (await ask(world, authz, token, method=method, path=path)).status == 403


@pytest.mark.parametrize("authz", ["traefik"], indirect=True)
async def test_a_recorded_request_of_traefik_is_understood(world, authz):
    def recorded(uri, method="GET"):
        """What Traefik sends: the sender's headers, and its own over them."""
        return [
            ("Host", "authz.internal:8080"),
            ("User-Agent", "curl/8.5.0"),
            ("Accept", "*/*"),
            ("Authorization", f"Bearer {world.user_token(BO, SESSION)}"),
            ("Rolecall-User", ANA),
            ("X-Original-Uri", "/v1/balance"),
            ("X-Original-Method", "DELETE"),
            ("X-Forwarded-For", "203.0.113.9"),
            ("X-Forwarded-Host", "api.example.com"),
            ("X-Forwarded-Method", method),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Server", "traefik-1"),
            ("X-Forwarded-Uri", uri),
            ("X-Real-Ip", "203.0.113.9"),
            ("Accept-Encoding", "gzip"),
        ]

    said = await ask(world, authz, recorded(f"{INSTANCE}?verbose=1"))
    assert (said.status, said.headers["Rolecall-User"]) == (200, BO)
    assert (await ask(world, authz, recorded("/v1/balance"))).body["code"] == "request-denied"
    assert (await ask(world, authz, recorded(INSTANCE, "PUT"))).status == 403


@pytest.mark.parametrize("authz", ["envoy"], indirect=True)
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", INSTANCE, 200, None),
        ("HEAD", INSTANCE, 200, None),
        ("GET", f"{INSTANCE}?q=%2F..", 200, None),
        ("POST", f"/v1/accounts/{ACCOUNT}/projects/{PROD}/instances", 200, None),
        ("GET", "/v1/balance", 403, "request-denied"),
        ("PUT", INSTANCE, 403, "no-route-matches"),
        ("GET", f"{INSTANCE}%2Fdisks", 403, "no-route-matches"),
        ("GET", f"/x/..{INSTANCE}", 403, "no-route-matches"),
        ("GET", f"/{INSTANCE}", 403, "no-route-matches"),
        ("GET", "", 403, "no-route-matches"),
        ("GET", f"x{INSTANCE}", 404, "not-found"),
    ],
)
async def test_a_recorded_request_of_envoy_is_understood(world, authz, method, path, status, code):
    recorded = [
        ("Host", "api.example.com"),
        ("authorization", f"Bearer {world.user_token(BO, SESSION)}"),
        ("content-length", "0"),
        ("x-original-uri", "/v1/balance"),
        ("x-envoy-internal", "true"),
        ("x-forwarded-for", "10.0.0.7"),
        ("x-request-id", "6a0d7d7e-9f2c-4f31-9d1c-0b1c7f0c2a11"),
        ("x-envoy-expected-rq-timeout-ms", "3000"),
    ]
    said = await ask(world, authz, recorded, method=method, path=f"/forward-auth{path}")
    assert said.status == status
    assert code is None or said.body["code"] == code
    if status == 200:
        assert said.headers["Rolecall-User"] == BO


async def test_without_a_map_every_request_is_refused(world):
    async with world.replica() as authz:
        said = await through_nginx(world, authz, world.user_token(ANA, SESSION), INSTANCE)
    assert (said.status, said.body["code"]) == (403, "no-route-matches")


def test_a_map_with_a_problem_stops_the_start(tmp_path):
    file = tmp_path / "map.yaml"
    with pytest.raises(StartRefused, match="cannot be read: No such file"):
        read_map(str(file))
    file.write_text(
        "gateway: nginx\nroutes:\n  - methods: [GET]\n    path: v1\n    permission: a:b"
    )
    with pytest.raises(StartRefused, match=r"map\.yaml:4: /routes/0/path: A path begins with"):
        read_map(str(file))
    file.write_bytes(b"\xff")
    with pytest.raises(StartRefused, match="not UTF-8"):
        read_map(str(file))
    assert read_map("") is None


@pytest.mark.rule("Ci10", "B2", "B6")
async def test_a_gateway_sends_an_api_token_as_it_is(world, authz):
    world.team.write(member(BO, "developer", membership_id=MEMBERSHIP))
    [written] = world.team.write(resource("i-9", owner_id=BO, project_id=PROD))
    source, epoch, shard, seq = written.row.position
    newest = [("Rolecall-Revision", f"{source}.{epoch}.{shard}.{seq}")]
    whole, reading, other = (new_api_token(shard) for shard in (1, 2, 3))
    world.identity.write(
        api_token(whole),
        api_token(reading, read_only=True),
        api_token(other, membership_id=f"mem_{8:032x}"),
    )

    async def known():
        return (await through_nginx(world, authz, other, INSTANCE)).status != 401

    await wait_for(known, what="the tokens")
    said = await through_nginx(world, authz, whole, INSTANCE, more=newest)
    assert said.status == 200
    assert (said.headers["Rolecall-User"], said.headers["Rolecall-Account"]) == (BO, ACCOUNT)
    assert (await through_nginx(world, authz, whole, IN_PROJECT, "POST")).status == 200
    assert (await through_nginx(world, authz, whole, "/v1/instances/i-9", "DELETE")).status == 200
    assert (await through_nginx(world, authz, reading, INSTANCE)).status == 200
    refused = await through_nginx(world, authz, reading, IN_PROJECT, "POST")
    assert (refused.status, refused.body["reason"]) == (403, "token-restricted")
    former = await through_nginx(world, authz, other, INSTANCE)
    assert (former.status, former.body["reason"]) == (403, "not-a-member")
    unknown = await through_nginx(world, authz, new_api_token(4), INSTANCE)
    assert (unknown.status, unknown.body["code"]) == (401, "token-revoked")
    for cut in (whole[:-1], whole[:-1] + ("0" if whole[-1] != "0" else "1")):
        incomplete = await through_nginx(world, authz, cut, INSTANCE)
        assert (incomplete.status, incomplete.body["code"]) == (401, "token-invalid")
        assert incomplete.body["detail"].startswith("This API token was not copied whole")


async def test_a_client_of_other_resource_types_passes_nowhere(world, authz):
    for client_id, status in ((SWEEPER, 200), (OF_VOLUMES, 403)):
        token = world.client_token(client_id, ("instances:sweep",))
        said = await through_nginx(world, authz, token, IN_PROJECT, "POST")
        assert said.status == status


async def test_nginx_asks_at_one_path_only(world, authz):
    """What stands below it is how Envoy tells the path."""
    token = world.user_token(BO, SESSION)
    told = [
        ("X-Original-Method", "GET"),
        ("X-Original-URI", INSTANCE),
        ("Authorization", f"Bearer {token}"),
    ]
    assert (await ask(world, authz, told)).status == 200
    said = await ask(world, authz, told, path="/forward-auth/x")
    assert (said.status, said.body["code"]) == (403, "no-route-matches")
