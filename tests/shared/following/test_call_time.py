"""The time of a call to a source: longer while calls have no answer, and never without end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.authz.domain.policy_state import PolicyState
from shared.contracts.calls.leases import LEASE
from shared.following.call_time import CallTime
from shared.following.follower import Follower
from shared.following.journal_view import JournalView
from shared.problems import NotFound, Unavailable
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.shared.following.test_reports import Reports
from tests.support.journal_keys import verifier
from tests.waiting import wait_for


def unanswered(time: CallTime, **given: bool) -> float:
    """Make a call that has no answer; the seconds that it had."""
    with pytest.raises(Unavailable), time.of_call(**given) as seconds:
        raise Unavailable
    return seconds


def answered(time: CallTime) -> float:
    with time.of_call() as seconds:
        return seconds


def test_a_call_has_twice_the_time_of_one_without_an_answer():
    time = CallTime(1.0, longest=3.0)
    assert [unanswered(time) for _ in range(4)] == [1.0, 2.0, 3.0, 3.0]


def test_after_an_answer_a_call_has_the_usual_time():
    time = CallTime(1.0, longest=3.0)
    unanswered(time)
    assert [answered(time), answered(time)] == [2.0, 1.0]


def test_a_refusal_is_an_answer_that_leaves_the_time():
    time = CallTime(1.0, longest=3.0)
    with pytest.raises(NotFound), time.of_call():
        raise NotFound
    assert answered(time) == 1.0


def test_a_call_in_a_hurry_has_the_usual_time():
    time = CallTime(1.0, longest=3.0)
    assert [unanswered(time, hurry=True) for _ in range(3)] == [1.0, 1.0, 1.0]
    assert answered(time) == 3.0


def test_the_longest_time_is_never_less_than_the_usual_one():
    time = CallTime(60.0, longest=3.0)
    assert [unanswered(time) for _ in range(2)] == [60.0, 60.0]


class LateSource(Reports):
    """A source that answers the third request of a lease, and keeps how long each may take."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    async def call(self, call: Any, _source: str, request: Any = None, **given: Any) -> Any:
        if call is LEASE:
            self.times.append(given["timeout"])
            if len(self.times) < 3:
                raise Unavailable
        return await super().call(call, _source, request)


async def test_a_replica_without_a_lease_waits_longer_for_a_busy_source():
    source = LateSource()
    follower = Follower(
        "team",
        view=JournalView(PolicyState()),
        slot="a",
        internal=source,
        verifier=verifier(),
        clock=SetClock(),
        timeouts=replace(PATIENT, source_call=1.0, busy_source=3.0),
    )
    loop = asyncio.create_task(follower.renew())
    await wait_for(follower.holds, what="the lease")
    follower.check_now()
    await wait_for(lambda: len(source.times) >= 4, what="the next request")
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert source.times[:4] == [1.0, 2.0, 3.0, 1.0]
