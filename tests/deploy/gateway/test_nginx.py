"""The gateway: paths and services, its own refusals, limits, replicas and documents."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from yarl import URL

from deploy.gateway.docs import CONTENT_SECURITY_POLICY, page
from deploy.gateway.limits import USERS
from deploy.gateway.nginx import (
    ANY_VERSION,
    RESOLVED_UPSTREAMS,
    WORKER_CONNECTIONS,
    configuration,
    image_version,
)
from deploy.gateway.paths import PARAMETER, PathClaimedTwiceError, path_owners, public_routes
from deploy.gateway.problems import MAX_BODY_BYTES, body_limits
from deploy.programs.nginx import nginx_program, nginx_version
from shared.contracts.topology import Service
from shared.http.openapi import document_of
from tests.deploy.gateway.upstreams import NameServer, Upstream, gateway
from tests.servers import require_nginx
from tests.waiting import wait_for

OWNERS = {"/v1/teams": "team", "/v1/teams/{team_id}": "team", "/access/v1/evaluation": "authz"}


async def problem_of(response, code):
    assert response.content_type == "application/problem+json", await response.text()
    problem = await response.json(content_type=None)
    assert (problem["status"], problem["code"]) == (response.status, code)
    assert problem["type"] == f"urn:rolecall:problem:{code}"
    assert problem["detail"]
    assert problem["request_id"] == response.headers["Rolecall-Request-ID"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    return problem


async def test_every_public_route_reaches_its_own_service_unchanged(tmp_path):
    routes = public_routes()
    upstreams = [Upstream(service) for service in Service]
    async with gateway(tmp_path, path_owners(routes), upstreams) as client:
        for service, rows in routes.items():
            for route in rows:
                path = PARAMETER.sub("x.1_2-3%C3%A4", route.path) + "?q=%2F&q="
                async with client.request(route.method, URL(path, encoded=True)) as response:
                    told = await response.json()
                assert (told["service"], told["method"]) == (service, route.method)
                assert told["path"] == path
    assert sum(len(upstream.requests) for upstream in upstreams) == sum(map(len, routes.values()))


def test_two_services_with_the_same_path_are_refused():
    routes = dict(public_routes())
    [row, *_] = [route for route in routes["team"] if "{account_id}" in route.path]
    assert row not in routes["audit"]
    routes["audit"] = [*routes["audit"], row]
    with pytest.raises(PathClaimedTwiceError, match=r"belongs to team, but audit claims it too"):
        path_owners(routes)


@pytest.mark.parametrize("names", [None, {name: f"{name}:8080" for name in Service}])
def test_nginx_accepts_the_generated_configuration(tmp_path, names):
    require_nginx()
    program = nginx_program()
    assert program is not None
    file = tmp_path / "nginx.conf"
    file.write_text(
        configuration(
            path_owners(public_routes()),
            listen="127.0.0.1:8080",
            static="/etc/rolecall",
            addresses=None if names else {name: ["127.0.0.1:1"] for name in Service},
            names=names,
            resolver="127.0.0.11" if names else None,
            version=nginx_version(),
        )
    )
    command = [program, "-t", "-p", f"{tmp_path}/", "-c", str(file), "-e", "stderr"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/teams/",
        "/v1/teams/t/members",
        "/v1/TEAMS",
        "/x/v1/teams",
        "/v1/teamsx",
        "/internal/heads",
        "/internal/admin/service-clients",
        "/health/ready",
        "/metrics",
        "/nginx.conf",
        "/problems/not-found",
    ],
)
async def test_an_unknown_path_is_a_404_and_reaches_no_service(tmp_path, path):
    team, authz = Upstream("team"), Upstream("authz")
    async with (
        gateway(tmp_path, OWNERS, [team, authz]) as client,
        client.get(path) as response,
    ):
        assert response.status == 404
        await problem_of(response, "not-found")
    assert not team.requests
    assert not authz.requests


@pytest.mark.parametrize(("others", "start"), [([], "/docs"), (["console"], "/console")])
async def test_the_address_of_the_gateway_leads_to_the_pages(tmp_path, others, start):
    upstreams = [Upstream(name) for name in ("team", "authz", *others)]
    async with (
        gateway(tmp_path, OWNERS, upstreams) as client,
        client.get("/", allow_redirects=False) as response,
    ):
        assert (response.status, response.headers["Location"]) == (302, start)


@pytest.mark.rule("T18")
async def test_the_sender_cannot_forge_its_address_or_scheme(tmp_path):
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "Host": "evil.test"}
    async with (
        gateway(tmp_path, OWNERS, [Upstream("team"), Upstream("authz")]) as client,
        client.get("/v1/teams", headers=forged) as response,
    ):
        seen = (await response.json())["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "http"
    assert "forwarded" not in seen
    assert response.headers["Server"] == "nginx", "the version is not revealed"


@pytest.mark.rule("T18")
@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (None, "127.0.0.1"),
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 127.0.0.2", "203.0.113.9"),
        ("not an address", "127.0.0.1"),
    ],
)
async def test_behind_a_load_balancer_the_sender_is_the_last_untrusted_address(
    tmp_path, said, seen
):
    headers = {} if said is None else {"X-Forwarded-For": said}
    upstreams = [Upstream("team"), Upstream("authz")]
    async with (
        gateway(tmp_path, OWNERS, upstreams, proxies=["127.0.0.0/8"]) as client,
        client.get("/v1/teams", headers=headers) as response,
    ):
        assert (await response.json())["headers"]["x-forwarded-for"] == seen


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abc.DEF_1~2-3", True),
        ('"},{"x":"$host', True),
        ("a" * 200, True),
        ("a" * 201, False),
        ("a b", False),
        (None, False),
    ],
)
async def test_the_senders_id_is_repeated_and_the_gateways_own_is_beside_it(tmp_path, sent, kept):
    headers = {"Rolecall-Request-ID": "req_" + "0" * 32}
    headers |= {} if sent is None else {"X-Request-ID": sent}
    async with gateway(tmp_path, OWNERS, [Upstream("team"), Upstream("authz")]) as client:
        async with client.get("/v1/teams", headers=headers) as response:
            seen = (await response.json())["headers"]
        async with client.get("/nothing", headers=headers) as response:
            problem = await problem_of(response, "not-found")
            repeated = response.headers["X-Request-ID"]
    for own in (seen["rolecall-request-id"], problem["request_id"]):
        assert re.fullmatch("req_[0-9a-f]{32}", own)
        assert own != headers["Rolecall-Request-ID"]
    assert repeated == (sent if kept else problem["request_id"])
    assert seen["x-request-id"] == (sent if kept else seen["rolecall-request-id"])


async def test_the_problem_of_a_silent_service_has_the_id_that_it_was_given(tmp_path):
    team = Upstream("team")
    team.may_answer.clear()
    upstreams = [team, Upstream("authz")]
    async with (
        gateway(tmp_path, OWNERS, upstreams, answer_seconds=1) as client,
        client.post("/v1/teams", headers={"X-Request-ID": "mine"}) as response,
    ):
        problem = await problem_of(response, "unavailable")
        assert response.headers["X-Request-ID"] == "mine"
        team.may_answer.set()
    [request] = team.requests
    assert request.headers["Rolecall-Request-ID"] == problem["request_id"]


@pytest.mark.parametrize("sent", ['"own"', '"other"', "*"])
async def test_entity_tags_are_compared_by_the_service_alone(tmp_path, sent):
    headers = {"If-Match": sent, "If-None-Match": sent, "Accept-Encoding": "gzip"}
    async with (
        gateway(tmp_path, OWNERS, [Upstream("team"), Upstream("authz")]) as client,
        client.get("/v1/teams", headers=headers) as response,
    ):
        assert (response.status, response.headers["ETag"]) == (200, '"own"')
        seen = (await response.json())["headers"]
    assert (seen["if-match"], seen["if-none-match"]) == (sent, sent)


def test_every_route_has_a_smaller_cap_than_the_gateway():
    rows = [route for rows in public_routes().values() for route in rows]
    larger = body_limits(rows)
    assert larger.keys() == {
        "/v1/accounts/{account_id}/resources",
        "/v1/accounts/{account_id}/policy",
        "/v1/accounts/{account_id}/policy/plan",
        "/v1/accounts/{account_id}/provisioning/members",
        "/v1/provisioning/users",
        "/v1/audit/events",
        "/v1/usage",
    }
    assert all(0 < row.body_cap < larger.get(row.path, MAX_BODY_BYTES) for row in rows)


@pytest.mark.rule("T19")
async def test_a_body_above_the_cap_is_refused_by_the_gateway(tmp_path):
    team = Upstream("team")
    async with gateway(tmp_path, OWNERS, [team, Upstream("authz")]) as client:
        async with client.post("/v1/teams", data=b"x" * MAX_BODY_BYTES) as response:
            assert (await response.json())["length"] == MAX_BODY_BYTES
        larger = b"x" * (MAX_BODY_BYTES + 1)
        async with client.post("/v1/teams", data=larger) as response:
            assert response.status == 413
            assert (await problem_of(response, "body-too-large"))["limit"] == MAX_BODY_BYTES
    assert len(team.requests) == 1


@pytest.mark.rule("T19")
async def test_a_path_with_a_larger_cap_takes_larger_bodies_alone(tmp_path):
    template = "/v1/accounts/{account_id}/resources"
    routes = public_routes()
    limit = body_limits(row for rows in routes.values() for row in rows)[template]
    upstreams = [Upstream(service) for service in Service]
    path = f"{PARAMETER.sub('acc_1', template)}?a=b"
    async with gateway(tmp_path, path_owners(routes), upstreams) as client:
        async with client.post(path, data=io.BytesIO(b"x" * limit)) as response:
            assert response.status == 200, (response.headers, await response.text())
            assert (await response.json())["length"] == limit
        async with client.post(path, data=io.BytesIO(b"x" * (limit + 1))) as response:
            assert (await problem_of(response, "body-too-large"))["limit"] == limit
        other = path.replace("/resources?", "/resources/reassign?")
        async with client.post(other, data=b"x" * (MAX_BODY_BYTES + 1)) as response:
            assert (await problem_of(response, "body-too-large"))["limit"] == MAX_BODY_BYTES


async def test_the_refusal_of_an_unread_body_reaches_the_client(tmp_path):
    team = Upstream("team", status=413, reads=False)
    async with gateway(tmp_path, OWNERS, [team, Upstream("authz")]) as client:
        for _ in range(40):
            async with client.post("/v1/teams", data=b"x" * 200_000) as response:
                assert response.status == 413
                assert response.headers["X-Own"] == "team"


@pytest.mark.rule("T19")
async def test_a_service_never_waits_for_a_slow_sender(tmp_path):
    """The gateway forwards a request after it has read the whole body."""
    team = Upstream("team")

    async def slow():
        yield b"first"
        async with client.get("/v1/teams") as quick:
            assert quick.status == 200
        assert len(team.requests) == 1
        yield b"last"

    async with (
        gateway(tmp_path, OWNERS, [team, Upstream("authz")]) as client,
        client.post("/v1/teams", data=slow()) as response,
    ):
        assert (await response.json())["length"] == len(b"firstlast")
    assert len(team.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 429, 500, 502, 503, 504])
async def test_a_refusal_of_a_service_arrives_unchanged(tmp_path, status):
    async with (
        gateway(tmp_path, OWNERS, [Upstream("team", status=status), Upstream("authz")]) as client,
        client.post("/v1/teams") as response,
    ):
        assert response.status == status
        assert response.headers["RateLimit-Policy"] == USERS.policy
        assert (await response.json())["service"] == "team"


async def test_a_service_that_is_down_is_a_503_with_retry_after(tmp_path):
    away = Upstream("team", status=None)
    async with (
        gateway(tmp_path, OWNERS, [away, Upstream("authz")]) as client,
        client.post("/v1/teams", json={}) as response,
    ):
        assert response.status == 503
        assert response.headers["RateLimit-Policy"] == USERS.policy
        await problem_of(response, "unavailable")
        assert response.headers["Retry-After"] == "1"


async def test_a_replica_that_is_down_is_skipped(tmp_path):
    away, team = Upstream("team", status=None), Upstream("team")
    async with gateway(tmp_path, OWNERS, [away, team, Upstream("authz")]) as client:
        for _ in range(6):
            async with client.post("/v1/teams", data=b"whole") as response:
                assert (await response.json())["length"] == len(b"whole")
    assert len(team.requests) == 6


async def test_a_stale_replica_is_skipped(tmp_path):
    stale, fresh = Upstream("authz", status=503), Upstream("authz")
    async with gateway(tmp_path, OWNERS, [stale, fresh, Upstream("team")]) as client:
        for _ in range(6):
            async with client.post("/access/v1/evaluation", json={"a": "b"}) as response:
                assert response.status == 200
                assert (await response.json())["length"] == len(json.dumps({"a": "b"}))
    assert stale.requests
    assert len(fresh.requests) == 6


async def test_a_client_that_names_a_group_of_authz_is_led_to_its_replicas(tmp_path):
    first, second, third = (Upstream(f"authz{further}") for further in ("", "-2", "-3"))
    asked = {None: first, "1/3": first, "2/3": second, "3": third, "4/4": first, "x": first}
    async with gateway(tmp_path, OWNERS, [first, second, third, Upstream("team")]) as client:
        for group, upstream in asked.items():
            before = len(upstream.requests)
            headers = {} if group is None else {"Rolecall-Group": group}
            async with client.post("/access/v1/evaluation", json={}, headers=headers) as response:
                assert response.status == 200
            assert len(upstream.requests) == before + 1, group


async def test_the_answer_of_authz_arrives_when_every_replica_is_stale(tmp_path):
    replicas = [Upstream("authz", status=503) for _ in range(3)]
    async with (
        gateway(tmp_path, OWNERS, [*replicas, Upstream("team")]) as client,
        client.post("/access/v1/evaluation", json={}) as response,
    ):
        assert (response.status, response.headers["X-Own"]) == (503, "authz")
    assert [len(replica.requests) for replica in replicas] == [1, 1, 1]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_request_with_an_effect_is_never_sent_twice(tmp_path, method):
    replicas = [Upstream("team", status=503) for _ in range(3)]
    async with (
        gateway(tmp_path, OWNERS, [*replicas, Upstream("authz")]) as client,
        client.request(method, "/v1/teams", json={}) as response,
    ):
        assert response.status == 503
    assert sum(len(replica.requests) for replica in replicas) == 1


async def test_a_request_that_may_be_repeated_goes_to_the_next_replica(tmp_path):
    starting, ready = Upstream("team", status=503), Upstream("team")
    async with gateway(tmp_path, OWNERS, [starting, ready, Upstream("authz")]) as client:
        for method in ("GET", "HEAD", "PUT", "DELETE") * 2:
            async with client.request(method, "/v1/teams") as response:
                assert response.status == 200, method
    assert starting.requests
    assert len(ready.requests) == 8


RAW = {
    "not HTTP": b"what is this\r\n\r\n",
    "no Host": b"GET /v1/teams HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /v1/teams HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two lengths": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nxx",
    "length and chunks": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a long line": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a long header": b"GET /v1/teams HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "another version": b"GET /v1/teams HTTP/3.0\r\nHost: a\r\n\r\n",
    "another coding": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: zip\r\n\r\n",
    "a path above the root": b"GET /../x HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.rule("T17")
@pytest.mark.parametrize("text", RAW.values(), ids=RAW.keys())
async def test_a_malformed_request_is_a_400_and_reaches_no_service(tmp_path, text):
    team = Upstream("team")
    async with gateway(tmp_path, OWNERS, [team, Upstream("authz")]) as client:
        assert client._base_url is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port)
        writer.write(text)
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "bad-request"
    assert not team.requests


@pytest.mark.rule("T19")
async def test_one_address_has_a_limited_number_of_concurrent_requests(tmp_path):
    team = Upstream("team")
    team.may_answer.clear()
    async with gateway(tmp_path, OWNERS, [team, Upstream("authz")]) as client:
        running = [asyncio.create_task(client.get("/v1/teams")) for _ in range(200)]
        await wait_for(lambda: len(team.requests) == 200, what="200 requests at the service")
        async with client.get("/v1/teams") as response:
            assert response.status == 429
            await problem_of(response, "too-many-connections")
            assert response.headers["Retry-After"] == "1"
        team.may_answer.set()
        for answer in await asyncio.gather(*running):
            assert answer.status == 200
            answer.release()


async def test_replicas_that_come_and_go_are_found_by_name(tmp_path):
    one = Upstream("one")
    async with NameServer().serving() as resolver, one.serving():
        names = {"team": f"team:{one.port}", "authz": f"authz:{one.port}"}
        two = Upstream("two", host="127.0.0.2", port=one.port)
        async with (
            two.serving(),
            gateway(tmp_path, OWNERS, [], names=names, resolver=resolver.address) as client,
        ):

            async def answering():
                async with client.get("/v1/teams") as response:
                    told = await response.json(content_type=None)
                    return told.get("service", response.status)

            assert await answering() == 503
            for addresses, who in (["127.0.0.1"], "one"), (["127.0.0.2"], "two"):
                resolver.addresses = addresses

                async def moved(who=who):
                    return await answering() == who

                await wait_for(moved, what=f"an answer of {who}")
            resolver.addresses = ["127.0.0.1", "127.0.0.2"]
            seen = set()

            async def both():
                seen.add(await answering())
                return seen == {"one", "two"}

            await wait_for(both, what="answers of both")


async def test_many_requests_share_few_connections_to_a_service(tmp_path):
    replicas = [Upstream("team"), Upstream("team")]
    async with gateway(tmp_path, OWNERS, [*replicas, Upstream("authz")]) as client:
        for number in range(200):
            path = "/v1/teams" if number % 2 else "/v1/teams/t"
            async with client.get(path) as response:
                assert response.status == 200
    assert sum(len(each.requests) for each in replicas) == 200
    # The client has one connection, so one worker of nginx has all requests.
    assert [len(each.connections) for each in replicas] == [1, 1]


async def test_a_name_shares_connections_from_nginx_1_27_3_on(tmp_path):
    team = Upstream("team")
    async with NameServer().serving() as resolver, team.serving():
        resolver.addresses = [team.host]
        names = dict.fromkeys(("team", "authz"), f"team:{team.port}")
        async with gateway(tmp_path, OWNERS, [], names=names, resolver=resolver.address) as client:

            async def answered():
                async with client.get("/v1/teams") as response:
                    return response.status == 200

            await wait_for(answered, what="the first lookup")
            team.connections.clear()
            for _ in range(200):
                assert await answered()
    assert len(team.connections) == (1 if nginx_version() >= RESOLVED_UPSTREAMS else 200)


NAMES = {name: f"{name}:8080" for name in ("team", "authz")}


def written_for(version):
    return configuration(
        OWNERS, listen="8080", static="/s", names=NAMES, resolver="127.0.0.11", version=version
    )


@pytest.mark.parametrize("version", [RESOLVED_UPSTREAMS, (1, 28), (1, 30), (1, 30, 5), (2, 0)])
def test_a_recent_nginx_keeps_connections_to_replicas_found_by_name(version):
    text = written_for(version)
    for name in NAMES:
        [block] = re.findall(rf"  upstream {name} \{{\n(.*?)  \}}", text, re.DOTALL)
        assert [line.strip() for line in block.splitlines()] == [
            f"zone {name} 256k;",
            f"server {name}:8080 resolve max_fails=0;",
            "keepalive 64;",
            "keepalive_timeout 5s;",
        ]
        assert f"proxy_pass http://{name};" in text
    assert "$replicas" not in text


@pytest.mark.parametrize("version", [ANY_VERSION, (1, 22, 1), (1, 26, 3), (1, 27), (1, 27, 2)])
def test_an_older_nginx_looks_a_name_up_for_each_request(version):
    text = written_for(version)
    assert "\n  upstream " not in text
    assert "set $replicas team:8080; " in text
    assert "proxy_pass http://$replicas;" in text


@pytest.mark.parametrize("version", [ANY_VERSION, RESOLVED_UPSTREAMS])
def test_names_are_looked_up_again_after_seconds_also_by_upstreams(version):
    before_servers = written_for(version).partition("  server {")[0]
    assert "  resolver 127.0.0.11 valid=1s ipv6=off;\n  resolver_timeout 2s;\n" in before_servers


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("nginx:1.30", (1, 30)),
        ("nginx:1.30.5-alpine", (1, 30, 5)),
        ("registry.example:5000/mirror/nginx:1.27.2", (1, 27, 2)),
        ("nginx:1.30@sha256:e9f3", (1, 30)),
    ],
)
def test_the_version_of_nginx_is_read_from_the_tag_of_its_image(image, version):
    assert image_version(image) == version


def test_a_worker_may_open_a_file_for_each_of_its_connections():
    text = written_for(ANY_VERSION)
    assert f"worker_connections {WORKER_CONNECTIONS};" in text
    [files] = re.findall(r"^worker_rlimit_nofile (\d+);$", text, re.MULTILINE)
    assert int(files) >= 2 * WORKER_CONNECTIONS


@pytest.fixture
def static():
    """A folder that the unprivileged workers of nginx can read."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


