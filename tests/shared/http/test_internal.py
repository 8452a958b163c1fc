"""Internal calls: requests, answers, refusals, and replicas that are away."""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from types import NoneType
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr

from shared import context
from shared.auth.account_refusals import SecondFactorRequired, SuspendedAccount
from shared.auth.api_token_refusals import TokenRestricted
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.principals import (
    AccessTokenRef,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.contracts.calls.authz import (
    DECIDE,
    LIVE_CALLER,
    CallerAnswer,
    CallerRequest,
    CheckRequest,
    CheckResult,
)
from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.facts import Actor
from shared.contracts.topology import Service
from shared.http.api import Api
from shared.http.checker import AuthzChecker
from shared.http.client import InternalClient, replica_seconds
from shared.http.internal import internal_route
from shared.http.internal_answers import AnswerUnfit
from shared.http.lanes import TooManyAtOnce
from shared.http.mounting import mount
from shared.http.routes import Call
from shared.ids import ClientId, KeyId, TokenId, new_id
from shared.logs import JsonLines
from shared.problems import (
    NotFound,
    PermissionMissing,
    Refusal,
    Stale,
    TokenRevoked,
    Unavailable,
)
from shared.runtime.listeners import Listener, listen, url_of
from shared.timeouts import DEFAULT_TIMEOUTS
from tests.clocks import SetClock
from tests.faults.chaos_proxy import ChaosProxy
from tests.patience import PATIENT
from tests.shared.http.sample import (
    ACCOUNT,
    CLOCK,
    INTERNAL,
    SESSION,
    USER,
    Echo,
    NameTaken,
    World,
    authenticator,
    echo,
)
from tests.waiting import quickest


class Question(InternalRequest):
    """A request; `limit` has a default, as a field that was added has."""

    name: str = ""
    limit: int = 50


class Said(InternalAnswer):
    """What the sample's handler answers."""

    name: str
    principal: str


def described(method: Any, path: str, *callers: Service, request: Any = NoneType) -> Any:
    return InternalCall(
        name=f"{method} {path}",
        summary="Test",
        method=method,
        path=path,
        callees=(Service.TEAM,),
        callers=callers,
        request=request,
        answer=Said,
    )


REQUEST_ID = new_id("req")
READ = described("GET", "/internal/things", Service.AUTHZ)
FIND = described("GET", "/internal/things/{name}", Service.AUTHZ, request=Question)
WRITE = described("POST", "/internal/things", Service.AUTHZ, Service.AUDIT, request=Question)
FOREIGN = described("GET", "/internal/audit", Service.AUDIT)
CALLS = (READ, FIND, WRITE, FOREIGN)


async def say(world: World, call: Call[Any, Any]) -> Any:
    """What `echo` says, in the class of the calls."""
    given = await echo(world, call)
    return Said(**given.model_dump()) if isinstance(given, Echo) else given


TEAM = tuple(internal_route(call, say, refuses=(NameTaken,)) for call in CALLS)
PRINCIPAL = UserPrincipal(user_id=USER, session_id=SESSION)
CLIENT = ClientPrincipal(client_id=ClientId(new_id("cli")), scopes=frozenset())
ACTING = DelegatedPrincipal(
    user_id=USER,
    session_id=SESSION,
    client_ids=(CLIENT.client_id,),
    made_of=(AccessTokenRef(TokenId("tok_1"), KeyId("key_1")),),
)


@pytest.fixture
async def client() -> AsyncIterator[Callable[..., InternalClient]]:
    made: list[InternalClient] = []

    def make(
        *urls: str, callee: str = "team", service: str = "authz", **more: Any
    ) -> InternalClient:
        key = SecretStr(INTERNAL.private[service])
        given: dict[str, Any] = {"urls": {callee: urls}, "clock": CLOCK, "timeouts": PATIENT} | more
        made.append(InternalClient(service=service, key=key, **given))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
def team(serve, world: World):
    async def start(**more):
        api = Api("team", TEAM, world, authenticator=authenticator(), **more)
        return (await serve(api, between_services=True)).url

    return start


@pytest.fixture
def authz(serve, world: World):
    async def start():
        verifier = InternalVerifier(service="authz", keys=INTERNAL.public, clock=CLOCK)
        routes = [internal_route(DECIDE, echo), internal_route(LIVE_CALLER, echo)]
        api = Api("authz", routes, world, authenticator=Authenticator(internal=verifier))
        return (await serve(api, between_services=True)).url

    return start


@pytest.fixture
def dead() -> Iterator[str]:
    # Bound but not listening: no other process gets the port.
    sock = listen("127.0.0.1", 0)
    yield url_of(sock)
    sock.close()


@pytest.fixture
def silent():
    """An address that accepts connections and never answers."""
    sock = listen("127.0.0.1", 0)
    sock.listen()
    yield url_of(sock)
    sock.close()


async def test_a_call_carries_its_service_its_actor_and_its_request_id(client, team, world: World):
    user = Actor(type="user", id=USER, session_id=SESSION)
    tokens = context.actor.set(user), context.request_id.set(REQUEST_ID)
    try:
        answer = await client(await team()).call(READ, "team")
    finally:
        context.actor.reset(tokens[0])
        context.request_id.reset(tokens[1])
    assert answer == Said(name="", principal=f"user:{USER}")
    [call] = world.calls
    assert call.service.service == "authz"
    assert (call.caller.actor, call.request_id) == (user, REQUEST_ID)


async def test_a_request_travels_as_body_or_as_query(client, team, world: World):
    to_team = client(await team())
    await to_team.call(WRITE, "team", Question(name="a/b?", limit=7))
    await to_team.call(FIND, "team", Question(limit=7), path={"name": "a~b"})
    posted, got = world.calls
    assert posted.body == Question(name="a/b?", limit=7)
    assert (got.query, got.path) == (Question(limit=7), {"name": "a~b"})


async def test_a_path_parameter_stays_inside_its_segment(client, team, world: World):
    with pytest.raises(Refusal) as refused:
        await client(await team()).call(FIND, "team", Question(), path={"name": "../audit?x=1"})
    assert refused.value.code == "not-found"
    assert not world.calls


class OlderQuestion(InternalRequest):
    """`Question` before `limit` was added."""

    name: str = ""


async def test_a_new_field_is_not_sent_until_it_is_used(client, serve, team, world: World):
    older = replace(TEAM[2], takes=OlderQuestion)
    url = (await serve(Api("team", [older], world, authenticator=authenticator()))).url
    await client(url).call(WRITE, "team", Question(name="a"))
    assert len(world.calls) == 1
    with pytest.raises(Unavailable):
        await client(url).call(WRITE, "team", Question(name="a", limit=7))
    assert len(world.calls) == 1
    newer = await team()  # as during an update
    assert await client(url, newer).call(WRITE, "team", Question(name="a", limit=7))
    assert len(world.calls) == 2


@pytest.mark.parametrize(("call", "sent"), [(WRITE, None), (READ, Question())])
async def test_a_call_without_its_request_is_a_mistake_of_the_caller(client, call, sent):
    with pytest.raises(TypeError, match=call.name):
        await client("http://127.0.0.1:1").call(call, "team", sent)


class Other(InternalAnswer):
    """An answer that is not `Said`."""

    name: int


async def test_an_answer_that_does_not_fit_is_unavailable_and_logged(
    client, serve, world: World, caplog
):
    mistaken = replace(TEAM[0], gives=Other)
    world.gives = Other(name=1234567)
    there = await serve(Api("team", [mistaken], world, authenticator=authenticator()))
    with pytest.raises(AnswerUnfit):
        await client(there.url).call(READ, "team")
    [record] = [r for r in caplog.records if r.msg == "internal answer does not fit its class"]
    assert record.places == [("name",), ("principal",)]
    assert "1234567" not in str(vars(record))


class Grown(Said):
    """`Said` after a field was added."""

    age: int = 0


async def test_a_member_that_an_answer_gains_is_ignored(client, serve, world: World):
    world.gives = Grown(name="x", principal="")
    grown = replace(TEAM[0], gives=Grown)
    there = await serve(Api("team", [grown], world, authenticator=authenticator()))
    assert await client(there.url).call(READ, "team") == Said(name="x", principal="")


async def test_an_answer_of_another_service_at_the_address_is_not_taken(client, team, authz):
    with pytest.raises(Unavailable):
        await client(await authz()).call(READ, "team")
    found = await client(await authz(), await team()).call(READ, "team")
    assert found.name == ""


async def test_a_refusal_keeps_its_code(client, team, world: World):
    world.raises = NameTaken(name="x")
    with pytest.raises(Refusal) as refused:
        await client(await team()).call(READ, "team")
    assert (refused.value.code, refused.value.status) == ("name-taken", 409)


async def test_a_refused_service_credential_is_unavailable_and_logged(client, team, caplog):
    with pytest.raises(Unavailable):
        await client(await team()).call(FOREIGN, "team")
    record, *_ = [r for r in caplog.records if r.msg == "internal call refused"]
    line = json.loads(JsonLines("authz").format(record))
    assert {name: line[name] for name in ("callee", "call", "status")} == {
        "callee": "team",
        "call": FOREIGN.name,
        "status": 403,
    }
    assert "[redacted]" not in str(line)


async def test_a_dead_replica_is_passed_over_and_the_living_one_remembered(
    client, team, dead: str, world: World
):
    living = await team()
    to_team = client(dead, living)
    for _ in range(3):
        assert await to_team.call(READ, "team")
    assert to_team._preferred["team"].url == living
    assert len(world.calls) == 3


class Names:
    """A name server with one name; `asked` counts the look-ups."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def look_up(self, name: str) -> Sequence[str]:
        assert name == "team.test"
        self.asked += 1
        if not self.addresses:
            raise OSError("no such name")
        return self.addresses


@pytest.fixture
async def replicas(world: World) -> AsyncIterator[Callable[..., Any]]:
    """Start replicas that share a port and have an address each; returns their APIs and port."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*hosts: str) -> tuple[dict[str, Api], int]:
            apis, port = {}, 0
            for host in hosts:
                api = apis[host] = Api("team", TEAM, world, authenticator=authenticator())
                app = web.Application()
                mount(app, api)
                sock = listen(host, port)
                port = sock.getsockname()[1]
                listener = Listener(app, sock)
                await listener.start()
                stack.push_async_callback(listener.stop)
            return apis, port

        yield start


@pytest.mark.parametrize("ready", ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
async def test_every_replica_behind_one_name_is_tried(client, replicas, world: World, ready: str):
    apis, port = await replicas("127.0.0.1", "127.0.0.2", "127.0.0.3")
    for host, api in apis.items():
        api.closed = host != ready
    names = Names(*apis)
    to_team = client(f"http://team.test:{port}", look_up=names.look_up)
    for _ in range(3):
        assert await to_team.call(READ, "team")
    assert to_team._preferred["team"].url == f"http://{ready}:{port}"
    assert {call.headers["Host"] for call in world.calls} == {f"team.test:{port}"}
    assert len(world.calls) == 3


async def test_a_name_with_another_address_is_looked_up_within_the_call(client, replicas):
    _, port = await replicas("127.0.0.1")
    names = Names("127.0.0.9")
    to_team = client(f"http://team.test:{port}", look_up=names.look_up)
    with pytest.raises(Unavailable):
        await to_team.call(READ, "team")
    names.addresses = ("127.0.0.1",)
    assert await to_team.call(READ, "team")


async def test_a_name_server_that_fails_takes_no_address_away(client, replicas):
    apis, port = await replicas("127.0.0.1", "127.0.0.2")
    names = Names(*apis)
    to_team = client(f"http://team.test:{port}", look_up=names.look_up)
    assert await to_team.call(READ, "team")
    names.addresses = ()
    apis["127.0.0.1"].closed = True
    assert await to_team.call(READ, "team")
    assert names.asked == 2


async def test_a_name_without_an_address_is_unavailable(client):
    with pytest.raises(Unavailable):
        await client("http://team.test:1", look_up=Names().look_up).call(READ, "team")


async def test_a_silent_replica_costs_its_share_of_the_time_only(client, team, silent: str):
    # If it cost all of the time, no timeout would be long enough. A slow machine may need more.
    to_team = client(silent, await team())
    for seconds in (2, 6):
        with contextlib.suppress(Unavailable):
            assert await to_team.call(READ, "team", timeout=seconds)
            return
    assert await to_team.call(READ, "team", timeout=18)


async def test_a_replica_that_says_503_is_passed_over(client, team, serve, world: World):
    closed = Api("team", TEAM, world, authenticator=authenticator())
    closed.closed = True
    unready = (await serve(closed)).url
    assert await client(unready, await team()).call(READ, "team")


async def test_a_replica_without_room_for_this_service_is_passed_over(
    client, team, serve, world: World
):
    full = World()
    full.raises = TooManyAtOnce()
    busy = (await serve(Api("team", TEAM, full, authenticator=authenticator()))).url
    assert await client(busy, await team()).call(READ, "team")
    with pytest.raises(Unavailable):
        await client(busy).call(READ, "team")


@pytest.mark.parametrize("which", ["dead", "silent"])
async def test_when_none_answers_it_is_unavailable_in_time(client, request, which: str):
    url = request.getfixturevalue(which)

    async def ask():
        with pytest.raises(Unavailable):
            await client(url).call(READ, "team", timeout=0.3)

    assert await quickest(ask, under=2) < 2


async def test_an_answer_that_is_not_json_is_unavailable(client):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, sock=(sock := listen("127.0.0.1", 0)))
    async with server:
        with pytest.raises(Unavailable):
            await client(url_of(sock)).call(READ, "team", timeout=0.5)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_with_the_credential(client, status: int):
    """The other address would get a credential with which it could speak for this service."""
    reached: list[str] = []

    async def take(request: web.Request) -> web.Response:
        reached.append(request.path)
        if request.path == "/elsewhere":
            return web.json_response({"name": "x", "principal": "y"})
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, sock := listen("127.0.0.1", 0)).start()
    try:
        with pytest.raises(Unavailable):
            await client(url_of(sock)).call(READ, "team", timeout=2)
    finally:
        await runner.cleanup()
    assert reached
    assert "/elsewhere" not in reached


