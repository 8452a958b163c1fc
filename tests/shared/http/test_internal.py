"""What does a service learn from another, and what when that one is away?"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from shared import context
from shared.auth import Authenticator, InternalVerifier
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Actor
from shared.http import Api, AuthzChecker, CheckRequest, CheckResult, Internal
from shared.http.client import InternalClient
from shared.problems import (
    NotFound,
    PermissionMissing,
    Refusal,
    Unavailable,
)
from shared.runtime.listeners import listen, url_of
from tests.faults.chaos_proxy import ChaosProxy
from tests.shared.http.sample import (
    ACCOUNT,
    CLOCK,
    INTERNAL,
    SESSION,
    USER,
    NameTaken,
    Thing,
    World,
    authenticator,
    row,
)
from tests.waiting import quickest

TEAM = (
    row("GET", "/internal/heads", Internal(("authz",)), refuses=(NameTaken,)),
    row("POST", "/internal/links", Internal(("authz", "audit")), takes=Thing),
    row("GET", "/internal/audit", Internal(("audit",))),
)
PRINCIPAL = UserPrincipal(user_id=USER, session_id=SESSION)


@pytest.fixture
async def client() -> AsyncIterator[Callable[..., InternalClient]]:
    made: list[InternalClient] = []

    def make(*urls: str, callee: str = "team", service: str = "authz") -> InternalClient:
        key = SecretStr(INTERNAL.private[service])
        made.append(InternalClient(service=service, key=key, urls={callee: urls}, clock=CLOCK))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture
def team(serve, world: World):
    async def start(**more):
        api = Api("team", TEAM, world, authenticator=authenticator(), **more)
        return (await serve(api)).url

    return start


@pytest.fixture
def authz(serve, world: World, monkeypatch):
    # How long it may take is a test of its own; a busy machine must not decide the others.
    monkeypatch.setattr("shared.http.checker.DECIDE_SECONDS", 60.0)

    async def start():
        verifier = InternalVerifier(service="authz", keys=INTERNAL.public, clock=CLOCK)
        route = row(
            "POST",
            "/internal/decisions",
            Internal(("audit",)),
            takes=CheckRequest,
            gives=CheckResult,
        )
        api = Api("authz", [route], world, authenticator=Authenticator(internal=verifier))
        return (await serve(api)).url

    return start


@pytest.fixture
def dead() -> Iterator[str]:
    # Bound, so that nobody else gets the port, but nobody listens.
    sock = listen("127.0.0.1", 0)
    yield url_of(sock)
    sock.close()


@pytest.fixture
def silent():
    """An address that takes connections and says nothing."""
    sock = listen("127.0.0.1", 0)
    sock.listen()
    yield url_of(sock)
    sock.close()


async def test_a_call_says_who_calls_for_whom_and_in_which_request(client, team, world: World):
    user = Actor(type="user", id=USER, session_id=SESSION)
    tokens = context.actor.set(user), context.request_id.set("req-1")
    try:
        answer = await client(await team()).get("team", "/internal/heads")
    finally:
        context.actor.reset(tokens[0])
        context.request_id.reset(tokens[1])
    assert answer == {"name": "", "principal": f"user:{USER}"}
    [call] = world.calls
    assert call.service.service == "authz"
    assert (call.caller.actor, call.request_id) == (user, "req-1")


async def test_a_body_is_sent_as_json(client, team, world: World):
    to_team = client(await team())
    await to_team.post("team", "/internal/links", Thing(name="a"))
    await to_team.post("team", "/internal/links", {"name": "b"})
    assert [call.body.name for call in world.calls] == ["a", "b"]


async def test_what_another_service_says_at_this_address_is_no_answer(client, team, authz):
    with pytest.raises(Unavailable):
        await client(await authz()).get("team", "/internal/heads")
    found = await client(await authz(), await team()).get("team", "/internal/heads")
    assert found["name"] == ""


async def test_a_refusal_keeps_its_code(client, team, world: World):
    world.raises = NameTaken(name="x")
    with pytest.raises(Refusal) as refused:
        await client(await team()).get("team", "/internal/heads")
    assert (refused.value.code, refused.value.status) == ("name-taken", 409)


async def test_being_unknown_to_the_callee_is_a_fault_of_ours(client, team, caplog):
    with pytest.raises(Unavailable):
        await client(await team()).get("team", "/internal/audit")
    assert "internal call refused" in caplog.messages


async def test_a_dead_replica_is_passed_over_and_the_living_one_remembered(
    client, team, dead: str, world: World
):
    to_team = client(dead, await team())
    for _ in range(3):
        assert await to_team.get("team", "/internal/heads")
    assert to_team._preferred["team"] == 1
    assert len(world.calls) == 3


async def test_a_silent_replica_costs_its_share_of_the_time_only(client, team, silent: str):
    # Were it all of the time, no time would be long enough; that a slow machine needs more is fine.
    to_team = client(silent, await team())
    for seconds in (2, 6):
        with contextlib.suppress(Unavailable):
            assert await to_team.get("team", "/internal/heads", timeout=seconds)
            return
    assert await to_team.get("team", "/internal/heads", timeout=18)


async def test_a_replica_that_says_503_is_passed_over(client, team, serve, world: World):
    closed = Api("team", TEAM, world, authenticator=authenticator())
    closed.closed = True
    unready = (await serve(closed)).url
    assert await client(unready, await team()).get("team", "/internal/heads")


@pytest.mark.parametrize("which", ["dead", "silent"])
async def test_when_none_answers_it_is_unavailable_in_time(client, request, which: str):
    url = request.getfixturevalue(which)

    async def ask():
        with pytest.raises(Unavailable):
            await client(url).get("team", "/internal/heads", timeout=0.3)

    assert await quickest(ask, under=2) < 2


async def test_a_stranger_at_the_address_is_not_believed(client):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, sock=(sock := listen("127.0.0.1", 0)))
    async with server:
        with pytest.raises(Unavailable):
            await client(url_of(sock)).get("team", "/internal/heads", timeout=0.5)


DECISIONS = [
    (CheckResult(allowed=True, member=True), None),
    (CheckResult(allowed=False, member=True, reason="role"), PermissionMissing),
    (CheckResult(allowed=False, member=False), NotFound),
    (CheckResult(allowed=True, member=False), NotFound),
]


@pytest.mark.parametrize(("decision", "refusal"), DECISIONS)
async def test_authz_is_asked_for_a_permission(client, authz, world: World, decision, refusal):
    world.gives = decision
    asked = AuthzChecker(client(await authz(), callee="authz", service="audit")).check(
        PRINCIPAL, ACCOUNT, "audit:view", revision="team.e1.7.42"
    )
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
async def test_a_check_that_fails_in_any_way_is_closed(client, authz, world: World, trouble):
    world.raises = trouble
    checker = AuthzChecker(client(await authz(), callee="authz", service="audit"))
    with pytest.raises(Unavailable):
        await checker.check(PRINCIPAL, ACCOUNT, "audit:view", revision=None)


async def test_a_check_waits_a_fifth_of_a_second(client, silent: str):
    async def ask():
        with pytest.raises(Unavailable):
            await AuthzChecker(client(silent, callee="authz")).check(
                PRINCIPAL, ACCOUNT, "audit:view", revision=None
            )

    assert 0.15 < await quickest(ask, under=2) < 2


async def test_a_peer_that_does_not_know_us_is_looked_up_again(client, team):
    address = urlsplit(await team())
    async with ChaosProxy(address.hostname or "", address.port or 0) as there:
        caller = client(f"http://127.0.0.1:{there.port}")
        await caller.get("team", "/internal/heads")
        await caller.get("team", "/internal/heads")
        assert there.accepted == 1
        with pytest.raises(Unavailable):
            await caller.get("team", "/internal/audit")
        await caller.get("team", "/internal/heads")
        assert there.accepted == 2, "the connection to a stranger is kept"
