"""Sessions that have ended: what is known of them, and what one more costs (`T19`)."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.sign_in_state import SignInState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = 5_000


def end(session: int, user: int, *, at: float = 0, rev: int = 1) -> PolicyObject:
    """The end of a session; `at` is in seconds after noon."""
    state = {"user_id": f"usr_{user}", "ended_at": (NOON + timedelta(seconds=at)).isoformat()}
    return PolicyObject(kind=PolicyObjectKind.SESSION, id=f"ses_{session}", rev=rev, state=state)


def no_end(session: int, *, rev: int) -> PolicyObject:
    return PolicyObject(kind=PolicyObjectKind.SESSION, id=f"ses_{session}", rev=rev, state=None)


class Model:
    """The same, as one table that each look-up walks over."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[int, Any]] = {}

    def put(self, change: list[PolicyObject]) -> None:
        taken = []
        for one in change:
            if one.rev <= self.known.get(one.id, (0, None))[0]:
                continue
            self.known.pop(one.id, None)
            if one.state is not None:
                self.known[one.id] = one.rev, one.state
                taken.append(datetime.fromisoformat(one.state["ended_at"]))
        if taken:
            oldest = max(taken) - SESSION_END_RETENTION
            self.known = {
                session_id: (rev, state)
                for session_id, (rev, state) in self.known.items()
                if datetime.fromisoformat(state["ended_at"]) >= oldest
            }

    def of(self, user_id: str) -> set[str]:
        return {each for each, (_, state) in self.known.items() if state["user_id"] == user_id}


@pytest.mark.parametrize("seed", range(8))
def test_any_history_of_ends_leaves_what_a_plain_table_has(seed: int) -> None:
    rng = random.Random(seed)
    state, model = SignInState(), Model()
    retention = SESSION_END_RETENTION.total_seconds()
    for step in range(1, 80):
        change = []
        for _ in range(rng.randint(1, 4)):
            session, rev = rng.randrange(25), max(1, step - rng.randrange(6))
            if rng.random() < 0.1:
                change.append(no_end(session, rev=rev))
                continue
            at = step * retention / 20 + rng.randint(-2, 2)
            change.append(end(session, rng.randrange(5), at=at, rev=rev))
        state.put(change)
        model.put(change)
        assert sorted(state.ended_sessions()) == sorted(model.known)
        assert all(map(state.session_ended, model.known))
        for user_id in ("usr_0", "usr_3", "usr_9"):
            assert set(state.ended_sessions_of([user_id])) == model.of(user_id)
    state.clear()
    assert not state.ended_sessions()
    assert not state.ended_sessions_of(f"usr_{number}" for number in range(5))


def spent(state: SignInState, first: int) -> float:
    """The least time of one more end and one look-up, of several."""
    times = []
    for number in range(first, first + 30):
        change = [end(number, number, at=1)]
        begun = time.thread_time_ns()
        state.put(change)
        state.ended_sessions_of([f"usr_{number}"])
        times.append(time.thread_time_ns() - begun)
    return min(times)


@pytest.mark.rule("T19")
def test_one_more_end_costs_no_walk_over_all_that_are_known() -> None:
    few, many = SignInState(), SignInState()
    few.put([end(0, 0)])
    many.put([end(number, number) for number in range(MANY)])
    assert spent(many, MANY) < 20 * spent(few, MANY)