DECISIONS = [
    (CheckResult(allowed=True, member=True), None),
    (CheckResult(allowed=False, member=True, reason="role"), PermissionMissing),
    (CheckResult(allowed=False, member=True, reason="token-restricted"), TokenRestricted),
    (CheckResult(allowed=False, member=True, reason="account-suspended"), SuspendedAccount),
    (
        CheckResult(allowed=False, member=True, reason="second-factor-required"),
        SecondFactorRequired,
    ),
    (CheckResult(allowed=False, member=False), NotFound),
    (CheckResult(allowed=True, member=False), NotFound),
    (CheckResult(allowed=True, member=True, session_ended=True), TokenRevoked),
    (CheckResult(allowed=False, member=False, session_ended=True), TokenRevoked),
]


@pytest.mark.parametrize(("decision", "refusal"), DECISIONS)
async def test_authz_is_asked_for_a_permission(client, authz, world: World, decision, refusal):
    world.gives = decision
    asked = AuthzChecker(
        client(await authz(), callee="authz", service="audit"), timeouts=PATIENT
    ).check(PRINCIPAL, ACCOUNT, "audit:view", revision="team.e1.7.42")
    if refusal is None:
        await asked
    else:
        with pytest.raises(refusal):
            await asked
    assert world.calls[0].body == CheckRequest(
        user_id=USER,
        session_id=SESSION,
        account_id=ACCOUNT,
        permission="audit:view",
        at_least_revision="team.e1.7.42",
    )


