"""Tests of the limits on sign-ins and mails (T8, T14)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.passwords import HashingBusy
from services.identity.domain.rate_limits import CODE_SETS_PER_HOUR, RateLimit, Window
from services.identity.store import Store
from services.identity.store.rate_limits import RateLimitRows
from shared.journal import Journal
from shared.mongo import DatabaseAway
from shared.problems import Unavailable
from tests.patience import PATIENT
from tests.services.identity.faults import CountingHasher, Fault, HeldHasher
from tests.services.identity.running import PASSWORD, Identity, running
from tests.support.service import FAR
from tests.waiting import wait_for

LIMIT = RateLimit(key=("tests",), limit=10, window=timedelta(minutes=15))
NEW_PASSWORD = "quiet-otters-paint-maps"
NARROW = RateLimit(key=("narrow",), limit=1, window=timedelta(minutes=15))


class CountedStore(Store):
    """Counts what it is asked about rate limits and users."""

    asked = 0

    async def count_all(self, *given: Any, **named: Any) -> Any:
        CountedStore.asked += 1
        return await super().count_all(*given, **named)

    async def uncount(self, *given: Any, **named: Any) -> Any:
        CountedStore.asked += 1
        return await super().uncount(*given, **named)

    async def user_of(self, *given: Any, **named: Any) -> Any:
        CountedStore.asked += 1
        return await super().user_of(*given, **named)


@pytest.mark.rule("T8")
async def test_of_a_thousand_guesses_ten_are_checked_and_others_sign_in(
    mongo_url: str, database_name: str
) -> None:
    hasher = CountingHasher()
    wiring = {"store": CountedStore, "hasher": hasher}
    async with running(mongo_url, database_name, wiring=wiring) as identity:
        await identity.person("ana@example.com")
        await identity.person("bo@example.com")
        hashes, asked = hasher.jobs, CountedStore.asked
        statuses: list[int] = []

        async def guess(numbers: range) -> None:
            for number in numbers:
                answer = await identity.log_in("ana@example.com", f"guess-number-{number}")
                statuses.append(answer.status)

        async def others() -> None:
            for _ in range(5):
                sender = {"X-Forwarded-For": "198.51.100.7"}
                assert (await identity.log_in("bo@example.com", headers=sender)).status == 200

        await asyncio.gather(*(guess(range(start, 1000, 8)) for start in range(8)), others())
        assert len(statuses) == 1000
        assert set(statuses) == {401, 429}
        assert statuses.count(401) <= 10
        # What the others wait for is counted, since seconds depend on the machine. A guess that is
        # checked costs a hash, a count and a look-up; one that was on its way when the limit was
        # reached costs a count and what it gives back; one of the others costs at most five calls.
        assert hasher.jobs - hashes <= 10 + 5
        assert CountedStore.asked - asked <= 10 * 3 + 8 * 3 + 5 * 5
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
    fault = Fault(DatabaseAway("gone"))
    return {"store": fault.planted_in(Store, "insert_session")}, fault


def database_away() -> tuple[dict[str, Any], Fault]:
    fault = Fault(DatabaseAway("gone"))
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
    impatient = replace(PATIENT, transaction=0.1)
    async with running(mongo_url, database_name, wiring=wiring, timeouts=impatient) as identity:
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


@pytest.mark.rule("T8")
async def test_a_refused_sender_costs_no_database_call(mongo_url: str, database_name: str) -> None:
    wiring = {"store": CountedStore}
    async with running(mongo_url, database_name, wiring=wiring, logins_per_ip=2) as identity:
        counters = identity.database["counters"]

        async def guess() -> int:
            return (await identity.log_in("a@example.com", "not-the-password-1")).status

        assert [await guess() for _ in range(3)] == [401, 401, 429]
        written = [document async for document in counters.find().sort("_id")]
        asked = CountedStore.asked
        for number in range(20):
            over = await identity.log_in(f"user{number}@example.com")
            assert (over.status, over.body["code"]) == (429, "too-many-requests")
            assert 0 < int(over.headers["Retry-After"]) <= 900
        assert CountedStore.asked == asked
        identity.clock.move(11)  # the memory is checked against the database now and then
        assert [await guess() for _ in range(3)] == [429] * 3
        assert CountedStore.asked == asked + 1
        assert [document async for document in counters.find().sort("_id")] == written
        identity.clock.move(900)
        assert await guess() == 401


async def test_of_an_attempt_over_the_widest_limit_nothing_else_is_counted(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, logins_per_ip=1, mails_per_ip=1) as identity:
        await identity.log_in("first@example.com")
        await identity.sign_up("first@example.com")
        counters = identity.database["counters"]
        counted = [document async for document in counters.find().sort("_id")]
        assert (await identity.log_in("second@example.com")).status == 429
        assert (await identity.sign_up("second@example.com")).status == 429
        assert [document async for document in counters.find().sort("_id")] == counted


async def test_an_attempt_over_the_narrow_limit_is_given_back_to_the_wide_one(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, logins_per_address=1, logins_per_ip=3) as identity:
        statuses = [(await identity.log_in("ana@example.com")).status]
        for _ in range(5):
            statuses.append((await identity.log_in("ana@example.com")).status)
            identity.clock.move(11)
        statuses += [(await identity.log_in(f"user{n}@example.com")).status for n in range(3)]
        assert statuses == [401] + [429] * 5 + [401, 401, 429]


class Overtaken(RateLimitRows):
    """Between its reading and its writing another process counts an attempt, once."""

    other: RateLimitRows | None

    async def _save(self, limit: RateLimit, before: Window, after: Window) -> Window | None:
        if self.other is not None:
            other, self.other = self.other, None
            await other.count_all([LIMIT], now=after.ends_at - LIMIT.window)
        return await super()._save(limit, before, after)


async def test_attempts_that_open_a_window_together_are_all_counted(identity: Identity) -> None:
    now, others = identity.clock.now(), RateLimitRows(identity.database)
    for _ in range(3):
        await others.count_all([LIMIT], now=now)
    rows = Overtaken(identity.database)
    rows.other = others
    ([counted], _) = await rows.count_all([LIMIT], now=now + LIMIT.window)
    assert counted.window.count == 2


class LateForTheNarrow(RateLimitRows):
    """After it has read the windows, another process counts against the narrow limit, once."""

    other: RateLimitRows | None

    async def windows(self, limits: Sequence[RateLimit], *given: Any) -> dict[str, Window]:
        found = await super().windows(limits, *given)
        if self.other is not None:
            other, self.other = self.other, None
            await other.count_all([NARROW], now=FAR)
        return found


@pytest.mark.rule("T8")
async def test_what_passed_before_a_lost_race_is_given_back(identity: Identity) -> None:
    others, rows = RateLimitRows(identity.database), LateForTheNarrow(identity.database)
    rows.other = others
    passed, reached = await rows.count_all([LIMIT, NARROW], now=FAR)
    assert (passed, [each.limit for each in reached]) == ([], [NARROW])
    ([counted], _) = await others.count_all([LIMIT], now=FAR)
    assert counted.window.count == 1


@pytest.mark.rule("T8")
async def test_after_a_race_with_room_for_both_each_attempt_counts_once(
    identity: Identity,
) -> None:
    wide, narrow = replace(LIMIT, key=("wide",)), replace(NARROW, limit=2)
    others, rows = RateLimitRows(identity.database), LateForTheNarrow(identity.database)
    rows.other = others
    passed, reached = await rows.count_all([wide, narrow], now=FAR)
    assert (reached, [each.window.count for each in passed]) == ([], [1, 2])


async def test_a_place_that_is_given_back_is_free_at_once(
    mongo_url: str, database_name: str
) -> None:
    hasher = HeldHasher(max_waiting=8)
    async with running(
        mongo_url, database_name, wiring={"hasher": hasher}, logins_per_address=1
    ) as identity:
        hasher.go_on.set()
        await identity.person("ana@example.com")
        hasher.go_on.clear()
        counters = identity.database["counters"]
        before = await counters.count_documents({})
        first = asyncio.create_task(identity.log_in("ana@example.com"))

        async def counted() -> bool:
            return await counters.count_documents({}) == before + 2

        await wait_for(counted, what="the first sign-in at the hasher")
        assert (await identity.log_in("ana@example.com")).status == 429
        hasher.go_on.set()
        assert (await first).status == 200
        assert (await identity.log_in("ana@example.com")).status == 200


class RankedHasher(Argon2Hasher):
    """Notes the order in which it was told to serve passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.ranks: list[int] = []

    async def _run(self, job: Callable[[], Any], *, rank: int) -> Any:
        self.ranks.append(rank)
        return await super()._run(job, rank=rank)


