"""A crowd takes its own lane only, and one sender takes its share only (T19)."""

import asyncio
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared import metrics
from shared.auth.access_tokens import sign_access_token, user_claims
from shared.http.access import Internal, Public, Session, SessionOrClient
from shared.http.api import Api
from shared.http.lanes import (
    LANE_LIMITS,
    Admission,
    Lane,
    Overloaded,
    TooManyAtOnce,
    lane_limits,
)
from shared.http.routes import Call, Route
from shared.ids import SessionId, UserId
from tests.shared.http.sample import CLOCK, ISSUER, KEY, Echo, authenticator, bearer, row
from tests.waiting import wait_for

LIMITS = {**LANE_LIMITS, Lane.STRANGERS: 6, Lane.USERS: 6}


def admitted(admission: Admission, lane: Lane, sender: str, stack: ExitStack) -> bool:
    """Take a place until the stack closes; return whether there was one."""
    try:
        stack.enter_context(admission.place(lane, sender))
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
            stack.enter_context(admission.place(Lane.STRANGERS, "late"))
        assert taken(admission, Lane.USERS, "u", stack) == 11
    with ExitStack() as stack:
        assert taken(admission, Lane.STRANGERS, "a", stack) == 10, "every place was given back"


@pytest.mark.parametrize("requests_at_once", [8, 32, 100])
def test_strangers_have_fewer_places_than_users(requests_at_once: int):
    limits = lane_limits(requests_at_once)
    assert limits[Lane.CLIENT_SIGN_INS] < limits[Lane.STRANGERS] < limits[Lane.USERS]
    assert limits[Lane.USERS] == requests_at_once


def test_the_places_by_default_are_those_of_the_manual():
    assert LANE_LIMITS == {
        Lane.STRANGERS: 24,
        Lane.CLIENT_SIGN_INS: 16,
        Lane.USERS: 32,
        Lane.CLIENTS: 192,
        Lane.SERVICES: 96,
    }


def test_a_crowd_of_few_senders_leaves_a_place_for_a_new_one():
    admission = Admission("team", limits={**LANE_LIMITS, Lane.STRANGERS: 32})
    with ExitStack() as stack:
        for number in range(300):
            admitted(admission, Lane.STRANGERS, f"crowd-{number % 20}", stack)
        assert admitted(admission, Lane.STRANGERS, "honest", stack)


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
            row("POST", "/v1/secret", Public(for_clients=True), handler=at_once),
            row("POST", "/v1/member", Session(), handler=held),
            row("POST", "/v1/check", SessionOrClient("authz:check"), handler=at_once),
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
        for other, who in (("/v1/check", "checker"), ("/v1/secret", None)):
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
