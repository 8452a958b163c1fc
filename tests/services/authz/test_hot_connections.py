"""What holds for every check holds for those that are answered from raw bytes, too."""

import inspect
import json
import logging
from contextlib import ExitStack
from dataclasses import replace

import jwt
import pytest
import pytest_asyncio
from aiohttp import web_protocol
from aiohttp.base_protocol import BaseProtocol

from rolecall.core.condition_language import MAX_TESTS
from rolecall.core.level_grants import MAX_ALTERNATIVES
from services.authz.adapters.hot_connections import PRIVATE
from services.authz.domain.batches import STEPS_OF_TURN
from shared import metrics
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.http.lanes import Lane, Share
from tests.services.authz.compiled import EITHER, compiled
from tests.services.authz.conftest import TIMEOUTS, evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    BO,
    CLIENT,
    CY,
    OTHER_ACCOUNT,
    SESSION,
    account,
    ended,
    member,
    no_member,
    revoked_key,
    revoked_token,
    service_client,
)
from tests.services.authz.pairs import Pair, pair_of
from tests.services.authz.raw_connections import RawConnection
from tests.waiting import wait_for

COSTLY = "role_" + "7" * 32
WRITE = evaluation(BO, "instance:write")
GONE = PolicyObject(kind=PolicyObjectKind.SERVICE_CLIENT, id=CLIENT, state=None)


@pytest_asyncio.fixture(loop_scope="module")
async def pair(world, request):
    module = compiled() if getattr(request, "param", None) == "compiled" else None
    async with pair_of(world, compiled=module) as made:
        yield made


async def last_answer(connection: RawConnection, request: bytes) -> bytes:
    """The answer to this request, which the hot path must give."""
    before = len(connection.wire.written)
    await connection.send(request)
    assert not connection.ordinary
    return connection.wire.written[before:]


@EITHER
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (GONE, b"token-revoked"),
        (service_client(scopes=[]), b"scope-missing"),
        (service_client(account_ids=[OTHER_ACCOUNT]), b"account-not-bound"),
        (service_client(resource_types=["volume"]), b"type-not-bound"),
    ],
    ids=["gone", "without the scope", "bound to an account", "bound to a type"],
)
async def test_a_known_token_of_a_changed_client_is_refused(pair: Pair, change, refusal):
    hot, request = RawConnection(pair.hot), pair.request()
    assert b"200 OK" in await last_answer(hot, request)
    await pair.world.identity.change(change)
    assert refusal in await last_answer(hot, request)
    assert refusal in (await pair.same(request)).answers


@EITHER
@pytest.mark.parametrize("what", ["token", "key"])
@pytest.mark.rule("T5")
async def test_a_known_token_is_refused_when_it_or_its_key_is_revoked(pair: Pair, what):
    token = pair.world.client_token()
    token_id = jwt.decode(token, options={"verify_signature": False})["jti"]
    batch = pair.request(batch_of(WRITE), token=token, line=BATCH)
    user = pair.request(token=pair.world.user_token(BO, SESSION))
    hot, requests = RawConnection(pair.hot), [pair.request(token=token), batch]
    for request in (*requests, user):
        assert b"200 OK" in await last_answer(hot, request)
    await pair.world.identity.change(
        revoked_token(token_id) if what == "token" else revoked_key("k1")
    )
    for request in requests:
        assert b"token-revoked" in await last_answer(hot, request)
        assert b"token-revoked" in (await pair.same(request)).answers
    assert (b"200 OK" in await last_answer(hot, user)) is (what == "token")
    pair.world.clock.skip(60)
    assert b"stale" in (await pair.same(requests[0])).answers