@pytest.mark.rule("T8")
async def test_a_person_goes_before_a_sender_that_guesses(
    mongo_url: str, database_name: str
) -> None:
    hasher = RankedHasher()
    async with running(mongo_url, database_name, wiring={"hasher": hasher}) as identity:
        await identity.person("ana@example.com")
        hasher.ranks.clear()
        for number in range(4):
            await identity.log_in(f"user{number}@example.com", "not-the-password-1")
        person = {"X-Forwarded-For": "198.51.100.7"}
        for _ in range(3):
            answer = await identity.log_in("ana@example.com", headers=person)
            assert answer.status == 200
        assert hasher.ranks == [1, 2, 3, 4, 1, 1, 1]


@pytest.mark.rule("T8")
async def test_no_repeated_hashing_goes_before_the_first_sign_in_of_a_person(
    mongo_url: str, database_name: str
) -> None:
    """A used link with another password, and sets of recovery codes, by one person."""
    hasher = RankedHasher()
    async with running(
        mongo_url, database_name, wiring={"hasher": hasher}, logins_per_ip=3
    ) as identity:
        await identity.sign_up("ana@example.com")
        link = (await identity.mailed_links("ana@example.com"))[-1]
        token = (await identity.verify(link)).body["access_token"]
        await identity.add_totp(token)
        await identity.forgot("ana@example.com")
        reset = await identity.mailed_reset("ana@example.com")
        assert hasher.ranks == [1, 1], "the password, and ten codes in one turn"
        hasher.ranks.clear()
        for expected in (410, 410, 410, 429):
            assert (await identity.verify(link, password="another-1")).status == expected
        assert hasher.ranks == [1, 2, 3]
        assert (await identity.reset(reset, NEW_PASSWORD)).status == 429, "the same limit"
        hasher.ranks.clear()
        for _ in range(CODE_SETS_PER_HOUR - 1):
            made = await identity.post("/v1/me/mfa/recovery-codes", token=token)
            assert made.status == 200
        over = await identity.post("/v1/me/mfa/recovery-codes", token=token)
        assert (over.status, over.headers["Retry-After"]) == (429, "3600")
        assert hasher.ranks == list(range(2, CODE_SETS_PER_HOUR + 1))


