"""The limits of the gateway: slow senders, its version, and replicas that come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise, permutations, product

import aiohttp
import pytest

from deploy.gateway.limits import (
    CLIENTS,
    MAILS,
    SENDER_LIMITS,
    SIGN_INS,
    STRANGERS,
    USERS,
    sender_limits,
)
from deploy.gateway.nginx import configuration
from deploy.gateway.paths import public_routes
from shared.auth.access_tokens import client_claims, sign_access_token, user_claims
from shared.auth.principals import ClientPrincipal
from shared.http.access import Client, Public, Session
from tests.deploy.gateway.upstreams import Upstream, gateway
from tests.shared.http.sample import ACCOUNT, CLIENT, CLOCK, KEY, SESSION, USER, Thing, row
from tests.waiting import wait_for

OWNERS = {"/v1/teams": "team", "/access/v1/evaluation": "authz"}
PROXIES = ["127.0.0.0/8"]
BEGUN = {
    "headers": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\n",
    "a body": b"POST /v1/teams HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst",
}


@asynccontextmanager
async def connected(
    client: aiohttp.ClientSession,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    assert client._base_url is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN.keys())
async def test_a_sender_that_stops_halfway_is_disconnected(tmp_path, begun):
    team = Upstream("team")
    async with (
        gateway(tmp_path, OWNERS, [team, Upstream("authz")], sender_seconds=1) as client,
        connected(client) as (reader, writer),
        asyncio.timeout(10),
    ):
        writer.write(begun)
        await reader.read()
    assert not team.requests


def test_heads_bodies_and_answers_have_their_seconds_by_default():
    text = configuration(OWNERS, listen="8080", static="/tmp", addresses={})
    assert "client_header_timeout 10s;" in text
    assert "client_body_timeout 15s;" in text
    assert "proxy_read_timeout 30s;" in text


def test_a_replica_that_is_gone_costs_a_request_seconds_at_most():
    text = configuration(OWNERS, listen="8080", static="/tmp", addresses={})
    assert "  proxy_connect_timeout 2s;\n" in text
    assert "  proxy_next_upstream_timeout 5s;\n" in text


@pytest.mark.parametrize("path", ["/v1/teams", "/nothing", "/%"])
async def test_the_gateway_does_not_show_its_version(tmp_path, path):
    async with (
        gateway(tmp_path, OWNERS, [Upstream("team"), Upstream("authz")]) as client,
        connected(client) as (reader, writer),
    ):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode("latin-1")
    assert "\r\nServer: nginx\r\n" in answer
    assert "nginx/" not in answer


async def test_a_replica_that_comes_back_is_asked_at_once(tmp_path):
    away, team = Upstream("team", status=None), Upstream("team")
    async with gateway(tmp_path, OWNERS, [away, team, Upstream("authz")]) as client:

        async def ask() -> None:
            async with client.get("/v1/teams") as response:
                assert response.status == 200

        for _ in range(10):
            await ask()
        back = Upstream("team", port=away.port)
        async with back.serving():

            async def asked() -> bool:
                await ask()
                return bool(back.requests)

            # A replica that counts as failed is passed over for ten seconds.
            await wait_for(asked, within=8, what="a request at the replica that came back")


def test_each_kind_of_route_has_its_own_limit():
    limits = sender_limits(public_routes())
    assert {path for path, limit in limits.items() if limit is SIGN_INS} == {"/v1/login"}
    mails = {path for path, limit in limits.items() if limit is MAILS}
    assert mails == {"/v1/signup", "/v1/email/resend", "/v1/password/forgot"}
    strangers = {path for path, limit in limits.items() if limit is STRANGERS}
    assert strangers >= {"/v1/token/refresh", "/v1/email/verify", "/v1/password/reset"}
    clients = {path for path, limit in limits.items() if limit is CLIENTS}
    assert clients >= {"/access/v1/evaluation", "/oauth2/token", "/.well-known/jwks.json"}
    assert limits["/v1/accounts/{}/members"] is USERS


def test_a_path_with_several_routes_has_the_narrowest_limit_of_them():
    stranger = row("POST", "/v1/open", Public(), takes=Thing)
    user, client = row("GET", "/v1/open", Session()), row("PUT", "/v1/open", Client("authz:check"))
    for rows in permutations((stranger, user, client)):
        assert sender_limits({"team": rows}) == {"/v1/open": STRANGERS}
    for rows in permutations((user, client)):
        assert sender_limits({"team": rows}) == {"/v1/open": USERS}


def test_strangers_have_the_narrowest_limit():
    for narrow, wide in pairwise(SENDER_LIMITS):
        assert narrow.per_minute < wide.per_minute
        assert narrow.burst < wide.burst
        assert narrow.at_once < wide.at_once


@pytest.mark.rule("T19")
async def test_a_sender_over_its_rate_of_refreshes_may_still_do_the_rest(tmp_path):
    owners = OWNERS | {"/v1/token/refresh": "identity"}
    upstreams = [Upstream("team"), Upstream("authz"), Upstream("identity")]
    async with gateway(tmp_path, owners, upstreams) as client:
        for _ in range(STRANGERS.burst + STRANGERS.per_minute // 2):
            async with client.post("/v1/token/refresh", json={}) as response:
                problem = await response.json(content_type=None)
                if response.status == 429:
                    break
        assert (response.status, problem["code"]) == (429, "request-rate-exceeded")
        assert response.content_type == "application/problem+json"
        assert response.headers["Retry-After"] == "1"
        assert response.headers["RateLimit-Policy"] == STRANGERS.policy
        assert problem["request_id"] == response.headers["Rolecall-Request-ID"]
        for method, path in (("GET", "/v1/teams"), ("POST", "/access/v1/evaluation")):
            async with client.request(method, path) as response:
                assert response.status == 200
                policy = (USERS if method == "GET" else CLIENTS).policy
                assert response.headers["RateLimit-Policy"] == policy


@pytest.mark.parametrize(
    ("limit", "factor", "seconds"),
    [(MAILS, 1, 4), (MAILS, 2, 2), (MAILS, 3, 1), (SIGN_INS, 1, 1), (USERS, 1, 1), (CLIENTS, 1, 1)],
)
def test_a_refused_sender_waits_until_the_rate_lets_it_through(limit, factor, seconds):
    """nginx counts thousandths: 20 a minute are 333 in a second, so one takes 3.003 s."""
    wider = limit.times(factor)
    thousandths = wider.per_minute * 1000 // 60
    assert wider.retry_after == seconds
    assert thousandths * (seconds - 1) < 1000 <= thousandths * seconds


def test_a_policy_names_the_rate_and_the_requests_at_once():
    assert MAILS.times(2).policy == (
        '"mails";q=40;w=60, "mails-at-once";q=40;qu="concurrent-requests"'
    )


@pytest.mark.rule("T19")
async def test_refreshes_at_once_do_not_use_up_the_connections_of_checks(tmp_path):
    identity, authz = Upstream("identity"), Upstream("authz")
    identity.may_answer.clear()
    path = "/v1/token/refresh"
    owners = OWNERS | {path: "identity"}
    async with gateway(tmp_path, owners, [Upstream("team"), authz, identity]) as client:
        posts = [asyncio.create_task(client.post(path)) for _ in range(STRANGERS.at_once)]
        await wait_for(lambda: len(identity.requests) == STRANGERS.at_once, what="refreshes")
        async with client.post(path) as response:
            assert (response.status, (await response.json(content_type=None))["code"]) == (
                429,
                "too-many-connections",
            )
        async with client.post("/access/v1/evaluation") as response:
            assert response.status == 200
        identity.may_answer.set()
        for answer in await asyncio.gather(*posts):
            answer.release()


@pytest.mark.rule("T19")
async def test_a_service_that_does_not_answer_in_time_is_a_503(tmp_path):
    team = Upstream("team")
    team.may_answer.clear()
    async with gateway(tmp_path, OWNERS, [team, Upstream("authz")], answer_seconds=1) as client:
        async with client.post("/v1/teams") as response:
            assert response.status == 503
            assert (await response.json(content_type=None))["code"] == "unavailable"
        team.may_answer.set()


async def read(client: aiohttp.ClientSession, authorization: str, *, sender: str) -> int:
    """Read a user's route from this address; return the status."""
    headers = {"Authorization": authorization, "X-Forwarded-For": sender}
    async with client.get("/v1/teams", headers=headers) as response:
        return response.status


