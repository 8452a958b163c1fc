"""Fields of a request that end at the gateway, and those that it passes on."""

import pytest

from tests.deploy.gateway.recorded import fronted

OF_THE_CONNECTION = {
    "Keep-Alive": "timeout=99",
    "Proxy-Connection": "keep-alive",
    "TE": "trailers",
    "Trailer": "Content-Length",
    "Upgrade": "h2c",
    "Proxy-Authorization": "Basic eDp5",
}
"""RFC 9110, 7.6.1 and 11.7.1: they are for the next one on the way alone."""
CLAIMS = {
    "Forwarded": "for=203.0.113.9",
    "X-Real-IP": "203.0.113.9",
    "Proxy": "http://203.0.113.9",
}
"""Names of a sender, and what CGI would take for the variable HTTP_PROXY."""
REPLACED = {
    "X-Forwarded-For": ("203.0.113.9", "127.0.0.1"),
    "X-Forwarded-Proto": ("https", "http"),
    "Rolecall-Request-ID": ("req_" + "0" * 32, None),
    "X_Forwarded_For": ("203.0.113.9", None),
}
PASSED = {
    "Authorization": "Bearer x",
    "Idempotency-Key": "k",
    "If-Match": '"x"',
    "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    "Origin": "https://a.example",
    "Cookie": "a=b",
    # A gateway that asks /forward-auth tells in these what it was asked.
    "X-Forwarded-Uri": "/x",
    "X-Original-URI": "/x",
}


@pytest.mark.rule("T18")
async def test_fields_for_the_gateway_alone_reach_no_service(tmp_path):
    fields = OF_THE_CONNECTION | CLAIMS | {k: v for k, (v, _) in REPLACED.items()} | PASSED
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    text = f"POST /v1/teams HTTP/1.1\r\nHost: evil.test\r\n{lines}Content-Length: 1\r\n"
    async with fronted(tmp_path) as front:
        answers = await front.answers(f"{text}Connection: close, Origin\r\n\r\nx".encode())
        [(_, _, seen, _)] = front.service.requests
    assert [answer.status for answer in answers] == [200]
    assert seen.keys().isdisjoint({*map(str.lower, OF_THE_CONNECTION | CLAIMS), "connection"})
    assert {name: seen.get(name.lower()) for name in PASSED} == PASSED
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert seen["rolecall-request-id"] != fields["Rolecall-Request-ID"]
    assert "x_forwarded_for" not in seen


@pytest.mark.rule("T18")
async def test_a_field_that_is_sent_twice_names_no_other_sender(tmp_path):
    text = (
        b"GET /v1/teams HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n"
        b"x-forwarded-for: 203.0.113.10\r\nForwarded: for=203.0.113.9\r\nForwarded: for=_x\r\n"
        b"Connection: close, X-Forwarded-For, Rolecall-Request-ID\r\n\r\n"
    )
    async with fronted(tmp_path) as front:
        answers = await front.answers(text)
        [(_, _, seen, _)] = front.service.requests
    assert [answer.status for answer in answers] == [200]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert "forwarded" not in seen
    assert answers[0].headers["x-seen-id"] == seen["rolecall-request-id"] != ""
    assert answers[0].headers["server"] == "nginx"