def quota(name: str, limit: int, window: int, *, left: int, seconds: int) -> tuple[str, str]:
    """The members of `RateLimit-Policy` and `RateLimit` for one limit."""
    return f'"{name}";q={limit};w={window}', f'"{name}";r={left};t={seconds}'


def told(answer: Any) -> list[tuple[str, str]]:
    """The quotas that an answer tells."""
    lists = (answer.headers.get(name, "") for name in ("RateLimit-Policy", "RateLimit"))
    return list(zip(*(members.split(", ") for members in lists), strict=True))


async def test_each_sign_in_tells_what_is_left_of_its_limits(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, logins_per_address=2) as identity:
        await identity.person_by_mail("ana@example.com")
        for email, left in (("ana@example.com", 1), ("absent@example.com", 1)):
            wrong = await identity.log_in(email, "not the password")
            network = 199 if email == "ana@example.com" else 198
            assert told(wrong) == [
                quota("logins", 200, 900, left=network, seconds=900),
                quota("login", 2, 900, left=left, seconds=900),
            ]
        right = await identity.log_in("ana@example.com")
        assert right.status == 200
        assert told(right)[1] == quota("login", 2, 900, left=1, seconds=900)
        mailed = await identity.sign_up("new@example.com")
        assert told(mailed) == [quota("mails-from", 100, 3600, left=98, seconds=3600)]
        me = await identity.send("GET", "/v1/me", token=right.body["access_token"])
        assert "RateLimit" not in me.headers


async def test_a_refused_sign_in_passes_after_exactly_the_told_seconds(
    mongo_url: str, database_name: str
) -> None:
    """The network's limit ends first; the address's limit, which is reached too, ends later."""
    async with running(mongo_url, database_name, logins_per_address=1, logins_per_ip=3) as identity:
        await identity.person("ana@example.com")
        for email in ("a@example.com", "b@example.com"):
            assert (await identity.log_in(email, "wrong")).status == 401
        identity.clock.move(500.5)
        assert (await identity.log_in("ana@example.com", "wrong")).status == 401
        for _ in ("from the database", "from memory"):
            over = await identity.log_in("ana@example.com")
            assert (over.status, over.headers["Retry-After"]) == (429, "900")
            assert told(over) == [
                quota("logins", 3, 900, left=0, seconds=400),
                quota("login", 1, 900, left=0, seconds=900),
            ]
        identity.clock.move(899)
        early = await identity.log_in("ana@example.com")
        assert (early.status, early.headers["Retry-After"]) == (429, "1")
        identity.clock.move(1)
        assert (await identity.log_in("ana@example.com")).status == 200
