"""The rules of webhooks: signatures, filters, ports, retries, and places for requests."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks

from services.notification.domain import webhooks
from services.notification.domain.deliveries import (
    RETRY_PAUSES_SECONDS,
    AttemptVerdict,
    DeliveryStatus,
    delivery_id,
    reason_to_disable,
    verdict_of,
)
from services.notification.domain.public_events import (
    BY_FACT_TYPE,
    EVENT_TYPES,
    NOT_PUBLIC,
    PUBLIC_EVENTS,
    event_of,
)
from services.notification.domain.redeliveries import (
    MAX_OF_A_DAY,
    TooManyRedeliveries,
    counted,
    left_of_the_day,
)
from services.notification.domain.webhook_secrets import new_salt, secret_of, signed_headers
from services.notification.domain.webhooks import DisabledBecause, Webhook, WebhookChange
from shared.contracts import team
from shared.contracts.facts import Actor
from shared.contracts.registry import FACT_TYPES
from shared.ids import AccountId, UserId, WebhookId
from shared.receivers.addresses import check_port
from shared.receivers.attempts import (
    FAILING_FOR,
    MAX_RETRY_AFTER,
    ReceiverAttempt,
    answer_text,
    has_failed_for_days,
)
from shared.receivers.slots import MAX_KNOWN, Slots
from tests.services.notification.samples import MEMBER, ROLE_CHANGED
from tests.services.rows import row_of

KEY = bytes(range(32))
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
WEBHOOK = Webhook(
    id=WebhookId("whk_" + "1" * 32),
    account_id=AccountId("acc_" + "1" * 32),
    url="https://hooks.acme.example/rolecall?key=hidden",
    event_types=("member.*", "account.renamed"),
    description="",
    created_by=UserId("usr_" + "1" * 32),
    created_at=NOW,
    salt=new_salt(),
    secret_at=NOW,
)


def attempt(status: int | None = None, **fields: Any) -> ReceiverAttempt:
    return ReceiverAttempt(at=NOW, milliseconds=5, status=status, **fields)


@pytest.mark.rule("T27")
@pytest.mark.parametrize("salts", [1, 2])
def test_the_oracle_verifies_a_request_with_each_secret(salts: int):
    made = [new_salt() for _ in range(salts)]
    body = '{"type":"member.removed","name":"Ana Díaz"}'
    now = int(datetime.now(tz=UTC).timestamp())
    headers = signed_headers(
        KEY, WEBHOOK.id, made, event_id="evt_1", timestamp=now, body=body.encode()
    )
    for salt in made:
        oracle = standardwebhooks.Webhook(secret_of(KEY, WEBHOOK.id, salt))
        assert oracle.verify(body, headers)["type"] == "member.removed"
    other = standardwebhooks.Webhook(secret_of(KEY, WEBHOOK.id, new_salt()))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        other.verify(body, headers)


@pytest.mark.rule("T27")
@pytest.mark.parametrize(
    ("header", "value"), [("webhook-id", "evt_2"), ("webhook-timestamp", "later")]
)
def test_the_id_and_the_time_cannot_be_replaced(header: str, value: str):
    now = int(datetime.now(tz=UTC).timestamp())
    headers = signed_headers(
        KEY, WEBHOOK.id, [WEBHOOK.salt], event_id="evt_1", timestamp=now, body=b"{}"
    )
    headers[header] = str(now + 1) if value == "later" else value
    oracle = standardwebhooks.Webhook(secret_of(KEY, WEBHOOK.id, WEBHOOK.salt))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        oracle.verify("{}", headers)


def test_a_secret_has_32_bytes_and_is_of_one_webhook_and_salt():
    secrets = {
        secret_of(key, webhook, salt)
        for key in (KEY, KEY[::-1])
        for webhook in (WEBHOOK.id, "whk_" + "2" * 32)
        for salt in (WEBHOOK.salt, new_salt())
    }
    assert len(secrets) == 8
    assert {len(base64.b64decode(one.removeprefix("whsec_"))) for one in secrets} == {32}


def test_the_former_secret_signs_until_the_overlap_ends():
    rotated, fact = webhooks.rotate(WEBHOOK, key_id="k2", overlap=timedelta(hours=1), now=NOW)
    assert rotated.salts(NOW) == (rotated.salt, WEBHOOK.salt)
    assert rotated.salts(NOW + timedelta(hours=1)) == (rotated.salt,)
    assert WEBHOOK.salt not in str(fact)
    again, _ = webhooks.rotate(rotated, key_id="k2", overlap=timedelta(0), now=NOW)
    assert again.salts(NOW) == (again.salt,)


@pytest.mark.parametrize(
    ("wanted", "event_type", "fits"),
    [
        ("*", "member.removed", True),
        ("member.*", "member.removed", True),
        ("member.removed", "member.removed", True),
        ("member.*", "membership.ended", False),
        ("member.remove", "member.removed", False),
        ("account.*", "member.removed", False),
    ],
)
def test_a_filter_takes_a_type_a_noun_or_everything(wanted: str, event_type: str, *, fits: bool):
    assert webhooks.fits(wanted, event_type) is fits


@pytest.mark.parametrize("wanted", ["member.gone", "mem*", "nothing.*", "session.*", "user.*"])
def test_a_filter_that_takes_nothing_is_refused(wanted: str):
    with pytest.raises(ValueError, match="webhook-event-types"):
        webhooks.check_event_types([wanted], EVENT_TYPES)


@pytest.mark.rule("T26")
@pytest.mark.parametrize(
    ("port", "allowed"),
    [("", True), (":443", True), (":8443", True), (":22", False), (":25", False), (":80", False)],
)
def test_ports_of_other_services_are_refused(port: str, *, allowed: bool):
    url = f"https://hooks.acme.example{port}/x"
    if allowed:
        check_port(url)
        return
    with pytest.raises(ValueError, match="port"):
        check_port(url)


def test_a_change_names_what_changed_and_never_the_address():
    changed, fact = webhooks.change(
        WEBHOOK, WebhookChange(url="https://other.example/secret-path", enabled=False)
    )
    assert changed.disabled is DisabledBecause.MEMBER
    assert fact is not None
    assert fact.payload.model_dump()["changed"] == ("url", "enabled")
    assert "hidden" not in str(fact)
    assert "secret-path" not in str(fact)
    assert webhooks.change(changed, WebhookChange(enabled=False)) == (changed, None)


def test_each_change_of_a_webhook_makes_a_new_state():
    changed, _ = webhooks.change(WEBHOOK, WebhookChange(description="new"))
    rotated, _ = webhooks.rotate(WEBHOOK, key_id="k2", overlap=timedelta(hours=1), now=NOW)
    disabled, _ = webhooks.disable(WEBHOOK, DisabledBecause.FAILING)
    assert [one.changes for one in (changed, rotated, disabled)] == [WEBHOOK.changes + 1] * 3


def test_enabling_a_webhook_begins_anew():
    failing = replace(WEBHOOK, disabled=DisabledBecause.FAILING, failing_since=NOW)
    enabled, _ = webhooks.change(failing, WebhookChange(enabled=True))
    assert (enabled.disabled, enabled.failing_since) == (None, None)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_2xx_is_a_success(status: int):
    verdict = verdict_of(attempt(status), tries=1, now=NOW, jitter=0)
    assert (verdict.status, verdict.due_at) == (DeliveryStatus.DELIVERED, None)


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 307, 400, 404, 429, 500, 503, None])
def test_everything_else_is_tried_again(status: int | None):
    verdict = verdict_of(attempt(status), tries=1, now=NOW, jitter=0)
    assert verdict.due_at == NOW + timedelta(seconds=RETRY_PAUSES_SECONDS[0])


def test_attempts_go_on_for_more_than_three_days_and_then_end():
    at, tries = NOW, 0
    while True:
        tries += 1
        verdict = verdict_of(attempt(500), tries=tries, now=at, jitter=0)
        if verdict.due_at is None:
            break
        at = verdict.due_at
    assert (verdict.status, verdict.given_up) == (DeliveryStatus.FAILED, True)
    assert (tries, at - NOW) == (10, timedelta(hours=75, minutes=35, seconds=5))
    assert at - NOW > FAILING_FOR


def test_jitter_makes_a_pause_longer_by_a_fifth_at_most():
    verdict = verdict_of(attempt(500), tries=2, now=NOW, jitter=1)
    assert verdict.due_at == NOW + timedelta(seconds=300 * 1.2)


@pytest.mark.parametrize(
    ("asked", "pause"),
    [(timedelta(minutes=2), timedelta(minutes=2)), (timedelta(days=9), MAX_RETRY_AFTER)],
)
def test_a_receiver_may_ask_for_a_longer_pause(asked: timedelta, pause: timedelta):
    verdict = verdict_of(attempt(429, retry_after=asked), tries=1, now=NOW, jitter=0)
    assert verdict.due_at == NOW + pause


def test_a_receiver_that_is_gone_gets_nothing_more():
    verdict = verdict_of(attempt(410), tries=1, now=NOW, jitter=0)
    assert (verdict.status, verdict.gone) == (DeliveryStatus.FAILED, True)


@pytest.mark.parametrize(
    ("since", "failed"),
    [
        (None, False),
        (NOW - FAILING_FOR + timedelta(seconds=1), False),
        (NOW - FAILING_FOR, True),
    ],
)
def test_a_webhook_fails_when_nothing_succeeded_for_days(since: datetime | None, *, failed: bool):
    assert has_failed_for_days(since, now=NOW) is failed


@pytest.mark.parametrize(
    ("failing_since", "verdict", "because"),
    [
        (NOW - FAILING_FOR, {"given_up": True}, DisabledBecause.FAILING),
        (NOW - FAILING_FOR, {}, None),
        (NOW - timedelta(days=2), {"given_up": True}, None),
        (None, {"given_up": True}, None),
        (None, {"gone": True}, DisabledBecause.GONE),
    ],
)
def test_a_webhook_is_disabled_by_its_last_failure_after_days_or_when_gone(
    failing_since: datetime | None, verdict: dict[str, Any], because: DisabledBecause | None
):
    webhook = replace(WEBHOOK, failing_since=failing_since)
    failed = AttemptVerdict(status=DeliveryStatus.FAILED, **verdict)
    assert reason_to_disable(webhook, failed, now=NOW) is because


def test_the_same_event_and_webhook_always_give_the_same_delivery():
    events = [f"evt_01990b5d2f0{digit}7a3fb1e2c3d4e5f60718" for digit in "cd"]
    ids = [delivery_id(event, WEBHOOK.id) for event in events]
    assert ids == sorted(ids)
    assert ids == [delivery_id(event, WEBHOOK.id) for event in events]
    assert delivery_id(events[0], "whk_" + "2" * 32) != ids[0]


def test_an_answer_is_kept_as_plain_text():
    assert answer_text(b"no\x00\x1b[31m\xff" + b"x" * 9_000).startswith("no\ufffd\ufffd[31m\ufffdx")
    assert len(answer_text(b"x" * 9_000)) == 500


def places(slots: Slots, name: str, account: str = "acc", *, answers: float | None = None) -> int:
    """Take all places that a webhook gets; if it `answers`, it has done so that fast before."""
    webhook_id, account_id, taken = WebhookId(name), AccountId(account), 0
    if answers is not None:
        slots.take(webhook_id, account_id)
        slots.release(webhook_id, seconds=answers)
    while slots.takes(webhook_id, account_id):
        slots.take(webhook_id, account_id)
        taken += 1
    return taken


@pytest.mark.parametrize("seconds", [None, 14.9])
def test_new_and_slow_receivers_leave_places_to_fast_ones(seconds: float | None):
    """An answer just before the time is over holds a place as long as none."""
    slots = Slots(total=64)
    taken = [places(slots, f"w{number}", f"a{number}", answers=seconds) for number in range(20)]
    assert taken == [1] * 16 + [0] * 4
    assert set(slots.closed()) == {WebhookId(f"w{number}") for number in range(20)}
    assert places(slots, "fast", "victim", answers=0.1) == 4
    assert places(slots, "other", "victim", answers=None if seconds else 9) == 1


def test_an_account_has_a_few_places_however_many_webhooks_it_has():
    slots = Slots(total=64)
    assert sum(places(slots, f"new{number}", "a") for number in range(9)) == 2
    assert sum(places(slots, f"slow{number}", "b", answers=9) for number in range(9)) == 2
    assert sum(places(slots, f"fast{number}", "c", answers=0.1) for number in range(9)) == 8
    assert places(slots, "fast", "d", answers=0.1) == 4


def test_one_fast_answer_does_not_make_a_slow_receiver_fast():
    slots, one = Slots(total=64), WebhookId("w")
    paces = []
    for seconds in (0.1, 14.9, 0.1, 0.1, 0.1):
        slots.take(one, AccountId("acc"))
        slots.release(one, seconds=seconds)
        paces.append(slots.known[one].pace)
    assert paces == ["fast", "slow", "slow", "fast", "fast"]


def test_a_place_is_free_again_and_only_idle_receivers_are_forgotten():
    slots = Slots(total=64)
    assert places(slots, "busy", "a", answers=0.1) == 4
    for number in range(MAX_KNOWN + 9):
        slots.takes(WebhookId(f"w{number}"), AccountId(f"a{number}"))
    assert len(slots.known) == MAX_KNOWN
    assert slots.closed() == [WebhookId("busy")]
    slots.release(WebhookId("busy"), seconds=None)
    assert slots.closed() == []


def test_redeliveries_of_a_day_are_counted_for_all_webhooks_of_an_account():
    first = counted(WEBHOOK, MAX_OF_A_DAY - 3, now=NOW)
    second = counted(counted(WEBHOOK, 1, now=NOW), 1, now=NOW + timedelta(hours=23))
    later = NOW + timedelta(hours=23)
    assert left_of_the_day([first, second, WEBHOOK], now=later) == 1
    with pytest.raises(TooManyRedeliveries) as refused:
        left_of_the_day([first, counted(second, 1, now=later)], now=later)
    assert refused.value.retry_after == 3600
    assert left_of_the_day([first, second], now=NOW + timedelta(days=1)) == MAX_OF_A_DAY
    assert counted(first, 5, now=NOW + timedelta(days=1)).redelivered == 5


def test_each_fact_is_an_event_or_says_why_it_is_none():
    public = {event.fact for event in PUBLIC_EVENTS}
    assert public.isdisjoint(NOT_PUBLIC)
    assert public | set(NOT_PUBLIC) == set(FACT_TYPES.values())
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES)) == len(BY_FACT_TYPE)


HIDDEN = frozenset(
    {
        # Addresses of people whom a mail tells, which the audit log does not show.
        *("inviter_email", "manager_emails", "owner_email", "owner_name", "to_email"),
        "made_by_name",
        # What only a mail needs.
        *("notify", "catalog_title", "project_word", "generation", "from_name", "description"),
        "translations",
        *("personal_account_id", "account_name", "account_id", "email", "name", "reverted"),
        # It would tell a stranger's mailbox how many invitations it had (T14).
        "withheld",
    }
)
"""The fields that events leave out; some of them show in other events."""


@pytest.mark.parametrize("event", PUBLIC_EVENTS, ids=lambda event: event.type)
def test_each_field_is_shown_or_left_out_on_purpose(event: Any):
    fields = set(event.fact.model_fields)
    assert set(event.shows) <= fields
    assert fields - set(event.shows) <= HIDDEN


def test_no_event_shows_an_address_of_those_whom_mails_tell():
    shown = {name for event in PUBLIC_EVENTS for name in event.shows}
    assert not {name for name in shown if name.endswith(("_email", "_emails"))}


def test_an_event_is_complete_without_a_second_call():
    fact = team.MemberRoleChanged(**ROLE_CHANGED, ends_sessions=False)
    row = row_of(
        fact,
        account_id=WEBHOOK.account_id,
        before={"role": "basic", "secret": "x"},
        after={"role": "developer"},
    )
    event = event_of(row)
    assert event is not None
    assert (event["type"], event["timestamp"]) == (
        "member.role_changed",
        "2026-03-05T12:00:00.000Z",
    )
    data = event["data"]
    assert data["account_id"] == WEBHOOK.account_id
    assert data["actor"]["name"] == "Ana Díaz"
    assert (data["details"]["previous_role"], data["details"]["role"]) == ("basic", "developer")
    assert (data["before"], data["after"]) == (
        {"role": "basic", "secret": "[removed]"},
        {"role": "developer"},
    )
    assert not {"ip", "user_agent", "session_id"} & set(str(event).replace("'", " ").split())


@pytest.mark.rule("T15")
def test_an_event_shows_only_what_its_row_of_the_table_names():
    fact = team.MemberLeft(**MEMBER, manager_emails=("ana@example.com",))
    row = row_of(fact, account_id=WEBHOOK.account_id, actor=Actor(type="user", id="usr_bo"))
    event = event_of(row)
    assert event is not None
    assert set(event["data"]["details"]) == {"account_name", "user_id", "email", "name", "role"}
    assert "ana@example.com" not in str(event)


def test_a_fact_of_no_account_reaches_no_webhook():
    assert event_of(row_of(team.MemberRoleChanged(**ROLE_CHANGED, ends_sessions=False))) is None
