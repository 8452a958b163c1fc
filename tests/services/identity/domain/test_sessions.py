"""The rules of sessions as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.identity.domain.sessions import (
    RefreshOutcome,
    RefreshTokenInvalid,
    classify_refresh,
    end,
    end_reused,
    ended_by_role_change,
    rotate,
    sign_in_refused,
    start,
)
from shared.ids import SessionId
from tests.services.identity.domain.rows import LIFETIME, NOON, ORIGIN, SESSION, USER


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("generation", "seconds", "outcome"),
    [
        (3, 0, RefreshOutcome.ROTATE),
        (3, 3600, RefreshOutcome.ROTATE),
        (3, 30 * 86400 - 0.001, RefreshOutcome.ROTATE),
        (2, 0, RefreshOutcome.REPEAT),
        (2, 10.001, RefreshOutcome.REPEAT),
        (2, 86400, RefreshOutcome.REPEAT),
        (2, 86400.001, RefreshOutcome.REUSE),
        (1, 0, RefreshOutcome.REUSE),
        (1, 3600, RefreshOutcome.REUSE),
    ],
)
def test_classify_refresh(generation: int, seconds: float, outcome: RefreshOutcome) -> None:
    now = NOON + timedelta(seconds=seconds)
    assert classify_refresh(SESSION, generation=generation, now=now) is outcome


@pytest.mark.parametrize(
    ("session", "generation", "seconds"),
    [
        (SESSION, 4, 0),
        (SESSION, 3, 30 * 86400),
        (SESSION, 2, 30 * 86400),
        (replace(SESSION, ended_at=NOON), 3, 0),
        (replace(SESSION, ended_at=NOON), 2, 0),
    ],
)
def test_a_refresh_token_of_an_inactive_session_is_refused(session, generation, seconds) -> None:
    now = NOON + timedelta(seconds=seconds)
    with pytest.raises(RefreshTokenInvalid):
        classify_refresh(session, generation=generation, now=now)


def test_a_session_without_a_rotation_repeats_nothing() -> None:
    session = replace(SESSION, rotated_at=None)
    assert classify_refresh(session, generation=2, now=NOON) is RefreshOutcome.REUSE


NEWEST, LOST, GRANDPARENT = 0, 1, 2
ROTATE, REPEAT, REUSE = RefreshOutcome.ROTATE, RefreshOutcome.REPEAT, RefreshOutcome.REUSE
HISTORIES: list[tuple[str, list[tuple[int, float, RefreshOutcome]]]] = [
    ("an answer is lost and asked for again", [(NEWEST, 0, ROTATE), (LOST, 60, REPEAT)]),
    (
        "each of three answers is lost once",
        [(NEWEST, 0, ROTATE), (LOST, 5, REPEAT)] * 3,
    ),
    (
        "an answer is lost again and again",
        [(NEWEST, 0, ROTATE), (LOST, 36000, REPEAT), (LOST, 36000, REPEAT)],
    ),
    (
        "a repeat does not make the time longer",
        [(NEWEST, 0, ROTATE), (LOST, 50000, REPEAT), (LOST, 50000, REUSE)],
    ),
    (
        "the parent returns after its successor was used",
        [(NEWEST, 0, ROTATE), (NEWEST, 1, ROTATE), (GRANDPARENT, 0, REUSE)],
    ),
    (
        "the parent returns after its repeated successor was used",
        [(NEWEST, 0, ROTATE), (LOST, 1, REPEAT), (NEWEST, 1, ROTATE), (GRANDPARENT, 1, REUSE)],
    ),
]


@pytest.mark.rule("B1", "T10")
@pytest.mark.parametrize(("name", "history"), HISTORIES, ids=[name for name, _ in HISTORIES])
def test_a_history_of_refreshes(name, history) -> None:
    session, now = SESSION, NOON
    for back, seconds, outcome in history:
        now += timedelta(seconds=seconds)
        found = classify_refresh(session, generation=session.generation - back, now=now)
        assert found is outcome, name
        if found is ROTATE:
            session = rotate(session, now=now, lifetime=LIFETIME, network="203.0.113.7")


@pytest.mark.rule("B1")
def test_a_refresh_extends_the_session() -> None:
    later = NOON + timedelta(days=29)
    rotated = rotate(SESSION, now=later, lifetime=LIFETIME, network="198.51.100.1")
    assert (rotated.generation, rotated.rotated_at) == (4, later)
    assert (rotated.last_used_at, rotated.network) == (later, "198.51.100.1")
    assert rotated.expires_at == later + timedelta(days=30)


@pytest.mark.parametrize(
    ("age", "lives"),
    [
        (timedelta(), timedelta(days=30)),
        (timedelta(days=60), timedelta(days=30)),
        (timedelta(days=61), timedelta(days=29)),
        (timedelta(days=90, microseconds=-1), timedelta(microseconds=1)),
    ],
)
def test_a_refresh_never_extends_a_session_beyond_its_longest_life(age, lives) -> None:
    now = NOON + age
    session = replace(SESSION, expires_at=now + timedelta(seconds=1))
    assert rotate(session, now=now, lifetime=LIFETIME, network="").expires_at == now + lives


def test_a_session_past_its_longest_life_is_not_refreshed() -> None:
    now = NOON + timedelta(days=90)
    session = replace(SESSION, expires_at=now + timedelta(days=1))
    with pytest.raises(RefreshTokenInvalid):
        rotate(session, now=now, lifetime=LIFETIME, network="")


def test_a_new_session_starts_in_the_personal_account() -> None:
    session = start(USER, session_id=SessionId("ses_2"), now=NOON, lifetime=LIFETIME, origin=ORIGIN)
    assert (session.device, session.network) == ("Firefox on Linux", "203.0.113.7")
    assert (session.user_id, session.account_id) == (USER.id, USER.account_id)
    assert (session.generation, session.ended_at) == (1, None)
    assert session.active(NOON + timedelta(days=30, milliseconds=-1))
    assert not session.active(NOON + timedelta(days=30))


def test_a_refused_sign_in_is_recorded_for_the_user() -> None:
    fact = sign_in_refused(USER, "wrong-credentials")
    assert (fact.account_id, fact.outcome, fact.reason) == (
        USER.account_id,
        "denied",
        "wrong-credentials",
    )


def test_an_ended_session_is_a_policy_object() -> None:
    later = NOON + timedelta(hours=1)
    for ended, fact in (
        end(SESSION, now=later, rev=7),
        end_reused(SESSION, user=USER, now=later, rev=7),
    ):
        assert not ended.active(later)
        (policy_object,) = fact.policy_objects
        assert (policy_object.id, policy_object.rev) == (SESSION.id, 7)
        assert policy_object.state is not None


@pytest.mark.rule("Nv16")
@pytest.mark.parametrize(("seconds", "ends"), [(-1, False), (0, True), (1, True)])
def test_a_role_change_ends_earlier_sessions(seconds: int, *, ends: bool) -> None:
    changed_at = NOON + timedelta(seconds=seconds)
    assert ended_by_role_change(SESSION, changed_at=changed_at) is ends