@pytest.mark.rule("T19")
async def test_one_token_has_a_rate_of_its_own_and_others_are_served(tmp_path):
    spellings = ["".join(letters) for letters in product(*zip("bearer", "BEARER", strict=True))]
    upstreams = [Upstream("team"), Upstream("authz")]
    async with gateway(tmp_path, OWNERS, upstreams, proxies=PROXIES) as client:
        one, other = "a" * 40, "b" * 40
        statuses = await asyncio.gather(
            *(
                read(client, f"{spellings[number % 64]} {one}", sender=f"203.0.113.{number}")
                for number in range(200)
            )
        )
        assert set(statuses) == {200, 429}
        assert await read(client, f"Bearer {other}", sender="203.0.113.1") == 200


@pytest.mark.rule("T19")
async def test_refusals_are_slow_and_hold_no_connection_of_their_address(tmp_path):
    team = Upstream("team")
    async with gateway(tmp_path, OWNERS, [team, Upstream("authz")]) as client:

        async def get(token: str) -> tuple[int, float]:
            begun = loop.time()
            headers = {"Authorization": f"Bearer {token}"}
            async with client.get("/v1/teams", headers=headers) as response:
                await response.read()
                return response.status, loop.time() - begun

        loop = asyncio.get_running_loop()
        crowd = [asyncio.create_task(get("a" * 40)) for _ in range(100 + USERS.at_once + 50)]
        others: list[int] = []

        async def ended() -> bool:
            status, _ = await get(f"{len(others):040}")
            others.append(status)
            return all(one.done() for one in crowd)

        await wait_for(ended, what="the crowd's answers")
        assert set(others) == {200}
        refused = [seconds for status, seconds in await asyncio.gather(*crowd) if status == 429]
        assert len(refused) > USERS.at_once
        assert min(refused) >= 1


