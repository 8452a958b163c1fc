"""Challenges, and the use of a passkey that was changed meanwhile, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.identity.domain.passkeys import (
    CHALLENGE_LIFETIME,
    Passkey,
    PasskeyChallenge,
    PasskeyChallengeOver,
    PasskeyProof,
    PasskeyRefused,
    check_challenge,
    use,
)
from shared.ids import SessionId, UserId
from tests.services.identity.domain.rows import NOON, SESSION, USER

MOMENT = timedelta(microseconds=1)
END = NOON + CHALLENGE_LIFETIME
TO_ADD = PasskeyChallenge(challenge="c", begun_at=NOON, user_id=USER.id, session_id=SESSION.id)
TO_PROVE = PasskeyChallenge(challenge="c", begun_at=NOON)
PASSKEY = Passkey(
    passkey_id="pky_1",
    credential="1",
    public_key=b"key",
    sign_count=5,
    name="Phone",
    added_at=NOON,
)
OTHER = replace(PASSKEY, passkey_id="pky_2", credential="2")
CLOUD = replace(PASSKEY, sign_count=0)


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("opened", "now", "user_id", "session_id", "good"),
    [
        (TO_ADD, END - MOMENT, USER.id, SESSION.id, True),
        (TO_PROVE, END - MOMENT, None, None, True),
        (TO_ADD, END, USER.id, SESSION.id, False),
        (TO_PROVE, END, None, None, False),
        (TO_ADD, NOON, UserId("usr_2"), SESSION.id, False),
        (TO_ADD, NOON, USER.id, SessionId("ses_2"), False),
        (TO_ADD, NOON, None, None, False),
        (TO_PROVE, NOON, USER.id, SESSION.id, False),
        (None, NOON, None, None, False),
    ],
)
def test_a_challenge_is_of_its_time_and_its_session(
    opened: PasskeyChallenge | None,
    now: datetime,
    user_id: UserId | None,
    session_id: SessionId | None,
    good: bool,  # noqa: FBT001
) -> None:
    if good:
        assert check_challenge(opened, now=now, user_id=user_id, session_id=session_id) is opened
        return
    with pytest.raises(PasskeyChallengeOver):
        check_challenge(opened, now=now, user_id=user_id, session_id=session_id)


@pytest.mark.parametrize(
    ("current", "count"),
    [
        (replace(PASSKEY, public_key=b"another"), 6),
        (replace(PASSKEY, sign_count=6), 6),
        (PASSKEY, 5),
        (PASSKEY, 0),
        (OTHER, 6),
    ],
)
def test_a_passkey_that_was_changed_meanwhile_proves_nothing(current: Passkey, count: int) -> None:
    with pytest.raises(PasskeyRefused):
        use((current,), PasskeyProof(PASSKEY, count, NOON))


@pytest.mark.parametrize(("passkey", "count"), [(PASSKEY, 6), (CLOUD, 0)])
def test_the_use_of_a_passkey_is_counted_with_its_time(passkey: Passkey, count: int) -> None:
    left = use((OTHER, passkey), PasskeyProof(passkey, count, END))
    assert left == (OTHER, replace(passkey, sign_count=count, used_at=END))