@pytest.mark.parametrize("wrong", ["a body", "an account", "a subject"])
async def test_a_caller_that_is_gone_learns_only_that(pair: Pair, wrong):
    """What else is wrong with the request is not told, with or without a lease."""
    token = pair.world.user_token(BO, SESSION) if wrong == "a subject" else None
    body = evaluation(CY if wrong == "a subject" else BO, "instance:write")
    if wrong == "an account":
        await pair.world.identity.change(service_client(account_ids=[OTHER_ACCOUNT]))
    text = b"{}" if wrong == "a body" else json.dumps(body).encode()
    request = pair.request(text, token=token)
    assert b"revoked" not in (await pair.same(request)).answers
    await pair.world.identity.change(GONE, ended())
    assert b"token-revoked" in (await pair.same(request)).answers
    pair.world.clock.skip(60)
    assert b"stale" in (await pair.same(request)).answers


async def test_without_team_s_lease_a_caller_that_is_gone_learns_that(pair: Pair):
    await pair.world.identity.change(GONE)
    for service in (pair.hot, pair.plain):
        service.public._ctx.team.view._until = 0.0
    assert b"token-revoked" in (await pair.same(pair.request())).answers
    await pair.world.identity.change(service_client())
    assert b"stale" in (await pair.same(pair.request())).answers


async def test_a_piece_of_data_is_answered_in_one_piece(pair: Pair):
    hot = RawConnection(pair.hot)
    named = evaluation(BO, "instance:write", context={"at_least_revision": "team.former.0.1"})
    unusual = pair.request(json.dumps(named).encode())
    hot.protocol.data_received(pair.request() * 3)
    assert (hot.wire.writes, hot.wire.written.count(b"200 OK")) == (1, 3)
    assert not hot.ordinary
    hot.protocol.data_received(pair.request() * 2 + unusual)
    assert (hot.wire.writes, hot.wire.written.count(b"200 OK")) == (2, 5)
    assert hot.ordinary
    await hot.settle()
    assert hot.wire.written.count(b"200 OK") == 6


async def test_a_known_token_of_an_ended_session_is_refused(pair: Pair):
    hot = RawConnection(pair.hot)
    request = pair.request(token=pair.world.user_token(BO, SESSION))
    assert b"200 OK" in await last_answer(hot, request)
    await pair.world.identity.change(ended())
    assert b"token-revoked" in await last_answer(hot, request)


async def test_a_caller_that_is_gone_learns_nothing_else(pair: Pair):
    """Neither what is wrong with the body nor which scope the route needs."""
    user = pair.world.user_token(BO, SESSION)
    await pair.world.identity.change(ended())
    await pair.world.identity.change(GONE)
    for request in (
        pair.request(b"{}", token=user),
        pair.request(b"{}"),
        pair.request(token=pair.world.client_token(scopes=("audit:write",))),
    ):
        assert b"token-revoked" in await pair.answered_hot(request)


@EITHER
async def test_a_removal_is_in_force_for_the_next_request_of_a_connection(pair: Pair):
    hot, request = RawConnection(pair.hot), pair.request()
    assert b'"decision":true' in await last_answer(hot, request)
    await pair.world.team.change(no_member(BO))
    assert b'"decision":false' in await last_answer(hot, request)


@EITHER
async def test_without_a_lease_there_is_no_decision(pair: Pair):
    hot, request = RawConnection(pair.hot), pair.request()
    pair.world.clock.skip(60)
    assert b"503 Service Unavailable" in await last_answer(hot, request)
    assert b"stale" in (await pair.same(request)).answers


@EITHER
@pytest.mark.parametrize("read", [1, 2])
async def test_a_stop_before_or_at_the_look_gives_no_decision(pair: Pair, read):
    """The time is read with the token, then with the state: the leases are tested after both."""
    hot, request = RawConnection(pair.hot), pair.request()
    assert b"200 OK" in await last_answer(hot, request)
    pair.world.clock.stop_at(read)
    assert b"503 Service Unavailable" in await last_answer(hot, request)


