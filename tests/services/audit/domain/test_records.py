"""What a record holds, how records are ordered, and what an action filter takes."""

from datetime import datetime, timedelta, timezone

import pytest

from services.audit.domain.records import (
    ActionFilter,
    Filters,
    KnownUser,
    action_filter,
    digest,
    known_user_of,
    moment_key,
    record_of,
)
from shared.contracts import identity, identity_addresses
from shared.contracts.facts import Actor, Outcome, RequestInfo, ResourceRef, Row
from shared.contracts.registry import FACT_TYPES
from shared.contracts.team import MemberRemoved
from shared.redaction import REMOVED, SECRET_NAMES, without_secrets
from tests.services.rows import NOON, row_of

MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)
LATER = NOON + timedelta(milliseconds=40)


def a_row(**fields):
    return row_of(MEMBER, **({"account_id": "acc_1"} | fields))


@pytest.mark.rule("Rp13", "Ci14")
def test_a_record_has_every_field_of_its_row():
    row = a_row(
        project_id="prj_1",
        account_rev=7,
        reason="left the company",
        before={"role": "developer"},
        after=None,
        resource=ResourceRef(type="member", id="usr_bo", name="Bo Li"),
        request=RequestInfo(request_id="req-9", trace_id="t1", ip="203.0.113.9", user_agent="curl"),
    )
    record = record_of(row, recorded_at=LATER)
    assert record.action == "member.removed"
    assert record.noun == "member."
    assert record.outcome is Outcome.SUCCEEDED
    for name in (
        "id",
        "account_id",
        "account_rev",
        "occurred_at",
        "actor",
        "resource",
        "project_id",
        "before",
        "after",
        "reason",
        "request",
        "position",
        "change_id",
    ):
        assert getattr(record, name) == getattr(row, name), name
    assert record.recorded_at == LATER


