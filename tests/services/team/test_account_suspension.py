"""The platform suspends an account: everything is denied, nothing is lost."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from rolecall.cli import main
from services.team.routes import ROUTES
from shared.contracts.calls.team import INVITATION_LINK, InvitationLinkRequest
from shared.http.access import Permission
from shared.ids import new_id
from shared.problems import Refusal, RefusalKind
from tests.services.team.endings import furnish, further, operate, rows_of
from tests.services.team.running import Account, Team, running
from tests.services.team.test_access import ask
from tests.support.service import ADMIN_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


GUARDED = [route for route in ROUTES if isinstance(route.access, Permission)]
WHY = {"reason": "An unpaid invoice."}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    async with running(mongo_url, new_id("test")) as ready:
        yield ready


async def suspended(team: Team) -> Account:
    account = await team.account()
    await furnish(account)
    (await operate(account, "suspend", WHY)).expect(200)
    return account


async def picture(account: Account) -> Any:
    """All that the owner sees of the account."""
    parts = ("", "/members", "/roles", "/projects", "/invitations")
    return [await account.owner.get(f"{account.path}{part}") for part in parts]


@pytest.mark.rule("Ci12")
async def test_members_are_told_and_outsiders_find_nothing(team: Team) -> None:
    account = await suspended(team)
    stranger = await team.person("Stranger")
    for route in GUARDED:
        for person in (account.owner, account.people["admin"], account.people["basic"]):
            answer = await ask(person, route, account)
            assert (answer.status, answer.code) == (403, "account-suspended"), route.operation_id
        hidden = await ask(stranger, route, account)
        assert (hidden.status, hidden.code) == (404, "not-found"), route.operation_id
    words = (await account.owner.send("GET", account.path)).body["detail"]
    assert "Nothing in it is lost" in words


@pytest.mark.rule("Ci12")
@pytest.mark.parametrize("status", ["suspended", "deleting", "purging"])
async def test_a_service_client_writes_into_no_closed_account(team: Team, status: str) -> None:
    account = await further(await team.account())
    client = await team.service_client(scopes=("resources:write", "members:provision"))
    path = f"{account.path}/resources/instance/i-1"
    (await client.send("PUT", path, {})).expect(200)
    if status == "suspended":
        (await operate(account, "suspend", WHY)).expect(200)
    else:
        (await account.owner.send("DELETE", f"{account.path}?confirm=Engines")).expect(200)
    if status == "purging":
        await team.database["accounts"].update_one({"_id": account.id}, {"$set": {"purging": True}})
    before = (await client.send("GET", f"{account.path}/resources")).expect(200)
    batch = {"resources": [{"type": "instance", "id": "i-2"}]}
    members = {"members": [{"user_id": account.owner.user_id, "role": "admin"}]}
    code = "account-suspended" if status == "suspended" else "account-deleting"
    for method, at, body in (
        ("PUT", path, {"properties": {"size": "large"}}),
        ("DELETE", path, None),
        ("POST", f"{account.path}/resources", batch),
        ("POST", f"{account.path}/provisioning/members", members),
    ):
        answer = await client.send(method, at, body)
        assert (answer.status, answer.code) == (403, code), (method, at)
    assert (await client.send("GET", f"{account.path}/resources")).expect(200) == before


@pytest.mark.rule("Ro20")
async def test_the_list_of_accounts_shows_the_suspension(team: Team) -> None:
    account = await suspended(team)
    for person, why in ((account.owner, "An unpaid invoice."), (account.people["basic"], None)):
        mine = (await person.get("/v1/me/accounts"))["items"]
        shown = {one["id"]: (one["status"], one["suspension"]) for one in mine}
        assert shown[account.id] == ("suspended", why)
        assert all(value == ("active", None) for key, value in shown.items() if key != account.id)


async def test_a_resumed_account_is_as_it_was(team: Team) -> None:
    account = await team.account()
    await furnish(account)
    before = await picture(account)
    for _ in range(2):
        answer = (await operate(account, "suspend", WHY)).expect(200)
        assert (answer["status"], answer["reason"]) == ("suspended", "An unpaid invoice.")
    for _ in range(2):
        answer = (await operate(account, "resume")).expect(200)
        assert (answer["status"], answer["reason"]) == ("active", None)
    assert await picture(account) == before
    assert len(await rows_of(account, "account.suspended", "account.resumed")) == 2


async def test_the_owner_and_the_log_are_told_by_whom_and_why(team: Team) -> None:
    account = await suspended(team)
    (await operate(account, "suspend", {"reason": " A  second\tone. "})).expect(200)
    (await operate(account, "resume")).expect(200)
    first, second, resumed = await rows_of(account, "account.suspended", "account.resumed")
    for row in (first, second, resumed):
        assert row.actor.type == "operator"
        assert row.data["owner_email"] == account.owner.email
    assert (first.before, first.after) == (
        {"status": "active"},
        {"status": "suspended", "explanation": "An unpaid invoice."},
    )
    assert second.data["explanation"] == "A second one."
    assert resumed.after == {"status": "active"}
    status = [(row.policy_objects[0].state or {})["status"] for row in (first, second, resumed)]
    assert status == ["suspended", "suspended", "active"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "bell \x07"])
async def test_a_reason_is_words_for_people(team: Team, reason: str) -> None:
    account = await team.account()
    answer = await operate(account, "suspend", {"reason": reason})
    assert answer.expect(422)["errors"][0]["pointer"] == "/reason"


async def test_only_the_operator_suspends_and_only_accounts_that_exist(team: Team) -> None:
    account = await team.account()
    for what in ("suspend", "resume"):
        assert (await operate(account, what, WHY, key="not the key " * 3)).status == 401
        unknown = Account(team=team, id=new_id("acc"), owner=account.owner)
        assert (await operate(unknown, what, WHY)).status == 404
        outside = await account.owner.send("POST", f"/v1/accounts/{account.id}/{what}", WHY)
        assert outside.status == 404
    assert await rows_of(account, "account.suspended") == []


async def test_an_invitation_waits_for_the_end_of_the_suspension(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    (await operate(account, "suspend", WHY)).expect(200)
    for path in ("lookup", "accept", "decline"):
        closed = await guest.send("POST", f"/v1/invitations/{path}", proof)
        assert (closed.status, closed.code) == (410, "invitation-not-valid")
        assert "suspend" not in closed.text
    (await operate(account, "resume")).expect(200)
    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)


async def test_a_waiting_invitation_mail_goes_out_after_the_suspension(team: Team) -> None:
    account = await team.account()
    body = {"email": "a@example.com", "role": "basic"}
    made = await account.owner.send("POST", f"{account.path}/invitations", body)
    invitation_id = made.expect(201)["invitation"]["id"]
    request = InvitationLinkRequest(kind="invitation", id=invitation_id, generation=1)
    (await operate(account, "suspend", WHY)).expect(200)
    with pytest.raises(Refusal) as waits:
        await team.callers["notification"].call(INVITATION_LINK, "team", request)
    assert (waits.value.kind, waits.value.code) == (
        RefusalKind.RATE_LIMITED,
        "invitations-paused",
    )
    (await operate(account, "resume")).expect(200)
    assert (await team.callers["notification"].call(INVITATION_LINK, "team", request)).url


async def test_the_time_of_a_suspension_does_not_count_for_a_deletion(team: Team) -> None:
    account = await further(await team.account())
    deleted = await account.owner.send("DELETE", f"{account.path}?confirm=Engines")
    was = deleted.expect(200)["deletes_at"]
    (await operate(account, "suspend", WHY)).expect(200)
    refused = await account.owner.send("POST", f"{account.path}/restore")
    assert (refused.status, refused.code) == (403, "account-suspended")
    accounts = team.database["accounts"]
    earlier = team.clock.now() - timedelta(days=3)
    await accounts.update_one({"_id": account.id}, {"$set": {"suspended_at": earlier}})
    assert (await operate(account, "resume")).expect(200)["status"] == "deleting"
    shown = await account.owner.get(account.path)
    assert shown["status"] == "deleting"
    assert shown["deletes_at"][:10] > was[:10]
    (await account.owner.send("POST", f"{account.path}/restore")).expect(200)


async def test_the_commands_of_the_operator_suspend_and_resume(team: Team) -> None:
    account = await team.account()
    where = (account.id, "--url", team.inside, "--key", ADMIN_KEY)
    for command, status in (("suspend-account", 403), ("resume-account", 200)):
        reason = ("--reason", "Unpaid.", "--yes") if command == "suspend-account" else ()
        code = await asyncio.to_thread(main, ["admin", command, *where, *reason])
        assert code == 0
        assert (await account.owner.send("GET", account.path)).status == status


async def test_the_operator_is_shown_an_account_in_any_status(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    account = await suspended(team)
    command = ("admin", "show-account", account.id, "--url", team.inside, "--key", ADMIN_KEY)
    assert await asyncio.to_thread(main, [*command, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["reason"]) == ("suspended", WHY["reason"])
    assert (shown["owner_user_id"], shown["kind"]) == (account.owner.user_id, "team")
    assert shown["members"] == await team.database["members"].count_documents(
        {"account_id": account.id}
    )
    assert await asyncio.to_thread(main, list(command)) == 0
    assert account.owner.user_id in capsys.readouterr().out
    path = f"/internal/admin/accounts/{new_id('acc')}"
    assert (await team.send("GET", path, token=ADMIN_KEY)).status == 404
    refused = await team.send("GET", f"/internal/admin/accounts/{account.id}", token="another")
    assert refused.status == 401