async def test_a_named_revision_is_left_to_aiohttp_which_may_wait(pair: Pair):
    named, _ = await pair.world.team.change(no_member("usr_" + "9" * 32))
    body = evaluation(BO, "instance:write", context={"at_least_revision": named})
    assert (await pair.same(pair.request(json.dumps(body).encode()))).ordinary


BATCH = b"POST /access/v1/evaluations HTTP/1.1"


def batch_of(*items: object) -> bytes:
    return json.dumps({"evaluations": items}).encode()


def costly_role() -> dict[str, object]:
    """A custom role whose decisions take many steps: all but the last test of each part holds."""

    def differs(text: str) -> dict[str, object]:
        return {"not": {"path": "subject.properties.session_id", "equals": text}}

    held = [
        {
            "scope": "all",
            "when": [*(differs(f"a-{part}-{at}") for at in range(MAX_TESTS - 1)), differs("z")],
        }
        for part in range(MAX_ALTERNATIVES)
    ]
    grants = {"account": {"view": "all"}, "instance": {"write": held}}
    return {COSTLY: {"name": "Costly", "grants": grants}}


async def test_a_batch_that_takes_more_than_a_turn_is_left_to_aiohttp(pair: Pair):
    """The steps of conditions count, too; what was decided until then counts for nothing."""
    await pair.world.team.change(account(roles=costly_role()), member(CY, COSTLY))
    costly = evaluation(CY, "instance:write")
    costly["subject"]["properties"] = {"session_id": "z"}
    items = 2 * STEPS_OF_TURN // (MAX_ALTERNATIVES * MAX_TESTS)
    for number, ordinary in ((1, False), (items, True)):
        body = json.dumps(costly | {"evaluations": [{}] * number}).encode()
        before = counted()
        said = await pair.same(pair.request(body, line=BATCH))
        assert (said.ordinary, said.answers.count(b"condition-failed")) == (ordinary, number)
        after = counted()
        rises = [after[name] - before[name] for name in after if "condition-failed" in name]
        assert sum(rises) == 2 * number


@EITHER
async def test_a_batch_is_as_of_the_state_the_client_and_the_leases_of_now(pair: Pair):
    hot, request = RawConnection(pair.hot), pair.request(batch_of(WRITE, WRITE), line=BATCH)
    assert (await last_answer(hot, request)).count(b'"decision":true') == 2
    await pair.world.team.change(no_member(BO))
    assert (await last_answer(hot, request)).count(b'"decision":false') == 2
    await pair.world.identity.change(service_client(scopes=[]))
    assert b"scope-missing" in await last_answer(hot, request)
    await pair.world.identity.change(service_client())
    assert b"200 OK" in await last_answer(hot, request)
    pair.world.clock.stop_at(2)
    assert b"503 Service Unavailable" in await last_answer(hot, request)


async def test_a_client_with_its_share_of_the_places_is_refused(pair: Pair):
    with ExitStack() as places:
        for service in (pair.hot, pair.plain):
            admission = service.public._admission
            for _ in range(64):
                places.enter_context(admission.place(Lane.CLIENTS, Share(CLIENT)))
        said = await pair.same(pair.request())
    assert said.ordinary
    assert b"too-many-requests-at-once" in said.answers


async def test_a_draining_replica_closes_after_its_answer(pair: Pair):
    hot, plain = pair.connect()
    request = pair.request()
    for service in (pair.hot, pair.plain):
        service.drain()
    for connection in (hot, plain):
        await connection.send(request)
    await wait_for(lambda: hot.wire.closed and plain.wire.closed)
    assert b"Connection: close" in hot.answers
    assert hot.answers == plain.answers


async def test_a_closed_port_answers_nothing_hot(pair: Pair):
    for service in (pair.hot, pair.plain):
        service.public.closed = True
    said = await pair.same(pair.request())
    assert (said.ordinary, b"503" in said.answers) == (True, True)


