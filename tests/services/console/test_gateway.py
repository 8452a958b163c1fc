"""The console between two sides of a real gateway: who its visitors are, and what nginx says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from deploy.gateway.pages import DOWNLOAD_PATHS, page_locations
from deploy.gateway.paths import path_match, path_owners, public_routes
from deploy.gateway.servers import ConsoleListener
from deploy.programs.program import free_port
from rolecall.client.jwk import encode
from services.console.app import build
from services.console.routes import FEEDS
from services.console.settings import NAME, Settings
from shared.runtime.listeners import listen
from tests.deploy.gateway.upstreams import Upstream, gateway

VISITOR = "203.0.113.9"
KEY = encode(bytes(range(32)))


@asynccontextmanager
async def console(*, api_url: str, port: int) -> AsyncIterator[None]:
    """The console behind a gateway on this machine."""
    settings = Settings(
        public_url="https://rolecall.example",
        api_url=api_url,
        cookie_keys=(KEY,),
        trusted_proxies=("127.0.0.0/8",),
    )
    service = build(settings)
    await service.start(internal=listen("127.0.0.1", 0), public=listen("127.0.0.1", port))
    try:
        yield
    finally:
        await service.stop()


@pytest.mark.rule("T18")
async def test_the_api_is_told_the_address_of_the_visitor_and_their_browser(tmp_path):
    inside = f"127.0.0.1:{free_port()}"
    identity = Upstream("identity")
    pages = Upstream(NAME, status=None, port=free_port())
    owners = path_owners({"identity": public_routes()["identity"]})
    listener = ConsoleListener(listen=inside, trusted=["127.0.0.0/8"])
    async with (
        console(api_url=f"http://{inside}", port=pages.port),
        gateway(
            tmp_path, owners, [identity, pages], proxies=["127.0.0.0/8"], console=listener
        ) as http,
    ):
        headers = {"X-Forwarded-For": f"198.51.100.1, {VISITOR}", "User-Agent": "Lynx/2"}
        async with http.get("/forgot-password", headers=headers) as page:
            text = await page.text()
            form = page.cookies["__Host-rolecall_form"].value
        mark = text.partition('name="form" value="')[2].partition('"')[0]
        headers["Cookie"] = f"__Host-rolecall_form={form}"
        fields = {"form": mark, "email": "ana@example.com"}
        async with http.post(
            "/forgot-password", data=fields, headers=headers, allow_redirects=False
        ) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/forgot-password/sent")
    [asked] = identity.requests
    assert asked.path == "/v1/password/forgot"
    assert asked.headers["X-Forwarded-For"] == VISITOR
    assert asked.headers["User-Agent"] == "Lynx/2"


def test_the_gateway_passes_files_and_feeds_on_as_they_come():
    located = page_locations({NAME}, {}).splitlines()
    passed = {path_match(path) for path in (*DOWNLOAD_PATHS, *(feed.path for feed in FEEDS))}
    assert len(passed) >= 4
    for line in located:
        where = line.strip().removeprefix("location ").partition(" {")[0]
        assert ("proxy_buffering off;" in line) is (where in passed)


CONSOLE, OTHER, INSIDE, OUTSIDE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
"""Addresses of this machine: of two senders, and of two networks of the gateway."""
SENDERS = [(CONSOLE, VISITOR), (OTHER, OTHER)]


@pytest.mark.rule("T18")
@pytest.mark.parametrize(("sender", "counted"), SENDERS)
async def test_only_the_console_names_visitors_to_the_gateway(tmp_path, sender, counted):
    identity, port = Upstream("identity"), free_port()
    owners = path_owners({"identity": public_routes()["identity"]})
    listener = ConsoleListener(listen=f"{INSIDE}:{port}", trusted=[f"{CONSOLE}/32"])
    connector = aiohttp.TCPConnector(local_addr=(sender, 0))
    async with (
        gateway(tmp_path, owners, [identity], proxies=["127.0.0.0/8"], console=listener),
        aiohttp.ClientSession(connector=connector) as http,
    ):
        headers = {"X-Forwarded-For": VISITOR}
        async with http.get(f"http://{INSIDE}:{port}/v1/me", headers=headers) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectorError):  # in no other network
            await http.get(f"http://{OUTSIDE}:{port}/v1/me")
    [asked] = identity.requests
    assert asked.headers["X-Forwarded-For"] == counted


@pytest.mark.rule("T15")
async def test_the_gateways_own_errors_are_pages_and_log_no_link(tmp_path: Path):
    absent = Upstream(NAME, status=None)
    owners = path_owners({"identity": public_routes()["identity"]})
    async with gateway(tmp_path, owners, [Upstream("identity"), absent]) as http:
        asked = [
            (await http.get("/verify?token=sup_1.1.SECRET"), 503, "does not answer"),
            (await http.get("/sign-in/callback/acme?code=SECRET"), 503, "does not answer"),
            (await http.post("/invitations", data=b"x" * 1_000_000), 413, "too large"),
        ]
        for answer, status, words in asked:
            assert answer.status == status
            assert answer.content_type == "text/html"
            assert words in await answer.text()
            assert "script" not in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
        for languages, words in (
            ("de-AT,de;q=0.9,en;q=0.5", "Der Dienst antwortet gerade nicht."),
            ("den", "does not answer"),
            ("en-GB,de", "does not answer"),
        ):
            german = {"Accept-Language": languages}
            answer = await http.get("/sign-in/callback/acme?code=SECRET", headers=german)
            assert (answer.status, answer.headers["Vary"]) == (503, "Accept-Language")
            assert words in await answer.text()
        await http.get("/sign-in?to=SHOWN")
        other = await http.get("/v1/signup")
        assert other.content_type != "text/html"
    logged = await asyncio.to_thread(logs_below, tmp_path)
    assert "SHOWN" in logged  # where no link leads, its log says what went wrong
    assert "SECRET" not in logged


async def test_an_unknown_address_is_a_page_for_browsers_alone(tmp_path: Path):
    owners = path_owners({"identity": public_routes()["identity"]})
    async with gateway(
        tmp_path, owners, [Upstream("identity", status=404), Upstream(NAME)]
    ) as http:
        for path, accept, kind in (
            ("/no/such/page", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
            ("/no/such/page", "*/*", "application/problem+json"),
            ("/no/such/page", "application/json, text/html", "application/problem+json"),
            ("/v1/me", "text/html", "application/json"),  # what the service has answered
        ):
            async with http.get(path, headers={"Accept": accept}) as answer:
                assert (answer.status, answer.content_type) == (404, kind)
                if kind == "text/html":
                    text = await answer.text()
                    assert "There is no such page" in text
                    assert 'href="/console"' in text


def logs_below(folder: Path) -> str:
    """What nginx has logged."""
    return "".join(file.read_text(errors="replace") for file in folder.rglob("*.log"))
