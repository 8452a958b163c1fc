"""Webhooks of an account: their routes, their secrets, and the events that they receive."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web

from services.notification.domain.deliveries import RETRY_PAUSES_SECONDS
from services.notification.domain.messages import MessageKind
from services.notification.domain.redeliveries import MAX_OF_A_DAY
from services.notification.domain.webhooks import MAX_WEBHOOKS
from shared.contracts import identity, team, team_endings
from shared.contracts.facts import content_time
from shared.ids import new_id
from shared.inbox.dead_facts import dead_fact
from shared.metrics import REGISTRY
from tests.services.notification.hooks import (
    ACCOUNT,
    OTHER,
    Hooks,
    Receiver,
    receiving,
    running_hooks,
)
from tests.services.notification.samples import MEMBER, ROLE_CHANGED
from tests.services.rows import row_of
from tests.support.journal_keys import signed
from tests.support.service import ADMIN_KEY
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROLE = team.MemberRoleChanged(**ROLE_CHANGED, ends_sessions=False)
REMOVED = team.MemberRemoved(**MEMBER)
ELSEWHERE = "https://hooks.acme.example/rolecall"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(mongo_url: str) -> AsyncIterator[Hooks]:
    async with running_hooks(mongo_url, new_id("test")) as hooks:
        yield hooks


@pytest_asyncio.fixture(loop_scope="module")
async def hooks(running: Hooks) -> Hooks:
    """Notification without webhooks."""
    for name in ("webhooks", "deliveries", "idempotency"):
        await running.database[name].delete_many({})
    running.authz.allowed, running.authz.team_away = True, False
    running.authz.users_away, running.authz.asked_in_vain = False, 0
    return await running.for_one_test()


@pytest_asyncio.fixture(loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.mark.rule("B12", "T27")
async def test_an_event_reaches_the_webhooks_of_its_account_signed(
    hooks: Hooks, receiver: Receiver
):
    webhook = await hooks.make(receiver, event_types=["member.*"])
    (row,) = await hooks.happen(ROLE)
    (delivery,) = await hooks.settled(webhook)
    (got,) = receiver.got
    assert got.id == row.id == delivery["event_id"]
    assert got.signed_with(webhook["secret"])
    assert got.event["type"] == delivery["event_type"] == "member.role_changed"
    assert got.event["data"]["details"]["previous_role"] == ROLE.previous_role
    assert delivery["status"] == "delivered"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [204]
    shown = (await hooks.ask("GET", f"/{webhook['id']}/deliveries/{delivery['id']}")).expect(200)
    assert shown["body"].encode() == got.body


async def test_a_webhook_gets_what_it_wants_of_its_own_account(hooks: Hooks, receiver: Receiver):
    wants = await hooks.make(receiver, event_types=["member.removed"])
    body = {"url": f"{receiver.url}-of-another", "event_types": ["member.*"]}
    others = (await hooks.ask("POST", body=body, account=OTHER)).expect(201)
    await hooks.happen(ROLE, identity.UserRenamed(**_user()))
    (removed,) = await hooks.happen(REMOVED)
    (delivery,) = await hooks.settled(wants)
    assert delivery["event_id"] == removed.id
    assert [got.path for got in receiver.got] == ["/hook"]
    queued = {"webhook_id": others["id"]}
    assert await hooks.database["deliveries"].count_documents(queued) == 0


async def test_a_webhook_learns_of_others_and_not_of_its_own_creation(
    hooks: Hooks, receiver: Receiver
):
    first = await hooks.make(receiver, event_types=["webhook.*"], url=f"{receiver.url}/first")
    second = (await hooks.ask("POST", body={"url": ELSEWHERE})).expect(201)

    def told_of() -> set[str]:
        return {got.event["data"]["resource"]["id"] for got in receiver.got}

    await wait_for(lambda: second["id"] in told_of(), what="an event about the other webhook")
    assert first["id"] not in told_of()


@pytest.mark.parametrize("away", [False, True])
async def test_an_event_about_a_webhook_names_who_acted(
    hooks: Hooks, receiver: Receiver, *, away: bool
):
    hooks.authz.users_away = away
    await hooks.make(receiver, event_types=["webhook.*"])
    second = (await hooks.ask("POST", body={"url": ELSEWHERE})).expect(201)

    def actor_of_the_second() -> dict[str, Any] | None:
        """A webhook of the test before may still be told of."""
        told = (got.event["data"] for got in receiver.got)
        return next((of["actor"] for of in told if of["resource"]["id"] == second["id"]), None)

    actor = await wait_for(actor_of_the_second, what="an event about the other webhook")
    assert actor["type"] == "user"
    assert (actor["name"], actor["email"]) == ((None, None) if away else ("Ana", "ana@example.com"))


async def test_a_fact_that_comes_again_is_one_delivery(hooks: Hooks, receiver: Receiver):
    webhook = await hooks.make(receiver, event_types=["member.role_changed"])
    row = row_of(ROLE, account_id=ACCOUNT)
    await asyncio.gather(*(hooks.tell(row) for _ in range(5)))
    await hooks.tell(row)
    (delivery,) = await hooks.settled(webhook)
    assert (delivery["event_id"], len(receiver.got)) == (row.id, 1)


async def test_a_failing_receiver_is_tried_for_days_and_then_disabled(
    hooks: Hooks, receiver: Receiver
):
    receiver.status = 503
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    (row,) = await hooks.happen(REMOVED)
    for tried, pause in enumerate(RETRY_PAUSES_SECONDS, start=1):
        (delivery,) = await hooks.settled(webhook)
        assert (delivery["status"], len(receiver.got)) == ("pending", tried)
        hooks.clock.move(pause * 1.2)
    (delivery,) = await hooks.settled(webhook)
    assert delivery["status"] == "failed"
    assert len(delivery["attempts"]) == len(receiver.got) == len(RETRY_PAUSES_SECONDS) + 1
    assert {got.id for got in receiver.got} == {row.id}
    stamps = [int(got.headers["webhook-timestamp"]) for got in receiver.got]
    assert stamps == sorted(set(stamps))
    assert all(got.signed_with(webhook["secret"]) for got in receiver.got)
    shown = (await hooks.ask("GET", f"/{webhook['id']}")).expect(200)
    assert (shown["enabled"], shown["disabled_because"]) == (False, "failing")
    (fact,) = await hooks.rows("webhook.disabled")
    assert (fact.account_id, fact.data["because"]) == (ACCOUNT, "failing")
    assert fact.actor.type == "service"
    mail = await wait_for(
        lambda: hooks.mail(fact, MessageKind.WEBHOOK_DISABLED, "ana@example.com"), what="the mail"
    )
    assert mail["account_id"] == ACCOUNT


async def test_a_webhook_is_disabled_when_team_can_say_whom_to_tell(
    hooks: Hooks, receiver: Receiver
):
    receiver.status = 410
    hooks.authz.team_away = True
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    await hooks.happen(REMOVED)
    await wait_for(lambda: hooks.authz.asked_in_vain, what="a question to team")
    assert (await hooks.ask("GET", f"/{webhook['id']}")).expect(200)["enabled"]
    hooks.authz.team_away = False
    hooks.clock.move(60)
    (delivery,) = await hooks.settled(webhook)
    assert (delivery["status"], len(receiver.got)) == ("failed", 2)
    assert (await hooks.ask("GET", f"/{webhook['id']}")).expect(200)["disabled_because"] == "gone"


async def test_a_receiver_that_is_gone_is_disabled_at_once(hooks: Hooks, receiver: Receiver):
    receiver.status = 410
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    await hooks.happen(REMOVED)
    (delivery,) = await hooks.settled(webhook)
    assert (delivery["status"], len(receiver.got)) == ("failed", 1)
    shown = (await hooks.ask("GET", f"/{webhook['id']}")).expect(200)
    assert shown["disabled_because"] == "gone"
    await hooks.happen(REMOVED)
    assert len(await hooks.settled(webhook)) == 1
    again = (await hooks.ask("PATCH", f"/{webhook['id']}", {"enabled": True})).expect(200)
    assert (again["enabled"], again["disabled_because"]) == (True, None)


@pytest.mark.rule("T26")
async def test_a_redirect_is_a_failure_and_is_not_followed(hooks: Hooks, receiver: Receiver):
    receiver.answers = [web.Response(status=307, headers={"Location": receiver.url})]
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    await hooks.happen(REMOVED)
    (delivery,) = await hooks.settled(webhook)
    assert (delivery["status"], len(receiver.got)) == ("pending", 1)
    assert delivery["attempts"][0]["status"] == 307
    stored = hooks.database["webhooks"]
    assert await stored.count_documents({"failing_since": hooks.clock.now()}) == 1
    hooks.clock.move(60)
    (delivery,) = await hooks.settled(webhook)
    assert delivery["status"] == "delivered"
    assert await stored.count_documents({"failing_since": None}) == 1


async def test_a_silent_receiver_holds_up_no_other(hooks: Hooks, receiver: Receiver):
    async with receiving() as silent:
        silent.silent = True
        slow = await hooks.make(silent, event_types=["member.removed"])
        quick = await hooks.make(receiver, event_types=["member.removed"])
        await hooks.happen(*[REMOVED] * 12)
        assert len(await hooks.settled_of(quick, 12)) == 12
        assert len(silent.got) == 1
        assert {one["status"] for one in await hooks.deliveries(slow)} == {"pending"}


async def test_both_secrets_sign_while_they_overlap(hooks: Hooks, receiver: Receiver):
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    answer = await hooks.ask("POST", f"/{webhook['id']}/rotate-secret", {"overlap_seconds": 60})
    rotated = answer.expect(200)
    assert rotated["secret"] != webhook["secret"]
    await hooks.happen(REMOVED)
    await hooks.settled(webhook)
    hooks.clock.move(60)
    await hooks.happen(REMOVED)
    await hooks.settled(webhook)
    during, after = receiver.got
    assert during.signed_with(webhook["secret"])
    assert during.signed_with(rotated["secret"])
    assert not after.signed_with(webhook["secret"])
    assert after.signed_with(rotated["secret"])


async def test_deliveries_with_the_secret_of_a_former_key_are_counted(
    hooks: Hooks, receiver: Receiver
):
    def counted() -> float:
        labels = {"service": "notification", "use": "webhook"}
        return REGISTRY.get_sample_value("rolecall_former_key_uses_total", labels) or 0

    webhook = await hooks.make(receiver, event_types=["member.removed"])
    counts = [counted()]
    stored = hooks.database["webhooks"]
    made_by_others: tuple[dict[str, Any], ...] = (
        {"$set": {"secret_key_id": "0" * 16}},
        {"$unset": {"secret_key_id": ""}},
    )
    for change in ({"$set": {"description": "as it is"}}, *made_by_others):
        await stored.update_one({"_id": webhook["id"]}, change)
        await hooks.happen(REMOVED)
        await hooks.settled(webhook)
        counts.append(counted())
    (await hooks.ask("POST", f"/{webhook['id']}/rotate-secret", {})).expect(200)
    await hooks.happen(REMOVED)
    await hooks.settled(webhook)
    start = counts[0]
    assert [*counts, counted()] == [start, start, start + 1, start + 2, start + 2]


async def test_failed_deliveries_are_made_again_with_their_id(hooks: Hooks, receiver: Receiver):
    receiver.status = 410
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    since = content_time(hooks.clock.now())
    rows = await hooks.happen(REMOVED)
    await hooks.settled(webhook)
    redeliver = f"/{webhook['id']}/redeliver"
    refused = await hooks.ask("POST", redeliver, {"since": since})
    assert (refused.status, refused.code) == (409, "webhook-disabled")
    receiver.status = 200
    (await hooks.ask("PATCH", f"/{webhook['id']}", {"enabled": True})).expect(200)
    answer = (await hooks.ask("POST", redeliver, {"since": since})).expect(200)
    assert answer == {"deliveries": 1, "more": False}
    (delivery,) = await hooks.settled(webhook)
    assert (delivery["status"], len(delivery["attempts"])) == ("delivered", 2)
    one = f"/{webhook['id']}/deliveries/{delivery['id']}/redeliver"
    (await hooks.ask("POST", one)).expect(200)
    await hooks.settled(webhook)
    assert [got.id for got in receiver.got] == [rows[0].id] * 3
    assert len(await hooks.rows("webhook.redelivered")) == 2


async def test_a_test_event_goes_to_one_webhook_and_has_a_limit(hooks: Hooks, receiver: Receiver):
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    for _ in range(10):
        (await hooks.ask("POST", f"/{webhook['id']}/test")).expect(202)
    refused = await hooks.ask("POST", f"/{webhook['id']}/test")
    assert (refused.status, refused.code) == (429, "too-many-tests")
    await hooks.settled(webhook)
    assert {got.event["type"] for got in receiver.got} == {"webhook.test"}
    assert len(receiver.got) == 10


async def test_a_secret_is_shown_once_and_stored_nowhere(hooks: Hooks):
    key = {"Idempotency-Key": "once"}
    made = (await hooks.ask("POST", body={"url": ELSEWHERE}, headers=key)).expect(201)
    again = (await hooks.ask("POST", body={"url": ELSEWHERE}, headers=key)).expect(201)
    assert made["secret"].startswith("whsec_")
    assert (again["id"], again["secret"], again["note"]) == (made["id"], None, "shown-once")
    read = (await hooks.ask("GET", f"/{made['id']}")).expect(200)
    assert "secret" not in read
    secret = made["secret"].removeprefix("whsec_")
    for name in await hooks.database.list_collection_names():
        async for document in hooks.database[name].find({}):
            assert secret not in str(document)


async def test_an_account_has_a_limited_number_of_webhooks(hooks: Hooks):
    made = await asyncio.gather(
        *(hooks.ask("POST", body={"url": ELSEWHERE}) for _ in range(MAX_WEBHOOKS + 3))
    )
    assert sorted(answer.status for answer in made) == [201] * MAX_WEBHOOKS + [409] * 3
    page = (await hooks.ask("GET", "?limit=4")).expect(200)
    assert len(page["items"]) == 4
    following = (await hooks.ask("GET", f"?cursor={page['next_cursor']}")).expect(200)
    assert len(following["items"]) == MAX_WEBHOOKS - 4


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "http://hooks.acme.example"}, "/url"),
        ({"url": "https://10.0.0.1/x"}, "/url"),
        ({"url": "https://[::ffff:7f00:1]/"}, "/url"),
        ({"url": "https://user:pass@hooks.acme.example/"}, "/url"),
        ({"url": "https://hooks.acme.example:25/"}, "/url"),
        ({"url": ELSEWHERE, "event_types": ["user.renamed"]}, "/event_types"),
        ({"url": ELSEWHERE, "event_types": []}, "/event_types"),
        ({"url": ELSEWHERE, "secret": "whsec_AAAA"}, "/secret"),
    ],
)
async def test_what_does_not_fit_is_refused(hooks: Hooks, body: dict[str, Any], pointer: str):
    answer = await hooks.ask("POST", body=body)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


async def test_a_change_of_another_state_is_refused(hooks: Hooks):
    made = (await hooks.ask("POST", body={"url": ELSEWHERE})).expect(201)
    tag = {"If-Match": made["etag"]}
    one = f"/{made['id']}"
    changed = await hooks.ask("PATCH", one, {"description": "new"}, headers=tag)
    assert changed.expect(200)["etag"] != made["etag"]
    assert (await hooks.ask("PATCH", one, {"description": "x"}, headers=tag)).status == 412
    assert (await hooks.ask("DELETE", one, headers=tag)).status == 412
    (await hooks.ask("DELETE", one, headers={"If-Match": changed.body["etag"]})).expect(204)
    assert (await hooks.ask("GET", one)).status == 404


async def test_a_reverted_team_has_no_webhook_that_goes_on(hooks: Hooks, receiver: Receiver):
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    reverted = team_endings.AccountReverted(
        account_name="Acme", owner_user_id="usr_ana", catalog="standard"
    )
    await hooks.happen(reverted, REMOVED)
    (found,) = [one async for one in hooks.database["webhooks"].find({})]
    assert (found["_id"], found["disabled"]) == (webhook["id"], "reverted")
    assert await hooks.deliveries(webhook) == []
    assert len(await hooks.rows("webhook.disabled")) == 1


async def test_redeliveries_have_a_budget_of_the_day(hooks: Hooks, receiver: Receiver):
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    since = {"since": content_time(hooks.clock.now())}
    await hooks.happen(REMOVED)
    (delivery,) = await hooks.settled(webhook)
    await hooks.database["deliveries"].update_one({}, {"$set": {"status": "failed"}})
    spent = {"redelivered": MAX_OF_A_DAY - 1, "redelivering_since": hooks.clock.now()}
    await hooks.database["webhooks"].update_one({"_id": webhook["id"]}, {"$set": spent})
    failed = f"/{webhook['id']}/redeliver"
    last = (await hooks.ask("POST", failed, since)).expect(200)
    assert last == {"deliveries": 1, "more": False}
    await hooks.settled(webhook)
    one = f"/{webhook['id']}/deliveries/{delivery['id']}/redeliver"
    for path, body in ((one, None), (failed, since)):
        refused = await hooks.ask("POST", path, body)
        assert (refused.status, refused.code) == (429, "too-many-redeliveries")


async def test_a_deleted_webhook_gets_nothing_that_waits(hooks: Hooks, receiver: Receiver):
    receiver.status = 500
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    await hooks.happen(REMOVED)
    await hooks.settled(webhook)
    (await hooks.ask("DELETE", f"/{webhook['id']}")).expect(204)
    hooks.clock.move(60)

    async def gone() -> bool:
        return await hooks.database["deliveries"].find_one({}) is None

    await wait_for(gone, what="the delivery to be gone")
    assert len(receiver.got) == 1


async def test_the_webhooks_of_an_account_end_with_it(hooks: Hooks, receiver: Receiver):
    await hooks.make(receiver)
    await hooks.happen(REMOVED)
    (others,) = [await hooks.ask("POST", body={"url": ELSEWHERE}, account=OTHER)]
    gone = team_endings.AccountDeleted(account_name="Acme", owner_user_id="usr_ana")
    await hooks.happen(gone)
    assert (await hooks.ask("GET")).expect(200)["items"] == []

    async def none_is_left() -> bool:
        return await hooks.database["deliveries"].count_documents({"account_id": ACCOUNT}) == 0

    await wait_for(none_is_left, what="deliveries that were queued meanwhile to end, too")
    (await hooks.ask("GET", f"/{others.body['id']}", account=OTHER)).expect(200)


@pytest.mark.rule("T1")
async def test_nothing_of_another_account_is_reached(hooks: Hooks, receiver: Receiver):
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    await hooks.happen(REMOVED)
    (delivery,) = await hooks.settled(webhook)
    mine = (await hooks.ask("POST", body={"url": ELSEWHERE}, account=OTHER)).expect(201)
    shown = (await hooks.ask("GET", account=OTHER)).expect(200)["items"]
    assert [each["id"] for each in shown] == [mine["id"]]
    one = f"/{webhook['id']}"
    for method, path, body in (
        ("GET", one, None),
        ("PATCH", one, {"description": "x"}),
        ("DELETE", one, None),
        ("POST", f"{one}/rotate-secret", {}),
        ("POST", f"{one}/test", None),
        ("GET", f"{one}/deliveries", None),
        ("GET", f"{one}/deliveries/{delivery['id']}", None),
        ("POST", f"{one}/deliveries/{delivery['id']}/redeliver", None),
        ("POST", f"{one}/redeliver", {"since": "2026-03-05T12:00:00Z"}),
        ("GET", f"/{mine['id']}/deliveries/{delivery['id']}", None),
        ("POST", f"/{mine['id']}/deliveries/{delivery['id']}/redeliver", None),
    ):
        answer = await hooks.ask(method, path, body, account=OTHER)
        assert (answer.status, answer.code) == (404, "not-found"), (method, path)
    hooks.clock.move(timedelta(hours=1).total_seconds())
    assert await hooks.settled(webhook) == [delivery]
    assert len(receiver.got) == 1


async def test_a_member_without_the_permission_is_refused(hooks: Hooks):
    hooks.authz.allowed = False
    answer = await hooks.ask("POST", body={"url": ELSEWHERE})
    assert (answer.status, answer.code) == (403, "permission-missing")
    assert hooks.authz.asked[-1].permission == "webhook:manage"


async def test_the_types_of_events_are_listed(hooks: Hooks):
    answer = await hooks.send("GET", "/v1/webhook-event-types")
    types = {one["type"]: one["meaning"] for one in answer.expect(200)["items"]}
    assert types["member.role_changed"] == "The role of a member changed."


def _user() -> dict[str, str]:
    return {"user_id": "usr_bo", "email": "bo@example.com", "name": "Bo", "account_id": ACCOUNT}


async def test_an_operator_applies_and_drops_facts_that_failed(hooks: Hooks, receiver: Receiver):
    webhook = await hooks.make(receiver, event_types=["member.removed"])
    rows = [signed(row_of(REMOVED, account_id=ACCOUNT)) for _ in range(2)]
    for each in rows:
        dead_id, content = dead_fact(each, LookupError("poison"))
        await hooks.database["inbox_dead"].insert_one({"_id": dead_id, **content})
    path = "/internal/admin/dead-facts"
    page = (await hooks.send("GET", f"{path}?limit=1", token=ADMIN_KEY)).expect(200)
    (first,) = page["items"]
    rest = await hooks.send("GET", f"{path}?cursor={page['next_cursor']}", token=ADMIN_KEY)
    (second,) = rest.expect(200)["items"]
    shown = await hooks.send("GET", f"{path}/{first['id']}", token=ADMIN_KEY)
    assert shown.expect(200)["event"]["id"] == first["event_id"]
    assert (await hooks.send("POST", f"{path}/{first['id']}/replay", token="x" * 40)).status == 401
    (await hooks.send("POST", f"{path}/{first['id']}/replay", token=ADMIN_KEY)).expect(204)
    (await hooks.send("DELETE", f"{path}/{second['id']}", token=ADMIN_KEY)).expect(204)
    again = await hooks.send("POST", f"{path}/{first['id']}/replay", token=ADMIN_KEY)
    assert (again.status, again.code) == (404, "not-found")
    (delivery,) = await hooks.settled(webhook)
    assert delivery["event_id"] == first["event_id"]
    told = [json.loads(row["event"]) async for row in hooks.database["journal"].find({})]
    done = {each["data"]["data"]["event_id"]: each for each in told if "dead_fact" in each["type"]}
    assert {event: each["type"] for event, each in done.items()} == {
        first["event_id"]: "notification.dead_fact.replayed.v1",
        second["event_id"]: "notification.dead_fact.dropped.v1",
    }
    assert {each["data"]["account_id"] for each in done.values()} == {ACCOUNT}
    assert {each["data"]["actor"]["type"] for each in done.values()} == {"operator"}