async def test_an_answer_keeps_the_connection_open_for_as_long_as_aiohttps(pair: Pair):
    hot = RawConnection(pair.hot)
    hot.protocol._next_keepalive_close_time = 0.0
    await last_answer(hot, pair.request())
    left = hot.protocol._next_keepalive_close_time - hot.protocol._loop.time()
    assert 0 < left <= hot.protocol._keepalive_timeout


async def test_the_rest_of_a_request_is_waited_for_by_aiohttp(world):
    async with world.replica(timeouts=replace(TIMEOUTS, check_rest=0.01)) as authz:
        hot, request = RawConnection(authz), Pair(world, authz, authz).request()
        await hot.send(request[:-1])
        await wait_for(lambda: hot.ordinary)
        await hot.send(request[-1:])
        assert b"200 OK" in hot.answers


async def test_a_client_that_reads_nothing_gets_no_more_from_the_hot_path(pair: Pair):
    hot = RawConnection(pair.hot)
    hot.protocol.pause_writing()
    hot.protocol.data_received(pair.request())
    assert hot.ordinary
    hot.protocol.resume_writing()
    await hot.settle()
    assert b"200 OK" in hot.answers


@EITHER
async def test_a_fault_is_answered_and_logged_by_aiohttp(pair: Pair):
    for service in (pair.hot, pair.plain):
        service.public._ctx.policy._accounts.states[ACCOUNT] = object()
    assert b"500 Internal Server Error" in (await pair.same(pair.request())).answers


@pytest.mark.parametrize("trusted", [True, False])
async def test_only_a_trusted_proxy_names_the_request(world, trusted):
    made = "req_" + "a" * 32
    async with pair_of(world, trusted_proxies=["127.0.0.1/32"] if trusted else []) as pair:
        for service in (pair.hot, pair.plain):
            connection = RawConnection(service)
            await connection.send(pair.request(fields=(b"Rolecall-Request-ID: " + made.encode(),)))
            named = b"Rolecall-Request-ID: " + made.encode() in connection.wire.written
            assert named is trusted


def counted() -> dict[str, float]:
    """The counters of checks and of their requests, and the number of measured times."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for metric in (metrics.CHECKS, metrics.REQUESTS, metrics.SECONDS)
        for family in metric.collect()
        for sample in family.samples
        if not sample.name.endswith(("_sum", "_bucket", "_created"))
    }


@EITHER
async def test_both_paths_raise_the_same_counters(pair: Pair):
    rises = []
    for service in (pair.hot, pair.plain):
        before = counted()
        for token in (None, pair.world.client_token(scopes=()), "x"):
            await RawConnection(service).send(pair.request(token=token))
        after = counted()
        rises.append(
            {name: after[name] - before.get(name, 0) for name in after if "evaluation" in name}
            | {name: after[name] - before.get(name, 0) for name in after if "checks" in name}
        )
    assert rises[0] == rises[1]
    assert sum(rises[0].values()) == 7


async def test_checks_have_no_line_but_one_of_a_sample(world, caplog):
    caplog.set_level(logging.INFO)
    async with pair_of(world, check_sample=3) as pair:
        for service in (pair.hot, pair.plain):
            connection = RawConnection(service)
            caplog.clear()
            for _ in range(7):
                await connection.send(pair.request())
            lines = [record for record in caplog.records if record.name != "aiohttp.server"]
            assert [record.getMessage() for record in lines] == ["check", "check"]
            assert [vars(record)["reason"] for record in lines] == ["allowed"] * 2
            asking = f"service_client:{CLIENT}"
            assert [vars(record)["principal"] for record in lines] == [asking] * 2


@pytest.mark.parametrize("name", PRIVATE)
def test_aiohttp_has_the_private_attribute_that_is_used(name):
    """A new version of aiohttp must be read before it is used."""
    owner = BaseProtocol if name in BaseProtocol.__slots__ else web_protocol.RequestHandler
    assert name in owner.__slots__
    assert f"self.{name}" in inspect.getsource(owner)
