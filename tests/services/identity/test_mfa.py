"""Second factors: codes of an app, recovery codes, and the proof that changing them needs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.users import User
from services.identity.store import Store
from services.identity.store.factors import FactorRows
from shared.ids import UserId, new_id
from shared.mongo import DbSession, Lost
from tests.services.identity.running import (
    CHEAP_ARGON2,
    PASSWORD,
    Authenticator,
    Identity,
    running,
)
from tests.support.service import ADMIN_KEY

EMAIL = "ana@example.com"
OTHER_PASSWORD = "another-password-1"
STALE = ("step-up-required", 401)


class ComparingHasher(Argon2Hasher):
    """Notes the cost of each hash that it compares."""

    def __init__(self) -> None:
        super().__init__(argon2=CHEAP_ARGON2)
        self.compared: list[str] = []

    def _matches(self, stored_hash: str, form: bytes) -> bool:
        self.compared.append(stored_hash.split("$")[3])
        return super()._matches(stored_hash, form)


async def token_of(identity: Identity) -> str:
    """The access token of a new user."""
    return str((await identity.person(EMAIL))["access_token"])


async def with_totp(identity: Identity) -> tuple[str, Authenticator, list[str]]:
    """A user with an app, whose next code is of a later step."""
    token = await token_of(identity)
    app, codes = await identity.add_totp(token)
    identity.clock.move(90)
    return token, app, codes


async def remove(identity: Identity, token: str) -> Any:
    return await identity.send("DELETE", "/v1/me/mfa/totp", token=token)


async def new_codes(identity: Identity, token: str) -> Any:
    return await identity.post("/v1/me/mfa/recovery-codes", token=token)


def told(answer: Any) -> tuple[str | None, int]:
    """The code of an answer's problem, and its status."""
    return (answer.body or {}).get("code"), answer.status


@pytest.mark.rule("B1")
async def test_a_user_with_an_app_signs_in_with_its_code(identity: Identity) -> None:
    _, app, _ = await with_totp(identity)
    assert told(await identity.log_in(EMAIL)) == ("otp-required", 401)
    assert told(await identity.log_in(EMAIL, otp=app.code())) == (None, 200)


@pytest.mark.rule("B1")
@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_code_counts_once_for_each_step_of_the_clock(
    identity: Identity, steps: int
) -> None:
    _, app, _ = await with_totp(identity)
    code = app.code(steps=steps)
    assert told(await identity.log_in(EMAIL, otp=code)) == (None, 200)
    assert told(await identity.log_in(EMAIL, otp=code)) == ("wrong-otp", 401)


async def test_no_step_before_the_last_one_counts(identity: Identity) -> None:
    _, app, _ = await with_totp(identity)
    before, present = app.code(steps=-1), app.code()
    assert told(await identity.log_in(EMAIL, otp=present)) == (None, 200)
    assert told(await identity.log_in(EMAIL, otp=before)) == ("wrong-otp", 401)


@pytest.mark.parametrize("steps", [-2, 2])
async def test_a_code_of_another_time_is_wrong(identity: Identity, steps: int) -> None:
    _, app, _ = await with_totp(identity)
    assert told(await identity.log_in(EMAIL, otp=app.code(steps=steps))) == ("wrong-otp", 401)


async def test_the_code_of_the_enrolment_counts_as_used(identity: Identity) -> None:
    token = await token_of(identity)
    app, _ = await identity.add_totp(token)
    assert told(await identity.log_in(EMAIL, otp=app.code())) == ("wrong-otp", 401)
    assert told(await identity.step_up(token, otp=app.code())) == ("wrong-otp", 401)


async def test_a_code_counts_once_at_the_same_moment(identity: Identity) -> None:
    token, app, _ = await with_totp(identity)
    code = app.code()
    answers = await asyncio.gather(
        *(identity.log_in(EMAIL, otp=code) for _ in range(3)),
        *(identity.step_up(token, otp=code) for _ in range(3)),
    )
    assert sorted(answer.status for answer in answers) == [200, *[401] * 5]


async def test_an_app_is_confirmed_once_at_the_same_moment(identity: Identity) -> None:
    token = await token_of(identity)
    app = await identity.begin_totp(token)
    answers = await asyncio.gather(*(identity.confirm_totp(token, app.code()) for _ in range(3)))
    assert [answer.status for answer in answers].count(200) == 1
    assert len(await identity.rows("user.second_factor_added")) == 1


