"""Tests of password hashing with argon2id."""

from __future__ import annotations

import asyncio

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.passwords import HashingBusy
from tests.services.identity.faults import HeldHasher
from tests.waiting import wait_for


async def test_a_hash_is_argon2id_and_matches_only_its_password() -> None:
    passwords = Argon2Hasher()
    hashed = await passwords.hash("correct-horse-battery")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(hashed, "correct-horse-battery")
    assert not await passwords.verify(hashed, "correct-horse-batterY")
    assert not await passwords.verify(None, "correct-horse-battery")
    composed, decomposed = "caf\u00e9-au-lait-7", "cafe\u0301-au-lait-7"
    assert await passwords.verify(await passwords.hash(composed), decomposed)
    passwords.close()


async def test_a_password_is_refused_when_too_many_wait() -> None:
    passwords = HeldHasher(max_waiting=3)
    tried = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(9)]
    await wait_for(lambda: sum(one.done() for one in tried) == 4, what="the refusals")
    passwords.go_on.set()
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(outcome, HashingBusy) for outcome in outcomes) == 4
    assert await passwords.verify(None, "x") is False
    passwords.close()