@pytest.mark.parametrize("trouble", [NotFound(), RuntimeError("x"), Unavailable()])
async def test_every_failure_of_authz_is_answered_unavailable(client, authz, world: World, trouble):
    world.raises = trouble
    checker = AuthzChecker(client(await authz(), callee="authz", service="audit"), timeouts=PATIENT)
    with pytest.raises(Unavailable):
        await checker.check(PRINCIPAL, ACCOUNT, "audit:view", revision=None)


async def test_a_check_has_its_own_timeout(client, silent: str):
    checker = AuthzChecker(client(silent, callee="authz"), timeouts=replace(PATIENT, decide=0.2))

    async def ask():
        with pytest.raises(Unavailable):
            await checker.check(PRINCIPAL, ACCOUNT, "audit:view", revision=None)

    assert 0.15 < await quickest(ask, under=2) < 2


@pytest.mark.parametrize("others", range(8))
def test_each_replica_of_authz_gets_half_a_second(others: int):
    decide = DEFAULT_TIMEOUTS.decide
    assert replica_seconds(decide, left=decide, others=others) >= 0.5


@pytest.mark.parametrize(
    ("left", "others", "seconds"),
    [(3.0, 0, 3.0), (3.0, 1, 1.5), (3.0, 2, 1.0), (3.0, 8, 1.0), (2.7, 1, 1.35), (0.4, 8, 0.4)],
)
def test_a_replica_gets_its_share_and_a_third_at_least(left: float, others: int, seconds: float):
    assert replica_seconds(3.0, left=left, others=others) == pytest.approx(seconds)


