"""Tests of the limits on sign-ins and mails (T8, T14)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pymongo.errors import ConnectionFailure

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.passwords import HashingBusy
from services.identity.store import Store
from shared.journal import Journal
from shared.problems import Unavailable
from tests.patience import PATIENT
from tests.services.identity.faults import Fault
from tests.services.identity.running import PASSWORD, Identity, running


@pytest.mark.rule("T8")
async def test_of_a_thousand_guesses_ten_are_checked_and_others_sign_in(
    identity: Identity,
) -> None:
    await identity.person("ana@example.com")
    await identity.person("bo@example.com")
    statuses: list[int] = []
    meanwhile: list[int] = []

    async def guess(numbers: range) -> None:
        for number in numbers:
            answer = await identity.log_in("ana@example.com", f"guess-number-{number}")
            statuses.append(answer.status)

    async def others() -> None:
        for _ in range(5):
            begun = len(statuses)
            sender = {"X-Forwarded-For": "198.51.100.7"}
            assert (await identity.log_in("bo@example.com", headers=sender)).status == 200
            meanwhile.append(len(statuses) - begun)

    await asyncio.gather(*(guess(range(start, 1000, 8)) for start in range(8)), others())
    assert len(statuses) == 1000
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 10
    assert max(meanwhile) < 250, "others wait no longer than for a part of the guesses"
    locked = await identity.log_in("ana@example.com")
    assert (locked.status, locked.body["code"]) == (429, "too-many-requests")
    assert 0 < int(locked.headers["Retry-After"]) <= 900
    identity.clock.move(901)
    assert (await identity.log_in("ana@example.com")).status == 200


async def test_guesses_from_another_network_do_not_lock_the_user_out(identity: Identity) -> None:
    await identity.person("ana@example.com")
    sender = {"X-Forwarded-For": "198.51.100.7"}
    for _ in range(11):
        last = await identity.log_in("ana@example.com", "another-password-1", headers=sender)
    assert last.status == 429
    assert (await identity.log_in("ana@example.com")).status == 200


@pytest.mark.rule("T8")
async def test_one_sender_cannot_try_many_addresses(mongo_url: str, database_name: str) -> None:
    async with running(mongo_url, database_name, logins_per_ip=5) as identity:
        statuses = [(await identity.log_in(f"user{n}@example.com")).status for n in range(7)]
        assert statuses == [401] * 5 + [429] * 2


async def test_a_successful_sign_in_does_not_count(identity: Identity) -> None:
    await identity.person("ana@example.com")
    for _ in range(12):
        assert (await identity.log_in("ana@example.com")).status == 200


Planted = Callable[[], tuple[dict[str, Any], Fault]]


def busy_hasher() -> tuple[dict[str, Any], Fault]:
    fault = Fault(HashingBusy(retry_after=1))
    return {"hasher": fault.planted_in(Argon2Hasher, "_run")()}, fault


def failing_journal() -> tuple[dict[str, Any], Fault]:
    fault = Fault(Unavailable())
    return {"journal": fault.planted_in(Journal, "write")}, fault


def database_away_in_a_transaction() -> tuple[dict[str, Any], Fault]:
    fault = Fault(ConnectionFailure("gone"))
    return {"store": fault.planted_in(Store, "insert_session")}, fault


def database_away() -> tuple[dict[str, Any], Fault]:
    fault = Fault(ConnectionFailure("gone"))
    return {"store": fault.planted_in(Store, "user_of")}, fault


SIGN_IN_FAULTS = [busy_hasher, failing_journal, database_away_in_a_transaction, database_away]
MAIL_FAULTS = [failing_journal, database_away]


@pytest.mark.parametrize("planted", SIGN_IN_FAULTS)
async def test_a_sign_in_that_could_not_be_checked_does_not_count(
    mongo_url: str, database_name: str, planted: Planted
) -> None:
    wiring, fault = planted()
    impatient = replace(PATIENT, transaction=0.1)
    async with running(mongo_url, database_name, wiring=wiring, timeouts=impatient) as identity:
        await identity.person("ana@example.com")
        proof = identity.stand_ins.invite("bo@example.com", "email")
        invited = {"name": "Bo", "password": PASSWORD, "invitation": proof}
        fault.on = True
        for _ in range(10):
            for answer in (
                await identity.log_in("ana@example.com"),
                await identity.post("/v1/signup", invited),
            ):
                assert answer.status in {429, 503}
                assert answer.body["code"] in {"busy", "unavailable"}
        fault.on = False
        assert (await identity.log_in("ana@example.com")).status == 200
        assert (await identity.post("/v1/signup", invited)).status == 201


@pytest.mark.parametrize("planted", MAIL_FAULTS)
async def test_a_sign_up_that_sent_no_mail_does_not_count(
    mongo_url: str, database_name: str, planted: Planted
) -> None:
    wiring, fault = planted()
    async with running(mongo_url, database_name, wiring=wiring) as identity:
        await identity.sign_up("ana@example.com")
        fault.on = True
        for _ in range(5):
            assert (await identity.sign_up("ana@example.com")).status == 503
            again = await identity.post("/v1/email/resend", {"email": "ana@example.com"})
            assert again.status == 503
            if planted is database_away:  # a reset of an address without a user writes nothing
                assert (await identity.forgot("ana@example.com")).status == 503
        fault.on = False
        for _ in range(5):
            assert (await identity.sign_up("ana@example.com")).status == 202
        assert len(await identity.rows("sign_up.requested")) == 3, "the sender's share"


@pytest.mark.rule("T14")
async def test_one_sender_cannot_send_mails_to_many_addresses(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, mails_per_ip=3) as identity:
        sent = [await identity.sign_up(f"user{n}@example.com") for n in range(2)]
        sent.append(await identity.post("/v1/email/resend", {"email": "user0@example.com"}))
        assert [answer.status for answer in sent] == [202] * 3

        over = await identity.sign_up("user3@example.com")
        assert (over.status, over.body["code"]) == (429, "too-many-requests")
        assert 0 < int(over.headers["Retry-After"]) <= 3600
        again = await identity.post("/v1/email/resend", {"email": "user1@example.com"})
        assert again.status == 429

        elsewhere = {"X-Forwarded-For": "198.51.100.7"}
        assert (await identity.sign_up("user3@example.com", headers=elsewhere)).status == 202
        identity.clock.move(3601)
        assert (await identity.sign_up("user4@example.com")).status == 202
