"""Tests of the password reset and of the change of the password."""

from __future__ import annotations

import asyncio

import pytest

from services.identity.adapters.argon2 import Argon2Hasher
from services.identity.domain.sessions import start
from services.identity.store import Store
from services.identity.use_cases.ending_sessions import SESSIONS_PER_WRITE
from shared.contracts.calls.identity import PASSWORD_RESET_LINK, PasswordResetLinkRequest
from shared.ids import SessionId, UserId, new_id
from shared.mongo import transact
from shared.problems import Refusal
from tests.services.identity.domain.rows import LIFETIME, ORIGIN
from tests.services.identity.running import PASSWORD, Identity, running
from tests.support.service import FAR, ISSUER

NEW_PASSWORD = "quiet-otters-paint-maps"
EMAIL = "ana@example.com"


async def mailed_reset(identity: Identity) -> str:
    """Ask for a reset, and read the newest mail."""
    assert (await identity.forgot(EMAIL)).status == 202
    return await identity.mailed_reset(EMAIL)


@pytest.mark.rule("B1")
async def test_a_reset_replaces_the_password_and_ends_every_session(identity: Identity) -> None:
    first = await identity.person(EMAIL)
    other = (await identity.log_in(EMAIL)).expect(200)
    token = await mailed_reset(identity)
    answer = await identity.reset(token, NEW_PASSWORD)
    assert answer.status == 204
    assert answer.headers["Rolecall-Revision"].startswith("identity.")
    for session in (first, other):
        assert not await identity.is_live(session)
    assert (await identity.log_in(EMAIL)).status == 401
    assert (await identity.log_in(EMAIL, NEW_PASSWORD)).status == 200
    ended = await identity.rows("session.ended")
    (changed,) = await identity.rows("user.password_changed")
    assert {row.change_id for row in ended} == {changed.change_id}
    assert len([each for row in ended for each in row.policy_objects]) == 2
    assert changed.data["by_reset"] is True
    assert changed.actor.id == first["user"]["id"]


async def test_a_reset_link_works_once(identity: Identity) -> None:
    await identity.person(EMAIL)
    token = await mailed_reset(identity)
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    again = await identity.reset(token, "another-three-words")
    assert (again.status, again.body["code"]) == (410, "link-invalid")
    assert (await identity.log_in(EMAIL, NEW_PASSWORD)).status == 200


async def test_a_reset_that_is_repeated_at_once_answers_the_same(identity: Identity) -> None:
    await identity.person(EMAIL)
    token = await mailed_reset(identity)
    answers = await asyncio.gather(*(identity.reset(token, NEW_PASSWORD) for _ in range(3)))
    assert [answer.status for answer in answers] == [204, 204, 204]
    session = (await identity.log_in(EMAIL, NEW_PASSWORD)).expect(200)
    identity.clock.move(59)
    assert (await identity.reset(token, "another-three-words")).status == 410
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    assert await identity.is_live(session)
    assert len(await identity.rows("user.password_changed")) == 1
    identity.clock.move(2)
    late = await identity.reset(token, NEW_PASSWORD)
    assert (late.status, late.body["code"]) == (410, "link-invalid")
    assert "may have been used already" in late.body["detail"]


async def test_a_reset_is_not_repeated_once_something_has_changed(identity: Identity) -> None:
    await identity.person(EMAIL)
    first = await mailed_reset(identity)
    assert (await identity.reset(first, NEW_PASSWORD)).status == 204
    second = await mailed_reset(identity)
    assert (await identity.reset(first, NEW_PASSWORD)).status == 410
    assert (await identity.reset(second, NEW_PASSWORD)).status == 204
    session = (await identity.log_in(EMAIL, NEW_PASSWORD)).expect(200)
    changed = await identity.change_password(
        session["access_token"], NEW_PASSWORD, "another-three-words"
    )
    assert changed.status == 204
    for password in (NEW_PASSWORD, "another-three-words"):
        assert (await identity.reset(second, password)).status == 410