@pytest.fixture
def unanswered(caplog):
    def records() -> list[tuple[str, str, str]]:
        return [
            (record.getMessage(), record.effect, record.error)
            for record in caplog.records
            if record.levelname == "WARNING"
        ]

    return records


def team_away(call: Any, error: str) -> tuple[str, str, str]:
    return "team is away.", f"The internal call {call.name} is not answered.", error


async def ask_in_vain(to_team: InternalClient, call: Any = READ, *, seconds: float = 60.0) -> None:
    with pytest.raises(Unavailable):
        await to_team.call(call, "team", timeout=seconds)


async def test_a_call_without_an_answer_is_logged_once_until_it_is_answered(
    client, team, unanswered, world: World, caplog
):
    caplog.set_level(logging.INFO, "shared.http.unanswered")
    clock = SetClock(CLOCK.moment)
    to_team = client(url := await team(), clock=clock)
    world.raises = Stale()
    for _ in range(3):
        await ask_in_vain(to_team)
    once = team_away(READ, f"{url}: status 503, code stale")
    assert unanswered() == [once]
    await ask_in_vain(to_team, FOREIGN)
    other = team_away(FOREIGN, f"{url}: status 403, code wrong-principal")
    assert unanswered() == [once, other]
    world.raises = None
    assert await to_team.call(READ, "team")
    assert caplog.messages.count("team is back.") == 1
    world.raises = Stale()
    await ask_in_vain(to_team)
    assert unanswered() == [once, other]


