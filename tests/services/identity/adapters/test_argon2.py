"""Tests of password hashing with argon2id."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.passwords import HashingBusy
from tests.services.identity.faults import HeldHasher
from tests.waiting import wait_for


async def test_a_hash_is_argon2id_and_matches_only_its_password() -> None:
    passwords = Argon2Hasher()
    hashed = await passwords.hash("correct-horse-battery", attempts=1)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(hashed, "correct-horse-battery", attempts=1)
    assert not await passwords.verify(hashed, "correct-horse-batterY", attempts=1)
    assert not await passwords.verify(None, "correct-horse-battery", attempts=1)
    passwords.close()


async def test_a_set_of_codes_costs_less_than_a_password_in_one_turn() -> None:
    passwords = Argon2Hasher()
    hashed = await passwords.hash_codes(["ABCDEFGHJK", "LMNPQRSTUV"], attempts=1)
    assert [one[:30] for one in hashed] == ["$argon2id$v=19$m=4096,t=1,p=1$"] * 2
    assert await passwords.verify(hashed[1], "LMNPQRSTUV", attempts=1)
    assert not await passwords.verify(hashed[1], "ABCDEFGHJK", attempts=1)


async def test_a_code_that_was_hashed_like_a_password_still_fits() -> None:
    passwords = Argon2Hasher()
    earlier = await passwords.hash("ABCDEFGHJK", attempts=1)
    assert await passwords.verify(earlier, "ABCDEFGHJK", attempts=1)


@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        ("caf\u00e9-au-lait-7", "cafe\u0301-au-lait-7"),
        ("correct-horse-7", "\uff43\uff4f\uff52\uff52\uff45\uff43\uff54-horse-\uff17"),
        ("e\ufb03cient-otter-7", "efficient-otter-7"),
    ],
    ids=["decomposed", "full width", "ligature"],
)
async def test_a_password_matches_however_a_keyboard_writes_it(chosen: str, typed: str) -> None:
    passwords = Argon2Hasher()
    for one, other in ((chosen, typed), (typed, chosen)):
        assert await passwords.verify(await passwords.hash(one, attempts=1), other, attempts=1)
    passwords.close()


@pytest.mark.rule("T19")
async def test_hashing_gives_way_to_the_other_threads_of_a_process() -> None:
    passwords = Argon2Hasher()
    await passwords.hash("correct-horse-battery", attempts=1)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("argon2")]
    hashing = threads[-1].native_id or 0
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert os.getpriority(os.PRIO_PROCESS, hashing) == min(own + 10, 19)
    passwords.close()


async def test_a_password_is_refused_when_too_many_wait() -> None:
    passwords = HeldHasher(max_waiting=3)
    tried = [asyncio.create_task(passwords.verify(None, "x", attempts=1)) for _ in range(9)]
    await wait_for(lambda: sum(one.done() for one in tried) == 5, what="the refusals")
    passwords.go_on.set()
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(outcome, HashingBusy) for outcome in outcomes) == 5
    assert await passwords.verify(None, "x", attempts=1) is False
    passwords.close()


@pytest.mark.rule("T8")
async def test_a_sender_without_failed_attempts_goes_before_those_who_guess() -> None:
    passwords = HeldHasher(max_waiting=64)
    ended: list[str] = []

    async def verify(sender: str, attempts: int) -> None:
        await passwords.verify(None, "x", attempts=attempts)
        ended.append(sender)

    async with asyncio.TaskGroup() as group:
        for attempts in range(7, 12):
            group.create_task(verify(f"crowd, attempt {attempts}", attempts))
        group.create_task(verify("person", 1))
        await asyncio.sleep(0)
        passwords.go_on.set()
    assert ended[:3] == ["crowd, attempt 7", "person", "crowd, attempt 8"]
    passwords.close()
