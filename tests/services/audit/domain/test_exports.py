"""Rules of exports: their end, their places, and lines that no spreadsheet runs."""

import csv
import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest

from services.audit.domain.exports import (
    MAX_OF_ACCOUNT,
    MAX_OF_REPLICA,
    CsvExport,
    Export,
    JsonExport,
    Places,
    Summary,
    TooManyExports,
    end_of,
)
from services.audit.domain.records import Filters, Span, record_of
from services.audit.domain.sealed_records import sealed_form
from shared.contracts.facts import Actor, ResourceRef
from shared.contracts.team import MemberRemoved
from tests.services.rows import NOON, row_of

MEMBER = MemberRemoved(account_name="A", user_id="usr_b", email="b@x.org", name="B", role="r")
RECORD = replace(
    record_of(row_of(MEMBER, account_id="acc_1"), recorded_at=NOON),
    actor=Actor(type="user", id="usr_1", name='=HYPERLINK("http://x")', email="-a@x.org"),
    resource=ResourceRef(type="member", id="+1", name='Bo, "Li"\nZwei'),
    before={"role": "=cmd"},
    reason="@SUM(1)",
)
EXPORT = Export(
    account_id="acc_1",
    filters=Filters(user="usr_1"),
    after=None,
    taken_at=NOON,
    complete_until=None,
    kept_since=None,
    lookups=(),
    span=Span(),
    exact_until=NOON,
    size=7,
    checkpoint="note",
    estimate=3,
)
SEAL = {"index": 3, "salts": {}, "proof": []}
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("until", "complete", "end"),
    [
        (None, None, NOON),
        (None, NOON - MINUTE, NOON - MINUTE),
        (None, NOON + MINUTE, NOON),
        (NOON - 2 * MINUTE, NOON - MINUTE, NOON - 2 * MINUTE),
        (NOON + MINUTE, NOON - MINUTE, NOON - MINUTE),
        (NOON + MINUTE, None, NOON),
    ],
)
def test_an_export_ends_where_nothing_earlier_arrives_any_more(until, complete, end):
    assert end_of(Filters(until=until), now=NOON, complete_until=complete) == end


def test_the_places_of_exports_are_bounded_and_given_back():
    places = Places()
    with places.place("acc_1"), places.place("acc_1"):
        assert MAX_OF_ACCOUNT == 2
        with pytest.raises(TooManyExports):
            places.require_room("acc_1")
        places.require_room("acc_2")
    places.require_room("acc_1")
    held = [places.place(f"acc_{number}") for number in range(MAX_OF_REPLICA)]
    for one in held:
        one.__enter__()
    with pytest.raises(TooManyExports):
        places.require_room("acc_x")
    held[0].__exit__(None, None, None)
    places.require_room("acc_x")


@pytest.mark.parametrize(
    ("filters", "after", "complete"),
    [
        (Filters(), None, True),
        (Filters(), "evt_1", False),
        (Filters(user="usr_1"), None, False),
    ],
)
def test_an_export_is_of_the_whole_log_from_its_beginning_without_filters(filters, after, complete):
    assert replace(EXPORT, filters=filters, after=after).complete is complete


def test_a_row_has_every_value_below_its_column():
    lines = CsvExport()
    text = lines.first(EXPORT) + lines.record(RECORD, None)
    [row] = csv.DictReader(StringIO(text, newline=""))
    assert row["id"] == RECORD.id
    assert (row["actor_id"], row["actor_type"]) == ("usr_1", "user")
    assert row["actor_name"] == '\'=HYPERLINK("http://x")'
    assert row["actor_email"] == "'-a@x.org"
    assert (row["resource_id"], row["resource_name"]) == ("'+1", 'Bo, "Li"\nZwei')
    assert json.loads(row["before"]) == {"role": "=cmd"}
    assert (row["after"], row["reason"]) == ("", "'@SUM(1)")
    assert (row["source"], row["seq"]) == (RECORD.position.source, str(RECORD.position.seq))
    assert (row["outcome"], row["action"]) == ("succeeded", "member.removed")


def test_a_row_says_through_which_client_a_user_acted_and_who_reported_it():
    actor = RECORD.actor.model_copy(update={"via": "cli_agent"})
    record = replace(RECORD, actor=actor, reported_by="cli_platform")
    text = CsvExport().first(EXPORT) + CsvExport().record(record, None)
    [row] = csv.DictReader(StringIO(text, newline=""))
    assert (row["via"], row["reported_by"]) == ("cli_agent", "cli_platform")


def test_every_row_of_a_file_has_as_many_cells():
    lines, summary = CsvExport(byte_order_mark=True), Summary()
    summary.add(RECORD)
    text = lines.first(EXPORT) + lines.record(RECORD, None) + lines.last(EXPORT, summary)
    rows = list(csv.reader(StringIO(text + lines.stopped("stale"), newline="")))
    assert text.startswith("\ufeffid,")
    assert {len(row) for row in rows} == {len(lines.columns)}
    assert rows[-2][:4] == ["#end", "records: 1", f"first: {RECORD.id}", f"last: {RECORD.id}"]
    assert rows[-1][:2] == ["#stopped", "stale"]
    assert text.count("\r\n") == 3


def test_json_lines_tell_what_is_in_them_and_each_record_as_it_is_stored():
    lines, summary = JsonExport(), Summary()
    summary.add(RECORD)
    text = lines.first(EXPORT) + lines.record(RECORD, SEAL) + lines.last(EXPORT, summary)
    first, record, last = map(json.loads, text.splitlines())
    assert first == {
        "type": "export",
        "version": 1,
        "account_id": "acc_1",
        "taken_at": "2026-03-05T12:00:00.000Z",
        "complete_until": None,
        "kept_since": None,
        "filters": {"user": "usr_1"},
        "after": None,
        "estimate": 3,
        "estimate_is_minimum": False,
        "size": 7,
        "checkpoint": "note",
    }
    sealed = json.loads(json.dumps(sealed_form(RECORD)))
    assert record == {"type": "record", **sealed, "seal": SEAL}
    assert (last["type"], last["records"]) == ("end", 1)
    assert (last["first"], last["last"]) == (RECORD.id, RECORD.id)
