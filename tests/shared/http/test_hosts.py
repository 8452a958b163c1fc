"""A listener of this machine answers to an address or to `localhost`, not to a name."""

import aiohttp
import pytest
from aiohttp import web

from shared.http.hosts import local_hosts_only, names_this_machine
from shared.http.mounting import mount
from shared.runtime.listeners import Listener, listen
from tests.shared.http.sample import World, team

KNOWN = ("127.0.0.1", "127.0.0.1:8080", "localhost", "LocalHost:8080", "[::1]:8080", "192.0.2.1")
UNKNOWN = (
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "",
    "127.0.0.1.evil.example",
)


@pytest.mark.parametrize("host", KNOWN)
def test_an_address_and_localhost_name_this_machine(host: str) -> None:
    assert names_this_machine(host)


@pytest.mark.parametrize("host", UNKNOWN)
def test_a_name_does_not_name_this_machine(host: str) -> None:
    assert not names_this_machine(host)


@pytest.mark.rule("T18")
async def test_a_page_with_a_rebound_name_reaches_no_handler(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    app = web.Application()
    mount(app, team(world))
    app.middlewares.append(local_hosts_only)
    listener = Listener(app, listen("127.0.0.1", 0))
    await listener.start()
    try:
        async with aiohttp.ClientSession() as http:
            for path in ("/v1/open", "/openapi.json", "/nothing"):
                headers = {"Host": "evil.example"}
                async with http.get(listener.url + path, headers=headers) as answer:
                    said = await answer.json(content_type="application/problem+json")
                assert (answer.status, said["code"]) == (421, "host-unknown")
            async with http.get(f"{listener.url}/v1/open") as answer:
                assert answer.status == 200
    finally:
        await listener.stop()
    assert len(world.calls) == 1
    logged = [one for one in caplog.records if one.name == "shared.http.hosts"]
    assert {vars(one)["host"] for one in logged} == {"evil.example"}
