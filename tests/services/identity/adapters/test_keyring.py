"""Tests of sealing and opening signing keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.identity.adapters.keyring import Keyring, UnsealError, seal, unseal
from services.identity.domain.signing_keys import KeyState
from shared.auth.keys import generate_key
from shared.ids import KeyId
from tests.clocks import SetClock

SEALING = bytes(range(32))


def test_a_sealed_key_is_opened_only_with_its_id_and_sealing_key() -> None:
    kid, now = KeyId("key_a"), SetClock().now()
    key = generate_key()
    stored = seal(key, kid=kid, number=1, sealing_key=SEALING, now=now)
    assert unseal(stored, SEALING).private_bytes_raw() == key.private_bytes_raw()
    assert key.private_bytes_raw() not in stored.sealed
    other = seal(generate_key(), kid=kid, number=1, sealing_key=SEALING, now=now)
    for spoiled, sealing in (
        (stored, bytes(32)),
        (replace(stored, id=KeyId("key_b")), SEALING),
        (replace(stored, sealed=stored.sealed[:-1] + bytes([stored.sealed[-1] ^ 1])), SEALING),
        (replace(stored, public=other.public), SEALING),
    ):
        with pytest.raises(UnsealError):
            unseal(spoiled, sealing)


async def test_a_key_that_does_not_open_is_named_in_the_log_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = SetClock().now()
    keyring = Keyring(SEALING)
    good = keyring.make(number=1, state=KeyState.ACTIVE, now=now)
    strange = Keyring(bytes(32)).make(number=2, state=KeyState.NEXT, now=now)
    for _ in range(2):
        keyring.fill([good, strange], now=now)
    assert [each["kid"] for each in keyring.key_set()] == [good.id]
    assert [strange.id in record.getMessage() for record in caplog.records] == [True]
