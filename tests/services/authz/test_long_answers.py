"""Tests of long answers: they keep the loop for a bounded number of steps at a time."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from rolecall import Given
from rolecall.core.condition_language import MAX_TESTS
from rolecall.core.grantors import MAX_EXAMINED
from rolecall.core.level_grants import MAX_ALTERNATIVES
from services.authz.domain.batches import STEPS_OF_TURN, Semantic
from services.authz.domain.evaluations import Evaluated, EvaluationRequest
from services.authz.domain.explaining import SubjectHidden
from services.authz.domain.policy_state import PolicyState
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluations import evaluate_each
from services.authz.use_cases.explain import explain
from services.authz.use_cases.policy_feed import PolicyFeed
from services.authz.use_cases.policy_stream import BYTES_OF_TURN, open_stream
from services.authz.use_cases.search import MOST_DECISIONS, Sought, search
from shared.auth.principals import UserPrincipal
from shared.ids import AccountId, SessionId, UserId
from shared.problems import Stale
from tests.services.authz.conftest import TIMEOUTS, SkippingClock
from tests.services.authz.histories import ACCOUNT, BO, CY, account, member, no_member, resource
from tests.services.authz.offline import PRINCIPAL, context, request

GROUPS = [f"group-{number}" for number in range(256)]
HEAVY = "role_" + "7" * 32
TESTS = MAX_ALTERNATIVES * MAX_TESTS
"""The most tests of one decision."""
MANY = 100
"""More such decisions than one turn takes."""


class Counted(dict[str, Any]):
    """The properties of a subject, which count the tests that look at them."""

    looks = 0

    def get(self, key: str, default: Any = None) -> Any:
        """Look at a property."""
        if key == "groups":
            self.looks += 1
        return super().get(key, default)


def heavy_role() -> dict[str, Any]:
    """A custom role that costs as much as a role can; all but the last test of each part holds."""
    path = "subject.properties.groups"
    held = [{"path": path, "contains": one} for one in GROUPS[: MAX_TESTS - 1]]
    write = [
        {"scope": "all", "when": [*held, {"not": {"path": path, "contains": one}}]}
        for one in GROUPS[-MAX_ALTERNATIVES:]
    ]
    grants = {"account": {"view": "all"}, "instance": {"write": write}}
    return {HEAVY: {"name": "Heavy", "grants": grants}}


def heavy(*objects: Any, **parts: Any) -> Ctx:
    """An account in which BO has the heavy role, and CY may do it without a condition."""
    policy = PolicyState()
    policy.put([account(roles=heavy_role()).model_copy(update={"rev": 2})])
    members = (member(BO, HEAVY), member(CY, "developer"))
    holds = parts.pop("holds", lambda: True)
    return dataclasses.replace(context((*members, *objects), policy=policy, holds=holds), **parts)


def checks(counted: Counted, count: int = MANY) -> list[EvaluationRequest]:
    """Checks of BO about different resources."""
    given = Given(subject=counted)
    return [replace(request(BO, resource_id=f"i-{at}"), given=given) for at in range(count)]


async def batch(ctx: Ctx, asked: list[EvaluationRequest]) -> list[Any]:
    """The reasons of a batch."""
    results = await evaluate_each(ctx, PRINCIPAL, asked, semantic=Semantic.EXECUTE_ALL)
    return [one.decision.reason if isinstance(one, Evaluated) else one for one in results]


async def beside(each_turn: Callable[[], None], *answers: Awaitable[Any]) -> list[Any]:
    """Await the answers, and call `each_turn` in every turn of the loop meanwhile."""
    running = asyncio.gather(*answers)
    while not running.done():
        await asyncio.sleep(0)
        each_turn()
    return await running


async def test_a_batch_keeps_the_loop_for_its_steps_at_a_time():
    counted, looks, count = Counted(groups=GROUPS), [0], 3 * MANY
    asked = checks(counted, count)
    [reasons] = await beside(lambda: looks.append(counted.looks), batch(heavy(), asked))
    assert reasons == ["condition-failed"] * count
    turns = [now - before for before, now in pairwise(looks)]
    assert sum(turns) == count * TESTS
    assert max(turns) < STEPS_OF_TURN + TESTS


async def test_batches_beside_each_other_go_on_one_at_a_time():
    ctx, counted, looks, count = heavy(), Counted(groups=GROUPS), [0], 4
    answers = [batch(ctx, checks(counted)) for _ in range(count)]
    await beside(lambda: looks.append(counted.looks), *answers)
    turns = [now - before for before, now in pairwise(looks)]
    assert sum(turns) == count * MANY * TESTS
    begun = turns.index(max(turns))
    assert max(turns[begun + 1 :]) < STEPS_OF_TURN + TESTS


async def test_each_item_of_a_batch_is_as_of_its_turn():
    ctx = heavy()
    asked = [*checks(Counted(groups=GROUPS)), request(CY)]
    gone = [no_member(CY).model_copy(update={"rev": 2})]
    [reasons] = await beside(lambda: ctx.policy.put(gone), batch(ctx, asked))
    assert reasons == ["condition-failed"] * MANY + ["not-a-member"]


async def test_a_lease_that_ends_during_a_batch_ends_the_batch():
    leases = {"held": True}
    ctx = heavy(holds=lambda: leases["held"])
    asked = checks(Counted(groups=GROUPS))
    with pytest.raises(Stale):
        await beside(lambda: leases.update(held=False), batch(ctx, asked))


async def test_a_batch_that_takes_too_long_gives_no_old_decision():
    """The process may have been stopped between two turns, longer than a lease."""
    clock = SkippingClock()
    ctx = heavy(clock=clock)
    asked = checks(Counted(groups=GROUPS))
    with pytest.raises(Stale):
        await beside(lambda: clock.skip(ctx.timeouts.batch + 0.1), batch(ctx, asked))


async def test_the_first_deny_ends_a_batch_in_any_of_its_turns():
    ctx = heavy()
    asked = [request(CY), *checks(Counted(groups=GROUPS))]
    for semantic, expected in (
        (Semantic.DENY_ON_FIRST_DENY, 2),
        (Semantic.PERMIT_ON_FIRST_PERMIT, 1),
        (Semantic.EXECUTE_ALL, MANY + 1),
    ):
        results = await evaluate_each(ctx, PRINCIPAL, asked, semantic=semantic)
        assert len(results) == expected
    last_first = [*asked[1:], asked[0], asked[0]]
    results = await evaluate_each(
        ctx, PRINCIPAL, last_first, semantic=Semantic.PERMIT_ON_FIRST_PERMIT
    )
    assert len(results) == MANY + 1


async def test_a_search_ends_a_page_when_conditions_took_its_steps():
    names = [f"i-{number:04}" for number in range(MOST_DECISIONS)]
    ctx = heavy(*(resource(name, owner_id=CY) for name in names))
    found: list[str] = []
    counted, after, pages = Counted(groups=GROUPS), "", 0
    asked = replace(request(BO), given=Given(subject=counted))
    while True:
        before = counted.looks
        page = await search(ctx, PRINCIPAL, asked, sought=Sought.RESOURCE, after=after, limit=100)
        assert 0 < counted.looks - before < STEPS_OF_TURN + TESTS
        found += page.names
        pages += 1
        if page.next_after is None:
            break
        after = page.next_after
    assert (counted.looks, found) == (MOST_DECISIONS * TESTS, [])
    assert pages > 1


async def test_a_fast_reader_of_the_policy_stream_lets_others_run():
    resources = [resource(f"i-{number:05}", owner_id=CY) for number in range(2_000)]
    feed = PolicyFeed(clock=SkippingClock(), timeouts=TIMEOUTS)
    ctx = dataclasses.replace(context(resources), feed=feed)
    sizes: list[int] = []

    async def read() -> None:
        async with aclosing(open_stream(ctx, PRINCIPAL, account_id=None, after=None)) as stream:
            async for event in stream:
                sizes.append(len(event))
                if b"event: ready" in event:
                    return

    told = [0]
    await beside(lambda: told.append(sum(sizes)), read())
    turns = [now - before for before, now in pairwise(told)]
    assert sum(turns) > 4 * BYTES_OF_TURN
    assert max(turns) < BYTES_OF_TURN + max(sizes)


ADMINS = [f"usr_{number:032x}" for number in range(1_000)]
"""Members who could allow what is denied: more than one turn examines."""
A_TURN = 2


def crowd(**parts: Any) -> tuple[Ctx, EvaluationRequest]:
    """A denied check of CY in an account with many members who could allow it."""
    holds = parts.pop("holds", lambda: True)
    members = (member(CY, "viewer"), *(member(each, "admin") for each in ADMINS))
    return dataclasses.replace(context(members, holds=holds), **parts), request(CY)


async def test_an_explanation_is_made_in_turns_of_the_loop():
    ctx, asked = crowd()
    turns: list[None] = []
    [found] = await beside(lambda: turns.append(None), explain(ctx, PRINCIPAL, asked))
    assert found.would_allow.grantors.count == MAX_EXAMINED
    assert len(turns) > A_TURN


async def test_an_asker_who_is_removed_meanwhile_gets_no_explanation():
    ctx, asked = crowd()
    asker = UserPrincipal(
        user_id=UserId(ADMINS[0]), session_id=SessionId("ses_1"), account_id=AccountId(ACCOUNT)
    )
    assert (await explain(ctx, asker, asked)).would_allow is not None
    gone = [no_member(ADMINS[0]).model_copy(update={"rev": 2})]
    with pytest.raises(SubjectHidden):
        await beside(lambda: ctx.policy.put(gone), explain(ctx, asker, asked))


async def test_an_explanation_without_its_leases_or_in_time_is_none():
    leases = {"held": True}
    ctx, asked = crowd(holds=lambda: leases["held"])
    with pytest.raises(Stale):
        await beside(lambda: leases.update(held=False), explain(ctx, PRINCIPAL, asked))
    clock = SkippingClock()
    ctx, asked = crowd(clock=clock)
    skip = partial(clock.skip, ctx.timeouts.batch + 0.1)
    with pytest.raises(Stale):
        await beside(skip, explain(ctx, PRINCIPAL, asked))
