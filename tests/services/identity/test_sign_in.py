"""Does a sign-in hold against guessing, asking around, theft and old tokens?"""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pymongo.errors import ConnectionFailure

from services.identity import context
from services.identity.passwords import Busy, Passwords
from services.identity.sessions import rotate
from services.identity.store import Store
from shared.journal import Journal
from shared.mongo import Lost
from shared.problems import Unavailable
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.identity.running import FAR, PASSWORD, Identity, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class WorkClock(SetClock):
    """Time passes only by work, each piece as long as it is said to take, and by pauses."""

    elapsed = 0.0

    def boottime(self) -> float:
        return self.elapsed

    def taking(self, seconds: float, work: Callable[..., Awaitable[Any]]) -> Any:
        async def done(*given: Any, **named: Any) -> Any:
            self.elapsed += seconds
            return await work(*given, **named)

        return done

    async def pause(self, seconds: float) -> None:
        self.elapsed += seconds


async def test_a_sign_in_gives_a_session_that_nobody_had_before(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    first = await identity.log_in("ANA@example.com")
    second = await identity.log_in("ana@example.com")
    assert (first.status, second.status) == (200, 200)
    assert first.headers["Cache-Control"] == "no-store"
    tokens = {person["refresh_token"], first.body["refresh_token"], second.body["refresh_token"]}
    assert len(tokens) == 3
    started = await identity.rows("session.started")
    assert len({row.data["session_id"] for row in started}) == 3
    assert {row.account_id for row in started} == {person["account_id"]}
    assert {row.actor.id for row in started} == {person["user"]["id"]}


async def test_wrong_password_and_unknown_address_answer_alike(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    answers = [
        await identity.log_in("ana@example.com", "another-password-1"),
        await identity.log_in("nobody@example.com"),
        await identity.log_in("no address at all"),
    ]
    assert {answer.status for answer in answers} == {401}
    for answer in answers:
        answer.body.pop("request_id")
    assert answers[0].body == answers[1].body == answers[2].body
    assert {tuple(sorted(answer.headers)) for answer in answers} == {
        tuple(sorted(answers[0].headers))
    }
    (refused,) = await identity.rows("session.refused")
    assert refused.account_id == person["account_id"]
    assert refused.outcome == "denied"
    assert refused.actor.type == "anonymous"
    assert refused.request.ip == "127.0.0.1"


async def test_that_an_address_is_not_proved_is_said_in_the_audit_log_only(
    identity: Identity,
) -> None:
    await identity.sign_up("ana@example.com")
    for password in ("another-password-1", PASSWORD):
        answer = await identity.log_in("ana@example.com", password)
        assert (answer.status, answer.body["code"]) == (401, "wrong-credentials")
    assert await identity.rows("session.started") == []
    refused = await identity.rows("session.refused")
    assert {row.reason for row in refused} == {"wrong-credentials", "email-not-verified"}
    assert [row.data["code"] for row in refused] == [row.reason for row in refused]


async def test_a_thousand_guesses_are_answered_with_ten_checks_and_others_still_sign_in(
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


async def test_guesses_from_elsewhere_do_not_lock_the_owner_out(identity: Identity) -> None:
    await identity.person("ana@example.com")
    sender = {"X-Forwarded-For": "198.51.100.7"}
    for _ in range(11):
        last = await identity.log_in("ana@example.com", "another-password-1", headers=sender)
    assert last.status == 429
    assert (await identity.log_in("ana@example.com")).status == 200


async def test_one_sender_cannot_try_many_addresses(mongo_url: str, database_name: str) -> None:
    async with running(mongo_url, database_name, logins_per_ip=5) as identity:
        statuses = [(await identity.log_in(f"user{n}@example.com")).status for n in range(7)]
        assert statuses == [401] * 5 + [429] * 2


async def test_signing_in_rightly_uses_up_nothing(identity: Identity) -> None:
    await identity.person("ana@example.com")
    for _ in range(12):
        assert (await identity.log_in("ana@example.com")).status == 200


NOBODYS_TRY: list[tuple[type[Any], str, Exception]] = [
    (Passwords, "_run", Busy(retry_after=1)),
    (Journal, "write", Unavailable()),
    (Store, "insert_session", ConnectionFailure("gone")),
]


@pytest.mark.parametrize(("where", "name", "problem"), NOBODYS_TRY)
async def test_what_we_could_not_check_does_not_lock_the_owner_out(
    mongo_url: str,
    database_name: str,
    monkeypatch: pytest.MonkeyPatch,
    where: type[Any],
    name: str,
    problem: Exception,
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise problem

    impatient = replace(PATIENT, transaction=0.1)
    async with running(mongo_url, database_name, timeouts=impatient) as identity:
        await identity.person("ana@example.com")
        proof = identity.neighbours.invite("bo@example.com", "email")
        invited = {"name": "Bo", "password": PASSWORD, "invitation": proof}
        with monkeypatch.context() as failing:
            failing.setattr(where, name, fail)
            for _ in range(10):
                for answer in (
                    await identity.log_in("ana@example.com"),
                    await identity.post("/v1/signup", invited),
                ):
                    assert answer.status in {429, 503}
                    assert answer.body["code"] in {"busy", "unavailable"}
        assert (await identity.log_in("ana@example.com")).status == 200
        assert (await identity.post("/v1/signup", invited)).status == 201


@pytest.mark.parametrize(
    ("before", "path"), [("nothing", "login"), ("signup", "login"), ("nothing", "signup")]
)
async def test_the_time_of_an_answer_does_not_tell_who_has_a_user(
    mongo_url: str,
    database_name: str,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    path: str,
) -> None:
    clock, step = WorkClock(FAR), 1.0
    monkeypatch.setattr(context, "asyncio", SimpleNamespace(sleep=clock.pause))
    for name, work in vars(Store).items():
        if inspect.iscoroutinefunction(work):
            monkeypatch.setattr(Store, name, clock.taking(0.01, work))
    monkeypatch.setattr(Journal, "write", clock.taking(0.1, Journal.write))
    monkeypatch.setattr(Passwords, "_run", clock.taking(0.2, Passwords._run))
    async with running(mongo_url, database_name, clock=clock, answer_step_seconds=step) as identity:
        await identity.person("known@example.com")
        emails = ("known@example.com", "unknown@example.com")
        if before == "signup":
            for email in emails:
                await identity.sign_up(email, password="another-password-1")
        for email in emails:
            begun = clock.boottime()
            body = {"email": email, "password": "another-password-1"}
            answer = await identity.post(
                f"/v1/{path}", body | ({"name": "A"} if path == "signup" else {})
            )
            assert answer.status == (202 if path == "signup" else 401)
            assert clock.boottime() - begun == pytest.approx(step), email


@pytest.mark.parametrize("path", ["login", "signup"])
async def test_an_unknown_address_costs_as_many_hashes_as_a_known_one(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """So what is above the step, when the machine is busy, tells nothing either."""
    await identity.person("known@example.com")
    hashes, run = 0, Passwords._run

    async def counted(passwords: Passwords, work: Callable[[], Any]) -> Any:
        nonlocal hashes
        hashes += 1
        return await run(passwords, work)

    monkeypatch.setattr(Passwords, "_run", counted)
    for number, email in enumerate(("known@example.com", "unknown@example.com"), 1):
        body = {"email": email, "password": "another-password-1"}
        await identity.post(f"/v1/{path}", body | ({"name": "A"} if path == "signup" else {}))
        assert hashes == number


async def test_two_tabs_get_the_same_successor_and_both_live(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    body = {"refresh_token": person["refresh_token"]}
    one, two = await asyncio.gather(
        identity.post("/v1/token/refresh", body), identity.post("/v1/token/refresh", body)
    )
    assert (one.status, two.status) == (200, 200)
    assert one.body["refresh_token"] == two.body["refresh_token"] != person["refresh_token"]
    on = await identity.post("/v1/token/refresh", {"refresh_token": one.body["refresh_token"]})
    assert on.status == 200
    assert on.body["account_id"] == person["account_id"]
    me = await identity.send("GET", "/v1/me", token=on.body["access_token"])
    assert me.status == 200


async def test_a_tab_that_read_before_another_refreshed_cannot_take_the_session_back(
    identity: Identity,
) -> None:
    person = await identity.person("ana@example.com")
    store = Store(identity.database)
    (started,) = await identity.rows("session.started")
    read = await store.session(started.data["session_id"])
    assert read is not None
    body = {"refresh_token": person["refresh_token"]}
    newer = (await identity.post("/v1/token/refresh", body)).body
    again = await identity.post("/v1/token/refresh", {"refresh_token": newer["refresh_token"]})
    assert again.status == 200
    with pytest.raises(Lost):
        await store.update_session(read, rotate(read, now=FAR, lifetime=timedelta(days=1)))
    ended = await identity.post("/v1/logout", token=person["access_token"])
    assert ended.status == 204
    now = await store.session(read.id)
    assert now is not None
    with pytest.raises(Lost):
        await store.update_session(replace(now, ended_at=None), replace(now, ended_at=None))


async def test_a_refresh_token_that_comes_back_ends_the_session(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    stolen = {"refresh_token": person["refresh_token"]}
    first = (await identity.post("/v1/token/refresh", stolen)).body
    second = (
        await identity.post("/v1/token/refresh", {"refresh_token": first["refresh_token"]})
    ).body
    replay = await identity.post("/v1/token/refresh", stolen)
    assert (replay.status, replay.body["code"]) == (401, "refresh-token-invalid")
    newest = await identity.post("/v1/token/refresh", {"refresh_token": second["refresh_token"]})
    assert newest.status == 401
    me = await identity.send("GET", "/v1/me", token=second["access_token"])
    assert me.status == 401
    (told,) = await identity.rows("session.reuse_detected")
    assert told.data["email"] == "ana@example.com"
    (policy_object,) = told.policy_objects
    assert (policy_object.kind, policy_object.id, policy_object.rev) == (
        "session",
        told.data["session_id"],
        told.seq,
    )
    assert policy_object.state is not None
    assert policy_object.state["user_id"] == person["user"]["id"]


async def test_the_grace_of_two_tabs_ends_after_ten_seconds(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    body = {"refresh_token": person["refresh_token"]}
    await identity.post("/v1/token/refresh", body)
    identity.clock.move(10)
    assert (await identity.post("/v1/token/refresh", body)).status == 200
    identity.clock.move(0.001)
    assert (await identity.post("/v1/token/refresh", body)).status == 401
    assert len(await identity.rows("session.reuse_detected")) == 1


async def test_a_session_that_nobody_refreshes_ends(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    identity.clock.move(30 * 24 * 3600)
    body = {"refresh_token": person["refresh_token"]}
    assert (await identity.post("/v1/token/refresh", body)).status == 401
    assert await identity.rows("session.reuse_detected") == []


async def test_a_refresh_token_that_we_did_not_make_ends_nothing(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    token = person["refresh_token"]
    for spoiled in (
        token.replace(".1.", ".2."),
        "ses_" + "0" * 32 + token[36:],
        token + "A",
        "usr" + token[3:],
        "x",
    ):
        answer = await identity.post("/v1/token/refresh", {"refresh_token": spoiled})
        assert (answer.status, answer.body["code"]) == (401, "refresh-token-invalid"), spoiled
    good = await identity.post("/v1/token/refresh", {"refresh_token": person["refresh_token"]})
    assert good.status == 200


async def test_signing_out_ends_this_session_at_once_and_no_other(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    other = (await identity.log_in("ana@example.com")).body
    out = await identity.post("/v1/logout", token=person["access_token"])
    assert out.status == 204
    assert out.headers["Rolecall-Revision"].startswith("identity.")
    assert (await identity.send("GET", "/v1/me", token=person["access_token"])).status == 401
    refused = await identity.post("/v1/token/refresh", {"refresh_token": person["refresh_token"]})
    assert refused.status == 401
    assert (await identity.send("GET", "/v1/me", token=other["access_token"])).status == 200
    assert (await identity.post("/v1/logout", token=person["access_token"])).status == 204
    (ended,) = await identity.rows("session.ended")
    assert [policy_object.id for policy_object in ended.policy_objects] == [
        ended.data["session_id"]
    ]


async def test_signing_out_again_names_no_change(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    await identity.post("/v1/logout", token=person["access_token"])
    again = await identity.post("/v1/logout", token=person["access_token"])
    assert "Rolecall-Revision" not in again.headers


async def test_a_user_sees_and_changes_their_name(identity: Identity) -> None:
    person = await identity.person("ana@example.com", name="Ana")
    token = person["access_token"]
    renamed = await identity.send("PATCH", "/v1/me", {"name": "Ana Díaz"}, token=token)
    assert (renamed.status, renamed.body["name"]) == (200, "Ana Díaz")
    assert renamed.headers["Rolecall-Revision"].startswith("identity.")
    me = await identity.send("GET", "/v1/me", token=token)
    assert me.body == {
        "id": person["user"]["id"],
        "email": "ana@example.com",
        "name": "Ana Díaz",
        "verified": True,
        "account_id": person["account_id"],
        "session_id": me.body["session_id"],
        "current_account_id": person["account_id"],
    }
    same = await identity.send("PATCH", "/v1/me", {"name": "Ana Díaz"}, token=token)
    assert same.status == 200
    (row,) = await identity.rows("user.renamed")
    assert (row.before, row.after) == ({"name": "Ana"}, {"name": "Ana Díaz"})
    assert (row.actor.email, row.actor.session_id) == ("ana@example.com", me.body["session_id"])
    bad = await identity.send("PATCH", "/v1/me", {"name": "a\nb"}, token=token)
    assert bad.status == 422


async def test_a_session_switches_to_an_account_of_its_user_only(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    team = "acc_" + "7" * 32
    identity.neighbours.members.add((person["user"]["id"], team))
    token = person["access_token"]
    switched = await identity.post("/v1/session/switch", {"account_id": team}, token=token)
    assert (switched.status, switched.body["account_id"]) == (200, team)
    assert "refresh_token" not in switched.body
    me = await identity.send("GET", "/v1/me", token=switched.body["access_token"])
    assert (me.body["current_account_id"], me.body["account_id"]) == (team, person["account_id"])
    refreshed = await identity.post("/v1/token/refresh", {"refresh_token": person["refresh_token"]})
    assert refreshed.body["account_id"] == team
    foreign = await identity.post(
        "/v1/session/switch", {"account_id": "acc_" + "8" * 32}, token=token
    )
    assert (foreign.status, foreign.body["code"]) == (404, "not-found")


async def test_a_switch_is_decided_by_an_authz_that_knows_what_the_caller_knows(
    identity: Identity,
) -> None:
    person = await identity.person("ana@example.com")
    team = "acc_" + "7" * 32
    identity.neighbours.members.add((person["user"]["id"], team))
    sent: list[dict[str, str]] = [{}, {"Rolecall-Revision": "team.e1.7.42"}]
    for headers in (*sent, {"Rolecall-Revision": "audit.e1.7.42"}):
        answer = await identity.post(
            "/v1/session/switch",
            {"account_id": team},
            token=person["access_token"],
            headers=headers,
        )
        assert answer.status == (200 if headers in sent else 422)
    assert answer.body["errors"][0]["pointer"] == "/headers/Rolecall-Revision"
    asked = [question.at_least_revision for question in identity.neighbours.asked]
    assert asked == [None, "team.e1.7.42"]


async def test_every_committed_fact_reaches_the_bus(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    await identity.log_in("ana@example.com", "another-password-1")
    await identity.post("/v1/logout", token=person["access_token"])
    heard = await identity.all_heard()
    assert {row.id for row in await identity.rows()} <= heard


async def test_after_a_restart_the_same_keys_sign_and_sessions_go_on(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name) as before:
        person = await before.person("ana@example.com")
        keys = (await before.send("GET", "/.well-known/jwks.json")).body
    async with running(mongo_url, database_name, clock=before.clock) as after:
        assert (await after.send("GET", "/.well-known/jwks.json")).body == keys
        me = await after.send("GET", "/v1/me", token=person["access_token"])
        assert me.status == 200
        body = {"refresh_token": person["refresh_token"]}
        assert (await after.post("/v1/token/refresh", body)).status == 200
        assert len(await after.rows("signing_key.created")) == 1
        assert (await after.log_in("ana@example.com", PASSWORD)).status == 200