async def test_a_polled_call_without_an_answer_is_left_to_its_loop(client, dead: str, unanswered):
    await ask_in_vain(client(dead), replace(READ, polled=True))
    assert unanswered() == []
    await ask_in_vain(client(dead))
    assert len(unanswered()) == 1


async def test_an_answered_call_is_not_logged(client, team, dead: str, unanswered, world: World):
    to_team = client(dead, await team())
    assert await to_team.call(READ, "team")
    world.raises = NameTaken(name="x")
    with pytest.raises(Refusal):
        await to_team.call(READ, "team")
    assert unanswered() == []


@pytest.mark.parametrize(
    ("which", "error"),
    [
        ("dead", r"http://\S+: .*Cannot connect.*"),
        ("silent", r"no answer from http://\S+ within .*"),
    ],
)
async def test_the_log_names_the_last_error(client, request, unanswered, which: str, error: str):
    await ask_in_vain(client(request.getfixturevalue(which)), seconds=0.3)
    [(*_, logged)] = unanswered()
    assert re.fullmatch(error, logged)


async def test_the_log_names_a_missing_address(client, unanswered):
    await ask_in_vain(client("http://team.test:1", look_up=Names().look_up))
    assert unanswered() == [team_away(READ, "no address")]


async def test_a_peer_that_does_not_know_us_is_looked_up_again(client, team):
    address = urlsplit(await team())
    async with ChaosProxy(address.hostname or "", address.port or 0) as there:
        caller = client(f"http://127.0.0.1:{there.port}")
        await caller.call(READ, "team")
        await caller.call(READ, "team")
        assert there.accepted == 1
        with pytest.raises(Unavailable):
            await caller.call(FOREIGN, "team")
        await caller.call(READ, "team")
        assert there.accepted == 2, "the connection to a stranger is kept"


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    ("principal", "asked"),
    [
        (PRINCIPAL, CallerRequest(session_id=SESSION)),
        (CLIENT, CallerRequest(client_id=CLIENT.client_id)),
        (
            ACTING,
            CallerRequest(
                session_id=SESSION,
                acting_client_ids=ACTING.client_ids,
                made_of=(("tok_1", "key_1"),),
            ),
        ),
    ],
    ids=["user", "client", "client that acts for the user"],
)
async def test_authz_is_asked_whether_a_caller_is_live(
    client, authz, world: World, principal, asked, live
):
    world.gives = CallerAnswer(live=live)
    checker = AuthzChecker(client(await authz(), callee="authz", service="audit"), timeouts=PATIENT)
    if live:
        await checker.check_live(principal)
    else:
        with pytest.raises(TokenRevoked):
            await checker.check_live(principal)
    assert world.calls[0].body == asked


@pytest.mark.parametrize("trouble", [NotFound(), RuntimeError("x"), Unavailable()])
async def test_no_caller_is_live_while_authz_does_not_answer(client, authz, world: World, trouble):
    world.raises = trouble
    checker = AuthzChecker(client(await authz(), callee="authz", service="audit"), timeouts=PATIENT)
    with pytest.raises(Unavailable):
        await checker.check_live(PRINCIPAL)
