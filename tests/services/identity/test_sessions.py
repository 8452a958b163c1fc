"""Tests of sessions: refresh, sign-out, switch, and what facts of team do to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.identity.domain.sessions import rotate
from services.identity.store import Store
from services.identity.use_cases.closed_accounts import SESSIONS_OF_A_PAGE
from shared.contracts.team import MemberLeft, MemberRemoved, MemberRoleChanged
from shared.contracts.team_endings import AccountDeletionRequested, AccountSuspended
from shared.leases import Leases, Receipt
from shared.mongo import Lost
from tests.services.identity.domain.rows import LIFETIME
from tests.services.identity.running import Identity, running
from tests.services.rows import row_of
from tests.support.service import FAR

if TYPE_CHECKING:
    from shared.contracts.facts import Position, Row

TEAM = "acc_" + "7" * 32
OTHER = "acc_" + "8" * 32


@pytest.mark.rule("B1")
async def test_two_tabs_that_refresh_at_once_get_the_same_token(identity: Identity) -> None:
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


async def test_a_write_of_an_outdated_session_is_refused(
    identity: Identity,
) -> None:
    person = await identity.person("ana@example.com")
    store = Store(identity.database)
    (started,) = await identity.rows("session.started")
    read = await store.session(started.data["user_id"], started.data["session_id"])
    assert read is not None
    body = {"refresh_token": person["refresh_token"]}
    newer = (await identity.post("/v1/token/refresh", body)).body
    again = await identity.post("/v1/token/refresh", {"refresh_token": newer["refresh_token"]})
    assert again.status == 200
    with pytest.raises(Lost):
        await store.update_session(read, rotate(read, now=FAR, lifetime=LIFETIME, network=""))
    ended = await identity.post("/v1/logout", token=person["access_token"])
    assert ended.status == 204
    now = await store.session(read.user_id, read.id)
    assert now is not None
    with pytest.raises(Lost):
        await store.update_session(replace(now, ended_at=None), replace(now, ended_at=None))


@pytest.mark.rule("B1", "T10")
async def test_a_reused_refresh_token_ends_the_session(identity: Identity) -> None:
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


@pytest.mark.rule("B1", "T10")
async def test_a_lost_answer_of_a_refresh_is_given_again_for_a_day(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    body = {"refresh_token": person["refresh_token"]}
    lost = (await identity.post("/v1/token/refresh", body)).body
    identity.clock.move(24 * 3600)
    again = await identity.post("/v1/token/refresh", body)
    assert (again.status, again.body["refresh_token"]) == (200, lost["refresh_token"])
    me = await identity.send("GET", "/v1/me", token=again.body["access_token"])
    assert me.status == 200
    identity.clock.move(0.001)
    assert (await identity.post("/v1/token/refresh", body)).status == 401
    assert len(await identity.rows("session.reuse_detected")) == 1


@pytest.mark.rule("B1", "T10")
async def test_a_used_successor_ends_the_repeats_of_its_parent(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    parent = {"refresh_token": person["refresh_token"]}
    child = (await identity.post("/v1/token/refresh", parent)).body
    repeated = await identity.post("/v1/token/refresh", parent)
    assert repeated.body["refresh_token"] == child["refresh_token"]
    used = await identity.post("/v1/token/refresh", {"refresh_token": child["refresh_token"]})
    assert used.status == 200
    assert (await identity.post("/v1/token/refresh", parent)).status == 401
    assert len(await identity.rows("session.reuse_detected")) == 1


@pytest.mark.rule("T10")
async def test_reuses_at_the_same_moment_end_the_session_once(identity: Identity) -> None:
    """Each of them has found the session active; a mail tells of the end once."""
    person = await identity.person("ana@example.com")
    stolen = {"refresh_token": person["refresh_token"]}
    child = (await identity.post("/v1/token/refresh", stolen)).body
    used = await identity.post("/v1/token/refresh", {"refresh_token": child["refresh_token"]})
    assert used.status == 200
    answers = await asyncio.gather(*(identity.post("/v1/token/refresh", stolen) for _ in range(5)))
    assert [answer.status for answer in answers] == [401] * 5
    assert len(await identity.rows("session.reuse_detected")) == 1


async def test_a_session_without_a_refresh_expires(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    identity.clock.move(30 * 24 * 3600)
    body = {"refresh_token": person["refresh_token"]}
    assert (await identity.post("/v1/token/refresh", body)).status == 401
    assert await identity.rows("session.reuse_detected") == []


async def test_a_forged_refresh_token_ends_nothing(identity: Identity) -> None:
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


async def test_signing_out_again_gives_no_revision(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    await identity.post("/v1/logout", token=person["access_token"])
    again = await identity.post("/v1/logout", token=person["access_token"])
    assert "Rolecall-Revision" not in again.headers


@pytest.mark.rule("Ro21", "Ro23")
async def test_a_session_switches_to_an_account_of_its_user_only(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    identity.stand_ins.members.add((person["user"]["id"], TEAM))
    token = person["access_token"]
    switched = await identity.post("/v1/session/switch", {"account_id": TEAM}, token=token)
    assert (switched.status, switched.body["account_id"]) == (200, TEAM)
    assert "refresh_token" not in switched.body
    me = await identity.send("GET", "/v1/me", token=switched.body["access_token"])
    assert (me.body["current_account_id"], me.body["account_id"]) == (TEAM, person["account_id"])
    refreshed = await identity.post("/v1/token/refresh", {"refresh_token": person["refresh_token"]})
    assert refreshed.body["account_id"] == TEAM
    foreign = await identity.post("/v1/session/switch", {"account_id": OTHER}, token=token)
    assert (foreign.status, foreign.body["code"]) == (404, "not-found")


async def test_a_switch_passes_the_revision_of_the_caller_to_authz(
    identity: Identity,
) -> None:
    person = await identity.person("ana@example.com")
    identity.stand_ins.members.add((person["user"]["id"], TEAM))
    sent: list[dict[str, str]] = [{}, {"Rolecall-Revision": "team.e1.7.42"}]
    for headers in (*sent, {"Rolecall-Revision": "audit.e1.7.42"}):
        answer = await identity.post(
            "/v1/session/switch",
            {"account_id": TEAM},
            token=person["access_token"],
            headers=headers,
        )
        assert answer.status == (200 if headers in sent else 422)
    assert answer.body["errors"][0]["pointer"] == "/headers/Rolecall-Revision"
    asked = [question.at_least_revision for question in identity.stand_ins.asked]
    assert asked == [None, "team.e1.7.42"]


async def member_of(identity: Identity, email: str) -> tuple[dict[str, Any], str]:
    """A user whose session has the team as its current account."""
    person = await identity.person(email)
    identity.stand_ins.members.add((person["user"]["id"], TEAM))
    token = person["access_token"]
    switched = await identity.post("/v1/session/switch", {"account_id": TEAM}, token=token)
    assert switched.status == 200
    return person, switched.body["access_token"]


def role_changed(
    identity: Identity, person: dict[str, Any], *, ends: bool, account: str = TEAM
) -> Row:
    told = MemberRoleChanged(
        account_name="Team",
        user_id=person["user"]["id"],
        email=person["user"]["email"],
        name="Ana",
        role="basic",
        previous_role="admin",
        role_title="Basic",
        ends_sessions=ends,
    )
    return row_of(told, account_id=account, occurred_at=identity.clock.now())


@pytest.mark.rule("Nv16")
async def test_a_role_change_ends_the_sessions_in_that_account(
    identity: Identity,
) -> None:
    person, token = await member_of(identity, "ana@example.com")
    personal = (await identity.log_in("ana@example.com")).body
    row = role_changed(identity, person, ends=True)
    await identity.tell(row)
    await identity.tell(row)
    assert (await identity.send("GET", "/v1/me", token=token)).status == 401
    assert (await identity.send("GET", "/v1/me", token=personal["access_token"])).status == 200
    (ended,) = await identity.rows("session.ended")
    assert ended.actor.type == "service"
    assert ended.actor.on_behalf_of == row.actor.id
    assert ended.account_id == TEAM


@pytest.mark.rule("Nv16")
@pytest.mark.parametrize("case", ["not asked", "another account", "signed in since"])
async def test_a_role_change_leaves_other_sessions_alone(identity: Identity, case: str) -> None:
    person, token = await member_of(identity, "ana@example.com")
    row = role_changed(
        identity,
        person,
        ends=case != "not asked",
        account=OTHER if case == "another account" else TEAM,
    )
    if case == "signed in since":
        earlier = row.occurred_at - timedelta(seconds=1)
        row = row.model_copy(update={"occurred_at": earlier})
    await identity.tell(row)
    assert (await identity.send("GET", "/v1/me", token=token)).status == 200
    assert await identity.rows("session.ended") == []


@pytest.mark.rule("Ro16")
@pytest.mark.parametrize("kind", [MemberRemoved, MemberLeft])
async def test_leaving_an_account_moves_the_session_to_the_personal_one(
    identity: Identity, kind
) -> None:
    person, token = await member_of(identity, "ana@example.com")
    told = kind(
        account_name="Team",
        user_id=person["user"]["id"],
        email="ana@example.com",
        name="Ana",
        role="basic",
    )
    row = row_of(told, account_id=TEAM)
    await identity.tell(row)
    await identity.tell(row)
    me = await identity.send("GET", "/v1/me", token=token)
    assert (me.status, me.body["current_account_id"]) == (200, person["account_id"])
    body = {"refresh_token": person["refresh_token"]}
    assert (await identity.post("/v1/token/refresh", body)).body["account_id"] == (
        person["account_id"]
    )


OWNED: dict[str, Any] = {
    "account_name": "Team",
    "owner_user_id": "usr_" + "0" * 32,
    "owner_email": "owner@example.com",
    "owner_name": "Owner",
}
CLOSED = {
    "suspended": AccountSuspended(**OWNED, explanation="An unpaid invoice."),
    "deleted": AccountDeletionRequested(**OWNED, deletes_at=FAR),
}


@pytest.mark.rule("Ro23")
@pytest.mark.parametrize("fact", CLOSED.values(), ids=CLOSED)
async def test_a_closed_account_sends_all_its_sessions_home(
    identity: Identity, fact: AccountSuspended | AccountDeletionRequested
) -> None:
    people = [await member_of(identity, f"member{number}@example.com") for number in range(3)]
    other, _ = await member_of(identity, "elsewhere@example.com")
    home, home_token = people[0][0]["account_id"], people[0][1]
    row = row_of(fact, account_id=TEAM)
    await identity.tell(row)
    await identity.tell(row)
    for person, token in people:
        me = await identity.send("GET", "/v1/me", token=token)
        assert (me.status, me.body["current_account_id"]) == (200, person["account_id"])
        body = {"refresh_token": person["refresh_token"]}
        refreshed = await identity.post("/v1/token/refresh", body)
        assert refreshed.body["account_id"] == person["account_id"]
    await identity.tell(row_of(fact, account_id=home))
    stays = await identity.send("GET", "/v1/me", token=home_token)
    assert (stays.status, stays.body["current_account_id"]) == (200, home)
    assert await identity.rows("session.ended") == []
    assert other["account_id"] != home


@pytest.mark.rule("Ro23")
async def test_more_sessions_than_one_page_has_leave_a_closed_account(
    identity: Identity,
) -> None:
    person, _ = await member_of(identity, "ana@example.com")
    [row] = await identity.database["sessions"].find({"account_id": TEAM}).to_list(1)
    copies = [row | {"_id": f"ses_{number:032x}"} for number in range(SESSIONS_OF_A_PAGE + 1)]
    staying = [
        row | {"_id": f"ses_9{number:031x}", "user_id": "usr_" + "0" * 32} for number in range(3)
    ]
    await identity.database["sessions"].insert_many([*copies, *staying])
    await identity.tell(row_of(CLOSED["suspended"], account_id=TEAM))
    sessions = identity.database["sessions"]
    assert await sessions.count_documents({"account_id": TEAM}) == len(staying)
    moved = await sessions.count_documents({"account_id": person["account_id"]})
    assert moved == len(copies) + 1


async def test_a_fact_about_an_unknown_user_is_accepted(identity: Identity) -> None:
    stranger = {"user": {"id": "usr_" + "0" * 32, "email": "x@example.com"}}
    await identity.tell(role_changed(identity, stranger, ends=True))
    assert not identity.bus.dead
    assert await identity.rows() == []


async def test_a_stolen_token_is_refused_once_its_session_ended_everywhere(
    mongo_url: str, database_name: str
) -> None:
    class SettableLeases(Leases):
        in_force = True

        async def barrier(self, position: Position, **options: Any) -> Receipt:
            receipt = await super().barrier(position, **options)
            return receipt if type(self).in_force else replace(receipt, effective_at=None)

    wiring = {"leases": SettableLeases}
    async with running(mongo_url, database_name, wiring=wiring) as identity:
        person = await identity.person("ana@example.com")
        stolen = {"refresh_token": person["refresh_token"]}
        first = (await identity.post("/v1/token/refresh", stolen)).body
        await identity.post("/v1/token/refresh", {"refresh_token": first["refresh_token"]})

        SettableLeases.in_force = False
        assert (await identity.post("/v1/token/refresh", stolen)).status == 503
        assert (await identity.post("/v1/token/refresh", stolen)).status == 503

        SettableLeases.in_force = True
        assert (await identity.post("/v1/token/refresh", stolen)).status == 401