@pytest.mark.rule("T19")
async def test_a_service_client_over_its_limit_is_refused_in_one_piece(tmp_path):
    team, authz = Upstream("team"), Upstream("authz")
    authz.may_answer.clear()
    path = "/access/v1/evaluation"
    async with gateway(tmp_path, OWNERS, [team, authz]) as client:
        held: list[asyncio.Task[aiohttp.ClientResponse]] = []
        while len(held) < CLIENTS.at_once:  # one after another, so that none waits to be accepted
            held.append(asyncio.create_task(client.post(path)))
            await wait_for(lambda: len(authz.requests) == len(held), what="a check")
        # Not before: a connection without a request is closed after ten seconds.
        async with connected(client) as (read, write):
            head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
            write.write(head.encode())
            answer = await read.read(65_536)
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 1" in answer
        assert answer.endswith(b"}\n")
        authz.may_answer.set()
        for one in await asyncio.gather(*held):
            one.release()


BOTH = "/v1/accounts/{account_id}/resources"


@pytest.mark.rule("T19")
@pytest.mark.parametrize("issuer", ["https://a.test", "https://ab.test", "https://abc.test"])
async def test_a_users_token_keeps_its_rate_on_routes_of_both_kinds(tmp_path, issuer):
    """The claims before the subject shift it, so base64 has three forms of it."""
    owners = OWNERS | {BOTH: "team"}
    upstreams = [Upstream("team"), Upstream("authz")]
    client = ClientPrincipal(client_id=CLIENT, scopes=frozenset({"resources:write"}))
    claims = {
        "user": user_claims(
            issuer=issuer, user_id=USER, session_id=SESSION, account_id=ACCOUNT, now=CLOCK.now()
        ),
        "client": client_claims(issuer=issuer, client=client, now=CLOCK.now()),
    }
    path = BOTH.format(account_id=ACCOUNT)
    async with gateway(tmp_path, owners, upstreams, proxies=PROXIES) as nginx:

        async def read_often(who: str) -> set[int]:
            token = sign_access_token(KEY, "key_1", claims[who])

            async def read_once(number: int) -> int:
                sender = f"203.0.113.{number}"
                headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": sender}
                async with nginx.get(path, headers=headers) as response:
                    return response.status

            return set(await asyncio.gather(*(read_once(number) for number in range(200))))

        assert await read_often("client") == {200}
        assert await read_often("user") == {200, 429}


@pytest.mark.rule("T19")
async def test_invented_tokens_of_any_length_refuse_no_other_token(tmp_path):
    upstreams = [Upstream("team"), Upstream("authz")]
    async with gateway(
        tmp_path, OWNERS, upstreams, proxies=PROXIES, user_zone_size="64k"
    ) as client:
        for size in (40, 400, 3000):
            for number in range(600):
                token = f"{number:0{size}}"
                status = await read(
                    client, f"Bearer {token}", sender=f"10.0.{number % 250}.{size % 250}"
                )
                assert status == 200, f"the token {number} of {size} characters"
        for size in (40, 100, 300, 700, 900, 2000):
            assert await read(client, f"Bearer {'c' * size}", sender="203.0.113.1") == 200


NETWORK = [
    "2001:db8:1:a0a::1",
    "2001:db8:1:a0a:1::",
    "2001:db8:1:a0a:a:b:c:d",
    "2001:0DB8:0001:0A0A:0000:0000:0000:0A0A",
    "2001:db8:1:a0a::192.0.2.1",
]
FORMS = {
    "a network": (NETWORK, "2001:db8:1:a0b::1"),
    "a network of zeros": (["2001:db8::1", "2001:db8:0:0:1::", "2001:db8::"], "2001:db8:0:1::"),
    "an IPv4 address": (
        ["203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109", "0:0:0:0:0:ffff:203.0.113.9"],
        "::ffff:203.0.113.10",
    ),
}


