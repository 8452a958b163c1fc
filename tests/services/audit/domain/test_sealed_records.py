"""The sealed form of a record has all of it."""

from dataclasses import fields, replace
from typing import Any

from rolecall.audit.sealed import personal_values
from services.audit.domain.records import Record, record_of
from services.audit.domain.sealed_records import Seal, leaf, salt_bytes, salts_for, sealed_form
from shared.contracts.facts import Actor, Outcome, RequestInfo, ResourceRef
from shared.contracts.team import MemberRemoved
from tests.services.rows import NOON, row_of

MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)
RECORD = record_of(row_of(MEMBER, account_id="acc_1", before={"role": "admin"}), recorded_at=NOON)
NOT_SEALED = {"digest"}
"""It follows from the row, and would tell what was erased."""
OTHER: dict[str, Any] = {
    "id": "evt_2",
    "account_id": "acc_2",
    "account_rev": 7,
    "occurred_at": NOON.replace(microsecond=1000),
    "recorded_at": NOON.replace(microsecond=1000),
    "actor": Actor(type="user", id="usr_ana", via="cli_1"),
    "action": "member.added",
    "resource": ResourceRef(type="member", id="usr_1", name="Bo"),
    "project_id": "prj_1",
    "outcome": Outcome.DENIED,
    "before": {},
    "after": {"role": "admin"},
    "reason": "left",
    "request": RequestInfo(request_id="req-1", ip="203.0.113.9", user_agent="other"),
    "position": RECORD.position._replace(seq=77),
    "change_id": "chg_2",
    "reported_by": "cli_1",
}


def leaf_with_equal_salts(record):
    form = sealed_form(record)
    salts = salts_for(form, bytes(salt_bytes(form)))
    return leaf(form, Seal(event_id=record.id, tree="acc_1", index=0, salts=salts))


def test_every_field_of_a_record_changes_its_leaf():
    assert {field.name for field in fields(Record)} == OTHER.keys() | NOT_SEALED
    before = leaf_with_equal_salts(RECORD)
    for name, value in OTHER.items():
        assert leaf_with_equal_salts(replace(RECORD, **{name: value})) != before, name


def test_each_personal_value_has_its_own_salt():
    form = sealed_form(RECORD)
    salts = salts_for(form, bytes(range(salt_bytes(form))))
    assert salts.keys() == personal_values(form).keys() >= {"actor.name", "ip", "before.role"}
    assert len(set(salts.values())) == len(salts)