SECRETS = [
    ({"password": "correct horse"}, "correct horse"),
    ({"deep": [{"Token": "abc123"}]}, "abc123"),
    ({"client_secret": {"value": "s3cret"}}, "s3cret"),
    ({"note": "key eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3IifQ.c2lnbmF0dXJl here"}, "c2lnbmF0dXJl"),
    ({"note": "rct_0123456789abcdef"}, "rct_0123456789abcdef"),
    ({"hash": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"}, "aGFzaA"),
    ({"note": "rcs_0123456789abcdef"}, "rcs_0123456789abcdef"),
    ({"note": "ses_" + "0" * 32 + ".4.refreshmac"}, "refreshmac"),
    ({"note": "inv_" + "0" * 32 + ".1.macmacmac"}, "macmacmac"),
]


@pytest.mark.parametrize(("content", "secret"), SECRETS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_secret_in_a_row_does_not_reach_the_record(content, secret, side):
    record = record_of(a_row(**{side: content}), recorded_at=LATER)
    kept = str(getattr(record, side))
    assert secret not in kept
    assert REMOVED in kept


def test_a_secret_in_a_reason_is_blanked_too():
    record = record_of(a_row(reason="used rct_0123456789abcdef"), recorded_at=LATER)
    assert record.reason == f"used {REMOVED}"


@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
def test_every_name_on_the_deny_list_is_blanked_in_any_case(name):
    assert without_secrets({name.upper(): "value", "role": "admin"}) == {
        name.upper(): REMOVED,
        "role": "admin",
    }


@pytest.mark.rule("Rp13")
@pytest.mark.parametrize("entry", ["api_tokens", "secrets", *sorted(SECRET_NAMES)])
def test_catalog_entries_with_secret_sounding_names_are_kept(entry):
    grants = {entry: {"key": "self", "code": "all"}, "instance": {"write": "all"}}
    record = record_of(a_row(after={"grants": grants, "expires_at": None}), recorded_at=LATER)
    assert record.after == {"grants": grants, "expires_at": None}


@pytest.mark.rule("Rp13")
@pytest.mark.parametrize("name", ["Basic plan", "bearer bonds", "What?token=Evil", "Authorization"])
def test_a_name_in_plain_language_is_kept(name):
    record = record_of(a_row(after={"name": name}, reason=name), recorded_at=LATER)
    assert (record.after, record.reason) == ({"name": name}, name)


REFUSAL_CODES = {"identity.session.refused.v1", "team.request.refused.v1"}


@pytest.mark.parametrize("fact_type", sorted(FACT_TYPES))
def test_no_fact_has_a_field_for_a_secret(fact_type):
    fields = set(FACT_TYPES[fact_type].model_fields)
    if fact_type in REFUSAL_CODES:
        fields -= {"code"}  # of the refusal
    assert not fields & SECRET_NAMES


def test_no_part_of_a_row_is_named_like_a_secret():
    for part in (Row, Actor, RequestInfo, ResourceRef):
        assert not set(part.model_fields) & SECRET_NAMES


def test_the_digest_does_not_depend_on_the_order_of_members():
    row = a_row(before={"a": 1, "b": 2})
    again = Row.from_event(row.to_event())
    other_order = row.model_copy(update={"before": {"b": 2, "a": 1}})
    assert digest(row) == digest(again) == digest(other_order)


@pytest.mark.parametrize(
    "change",
    [
        {"before": {"a": 3}},
        {"actor": Actor(type="user", id="usr_eve")},
        {"outcome": Outcome.DENIED},
        {"seq": 999_999},
        {"epoch": "e2"},
        {"occurred_at": LATER},
        {"data": {"email": "eve@example.com"}},
        {"account_id": "acc_2"},
        {"reason": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_content_has_another_digest(change):
    row = a_row(before={"a": 1})
    assert digest(row.model_copy(update=change)) != digest(row)


def test_records_sort_by_time_and_then_by_sequence():
    rows = [a_row(seq=seq, occurred_at=at) for at in (NOON, LATER) for seq in (9, 10, 17)]
    orders = [record_of(row, recorded_at=LATER).order for row in rows]
    assert sorted(orders) == orders


def test_a_moment_has_one_key_in_every_time_zone():
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert moment_key(elsewhere) == moment_key(NOON)
    assert moment_key(datetime(1970, 1, 1, tzinfo=NOON.tzinfo)) == "0" * 12


def test_user_names_are_learned_from_the_facts_about_users():
    user = {"user_id": "usr_bo", "email": "bo@example.com", "name": "Bo", "account_id": "acc_bo"}
    for fact in (
        identity.UserSignedUp(**user, verified=False, generation=1),
        identity.UserVerified(**user),
        identity.UserVerificationResent(**user, generation=2),
        identity.UserRenamed(**user),
        identity_addresses.UserEmailChanged(
            **user, previous_email="bo@old.example", undo_generation=None, undo_until=None
        ),
        identity_addresses.UserEmailRestored(**user, previous_email="thief@new.example"),
    ):
        assert known_user_of(row_of(fact)) == KnownUser(
            user_id="usr_bo", name="Bo", email="bo@example.com", as_of=NOON
        )
    assert known_user_of(a_row()) is None


ACTIONS = [
    "member",
    "member.left",
    "member.remove",
    "member.removed",
    "member.removed.twice",
    "member.role_changed",
    "member_group.created",
    "members.removed",
    "mem.removed",
    "invitation.removed",
]
ABOUT_MEMBERS = ACTIONS[1:6]
ACTION_FILTERS = [
    ("member.removed", ["member.removed"]),
    ("member.remove", ["member.remove"]),
    ("member", ["member"]),
    ("MEMBER.removed", []),
    ("member.", ABOUT_MEMBERS),
    ("member.*", ABOUT_MEMBERS),
    # An action that equals the prefix has the prefix.
    ("member.removed*", ["member.removed", "member.removed.twice"]),
    ("member.removed.", ["member.removed.twice"]),
    ("member.remove*", ["member.remove", "member.removed", "member.removed.twice"]),
    ("member.role_changed*", ["member.role_changed"]),
    ("member*", [action for action in ACTIONS if action.startswith("member")]),
    ("m*", [action for action in ACTIONS if action.startswith("m")]),
    ("z*", []),
    (".", []),
]


@pytest.mark.rule("Rp14")
@pytest.mark.parametrize(("text", "taken"), ACTION_FILTERS)
def test_an_action_filter_takes_these_actions(text, taken):
    assert [action for action in ACTIONS if action_filter(text).matches(action)] == taken


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("member.removed", ActionFilter(exact="member.removed")),
        ("member.", ActionFilter(noun="member.")),
        ("member.*", ActionFilter(noun="member.")),
        ("member.r*", ActionFilter(prefix="member.r")),
        ("member.removed.", ActionFilter(prefix="member.removed.")),
        ("m*", ActionFilter(prefix="m")),
    ],
)
def test_a_noun_with_its_dot_is_searched_by_its_own_index(text, read):
    assert action_filter(text) == read


@pytest.mark.parametrize(
    ("action_type", "noun"),
    [("team.member.removed.v1", "member."), ("team.a.b.c.v1", "a."), ("team.member.v1", "member")],
)
def test_the_noun_of_an_action_is_its_first_word(action_type, noun):
    assert record_of(a_row(type=action_type), recorded_at=LATER).noun == noun


def test_the_given_filters_are_written_as_text():
    filters = Filters(since=NOON, user="usr_bo", outcome=Outcome.DENIED)
    assert filters.given() == {
        "since": "2026-03-05T12:00:00.000Z",
        "user": "usr_bo",
        "outcome": "denied",
    }
    assert Filters().given() == {}
