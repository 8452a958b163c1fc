"""TLS at Traefik and Envoy: protocols, HTTP/2, the time for https alone, and the way from http."""

import ssl
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from deploy.gateway.tls import Tls
from deploy.programs.program import free_port
from tests.deploy.gateway.http2 import end_of_stream, header_block, request_frames
from tests.deploy.gateway.test_tls import GET, HTTP2, PUBLIC, STRICT
from tests.deployment.gateways import GATEWAYS, fronted
from tests.support.certificates import Authority

pytestmark = [
    pytest.mark.deployment,
    pytest.mark.usefixtures("unmeasured"),
    pytest.mark.asyncio(loop_scope="module"),
]
OTHERWISE = {
    "traefik": {"H2.TE": [], "H2.CL: two": [1], "a host of its own": [0]},
    "envoy": {"H2.TE": [], "a host of its own": [0]},
}
"""The lengths of the bodies that the service reads where they are not those behind nginx."""


@pytest.fixture
def encrypted(gateway):
    """The gateway, and a sender that trusts its certificate and has agreed on nothing."""
    kind, front, authority = gateway
    front.trust = ssl.create_default_context(cafile=authority)
    return kind, front


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=GATEWAYS)
async def gateway(request, tmp_path_factory):
    """The gateway with a certificate, and a listener for http."""
    with TemporaryDirectory() as name:
        authority = Authority(Path(name), "authority")
        file, plain = str(authority.certify("gateway")), free_port()
        tls = Tls(certificate=file, key=file, redirect_from=f"127.0.0.1:{plain}", public_url=PUBLIC)
        folder = tmp_path_factory.mktemp(request.param)
        async with fronted(
            request.param,
            folder,
            tls=tls,
            plain_port=plain,
        ) as front:
            yield request.param, front, authority.file


async def test_requests_are_answered_over_tls_and_name_the_scheme(encrypted):
    kind, front = encrypted
    front.service.requests.clear()
    for path, status in (b"/v1/teams", 200), (b"/nothing", 404), (b"/", 302):
        [answer] = await front.answers(GET % path)
        assert answer.status == status
        if path != b"/nothing" or kind == "envoy":
            assert answer.headers["strict-transport-security"].startswith(STRICT)
    [(_, _, seen, _)] = front.service.requests
    assert (seen["x-forwarded-proto"], seen["x-forwarded-for"]) == ("https", "127.0.0.1")


async def test_http_leads_to_https_at_the_own_address_alone(encrypted):
    _, front = encrypted
    front.service.requests.clear()
    request = (GET % b"/v1/teams?a=b").replace(b"Host: a", b"Host: evil.test")
    [answer] = await front.answers(request, plain=True)
    assert answer.status in {301, 308}
    assert answer.headers["location"] == f"{PUBLIC}/v1/teams?a=b"
    assert "strict-transport-security" not in answer.headers
    assert front.service.requests == []


@pytest.mark.parametrize(
    ("version", "spoken"),
    [
        (ssl.TLSVersion.TLSv1_1, None),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
async def test_the_gateway_speaks_tls_1_2_and_1_3_alone(encrypted, version, spoken):
    _, front = encrypted
    front.trust.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        front.trust.minimum_version = front.trust.maximum_version = version
    try:
        async with front.connected() as (_, writer):
            found = writer.get_extra_info("ssl_object")
            assert (found.version(), found.cipher()[0].count("CBC")) == (spoken, 0)
    except (ssl.SSLError, ConnectionError):
        assert spoken is None


@pytest.mark.rule("T17")
async def test_a_request_of_http_2_never_becomes_two_of_http_1(encrypted):
    kind, front = encrypted
    bodies = {}
    for name, (headers, body, _) in HTTP2.items():
        front.service.requests.clear()
        async with front.connected(protocols=["h2"]) as (reader, writer):
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
            writer.write(request_frames(header_block(headers), body))
            await end_of_stream(reader)
        bodies[name] = [len(row[3]) for row in front.service.requests]
        assert all(row[1] == "/v1/teams" for row in front.service.requests)
        assert not any("transfer-encoding" in row[2] for row in front.service.requests)
    assert bodies == {name: size for name, (_, _, size) in HTTP2.items()} | OTHERWISE[kind]
