"""What a report may say: bound accounts and types, own actions, times, sizes and members."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rolecall import CONTROL_PERMISSIONS
from services.audit.domain.records import record_of
from services.audit.domain.reported_events import ReportedEvent, event_report
from services.audit.domain.reports import (
    AHEAD,
    MARK_DAYS,
    MAX_REPORT_BYTES,
    OLDEST,
    OWN_TYPES,
    AccountUnknown,
    ActingUserUnknown,
    OwnType,
    ReportFromTheFuture,
    ReportTooLarge,
    ReportTooOld,
    require_reportable,
    require_users,
)
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.contracts.facts import Actor, Outcome, ResourceRef
from shared.contracts.registry import FACT_TYPES
from shared.contracts.resource_types import RESOURCE_TYPES
from shared.problems import Invalid, Refusal
from tests.services.rows import NOON, row_of

ACCOUNT, ANA, CLIENT = "acc_1", "usr_ana", "cli_1"
BY_ANA = Actor(type="user", id=ANA, token_id="tok_1", via="cli_2")
FOR_ANA = Actor(type="service_client", id=CLIENT, on_behalf_of=ANA)
A_MILLISECOND = timedelta(milliseconds=1)


def event(**fields: Any) -> ReportedEvent:
    given: dict[str, Any] = {
        "id": "e-1",
        "account_id": ACCOUNT,
        "action": "instance.deleted",
        "actor": BY_ANA,
        "resource": ResourceRef(type="instance", id="i-1"),
        "occurred_at": NOON,
    }
    return ReportedEvent(**(given | fields))


def of_type(name: str) -> dict[str, Any]:
    return {"resource": ResourceRef(type=name, id="x"), "action": f"{name}.removed"}


BOUND: list[tuple[str, dict[str, Any], dict[str, Any], type[Refusal] | None]] = [
    ("bound to nothing in particular", {}, {}, None),
    ("its own account", {}, {"account_ids": {ACCOUNT}}, None),
    ("another account", {}, {"account_ids": {"acc_2"}}, AccountNotBound),
    ("no account", {}, {"account_ids": set()}, AccountNotBound),
    ("its own type", {}, {"resource_types": {"instance"}}, None),
    ("another type", {}, {"resource_types": {"volume"}}, TypeNotBound),
    ("no type", {}, {"resource_types": set()}, TypeNotBound),
    ("a type of Rolecall", of_type("member"), {}, OwnType),
    (
        "a type of Rolecall that it is bound to",
        of_type("user"),
        {"resource_types": {"user"}},
        OwnType,
    ),
    ("denied decisions", of_type("access"), {}, OwnType),
    ("the audit log", of_type("audit_log"), {}, OwnType),
    ("the oldest", {"occurred_at": NOON - OLDEST}, {}, None),
    ("too old", {"occurred_at": NOON - OLDEST - A_MILLISECOND}, {}, ReportTooOld),
    ("a clock ahead", {"occurred_at": NOON + AHEAD}, {}, None),
    ("the future", {"occurred_at": NOON + AHEAD + A_MILLISECOND}, {}, ReportFromTheFuture),
    ("large", {"after": {"a": "x" * (MAX_REPORT_BYTES - 1_000)}}, {}, None),
    ("too large", {"after": {"a": "x" * MAX_REPORT_BYTES}}, {}, ReportTooLarge),
    ("too large in bytes", {"after": {"a": "ä" * (MAX_REPORT_BYTES // 2)}}, {}, ReportTooLarge),
]


@pytest.mark.rule("Rp13")
@pytest.mark.parametrize(("_what", "fields", "bound", "refusal"), BOUND, ids=[b[0] for b in BOUND])
def test_a_report_is_of_bound_accounts_own_types_and_usual_times(
    _what: str, fields: dict[str, Any], bound: dict[str, Any], refusal: type[Refusal] | None
) -> None:
    limits = {"account_ids": None, "resource_types": None} | bound
    report = event_report(event(**fields), client_id=CLIENT)
    if refusal is None:
        require_reportable(report, now=NOON, **limits)
        return
    with pytest.raises(refusal) as refused:
        require_reportable(report, now=NOON, **limits)
    assert type(refused.value) is refusal


ACTIONS = [
    ("instance.deleted", True),
    ("instance.disk.attached", True),
    ("instances.deleted", False),
    ("member.removed", False),
    ("instancedeleted", False),
]


@pytest.mark.parametrize(("action", "fits"), ACTIONS)
def test_an_action_is_in_the_name_space_of_its_type(action: str, fits: bool) -> None:  # noqa: FBT001
    if fits:
        event_report(event(action=action), client_id=CLIENT)
        return
    with pytest.raises(Invalid) as refused:
        event_report(event(action=action), client_id=CLIENT)
    assert refused.value.errors[0].pointer == "/action"


def test_every_action_and_type_of_rolecall_is_reserved() -> None:
    nouns = {name.split(".")[1] for name in FACT_TYPES}
    types = {name.partition(":")[0] for name in CONTROL_PERMISSIONS}
    assert nouns | types <= OWN_TYPES
    assert {"member", "session", "access", "event", "usage", "search"} <= OWN_TYPES


def test_every_type_that_the_code_names_is_reserved() -> None:
    """A resource type is a text of the code, wherever a fact is made of it."""
    root = Path(__file__).parents[4]
    named = re.compile(r"ResourceRef\(\s*type=\"([a-z_]+)\"")
    found = {
        name
        for folder in ("services", "shared")
        for path in (root / folder).rglob("*.py")
        for name in named.findall(path.read_text(encoding="utf-8"))
    }
    assert found == RESOURCE_TYPES
    assert found <= OWN_TYPES


def test_an_id_is_known_for_longer_than_its_report_may_be_sent() -> None:
    assert timedelta(days=MARK_DAYS) > OLDEST + AHEAD


NAMED: list[tuple[str, Actor, set[tuple[str, str]], type[Refusal] | None]] = [
    ("a member", BY_ANA, {(ACCOUNT, ANA)}, None),
    ("a member of another account", BY_ANA, {("acc_2", ANA)}, ActingUserUnknown),
    ("a service for a member", FOR_ANA, {(ACCOUNT, ANA)}, None),
    ("a service for a stranger", FOR_ANA, set(), ActingUserUnknown),
    ("a service by itself", FOR_ANA.model_copy(update={"on_behalf_of": None}), set(), None),
]


@pytest.mark.rule("Ci14")
@pytest.mark.parametrize(("_what", "actor", "users", "refusal"), NAMED, ids=[n[0] for n in NAMED])
def test_an_acting_user_is_or_was_a_member(
    _what: str, actor: Actor, users: set[tuple[str, str]], refusal: type[Refusal] | None
) -> None:
    report = event_report(event(actor=actor), client_id=CLIENT)
    if refusal is None:
        require_users(report, accounts={ACCOUNT}, users=users)
        return
    with pytest.raises(refusal):
        require_users(report, accounts={ACCOUNT}, users=users)


def test_an_account_that_is_not_there_takes_no_report() -> None:
    report = event_report(event(), client_id=CLIENT)
    with pytest.raises(AccountUnknown):
        require_users(report, accounts=set(), users={(ACCOUNT, ANA)})


@pytest.mark.rule("Rp13", "Ci14")
def test_the_record_of_a_report_says_what_happened_and_who_reported_it() -> None:
    reported = event(
        project_id="prj_1",
        occurred_at=NOON - timedelta(days=2),
        outcome=Outcome.FAILED,
        reason="no space, Bearer 0123456789abcdef0123456789abcdef",
        after={"size": 3, "password": "hunter2"},
        request_id="req-platform",
        ip="203.0.113.77",
        user_agent="curl",
    )
    fact = event_report(reported, client_id=CLIENT).fact
    kept = row_of(
        fact.payload,
        account_id=ACCOUNT,
        resource=fact.resource,
        actor=fact.actor,
        project_id=fact.project_id,
        outcome=fact.outcome,
        reason=fact.reason,
        after=fact.after,
    )
    assert "hunter2" not in kept.to_event().decode()
    assert "0123456789abcdef" not in kept.to_event().decode()
    record = record_of(kept, recorded_at=NOON)
    assert (record.action, record.noun, record.outcome) == (
        "instance.deleted",
        "instance.",
        Outcome.FAILED,
    )
    assert (record.occurred_at, record.recorded_at) == (reported.occurred_at, NOON)
    assert (record.actor, record.reported_by) == (BY_ANA, CLIENT)
    request = record.request
    assert (request.request_id, request.ip, request.user_agent) == (
        "req-platform",
        "203.0.113.77",
        "curl",
    )
    other = record_of(kept.model_copy(update={"source": "team"}), recorded_at=NOON)
    assert (other.action, other.reported_by) == ("event.reported", None)


CHANGED: list[dict[str, Any]] = [
    {"action": "instance.stopped"},
    {"after": {"a": 1}},
    {"after": {"a": True}},
    {"before": {"a": 1}},
    {"reason": "x"},
    {"outcome": Outcome.FAILED},
    {"project_id": "prj_1"},
    {"account_id": "acc_2"},
    {"actor": FOR_ANA},
    {"actor": BY_ANA.model_copy(update={"via": None})},
    {"resource": ResourceRef(type="instance", id="i-1", name="web")},
    {"occurred_at": NOON + A_MILLISECOND},
    {"ip": "203.0.113.77"},
]


def test_each_part_of_a_report_counts_in_its_digest() -> None:
    digests = [event_report(event(**one), client_id=CLIENT).digest for one in [{}, *CHANGED]]
    assert len(set(digests)) == len(digests)
    assert digests[0] == event_report(replace(event()), client_id=CLIENT).digest


def test_reports_of_two_clients_have_ids_of_their_own() -> None:
    report = event_report(event(), client_id=CLIENT)
    assert report.key("cli_1") != report.key("cli_2")