async def test_a_forged_late_or_foreign_reset_link_changes_nothing(identity: Identity) -> None:
    await identity.sign_up("bo@example.com")
    [sign_up] = await identity.mailed_links("bo@example.com")
    session = await identity.person(EMAIL)
    token = await mailed_reset(identity)
    spoiled = [
        token[:-2] + ("AA" if token[-2:] != "AA" else "BA"),
        token.replace(".1.", ".2."),
        f"usr_{'0' * 32}{token[36:]}",
        sign_up["token"],
        sign_up["token"].replace("sup_", "usr_"),
        "x",
    ]
    for each in spoiled:
        answer = await identity.reset(each, NEW_PASSWORD)
        assert (answer.status, answer.body["code"]) == (410, "link-invalid"), each
    assert (await identity.verify({"token": token})).status == 410
    identity.clock.move(3600)
    assert (await identity.reset(token, NEW_PASSWORD)).status == 410
    assert await identity.rows("user.password_changed") == []
    assert (await identity.log_in(EMAIL)).status == 200
    assert (await identity.post("/v1/logout", token=session["access_token"])).status == 401


async def test_a_weak_password_is_refused_and_the_reset_link_stays_valid(
    identity: Identity,
) -> None:
    await identity.person(EMAIL)
    token = await mailed_reset(identity)
    refused = await identity.reset(token, "passwordpassword")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/password")
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204


async def test_a_repeated_request_mails_the_same_link_while_it_is_young(
    identity: Identity,
) -> None:
    await identity.person(EMAIL)
    first = await mailed_reset(identity)
    identity.clock.move(15 * 60 - 1)
    assert await mailed_reset(identity) == first
    identity.clock.move(1)
    second = await mailed_reset(identity)
    assert second != first
    assert (await identity.reset(first, NEW_PASSWORD)).status == 410
    assert (await identity.reset(second, NEW_PASSWORD)).status == 204


async def test_a_used_or_superseded_reset_link_is_not_mailed(identity: Identity) -> None:
    user = (await identity.person(EMAIL))["user"]["id"]
    token = await mailed_reset(identity)
    request = PasswordResetLinkRequest(kind="password-reset", id=user, generation=1)
    answer = await identity.notification.call(PASSWORD_RESET_LINK, "identity", request)
    assert answer.url == f"{ISSUER}/reset-password?token={token}"
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    with pytest.raises(Refusal) as refused:
        await identity.notification.call(PASSWORD_RESET_LINK, "identity", request)
    assert refused.value.status == 410


@pytest.mark.rule("T9")
async def test_a_forgotten_password_answers_the_same_for_every_address(
    identity: Identity,
) -> None:
    await identity.person(EMAIL)
    await identity.sign_up("bo@example.com")
    answers = [
        await identity.forgot(email)
        for email in (EMAIL, "bo@example.com", "absent@example.com", EMAIL)
    ]
    assert {(answer.status, answer.text) for answer in answers} == {
        (202, '{"status":"reset-sent"}\n')
    }
    assert {tuple(sorted(answer.headers)) for answer in answers} == {
        tuple(sorted(answers[0].headers))
    }
    requested = await identity.rows("user.password_reset_requested")
    assert {row.data["email"] for row in requested} == {EMAIL}
    assert {row.actor.type for row in requested} == {"anonymous"}


@pytest.mark.rule("B1")
async def test_a_change_of_the_password_ends_the_other_sessions_only(identity: Identity) -> None:
    mine = await identity.person(EMAIL)
    other = (await identity.log_in(EMAIL)).expect(200)
    reset_token = await mailed_reset(identity)
    answer = await identity.change_password(mine["access_token"], PASSWORD, NEW_PASSWORD)
    assert answer.status == 204
    assert answer.headers["Rolecall-Revision"].startswith("identity.")
    assert await identity.is_live(mine)
    assert not await identity.is_live(other)
    assert (await identity.log_in(EMAIL)).status == 401
    assert (await identity.log_in(EMAIL, NEW_PASSWORD)).status == 200
    assert (await identity.reset(reset_token, "another-three-words")).status == 410
    (changed,) = await identity.rows("user.password_changed")
    assert changed.data["by_reset"] is False


async def test_a_wrong_current_password_counts_as_a_failed_sign_in(identity: Identity) -> None:
    token = (await identity.person(EMAIL))["access_token"]
    for _ in range(10):
        refused = await identity.change_password(token, "not-the-password", NEW_PASSWORD)
        assert (refused.status, refused.body["code"]) == (403, "wrong-password")
    over = await identity.change_password(token, PASSWORD, NEW_PASSWORD)
    assert (over.status, over.body["code"]) == (429, "too-many-requests")
    assert (await identity.log_in(EMAIL)).status == 429
    assert {row.reason for row in await identity.rows("session.refused")} == {"wrong-password"}


async def test_a_weak_new_password_is_refused(identity: Identity) -> None:
    token = (await identity.person(EMAIL))["access_token"]
    refused = await identity.change_password(token, PASSWORD, "aaaaaaaaB1")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/new")
    assert (await identity.log_in(EMAIL)).status == 200


