"""A crowd takes its own lane only, and one sender takes its share only (T19)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from shared import metrics
from shared.auth.access_tokens import sign_access_token, user_claims
from shared.auth.principals import Anonymous, UserPrincipal
from shared.http.access import (
    Access,
    Client,
    Internal,
    Permission,
    Public,
    PublicCallers,
    Session,
    SessionOrClient,
    WaitsFor,
)
from shared.http.api import Api
from shared.http.lanes import (
    LANE_LIMITS,
    Admission,
    Lane,
    Overloaded,
    Share,
    TooManyAtOnce,
    client_share,
    lane_limits,
    share_of,
)
from shared.http.routes import Call, Route
from shared.ids import SessionId, UserId
from shared.problems import TokenRevoked
from tests.shared.http.sample import (
    CLOCK,
    ISSUER,
    KEY,
    Echo,
    Site,
    Thing,
    authenticator,
    bearer,
    row,
)
from tests.waiting import wait_for

LIMITS = {**LANE_LIMITS, Lane.STRANGERS: 6, Lane.MAILS: 6, Lane.REFRESHES: 6, Lane.USERS: 6}


def admitted(admission: Admission, lane: Lane, sender: str, stack: ExitStack) -> bool:
    """Take a place until the stack closes; return whether there was one."""
    try:
        stack.enter_context(admission.place(lane, Share(sender)))
    except (Overloaded, TooManyAtOnce):
        return False
    return True


def taken(admission: Admission, lane: Lane, sender: str, stack: ExitStack) -> int:
    """Take places until one is refused; return how many there were."""
    count = 0
    while admitted(admission, lane, sender, stack):
        count += 1
    return count


def test_one_sender_takes_a_third_and_leaves_room_for_others():
    admission = Admission("team", limits={**LANE_LIMITS, Lane.STRANGERS: 30})
    with ExitStack() as stack:
        assert taken(admission, Lane.STRANGERS, "a", stack) == 10
        assert taken(admission, Lane.STRANGERS, "b", stack) == 7
        for number in range(100):
            taken(admission, Lane.STRANGERS, f"crowd-{number}", stack)
        with pytest.raises(Overloaded):
            stack.enter_context(admission.place(Lane.STRANGERS, Share("late")))
        assert taken(admission, Lane.USERS, "u", stack) == 11
    with ExitStack() as stack:
        assert taken(admission, Lane.STRANGERS, "a", stack) == 10, "every place was given back"


@pytest.mark.parametrize("requests_at_once", [8, 32, 100])
def test_strangers_have_fewer_places_than_users(requests_at_once: int):
    limits = lane_limits(requests_at_once)
    assert limits[Lane.STRANGERS] < limits[Lane.USERS] < limits[Lane.CLIENT_SIGN_INS]
    assert limits[Lane.USERS] == requests_at_once


def test_the_places_by_default_are_those_of_the_manual():
    assert LANE_LIMITS == {
        Lane.STRANGERS: 24,
        Lane.MAILS: 128,
        Lane.ISSUERS: 32,
        Lane.REFRESHES: 32,
        Lane.CLIENT_SIGN_INS: 128,
        Lane.USERS: 32,
        Lane.OUTSIDE: 32,
        Lane.CLIENTS: 192,
        Lane.SERVICES: 96,
    }


@pytest.mark.parametrize(
    ("access", "lane"),
    [
        (Session(), Lane.USERS),
        (Permission("account:view"), Lane.USERS),
        (Session(waits_for=WaitsFor.MAIL), Lane.MAILS),
        (Session(waits_for=WaitsFor.OTHER_SERVERS), Lane.OUTSIDE),
        (Permission("account:update", waits_for=WaitsFor.OTHER_SERVERS), Lane.OUTSIDE),
    ],
)
def test_users_who_wait_for_others_hold_no_place_of_the_lane_of_users(access: Access, lane: Lane):
    user = UserPrincipal(user_id=UserId("usr_1"), session_id=SessionId("ses_1"))
    assert share_of(access, user, "192.0.2.1") == (lane, Share("usr_1"))


def test_a_crowd_of_few_senders_leaves_a_place_for_a_new_one():
    admission = Admission("team", limits={**LANE_LIMITS, Lane.STRANGERS: 32})
    with ExitStack() as stack:
        for number in range(300):
            admitted(admission, Lane.STRANGERS, f"crowd-{number % 20}", stack)
        assert admitted(admission, Lane.STRANGERS, "honest", stack)


def sign_ins(admission: Admission, ip: str, clients: Sequence[int], stack: ExitStack) -> int:
    """Let these clients sign in from one address until one is refused; return how many did."""
    for count, client in enumerate(clients):
        lane, network = share_of(Public(PublicCallers.CLIENTS), Anonymous(), ip)
        try:
            shares = network, client_share(network, (f"Basic {client}", b""))
            stack.enter_context(admission.place(lane, *shares))
        except (Overloaded, TooManyAtOnce):
            return count
    return len(clients)


def test_services_behind_one_address_sign_in_at_once():
    admission = Admission("identity")
    with ExitStack() as stack:
        assert sign_ins(admission, "192.0.2.1", [1] * 40, stack) == 40
        assert sign_ins(admission, "192.0.2.1", range(2, 42), stack) == 40
    with ExitStack() as stack:
        assert sign_ins(admission, "192.0.2.1", [1] * 200, stack) == 43
        assert sign_ins(admission, "192.0.2.1", range(2, 42), stack) == 40, "others have their own"


def test_invented_clients_leave_room_for_other_addresses():
    admission = Admission("identity")
    with ExitStack() as stack:
        assert sign_ins(admission, "192.0.2.1", range(1000), stack) == 96
        assert sign_ins(admission, "192.0.2.2", range(1000, 1016), stack) == 16
        for number in range(30):
            sign_ins(admission, f"2001:db8:0:1::{number}", range(1000), stack)
        assert sign_ins(admission, "192.0.2.3", [1], stack) == 1
    with ExitStack() as stack:
        assert sign_ins(admission, "192.0.2.1", range(1000), stack) == 96, "all were given back"


@dataclass
class Gate:
    """Handlers that wait until they may go on, and handlers that do not."""

    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0

    def routes(self) -> tuple[Route, ...]:
        async def held(ctx: Any, call: Call[Any, Any]) -> Echo:
            self.waiting += 1
            await self.may_go_on.wait()
            self.waiting -= 1
            return await at_once(ctx, call)

        return (
            row("POST", "/v1/stranger", Public(), handler=held),
            row("POST", "/v1/secret", Public(PublicCallers.CLIENTS), handler=at_once),
            row("POST", "/v1/token", Public(PublicCallers.CLIENTS), handler=held),
            row("POST", "/v1/sign-in", Public(), handler=at_once),
            row("POST", "/v1/mail", Public(PublicCallers.MAILED), handler=held),
            row("POST", "/v1/refresh", Public(PublicCallers.SIGNED_IN), handler=held),
            row("POST", "/v1/thing", Public(), takes=Thing, handler=at_once),
            row("POST", "/v1/member", Session(), handler=held),
            row("POST", "/v1/check", SessionOrClient("authz:check"), handler=at_once),
            row("POST", "/v1/mine", Session(), takes=Thing, handler=at_once),
            row("POST", "/v1/mine/held", Session(), takes=Thing, handler=held),
            row("POST", "/v1/batch", Client("authz:check"), takes=Thing, handler=held),
        )


async def at_once(ctx: Any, call: Call[Any, Any]) -> Echo:
    return Echo(name="", principal=call.caller.actor.id)


def token_of(number: int) -> dict[str, str]:
    claims = user_claims(
        issuer=ISSUER,
        user_id=UserId(f"usr_{number:032x}"),
        session_id=SessionId(f"ses_{number:032x}"),
        account_id=None,
        now=CLOCK.now(),
    )
    return {"Authorization": f"Bearer {sign_access_token(KEY, 'key_1', claims)}"}


@asynccontextmanager
async def crowd(site, gate, path, headers):
    """Send 40 requests that are held; the block runs when the lane is full."""

    async def send(number):
        async with site.ask("POST", path, headers=headers(number)) as answer:
            return answer.status, answer.headers.get("Retry-After"), await answer.json()

    sent = [asyncio.create_task(send(number)) for number in range(40)]
    await wait_for(lambda: sum(task.done() for task in sent) == 40 - gate.waiting, what="answers")
    yield [task.result() for task in sent if task.done()]
    gate.may_go_on.set()
    for status, _, _ in await asyncio.gather(*sent):
        assert status in {200, 429, 503}


@pytest.mark.rule("T19")
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/stranger", lambda number: {"X-Forwarded-For": f"198.51.100.{number}"}),
        ("/v1/mail", lambda number: {"X-Forwarded-For": f"198.51.100.{number}"}),
        ("/v1/refresh", lambda number: {"X-Forwarded-For": f"198.51.100.{number}"}),
        ("/v1/member", token_of),
    ],
)
async def test_a_crowd_is_refused_at_once_and_other_lanes_answer(serve, path, headers):
    gate = Gate()
    public = Api("team", gate.routes(), None, authenticator=authenticator(), lane_limits=LIMITS)
    lease = [row("POST", "/internal/lease", Internal(("authz",)), handler=at_once)]
    internal = Api("team", lease, None, authenticator=authenticator(), lane_limits=LIMITS)
    site = await serve(public, proxies=("127.0.0.0/8",))
    inside = await serve(internal)
    async with crowd(site, gate, path, headers) as refused:
        assert gate.waiting == 6
        assert len(refused) == 34
        for status, retry_after, problem in refused:
            assert (status, problem["code"], retry_after) == (503, "overloaded", "1")
        answered = {"/v1/check": "checker", "/v1/secret": None, "/v1/sign-in": None}
        if path == "/v1/stranger":
            del answered["/v1/sign-in"]  # it is in the lane that is full
        for other, who in answered.items():
            async with site.ask("POST", other, headers=bearer(who)) as answer:
                assert answer.status == 200, await answer.text()
        async with inside.ask("POST", "/internal/lease", headers=bearer("authz")) as answer:
            assert answer.status == 200
    assert b'rolecall_http_not_admitted_total{code="overloaded"' in metrics.exposition()


@pytest.mark.rule("T19")
@pytest.mark.parametrize("path", ["/v1/stranger", "/v1/member"])
async def test_one_sender_gets_its_share_and_another_is_answered(serve, path):
    gate = Gate()
    public = Api("team", gate.routes(), None, authenticator=authenticator(), lane_limits=LIMITS)
    site = await serve(public, proxies=("127.0.0.0/8",))
    async with crowd(site, gate, path, lambda _: token_of(1)) as refused:
        assert gate.waiting == 2
        for status, retry_after, problem in refused:
            assert (status, problem["code"], retry_after) == (429, "too-many-requests-at-once", "1")
        other = token_of(2) | {"X-Forwarded-For": "198.51.100.1"}
        async with site.ask("POST", path, headers=token_of(1)) as answer:
            lane = "strangers" if path == "/v1/stranger" else "users"
            policy = f'"{lane}-at-once";q=2;qu="concurrent-requests"'
            assert answer.headers["RateLimit-Policy"] == policy
            assert answer.headers["RateLimit"] == f'"{lane}-at-once";r=0;t=1'
        asked = asyncio.create_task(site.session.post(site.url + path, headers=other))
        await wait_for(lambda: gate.waiting == 3, what="the request of another sender")
        gate.may_go_on.set()
        assert (await asked).status == 200


async def test_a_session_is_looked_up_after_the_request_is_admitted(serve):
    gate, looked_up = Gate(), []

    async def live(user):
        looked_up.append(user)
        return True

    api = Api(
        "team", gate.routes(), None, authenticator=authenticator(live=live), lane_limits=LIMITS
    )
    site = await serve(api)
    async with crowd(site, gate, "/v1/member", token_of):
        assert len(looked_up) == 6


@pytest.mark.rule("T19")
async def test_clients_behind_one_address_have_a_share_each(serve):
    gate = Gate()
    api = Api("identity", gate.routes(), None, authenticator=authenticator())
    site = await serve(api)
    headers = [{"Authorization": f"Basic {number}"} for number in range(80)]
    posts = [
        asyncio.create_task(site.session.post(f"{site.url}/v1/token", headers=each))
        for each in headers
    ]
    await wait_for(lambda: gate.waiting == 80, what="every client's sign-in")
    gate.may_go_on.set()
    for answer in await asyncio.gather(*posts):
        assert answer.status == 200


SILENT = (
    b"POST /v1/thing HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: %s\r\nContent-Length: 60\r\n"
    b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
)
BEGUN = (
    "POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n{framing}\r\n"
    "Content-Type: application/json\r\n\r\n"
)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@asynccontextmanager
async def silent_bodies(
    site: Site, addresses: Sequence[str]
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Send heads whose bodies never come; give the readers of the answers."""
    async with AsyncExitStack() as stack:
        readers = []
        for address in addresses:
            parts = urlsplit(site.url)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            stack.callback(writer.close)
            writer.write(SILENT % address.encode())
            assert await reader.readuntil(b"\r\n\r\n") == CONTINUE
            readers.append(reader)
        yield readers


