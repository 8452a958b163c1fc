"""Tests of requests to addresses that a customer chose (T26)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from shared.http.outbound import (
    AddressForbiddenError,
    Outbound,
    OutboundError,
    check_url,
    leads_outside,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

HERE = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
OUTSIDE = ("1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001::1")
INSIDE = (
    *("0.0.0.0", "127.0.0.1", "127.255.0.9", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("100.64.0.1", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:1.1.1.1", "::127.0.0.1", "::1.1.1.1"),
    *("64:ff9b::7f00:1", "64:ff9b::101:101", "64:ff9b:1::7f00:1"),  # NAT64
    *("2002:7f00:1::", "2002:a00:1::1", "2002:101:101::1"),  # 6to4
    *("2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1"),
    *("100::1", "5f00::1", "4000::1"),
)
REFUSED = (
    *("", "example.com", "//example.com", "ftp://example.com/", "file:///etc/passwd"),
    *("http://example.com/", "javascript:alert(1)", "https://", "https:///path", "https://a b/"),
    *("https://user@example.com/", "https://user:x@example.com/", "https://@example.com/"),
    *("https://example.com/#part", "https://example.com:0/", "https://example.com:99999/"),
    *("https://example.com\\@127.0.0.1/", "https://exa\tmple.com/", "https://exämple.com/"),
    *("https://[::1/", "https://[v1.x]/", f"https://example.com/{'x' * 2048}"),
    *("https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/"),
    *("https://127.0.0.1:443/", "https://[::ffff:7f00:1]/", "https://[64:ff9b::7f00:1]/"),
    *("http://localhost/", "http://127.0.0.1/", "http://[::1]/"),
)


@pytest.mark.rule("T26")
@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_may_be_asked(address: str) -> None:
    assert leads_outside(ip_address(address))


@pytest.mark.rule("T26")
@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_can_lead_inside_may_not_be_asked(address: str) -> None:
    assert not leads_outside(ip_address(address))


@pytest.mark.rule("T26")
@pytest.mark.parametrize("url", REFUSED)
def test_an_address_in_no_plain_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\."):
        check_url(url)


def test_this_machine_may_be_asked_without_tls_where_that_is_set() -> None:
    for url in (
        "http://127.0.0.1:8080/x",
        "http://localhost/",
        "http://[::1]/",
        "https://a.example/",
    ):
        assert check_url(url, networks=HERE) == url
    for url in ("http://10.0.0.1/", "http://example.com/"):
        with pytest.raises(ValueError, match="https"):
            check_url(url, networks=(*HERE, IPv4Network("10.0.0.0/8")))
    assert check_url("https://10.0.0.1/", networks=(IPv4Network("10.0.0.0/8"),))


class Resolver(AbstractResolver):
    """Answers each look-up of any name with the next of these addresses; the last one stays."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> Any:
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        of_name = {"hostname": host, "host": address, "port": port, "proto": 0, "flags": 0}
        return [of_name | {"family": socket.AF_INET6 if ":" in address else socket.AF_INET}]

    async def close(self) -> None:
        """Nothing is open."""


class Recording(Outbound):
    """Notes the addresses to which a socket was made, or refused."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.opened: list[str] = []
        self.refused: list[str] = []

    def _socket(self, found: Any) -> socket.socket:
        try:
            made = super()._socket(found)
        except AddressForbiddenError:
            self.refused.append(found[4][0])
            raise
        self.opened.append(found[4][0])
        return made


@asynccontextmanager
async def canary(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None,
) -> AsyncIterator[tuple[int, list[str]]]:
    """A server of this machine, and the paths that it was asked for."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(text="{}") if answer is None else await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], asked
    finally:
        await runner.cleanup()


@pytest.mark.rule("T26")
@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
)
async def test_a_name_that_leads_inside_is_not_connected_to(address: str) -> None:
    outbound = Recording(resolver=Resolver(address))
    with pytest.raises(OutboundError, match="No connection"):
        await outbound.get("https://rebound.example/")
    await outbound.close()
    assert outbound.refused == [address]
    assert outbound.opened == []


@pytest.mark.rule("T26")
async def test_a_name_is_checked_at_each_connection() -> None:
    """The first address is in a network that may be asked; the next one is not."""
    outbound = Recording(
        networks=(IPv4Network("127.0.0.2/32"),), resolver=Resolver("127.0.0.2", "127.0.0.1")
    )
    for _ in range(2):
        with pytest.raises(OutboundError):
            await outbound.get("https://rebound.example:9/")
    await outbound.close()
    assert (outbound.opened, outbound.refused) == (["127.0.0.2"], ["127.0.0.1"])


async def test_an_address_that_is_refused_opens_no_connection() -> None:
    async with canary() as (port, asked):
        outbound = Outbound()
        for url in (f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/"):
            with pytest.raises(AddressForbiddenError):
                await outbound.get(url)
    assert asked == []


@pytest.mark.rule("T26")
async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "/inside"})

    async with canary(redirect) as (port, asked):
        outbound = Outbound(networks=HERE)
        assert (await outbound.get(f"http://127.0.0.1:{port}/")).status == 307
        await outbound.close()
    assert asked == ["/"]


async def test_a_failed_request_is_told_in_words() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    outbound = Outbound(networks=HERE)
    async with canary(cut) as (port, _):
        with pytest.raises(OutboundError, match="certificate"):
            await outbound.get(f"https://127.0.0.1:{port}/")
        with pytest.raises(OutboundError, match="broke"):
            await outbound.get(f"http://127.0.0.1:{port}/")
    with pytest.raises(OutboundError, match="No connection"):
        await outbound.get(f"http://127.0.0.1:{port}/")
    await outbound.close()


async def test_time_and_size_of_an_answer_are_bounded() -> None:
    never = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/slow":
            await never.wait()
        if request.path == "/parts":
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(6):
                await response.write(b"x" * 20)
                await asyncio.sleep(0.01)
            return response
        return web.Response(text="x" * 101)

    async with canary(answer) as (port, _):
        outbound = Outbound(networks=HERE, seconds=0.2, max_bytes=100)
        with pytest.raises(OutboundError, match="in time"):
            await outbound.get(f"http://127.0.0.1:{port}/slow")
        patient = Outbound(networks=HERE, max_bytes=100)
        for path in ("large", "parts"):
            with pytest.raises(OutboundError, match="100 bytes"):
                await patient.get(f"http://127.0.0.1:{port}/{path}")
        never.set()
        await outbound.close()
        await patient.close()


@pytest.mark.parametrize("body", ["", "[]", "{", "1", "\ud800", "[" * 100_000])
async def test_an_answer_that_is_not_an_object_is_refused(body: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body.encode("utf-8", "surrogatepass"))

    async with canary(answer) as (port, _):
        outbound = Outbound(networks=HERE)
        found = await outbound.get(f"http://127.0.0.1:{port}/")
        with pytest.raises(OutboundError):
            found.members()
        await outbound.close()