async def test_a_session_that_has_ended_changes_no_password(identity: Identity) -> None:
    token = (await identity.person(EMAIL))["access_token"]
    await identity.post("/v1/logout", token=token)
    assert (await identity.change_password(token, PASSWORD, NEW_PASSWORD)).status == 401


class HesitantHasher(Argon2Hasher):
    """A password that was verified is told only when `go_on` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.verified, self.go_on = asyncio.Event(), asyncio.Event()

    async def verify(
        self,
        stored_hash: str | None,
        password: str,
        *,
        imported: bool = False,
        attempts: int,
    ) -> bool:
        matches = await super().verify(stored_hash, password, imported=imported, attempts=attempts)
        self.verified.set()
        await self.go_on.wait()
        return matches


@pytest.mark.rule("B1")
@pytest.mark.parametrize("way", ["sign-in", "invitation", "change"])
async def test_an_old_password_that_a_reset_overtakes_opens_nothing(
    mongo_url: str, database_name: str, way: str
) -> None:
    """The old password is verified before the reset, and what it opens is saved after it."""
    hasher = HesitantHasher()
    async with running(mongo_url, database_name, wiring={"hasher": hasher}) as identity:
        person = await identity.person(EMAIL)
        token = await mailed_reset(identity)
        match way:
            case "sign-in":
                request = identity.log_in(EMAIL)
            case "invitation":
                proof = identity.stand_ins.invite(EMAIL, "email")
                body = {"name": "Ana", "password": PASSWORD, "invitation": proof}
                request = identity.post("/v1/signup", body)
            case _:
                request = identity.change_password(
                    person["access_token"], PASSWORD, "another-three-words"
                )
        task = asyncio.create_task(request)
        await asyncio.wait_for(hasher.verified.wait(), 30)
        assert (await identity.reset(token, NEW_PASSWORD)).status == 204
        hasher.go_on.set()
        assert (await task).status == {"sign-in": 401, "invitation": 409, "change": 401}[way]
        started = {row.data["session_id"] for row in await identity.rows("session.started")}
        ended = {row.data["session_id"] for row in await identity.rows("session.ended")}
        assert started == ended
        assert (await identity.log_in(EMAIL, NEW_PASSWORD)).status == 200


async def test_a_refresh_that_a_reset_overtakes_continues_nothing(identity: Identity) -> None:
    sessions = [await identity.person(EMAIL)]
    sessions += [(await identity.log_in(EMAIL)).expect(200) for _ in range(3)]
    token = await mailed_reset(identity)
    answers = await asyncio.gather(
        identity.reset(token, NEW_PASSWORD),
        *(
            identity.post("/v1/token/refresh", {"refresh_token": each["refresh_token"]})
            for each in sessions
        ),
    )
    assert answers[0].status == 204
    for answer in answers[1:]:
        assert answer.status in {200, 401}
        assert answer.status == 401 or not await identity.is_live(answer.body)


async def test_two_resets_at_once_set_one_password(identity: Identity) -> None:
    await identity.person(EMAIL)
    token = await mailed_reset(identity)
    passwords = [f"{NEW_PASSWORD}-{number}" for number in range(4)]
    answers = await asyncio.gather(*(identity.reset(token, each) for each in passwords))
    assert sorted(answer.status for answer in answers) == [204, 410, 410, 410]
    for answer, password in zip(answers, passwords, strict=True):
        works = (await identity.log_in(EMAIL, password)).status == 200
        assert works is (answer.status == 204)


async def test_a_reset_ends_thousands_of_sessions(identity: Identity) -> None:
    user_id = UserId((await identity.person(EMAIL))["user"]["id"])
    store = Store(identity.database)
    user = await store.user(user_id)
    assert user is not None

    async def many(session) -> None:
        for _ in range(2 * SESSIONS_PER_WRITE):
            started = start(
                user,
                session_id=SessionId(new_id("ses")),
                now=FAR,
                lifetime=LIFETIME,
                origin=ORIGIN,
            )
            await store.insert_session(started, session)

    await transact(identity.client, many)
    token = await mailed_reset(identity)
    assert (await identity.reset(token, NEW_PASSWORD)).status == 204
    assert await identity.database["sessions"].count_documents({"ended": False}) == 0
    assert len(await identity.rows("session.ended")) == 2 * SESSIONS_PER_WRITE + 1
    assert len(await identity.rows("user.password_changed")) == 1