@pytest.mark.rule("T19")
@pytest.mark.parametrize(("forms", "another"), FORMS.values(), ids=FORMS.keys())
async def test_every_form_of_an_address_is_one_sender(tmp_path, forms, another):
    path = "/v1/token/refresh"
    upstreams = [Upstream("team"), Upstream("authz"), Upstream("identity")]
    owners = OWNERS | {path: "identity"}
    async with gateway(tmp_path, owners, upstreams, proxies=PROXIES) as client:
        below_the_limit_of_connections = asyncio.Semaphore(STRANGERS.at_once - 1)

        async def refresh(sender: str) -> int:
            headers = {"X-Forwarded-For": sender}
            async with (
                below_the_limit_of_connections,
                client.post(path, headers=headers) as response,
            ):
                return response.status

        loop = asyncio.get_running_loop()
        begun = loop.time()
        sent = [refresh(forms[number % len(forms)]) for number in range(200)]
        served = (await asyncio.gather(*sent)).count(200)
        seconds = loop.time() - begun
        assert 0 < served <= 1 + STRANGERS.burst + STRANGERS.per_minute / 60 * (seconds + 1)
        assert await refresh(another) == 200


@pytest.mark.rule("T19")
async def test_the_addresses_of_a_network_share_its_connections(tmp_path):
    path = "/v1/token/refresh"
    identity = Upstream("identity")
    identity.may_answer.clear()
    upstreams = [Upstream("team"), Upstream("authz"), identity]
    owners = OWNERS | {path: "identity"}
    async with gateway(tmp_path, owners, upstreams, proxies=PROXIES) as client:

        def post(address: str) -> asyncio.Task[aiohttp.ClientResponse]:
            headers = {"X-Forwarded-For": address}
            return asyncio.create_task(client.post(path, headers=headers))

        posts = [post(f"2001:db8:1:2::{number}") for number in range(STRANGERS.at_once)]
        await wait_for(lambda: len(identity.requests) == STRANGERS.at_once, what="refreshes")
        async with await post("2001:db8:1:2:a::") as response:
            assert response.status == 429
        posts.append(post("2001:db8:1:3::"))
        await wait_for(lambda: len(identity.requests) > STRANGERS.at_once, what="another network")
        identity.may_answer.set()
        for answer in await asyncio.gather(*posts):
            answer.release()


@pytest.mark.rule("T19")
async def test_a_crowd_of_sign_ins_reaches_the_service_one_by_one(tmp_path):
    identity = Upstream("identity")
    owners = OWNERS | {"/v1/login": "identity"}
    upstreams = [Upstream("team"), Upstream("authz"), identity]
    async with gateway(tmp_path, owners, upstreams) as client:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        crowd = [asyncio.create_task(client.post("/v1/login")) for _ in range(100)]

        async def refused() -> bool:
            return sum(one.done() and one.result().status == 429 for one in crowd) >= 60

        await wait_for(refused, what="the refusals")
        arrived = len(identity.requests)
        seconds = loop.time() - begun
        assert arrived <= 1 + SIGN_INS.undelayed + SIGN_INS.per_minute / 60 * (seconds + 1)
        await wait_for(lambda: len(identity.requests) > arrived, what="one that had to wait")
        async with client.get("/v1/teams") as response:
            assert response.status == 200
        for one in crowd:
            one.cancel()
        for answer in await asyncio.gather(*crowd, return_exceptions=True):
            if isinstance(answer, aiohttp.ClientResponse):
                answer.release()


@pytest.mark.rule("T19")
async def test_checks_at_once_do_not_use_up_the_connections_of_strangers(tmp_path):
    identity, authz = Upstream("identity"), Upstream("authz")
    authz.may_answer.clear()
    path = "/v1/token/refresh"
    owners = OWNERS | {path: "identity"}
    async with gateway(tmp_path, owners, [Upstream("team"), authz, identity]) as client:
        check = "/access/v1/evaluation"
        checks = [asyncio.create_task(client.post(check)) for _ in range(STRANGERS.at_once)]
        await wait_for(lambda: len(authz.requests) == STRANGERS.at_once, what="checks")
        async with client.post(path) as response:
            assert response.status == 200
        authz.may_answer.set()
        for answer in await asyncio.gather(*checks):
            answer.release()