@pytest.mark.rule("T19")
async def test_senders_that_send_nothing_hold_no_place(serve):
    api = Api("team", Gate().routes(), None, authenticator=authenticator(), lane_limits=LIMITS)
    site = await serve(api, proxies=("127.0.0.0/8",))
    async with silent_bodies(site, [f"198.51.100.{number}" for number in range(20)]):
        honest = {"X-Forwarded-For": "203.0.113.1"}
        async with site.ask("POST", "/v1/thing", json={"name": "a"}, headers=honest) as answer:
            assert answer.status == 200, await answer.text()


@pytest.mark.rule("T19")
async def test_one_sender_may_begin_a_limited_number_of_bodies(serve):
    api = Api("team", Gate().routes(), None, authenticator=authenticator(), lane_limits=LIMITS)
    site = await serve(api, proxies=("127.0.0.0/8",))
    # Of 4 x 6 bodies at the same time a sender has 8: half of the 16 that are free then.
    async with silent_bodies(site, ["198.51.100.1"] * 9) as readers, asyncio.timeout(30):
        assert await readers[8].readline() == b"HTTP/1.1 429 Too Many Requests\r\n"
        async with silent_bodies(site, ["198.51.100.2"]) as (other,):
            assert not other.at_eof()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.readline(), 0.2)