async def test_the_gateway_serves_the_page_and_the_openapi_document(tmp_path, static):
    api = document_of([route for rows in public_routes().values() for route in rows])
    (static / "openapi.json").write_text(json.dumps(api))
    (static / "docs.html").write_text(page(api))
    upstreams = [Upstream("team"), Upstream("authz")]
    async with gateway(tmp_path, OWNERS, upstreams, static=static) as client:
        async with client.get("/openapi.json") as response:
            assert response.content_type == "application/json"
            assert await response.json() == api
        async with client.get("/docs") as response:
            assert response.content_type == "text/html"
            assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            text = await response.text()
        async with client.post("/docs") as response:
            assert response.status == 405
            assert response.headers["Allow"] == "GET, HEAD"
            await problem_of(response, "method-not-allowed")
    for path, operations in api["paths"].items():
        assert f"<code>{path}</code>" in text
        assert all(f'id="{row["operationId"]}"' in text for row in operations.values())


def nginx_pid(folder: Path) -> int:
    return int((folder / "nginx" / "nginx.pid").read_text())


def workers_of(master: int) -> list[str]:
    return Path(f"/proc/{master}/task/{master}/children").read_text().split()


def is_ending(worker: str) -> bool:
    try:
        return "shutting down" in Path(f"/proc/{worker}/cmdline").read_text()
    except FileNotFoundError:
        return True


async def test_a_reload_lets_the_requests_end_that_have_begun(tmp_path):
    team = Upstream("team")
    team.may_answer.clear()
    async with gateway(tmp_path, OWNERS, [team, Upstream("authz")]) as client:
        begun = asyncio.create_task(client.post("/v1/teams"))  # no client repeats it
        await wait_for(lambda: team.requests, what="the request")
        master = nginx_pid(tmp_path)
        old = workers_of(master)
        os.kill(master, signal.SIGHUP)
        await wait_for(lambda: all(map(is_ending, old)), what="workers that end")
        async with client.post("/access/v1/evaluation") as response:
            assert response.status == 200
        team.may_answer.set()
        async with await begun as response:
            assert response.status == 200
