"""TLS at the gateway: protocols, HTTP/2, the time for https alone, and the way from http."""

import ssl
import warnings
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.gateway.tls import HSTS_SECONDS, HTTP2_DIRECTIVE, Tls
from deploy.programs.program import free_port
from tests.deploy.gateway.http2 import ANSWERED, end_of_stream, header_block, request_frames
from tests.deploy.gateway.recorded import fronted
from tests.support.certificates import Authority

GET = b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
STRICT = f"max-age={HSTS_SECONDS}"
PUBLIC = "https://iam.example.com"


@asynccontextmanager
async def encrypted(folder):
    """The gateway with a certificate, as `make up` and the chart give it one."""
    with TemporaryDirectory() as name:
        authority = Authority(Path(name), "authority")
        file = str(authority.certify("gateway"))
        plain = free_port()
        tls = Tls(certificate=file, key=file, redirect_from=f"127.0.0.1:{plain}", public_url=PUBLIC)
        trust = ssl.create_default_context(cafile=authority.file)
        async with fronted(folder, tls=tls, trust=trust, plain_port=plain) as front:
            yield front


async def test_requests_are_answered_over_tls_and_name_the_scheme(tmp_path):
    async with encrypted(tmp_path) as front:
        for path, status in (b"/v1/teams", 200), (b"/nothing", 404), (b"/", 302), (b"/%", 400):
            [answer] = await front.answers(GET % path)
            assert (answer.status, answer.headers["strict-transport-security"]) == (status, STRICT)
        [(_, _, seen, _)] = front.service.requests
    assert (seen["x-forwarded-proto"], seen["x-forwarded-for"]) == ("https", "127.0.0.1")


async def test_http_leads_to_https_at_the_own_address_alone(tmp_path):
    async with encrypted(tmp_path) as front:
        request = (GET % b"/v1/teams?a=b").replace(b"Host: a", b"Host: evil.test")
        [answer] = await front.answers(request, plain=True)
        assert (answer.status, answer.headers["location"]) == (308, f"{PUBLIC}/v1/teams?a=b")
        assert "strict-transport-security" not in answer.headers
        assert front.service.requests == []


async def test_without_tls_no_answer_demands_it(tmp_path):
    async with fronted(tmp_path) as front:
        for path in b"/v1/teams", b"/nothing":
            [answer] = await front.answers(GET % path)
            assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("version", "spoken"),
    [
        (ssl.TLSVersion.TLSv1_1, None),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
async def test_the_gateway_speaks_tls_1_2_and_1_3_alone(tmp_path, version, spoken):
    async with encrypted(tmp_path) as front:
        assert front.trust is not None
        front.trust.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            front.trust.minimum_version = front.trust.maximum_version = version
        try:
            async with front.connected() as (_, writer):
                found = writer.get_extra_info("ssl_object")
                assert (found.version(), found.cipher()[0].count("CBC")) == (spoken, 0)
        except (ssl.SSLError, ConnectionError):
            assert spoken is None


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ((1, 22, 1), ["8443 ssl http2"]),
        (HTTP2_DIRECTIVE, ["8443 ssl", "http2 on;"]),
        ((1, 30), ["8443 ssl", "http2 on;"]),
    ],
)
def test_http_2_is_turned_on_as_each_nginx_wants_it(version, lines):
    tls = Tls(certificate="/c", key="/k")
    text = f"listen {tls.listen('8443', version)};{tls.directives(version)}"
    assert all(line in text for line in lines)
    assert text.count("http2") == 1


HIDDEN = b"0\r\n\r\nGET /v1/teams/hidden HTTP/1.1\r\nHost: a\r\n\r\n"
POST = ((b":method", b"POST"), (b":scheme", b"https"), (b":path", b"/v1/teams"))
HOST = (b":authority", b"a")
HTTP2 = {
    "whole": ((*POST, HOST), b"x", [1]),
    "a length that fits": ((*POST, HOST, (b"content-length", b"1")), b"x", [1]),
    "H2.CL: shorter": ((*POST, HOST, (b"content-length", b"0")), HIDDEN, []),
    "H2.CL: longer": ((*POST, HOST, (b"content-length", b"999")), HIDDEN, []),
    "H2.CL: two": ((*POST, HOST, *[(b"content-length", b"1")] * 2), b"x", []),
    "H2.TE": ((*POST, HOST, (b"transfer-encoding", b"chunked")), HIDDEN, [len(HIDDEN)]),
    "a line in a value": ((*POST, HOST, (b"x", b"y\r\nTransfer-Encoding: chunked")), b"", []),
    "a line in a name": ((*POST, HOST, (b"x: y\r\ntransfer-encoding", b"chunked")), b"", []),
    "a feed in a value": ((*POST, HOST, (b"x", b"y\nz: a")), b"", []),
    "a NUL in a value": ((*POST, HOST, (b"x", b"y\0")), b"", []),
    "a colon in a name": ((*POST, HOST, (b"x:y", b"z")), b"", []),
    "a blank in a name": ((*POST, HOST, (b"x y", b"z")), b"", []),
    "a line in the path": ((*POST[:2], (b":path", b"/v1/teams HTTP/1.1\r\nX: y"), HOST), b"", []),
    "a blank in the method": (((b":method", b"GET /x"), *POST[1:], HOST), b"", []),
    "two paths": ((*POST, (b":path", b"/v1/teams/hidden"), HOST), b"", []),
    "two methods": ((*POST, (b":method", b"GET"), HOST), b"", []),
    "an unknown pseudo-header": ((*POST, HOST, (b":x", b"y")), b"", []),
    "a host of its own": ((*POST, HOST, (b"host", b"b")), b"", []),
    "a path without a slash": ((*POST[:2], (b":path", b"v1/teams"), HOST), b"", []),
    "no path": ((*POST[:2], HOST), b"", []),
    "capitals": ((*POST, HOST, (b"X-A", b"b")), b"", []),
}
"""Requests of HTTP/2, and the lengths of the bodies that the service reads of them."""


@pytest.mark.rule("T17")
async def test_a_request_of_http_2_never_becomes_two_of_http_1(tmp_path):
    bodies, ends = {}, {}
    async with encrypted(tmp_path) as front:
        for name, (headers, body, _) in HTTP2.items():
            front.service.requests.clear()
            async with front.connected(protocols=["h2"]) as (reader, writer):
                assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
                writer.write(request_frames(header_block(headers), body))
                ends[name] = await end_of_stream(reader)
            bodies[name] = [len(row[3]) for row in front.service.requests]
            assert all(row[1] == "/v1/teams" for row in front.service.requests)
            assert not any("transfer-encoding" in row[2] for row in front.service.requests)
    assert bodies == {name: expected for name, (_, _, expected) in HTTP2.items()}
    assert {name for name, end in ends.items() if end == ANSWERED} == {
        name for name, seen in bodies.items() if seen
    }