@asynccontextmanager
async def begun_bodies(
    site: Site, path: str, heads: Sequence[tuple[dict[str, str], str]]
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Send heads with these credentials and framings, one after the other, and no body."""
    async with AsyncExitStack() as stack:
        readers = []
        for credential, framing in heads:
            parts = urlsplit(site.url)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            stack.callback(writer.close)
            head = BEGUN.format(
                path=path, framing=framing, authorization=credential["Authorization"]
            )
            writer.write(head.encode())
            readers.append(reader)
        yield readers


REFUSED = {
    "a user": (token_of(1), "wrong-principal"),
    "a scope": (bearer("reader"), "scope-missing"),
}


@pytest.mark.rule("T19")
@pytest.mark.parametrize("framing", ["Content-Length: 60", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(("credential", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_the_body_of_a_caller_that_is_refused_is_not_read(serve, credential, code, framing):
    """Its answer comes while the body has not."""
    site = await serve(Api("team", Gate().routes(), None, authenticator=authenticator()))
    async with begun_bodies(site, "/v1/batch", [(credential, framing)]) as (reader,):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        assert head.startswith(b"HTTP/1.1 403 ")
        assert code.encode() in await reader.readuntil(b"}")


def with_bytes(lane_body_bytes: int, gate: Gate) -> Api:
    return Api(
        "team",
        gate.routes(),
        None,
        authenticator=authenticator(),
        lane_body_bytes=lane_body_bytes,
    )


@pytest.mark.rule("T19")
@pytest.mark.parametrize(
    ("framing", "counted"), [("Content-Length: 60", 60), ("Transfer-Encoding: chunked", 65_536)]
)
async def test_a_lane_holds_a_limited_number_of_bytes(serve, framing, counted):
    """A body counts as it was announced, and without a length as the largest of its route."""
    site = await serve(with_bytes(counted * 6, Gate()), proxies=("127.0.0.0/8",))
    one, other = token_of(1), token_of(2)
    async with begun_bodies(site, "/v1/mine", [(one, framing)] * 2) as readers:
        assert not any(reader.at_eof() for reader in readers)
        async with begun_bodies(site, "/v1/mine", [(one, framing)]) as (third,):
            told = await asyncio.wait_for(third.readuntil(b"\r\n\r\n"), 30)
            assert told.startswith(b"HTTP/1.1 429 ")
            policy = f'"users-bytes-at-once";q={counted * 2};qu="content-bytes"'
            assert f"RateLimit-Policy: {policy}\r\n".encode() in told
        async with begun_bodies(site, "/v1/mine", [(other, framing)]) as (another,):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(another.readline(), 0.2)


@pytest.mark.rule("T19")
async def test_bytes_are_held_until_the_answer(serve):
    gate = Gate()
    body = {"name": "a" * 20}
    site = await serve(with_bytes(100, gate))

    def post(credential):
        return asyncio.create_task(
            site.session.post(site.url + "/v1/mine/held", json=body, headers=credential)
        )

    sent = [post(token_of(number)) for number in range(3)]
    await wait_for(lambda: gate.waiting == 3, what="the requests that fit")
    async with await post(token_of(4)) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, "overloaded")
    gate.may_go_on.set()
    for answer in await asyncio.gather(*sent):
        assert answer.status == 200
    async with await post(token_of(5)) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"data": b"x"},
        {"json": {"name": 1}},
        {"data": b"x" * 70_000},
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
    ],
    ids=["none", "another type", "does not fit", "too large", "not JSON"],
)
async def test_a_caller_that_has_ended_learns_nothing_about_its_body(serve, sent):
    async def ended(principal):
        raise TokenRevoked

    thing = [row("POST", "/v1/thing", Session(), takes=Thing, handler=at_once)]
    site = await serve(Api("team", thing, None, authenticator=authenticator(live=ended)))
    headers = token_of(1) | sent.get("headers", {})
    async with site.ask("POST", "/v1/thing", **sent | {"headers": headers}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, "token-revoked")


async def test_the_log_names_the_network_of_a_refused_sender_once(serve, caplog):
    gate = Gate()
    api = Api("team", gate.routes(), None, authenticator=authenticator(), lane_limits=LIMITS)
    site = await serve(api, proxies=("127.0.0.0/8",))
    senders = [{"X-Forwarded-For": f"2001:db8:1:2::{number}"} for number in range(40)]
    with caplog.at_level(logging.WARNING, "shared.http.sender_log"):
        async with crowd(site, gate, "/v1/stranger", senders.__getitem__) as refused:
            assert len(refused) == 38
    [line] = [record for record in caplog.records if record.name == "shared.http.sender_log"]
    assert vars(line)["network"] == "2001:db8:1:2::/64"
    assert vars(line)["problem"] == "too-many-requests-at-once"
