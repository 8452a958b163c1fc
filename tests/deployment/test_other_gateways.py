"""Traefik and Envoy with the rules of the product: where requests end, and what is in them."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from deploy.gateway.problems import MAX_BODY_BYTES
from tests.deploy.gateway.test_headers import CLAIMS, OF_THE_CONNECTION, PASSED, REPLACED
from tests.deploy.gateway.test_slow_clients import BEGUN
from tests.deploy.gateway.test_smuggling import DIVIDED, NEXT, REFUSED
from tests.deployment.gateways import GATEWAYS, fronted

pytestmark = [pytest.mark.deployment, pytest.mark.usefixtures("unmeasured")]
HERE, HIDDEN, LAST = "/v1/teams", "/v1/teams/hidden", "/v1/teams/next"
TAKEN = {
    "traefik": {
        "CL.TE": [HERE, HIDDEN, LAST],
        "TE.CL": [HERE, LAST],
        "TE.CL with length zero": [HERE, HIDDEN, LAST],
        "TE.TE: a tab before the value": [HERE, HIDDEN, LAST],
        "TE.TE: capitals": [HERE, HIDDEN, LAST],
        "TE.TE: a bare feed before": [HERE, HIDDEN, LAST],
        "TE.TE: folded": [HERE, HIDDEN, LAST],
        "TE.TE: folded after another": [HERE, LAST],
        "CL.CL: the same twice": [HERE, HIDDEN, LAST],
        "HTTP/1.0 and chunks": [HERE],
    },
    "envoy": {
        "TE.TE: a bare return before": [HERE, LAST],
        "TE.TE: folded after another": [HERE, LAST],
        "chunk: a longer body": [HERE, HIDDEN, LAST],
        "a tab in the line": [HERE, LAST],
        "two hosts": [HERE, LAST],
    },
}
"""Bytes that nginx refuses and this gateway reads in one way. The service sees no other way."""
OTHERWISE = {
    "traefik": {
        "chunks behind bare feeds": [500],
        "an extension with a bare return": [500],
        "an extension with a bare feed": [500],
        "many zeros": [500],
        "blank lines before": [400],
        "a rest that never comes": [499],
        "a chunk that never ends": [499],
    },
    "envoy": {
        "chunks behind bare feeds": [400],
        "an extension with a bare feed": [400],
        "a rest that never comes": [408],
        "a chunk that never ends": [408],
    },
}
"""Answers that are not those of nginx."""


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=GATEWAYS)
async def front(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    async with fronted(request.param, folder, seconds=2) as made:
        yield request.param, made


def own_answers(answers):
    """The numbers of the requests that the service has answered to this sender."""
    return [each.headers["x-seen-number"] for each in answers if "x-seen-number" in each.headers]


async def exchanged(front, texts):
    """The statuses of each, after the invariants of every exchange have been checked."""
    front.service.requests.clear()
    results = await asyncio.gather(*(front.answers(text, NEXT) for text in texts.values()))
    found = {
        name: [answer.status for answer in answers if answer.status != 100]
        for name, answers in zip(texts, results, strict=True)
    }
    given = [int(one) for answers in results for one in own_answers(answers)]
    assert sorted(given) == list(range(1, len(front.service.requests) + 1))
    for method, path, headers, body in front.service.requests:
        assert "transfer-encoding" not in headers, (method, path)
        assert len(body) == int(headers.get("content-length", "0")), (method, path)
        assert "rolecall-request-id" not in headers
    return found


@pytest.mark.rule("T17")
@pytest.mark.asyncio(loop_scope="module")
async def test_ambiguous_requests_are_refused_or_read_in_one_way(front):
    kind, gateway = front
    taken = TAKEN[kind]
    for name, paths in taken.items():
        found = await exchanged(gateway, {name: REFUSED[name]})
        assert (name, [row[1] for row in gateway.service.requests]) == (name, paths)
        assert found[name] == [200] * len(paths)
    refused = {name: text for name, text in REFUSED.items() if name not in taken}
    found = await exchanged(gateway, refused)
    assert {name for name, statuses in found.items() if not 400 <= statuses[0] <= 501} == set()
    assert {path for _, path, *_ in gateway.service.requests} <= {LAST}


@pytest.mark.rule("T17")
@pytest.mark.asyncio(loop_scope="module")
async def test_each_request_at_the_service_has_one_answer_of_its_own(front):
    kind, gateway = front
    found = await exchanged(gateway, {name: text for name, (text, _) in DIVIDED.items()})
    assert found == {name: statuses for name, (_, statuses) in DIVIDED.items()} | OTHERWISE[kind]


@pytest.mark.rule("T18")
@pytest.mark.asyncio(loop_scope="module")
async def test_fields_for_the_gateway_alone_reach_no_service(front):
    kind, gateway = front
    fields = OF_THE_CONNECTION | CLAIMS | {k: v for k, (v, _) in REPLACED.items()} | PASSED
    fields |= {"x-envoy-retry-on": "5xx", "X-Forwarded-User": "x"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    text = f"POST /v1/teams HTTP/1.1\r\nHost: evil.test\r\n{lines}Content-Length: 1\r\n"
    gateway.service.requests.clear()
    answers = await gateway.answers(f"{text}Connection: close, Origin\r\n\r\nx".encode())
    assert [answer.status for answer in answers] == [200]
    [(_, _, seen, _)] = gateway.service.requests
    kept = {"X-Forwarded-Uri"} if kind == "traefik" else set()  # it drops all that it may write
    gone = {*map(str.lower, OF_THE_CONNECTION | CLAIMS), "connection", "rolecall-request-id"}
    assert seen.keys().isdisjoint({*gone, "x_forwarded_for", "x-envoy-internal"})
    passed = {name: value for name, value in PASSED.items() if name not in kept}
    passed.pop("Origin")  # the sender calls it a field of the connection
    assert {name: seen.get(name.lower()) for name in passed} == passed
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert answers[0].headers.get("server", kind) == kind


@pytest.mark.rule("T18")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_field_that_is_sent_twice_names_no_other_sender(front):
    kind, gateway = front
    text = (
        "GET /v1/teams HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n"
        "x-forwarded-for: 203.0.113.10\r\nForwarded: for=203.0.113.9\r\nForwarded: for=_x\r\n"
        "Connection: close{}\r\n\r\n"
    )
    gateway.service.requests.clear()
    for more in "", ", X-Forwarded-For, Rolecall-Request-ID":
        [answer] = await gateway.answers(text.format(more).encode())
        # Envoy refuses a sender that calls the address a field of the connection.
        assert answer.status == (400 if more and kind == "envoy" else 200)
    for _, _, seen, _ in gateway.service.requests:
        assert seen["x-forwarded-for"] == "127.0.0.1"
        assert "forwarded" not in seen


CLOSED = (
    *("/nothing", "/health/live", "/health/ready", "/metrics", "/forward-auth", "/internal"),
    *("/v1/teams/a/b", "/v1/teams/", "/v1", "/V1/teams", "/v1/teams/a%2Fb", "/v1/teams/a%00"),
)


@pytest.mark.rule("T18")
@pytest.mark.asyncio(loop_scope="module")
async def test_paths_that_no_table_has_reach_no_service(front):
    kind, gateway = front
    gateway.service.requests.clear()
    for path in CLOSED:
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        [answer] = await gateway.answers(request)
        assert answer.status in {400, 404}, path
        if kind == "envoy":
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.body)["status"] == answer.status
    assert gateway.service.requests == []


@pytest.mark.rule("T19")
@pytest.mark.asyncio(loop_scope="module")
async def test_a_large_body_is_refused_before_a_service_hears_of_it(front):
    _, gateway = front
    gateway.service.requests.clear()
    size = MAX_BODY_BYTES + 1
    for fields, body in (
        (f"Content-Length: {size}", b"x" * size),
        ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)),
    ):
        head = f"POST /v1/teams HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n\r\n"
        [answer] = await gateway.answers(head.encode(), body)
        assert answer.status == 413
    assert gateway.service.requests == []


@pytest.mark.rule("T19")
@pytest.mark.asyncio(loop_scope="module")
async def test_slow_senders_cost_no_service_anything(front):
    _, gateway = front
    gateway.service.requests.clear()
    async with AsyncExitStack() as stack:
        ended = []
        for begun in BEGUN.values():
            for _ in range(20):
                reader, writer = await stack.enter_async_context(gateway.connected())
                writer.write(begun)
                ended.append(reader.read())
        [answer] = await gateway.answers(NEXT)
        assert answer.status == 200
        async with asyncio.timeout(15):
            await asyncio.gather(*ended, return_exceptions=True)
    assert [row[1] for row in gateway.service.requests] == [LAST]
