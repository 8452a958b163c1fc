"""The sealed form of a record has all of it."""

import json
import os
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.audit.sealed import SALT_BYTES, commitments, leaf_of, personal_values
from services.audit.domain.leaves import Leaf, LeafActor, LeafPosition, LeafRecord, sealed
from services.audit.domain.records import Record, record_of
from services.audit.domain.sealed_records import sealed_form
from shared.contracts.facts import Actor, Outcome, Position, RequestInfo, ResourceRef
from shared.contracts.team import MemberRemoved
from tests.services.rows import NOON, row_of

MEMBER = MemberRemoved(
    account_name="Acme", user_id="usr_bo", email="bo@example.com", name="Bo Li", role="developer"
)
RECORD = record_of(row_of(MEMBER, account_id="acc_1", before={"role": "admin"}), recorded_at=NOON)
NOT_SEALED = {"digest", "erased"}
"""The digest follows from the row, and would tell what was erased; the seal says what was."""
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
    _, leaf = sealed(record, "acc_1", 0, bytes)
    return leaf


def test_every_field_of_a_record_changes_its_leaf():
    assert {field.name for field in fields(Record)} == OTHER.keys() | NOT_SEALED
    before = leaf_with_equal_salts(RECORD)
    for name, value in OTHER.items():
        assert leaf_with_equal_salts(replace(RECORD, **{name: value})) != before, name


def test_the_leaf_has_every_member_of_an_actor_sorted_as_its_form_is():
    """A member that comes later is not forgotten, and the encoder need not sort."""
    assert {*LeafActor.__struct_fields__, "name", "email"} == Actor.model_fields.keys()
    assert set(LeafPosition.__struct_fields__) == set(Position._fields)
    for part in (Leaf, LeafActor, LeafPosition, LeafRecord):
        assert list(part.__struct_fields__) == sorted(part.__struct_fields__)


def test_each_personal_value_has_its_own_salt():
    seal, _ = sealed(RECORD, "acc_1", 0, lambda number: bytes(range(number)))
    values = personal_values(sealed_form(RECORD))
    assert seal.salts.keys() == values.keys() >= {"actor.name", "ip", "before.role"}
    assert {len(salt) for salt in seal.salts.values()} == {SALT_BYTES}
    assert len(set(seal.salts.values())) == len(seal.salts)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
maybe = st.none() | texts
members = st.dictionaries(
    texts | st.sampled_from(["role", "\U0001f600", "\ufb33"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=4,
    ).filter(lambda value: "inf" not in repr(value)),
    max_size=3,
)
moments = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))
records = st.builds(
    replace,
    st.just(RECORD),
    id=texts,
    account_id=maybe,
    account_rev=st.none() | st.integers(0, 2**62),
    occurred_at=moments,
    recorded_at=moments,
    actor=st.builds(
        Actor,
        type=st.sampled_from(["user", "service"]),
        id=texts,
        **dict.fromkeys(("name", "email", "session_id", "token_id", "on_behalf_of", "via"), maybe),
    ),
    action=texts,
    resource=st.builds(ResourceRef, type=texts, id=texts, name=maybe),
    project_id=maybe,
    outcome=st.sampled_from(Outcome),
    before=st.none() | members,
    after=st.none() | members,
    reason=maybe,
    request=st.builds(RequestInfo, request_id=texts, trace_id=maybe, ip=maybe, user_agent=maybe),
    position=st.builds(Position, texts, texts, st.integers(0, 63), st.integers(1, 2**62)),
    change_id=texts,
    reported_by=maybe,
)


@pytest.mark.rule("B11")
@given(records)
def test_the_leaf_of_any_record_is_that_of_its_definition(record):
    """The definition is that of the verifier, in the canonical form that rfc8785 confirms."""
    form = sealed_form(record)
    seal, leaf = sealed(record, "acc_1", 7, os.urandom)
    values = personal_values(form)
    assert leaf == leaf_of(form, commitments(values, seal.salts))
    exported = json.loads(json.dumps(form))
    assert leaf == leaf_of(exported, commitments(personal_values(exported), seal.salts))
