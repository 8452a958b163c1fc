"""Do the pure rules hold, case by case?"""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from services.identity.domain import LinkInvalid, User, verify
from services.identity.limits import Bucket, network_of
from services.identity.passwords import Busy, Passwords, password_fault
from services.identity.sessions import RefreshTokenInvalid, Turn, UserSession, rotate, turn
from shared.ids import AccountId, SessionId, UserId
from tests.waiting import wait_for

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER = User(
    id=UserId("usr_1"),
    email="ana@example.com",
    email_key="ana@example.com",
    name="Ana",
    password_hash="h",
    account_id=AccountId("acc_1"),
    created_at=NOON,
    generation=2,
)
SESSION = UserSession(
    id=SessionId("ses_1"),
    user_id=UserId("usr_1"),
    account_id=AccountId("acc_1"),
    started_at=NOON,
    expires_at=NOON + timedelta(days=30),
    generation=3,
    rotated_at=NOON,
)


@pytest.mark.parametrize(
    ("generation", "seconds", "outcome"),
    [
        (3, 0, Turn.NEXT),
        (3, 3600, Turn.NEXT),
        (2, 0, Turn.SAME),
        (2, 10, Turn.SAME),
        (2, 10.001, Turn.REUSED),
        (1, 0, Turn.REUSED),
        (1, 3600, Turn.REUSED),
        (4, 0, RefreshTokenInvalid),
        (3, 30 * 86400, RefreshTokenInvalid),
    ],
)
def test_what_a_refresh_token_does(generation: int, seconds: float, outcome: object) -> None:
    now = NOON + timedelta(seconds=seconds)
    if outcome is RefreshTokenInvalid:
        with pytest.raises(RefreshTokenInvalid):
            turn(SESSION, generation=generation, now=now)
    else:
        assert turn(SESSION, generation=generation, now=now) is outcome


def test_a_session_lives_on_from_its_last_refresh() -> None:
    later = NOON + timedelta(days=29)
    rotated = rotate(SESSION, now=later, lifetime=timedelta(days=30))
    assert rotated.generation == 4
    assert rotated.expires_at == later + timedelta(days=30)


@pytest.mark.parametrize(
    ("generation", "after", "held", "proved"),
    [
        (2, timedelta(), False, True),
        (2, timedelta(days=7, milliseconds=-1), False, True),
        (2, timedelta(days=7), False, False),
        (1, timedelta(), False, False),
        (3, timedelta(), False, False),
        (2, timedelta(), True, False),
    ],
)
def test_which_link_proves_an_address(
    *, generation: int, after: timedelta, held: bool, proved: bool
) -> None:
    holder = USER if held else None
    if proved:
        user, facts = verify(USER, generation=generation, holder=holder, now=NOON + after)
        assert user.verified
        assert len(facts) == 1
    else:
        with pytest.raises(LinkInvalid):
            verify(USER, generation=generation, holder=holder, now=NOON + after)


@pytest.mark.parametrize(
    ("password", "allowed"),
    [
        ("correct-horse-battery", True),
        ("x7#mQ2!v", True),
        ("12 Katzen im Schnee", True),
        ("пароль-из-слов-и-чисел-7", True),
        ("é" * 3 + "abcdefg", True),
        ("a b c d e f g", True),
        ("x" * 60 + "yz" * 34, True),
        ("x" * 60 + "yz" * 35, False),
        ("x7#mQ2!", False),
        ("password", False),
        ("Password123!", False),
        ("PASSWORD2026", False),
        ("qwertyuiop", False),
        ("aaaaaaaa", False),
        ("abababab", False),
        ("ana.diaz", False),
        ("Ana.Diaz99", False),
        ("ana.diaz@example.com", False),
        ("example.com", False),
        ("AnaDíaz2026", False),
        ("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", False),
        ("abc\0defghijk", False),
        ("abc\ndefghijk", False),
    ],
)
def test_which_passwords_may_be_chosen(password: str, *, allowed: bool) -> None:
    fault = password_fault(password, name="Ana Díaz", email="ana.diaz@example.com")
    assert (fault is None) is allowed, fault


@pytest.mark.parametrize(
    ("ip", "sender"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        (None, "unknown"),
    ],
)
def test_what_counts_as_one_sender(ip: str | None, sender: str) -> None:
    assert network_of(ip) == sender


def test_a_bucket_tells_no_address_and_mixes_no_names() -> None:
    one = Bucket(of=("login", "a@x.example", "1"), most=1, per=timedelta(1))
    assert "a@x" not in one.id
    assert one.id != Bucket(of=("login", "a@x.example1", ""), most=1, per=timedelta(1)).id


async def test_a_hash_is_argon2id_of_the_agreed_cost_and_checks_its_password_only() -> None:
    passwords = Passwords()
    hashed = await passwords.hash("correct-horse-battery")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(hashed, "correct-horse-battery")
    assert not await passwords.verify(hashed, "correct-horse-batterY")
    assert not await passwords.verify(None, "correct-horse-battery")
    composed, decomposed = "caf\u00e9-au-lait-7", "cafe\u0301-au-lait-7"
    assert await passwords.verify(await passwords.hash(composed), decomposed)
    passwords.close()


async def test_only_so_many_passwords_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, go_on = Passwords(waiting=3), threading.Event()
    monkeypatch.setattr(passwords, "_fits", lambda *_: not go_on.wait(30))
    tried = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(9)]
    await wait_for(lambda: sum(one.done() for one in tried) == 4, what="the refusals")
    go_on.set()
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 4
    assert await passwords.verify(None, "x") is False
    passwords.close()