@pytest.mark.rule("B1")
async def test_a_recovery_code_counts_once_also_at_the_same_moment(identity: Identity) -> None:
    _, _, codes = await with_totp(identity)
    assert len(set(codes)) == 10
    typed = codes[0].lower().replace("-", " ")
    answers = await asyncio.gather(*(identity.log_in(EMAIL, otp=typed) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]
    [row] = await identity.rows("user.recovery_code_used")
    assert row.data["left"] == 9
    assert told(await identity.log_in(EMAIL, otp=codes[1])) == (None, 200)


@pytest.mark.rule("T9")
async def test_the_work_of_a_wrong_recovery_code_names_none(
    mongo_url: str, database_name: str
) -> None:
    hasher = ComparingHasher()
    async with running(mongo_url, database_name, wiring={"hasher": hasher}) as identity:
        _, _, codes = await with_totp(identity)
        names = {code[:2] for code in codes}
        other = next(
            name for name in ("AA", "BB", *map("C{}".format, "ABCDEFGHJ")) if name not in names
        )
        hasher.compared.clear()
        for name in (codes[0][:2], other):
            wrong = await identity.log_in(EMAIL, otp=f"{name}AA-AAAA-AAAA")
            assert told(wrong) == ("wrong-otp", 401)
        costs = [cost for cost in hasher.compared if "m=4096" in cost]
        assert len(costs) == 2
        right = f"{other}{codes[0][2:]}"
        assert told(await identity.log_in(EMAIL, otp=right)) == ("wrong-otp", 401)


async def test_new_recovery_codes_replace_the_earlier_ones(identity: Identity) -> None:
    token, _, codes = await with_totp(identity)
    assert told(await new_codes(identity, token)) == (None, 200)
    assert told(await identity.log_in(EMAIL, otp=codes[0])) == ("wrong-otp", 401)


@pytest.mark.rule("T9")
async def test_a_wrong_password_shows_nothing_about_the_second_factor(identity: Identity) -> None:
    await identity.person("bo@example.com")
    _, app, _ = await with_totp(identity)
    answers = [
        await identity.log_in(email, OTHER_PASSWORD, otp=otp)
        for email in (EMAIL, "bo@example.com", "absent@example.com")
        for otp in (None, "123456", app.code())
    ]
    for answer in answers:
        answer.body.pop("request_id")
    assert all(answer.body == answers[0].body for answer in answers)
    assert {answer.status for answer in answers} == {401}
    assert told(await identity.log_in(EMAIL, otp=app.code())) == (None, 200)


@pytest.mark.rule("T8")
async def test_wrong_codes_of_a_user_are_limited_from_everywhere(identity: Identity) -> None:
    _, app, _ = await with_totp(identity)
    for number in range(10):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        answer = await identity.log_in(EMAIL, otp=app.code(steps=9), headers=headers)
        assert told(answer) == ("wrong-otp", 401)
    headers = {"X-Forwarded-For": "198.51.100.7"}
    answer = await identity.log_in(EMAIL, otp=app.code(), headers=headers)
    assert told(answer) == ("too-many-requests", 429)
    identity.clock.move(3600)
    assert told(await identity.log_in(EMAIL, otp=app.code(), headers=headers)) == (None, 200)


@pytest.mark.rule("T8")
async def test_wrong_first_codes_of_an_app_are_limited(identity: Identity) -> None:
    token = await token_of(identity)
    app = await identity.begin_totp(token)
    for _ in range(10):
        wrong = await identity.confirm_totp(token, app.code(steps=9))
        assert told(wrong) == ("wrong-otp", 401)
    over = await identity.confirm_totp(token, app.code())
    assert told(over) == ("too-many-requests", 429)


async def test_a_wrong_code_counts_as_a_failed_sign_in(identity: Identity) -> None:
    _, app, _ = await with_totp(identity)
    assert told(await identity.log_in(EMAIL, otp=app.code(steps=9))) == ("wrong-otp", 401)
    [row] = await identity.rows("session.refused")
    assert (row.data["code"], row.outcome) == ("wrong-otp", "denied")
    failed = await identity.log_in(EMAIL, OTHER_PASSWORD)
    assert '"login";r=8;' in failed.headers["RateLimit"]


async def test_the_first_factor_ends_the_other_sessions(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    other = (await identity.log_in(EMAIL)).body
    await identity.add_totp(person["access_token"])
    assert not await identity.is_live(other)
    assert await identity.is_live(person)


async def test_a_second_factor_is_told_and_listed(identity: Identity) -> None:
    token, _, _ = await with_totp(identity)
    listed = await identity.send("GET", "/v1/me/mfa", token=token)
    assert (listed.body["totp"] is None, listed.body["recovery_codes_left"]) == (False, 10)
    assert told(await remove(identity, token)) == (None, 204)
    listed = await identity.send("GET", "/v1/me/mfa", token=token)
    assert listed.body == {"totp": None, "passkeys": 0, "recovery_codes_left": 0}
    added, removed = await identity.rows("user.second_factor_added", "user.second_factor_removed")
    assert (added.data["kind"], removed.data["kind"]) == ("totp", "totp")
    assert told(await identity.log_in(EMAIL)) == (None, 200)
    assert told(await remove(identity, token)) == ("not-found", 404)
    assert told(await new_codes(identity, token)) == ("no-second-factor", 409)


@pytest.mark.rule("T15")
async def test_the_database_keeps_no_secret_of_a_factor_in_the_clear(identity: Identity) -> None:
    token = await token_of(identity)
    app, codes = await identity.add_totp(token)
    stored = str([document async for document in identity.database["factors"].find({})])
    stored += str([document async for document in identity.database["journal"].find({})])
    assert app.secret not in stored
    assert not [code for code in codes if code.replace("-", "")[2:] in stored.replace("-", "")]


async def test_an_app_waits_a_quarter_of_an_hour_for_its_code(identity: Identity) -> None:
    token = await token_of(identity)
    assert told(await identity.confirm_totp(token, "123456")) == ("enrolment-missing", 409)
    app = await identity.begin_totp(token)
    session = await identity.log_in(EMAIL)
    identity.clock.move(15 * 60)
    renewed = await identity.post(
        "/v1/token/refresh", {"refresh_token": session.body["refresh_token"]}
    )
    answer = await identity.confirm_totp(renewed.body["access_token"], app.code())
    assert told(answer) == ("enrolment-missing", 409)


async def test_changing_factors_needs_a_fresh_proof(identity: Identity) -> None:
    token, app, _ = await with_totp(identity)
    identity.clock.move(299 - 90)
    changes = {
        "begin": lambda token: identity.post("/v1/me/mfa/totp", token=token),
        "codes": lambda token: new_codes(identity, token),
        "remove": lambda token: remove(identity, token),
    }
    assert told(await changes["begin"](token)) == (None, 200)
    session = (await identity.log_in(EMAIL, otp=app.code())).body
    identity.clock.move(300)
    body = {"refresh_token": session["refresh_token"]}
    stale = (await identity.post("/v1/token/refresh", body)).body["access_token"]
    for change in changes.values():
        answer = await change(stale)
        assert told(answer) == STALE
        assert 'error="insufficient_user_authentication"' in answer.headers["WWW-Authenticate"]
    assert told(await identity.step_up(stale, password=PASSWORD)) == ("otp-required", 401)
    proved = await identity.step_up(stale, otp=app.code())
    assert told(await changes["remove"](stale)) == STALE
    for change in changes.values():
        assert (await change(proved.body["access_token"])).status in {200, 204}


async def test_the_password_is_the_proof_of_a_user_without_a_factor(identity: Identity) -> None:
    token = await token_of(identity)
    assert told(await identity.step_up(token, password=OTHER_PASSWORD)) == ("wrong-password", 403)
    assert told(await identity.step_up(token, otp="123456")) == ("invalid", 422)
    assert told(await identity.step_up(token, password=PASSWORD)) == (None, 200)


@pytest.mark.rule("T8")
@pytest.mark.parametrize("code", ["wrong-password", "wrong-otp"])
async def test_a_wrong_proof_counts_as_a_failed_sign_in(identity: Identity, code: str) -> None:
    if code == "wrong-otp":
        token, app, _ = await with_totp(identity)
        proof = {"otp": app.code(steps=9)}
    else:
        token, proof = await token_of(identity), {"password": OTHER_PASSWORD}
    for _ in range(10):
        assert (await identity.step_up(token, **proof)).body["code"] == code
    over = await identity.step_up(token, password=PASSWORD)
    assert told(over) == ("too-many-requests", 429)
    assert (await identity.log_in(EMAIL)).status == 429
    assert {row.data["code"] for row in await identity.rows("session.refused")} == {code}


async def test_a_proof_in_one_session_is_none_in_another(identity: Identity) -> None:
    await identity.person(EMAIL)
    first, second = [(await identity.log_in(EMAIL)).body for _ in range(2)]
    identity.clock.move(300)
    tokens = []
    for session in (first, second):
        body = {"refresh_token": session["refresh_token"]}
        tokens.append((await identity.post("/v1/token/refresh", body)).body["access_token"])
    assert (await identity.step_up(tokens[0], password=PASSWORD)).status == 200
    assert told(await identity.post("/v1/me/mfa/totp", token=tokens[1])) == STALE


async def test_an_operator_removes_the_factors_of_a_user_who_lost_them(identity: Identity) -> None:
    person = await identity.person(EMAIL)
    app, codes = await identity.add_totp(person["access_token"])
    for _ in range(10):
        await identity.log_in(EMAIL, otp=app.code(steps=9))
    path = f"/internal/admin/users/{person['user']['id']}/reset-mfa"
    for kinds in (["totp"], []):
        answer = await identity.post(path, token=ADMIN_KEY)
        assert answer.expect(200)["removed_factors"] == kinds
        waiting = await identity.begin_totp(person["access_token"])
    (await identity.post(path, token=ADMIN_KEY)).expect(200)
    late = await identity.confirm_totp(person["access_token"], waiting.code())
    assert told(late) == ("enrolment-missing", 409)
    [removed] = await identity.rows("user.second_factor_removed")
    assert (removed.actor.type, removed.data["email"]) == ("operator", EMAIL)
    identity.clock.move(15 * 60)
    assert told(await identity.log_in(EMAIL)) == (None, 200)
    again, _ = await identity.add_totp((await identity.log_in(EMAIL)).body["access_token"])
    assert told(await identity.log_in(EMAIL, otp=codes[0])) == ("wrong-otp", 401)
    assert told(await identity.log_in(EMAIL, otp=again.next_code())) == (None, 200)


async def test_no_token_is_fresher_than_its_session(identity: Identity) -> None:
    token, *_ = await with_totp(identity)
    earlier = identity.clock.now() - timedelta(minutes=5)
    await identity.database["sessions"].update_many({}, {"$set": {"proved_at": earlier}})
    assert told(await identity.post("/v1/me/mfa/totp", token=token)) == STALE
    assert told(await new_codes(identity, token)) == STALE
    assert told(await remove(identity, token)) == STALE


async def test_a_change_of_factors_expects_the_version_that_it_read(identity: Identity) -> None:
    rows, user_id = FactorRows(identity.database), UserId(new_id("usr"))
    for _ in range(2):  # the first change adds the document, the second one changes it
        before = await rows.factors(user_id)
        async with await identity.database.client.start_session() as session:
            async with session.start_transaction():
                await rows.update_factors(before, before, session, rev=1)
            session.start_transaction()
            with pytest.raises(Lost):
                await rows.update_factors(before, before, session, rev=1)
            await session.abort_transaction()


class FactorsComeMeanwhile(Store):
    """Outside a transaction no user has a factor yet."""

    async def factors(self, user_id: UserId, session: DbSession | None = None) -> SecondFactors:
        if session is None:
            return SecondFactors(user_id=user_id)
        return await super().factors(user_id, session)


async def test_a_factor_that_was_added_meanwhile_is_needed(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name) as identity:
        token, *_ = await with_totp(identity)
    wiring = {"store": FactorsComeMeanwhile}
    async with running(mongo_url, database_name, wiring=wiring, clock=identity.clock) as replica:
        assert told(await replica.log_in(EMAIL)) == ("otp-required", 401)
        assert told(await replica.step_up(token, password=PASSWORD)) == ("otp-required", 401)


class PasswordChangesMeanwhile(Store):
    """Once it is due, a user has another password inside each transaction."""

    due = False

    async def user(self, user_id: UserId, session: DbSession | None = None) -> User | None:
        found = await super().user(user_id, session)
        if found is None or session is None or not type(self).due:
            return found
        return replace(found, password_hash="another")


async def test_a_password_that_was_replaced_meanwhile_proves_nothing(
    mongo_url: str, database_name: str
) -> None:
    wiring = {"store": PasswordChangesMeanwhile}
    async with running(mongo_url, database_name, wiring=wiring) as identity:
        token = await token_of(identity)
        PasswordChangesMeanwhile.due = True
        answer = await identity.step_up(token, password=PASSWORD)
        assert told(answer) == ("wrong-password", 403)
