"""Which values of a record are an erased person's, and records without them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.audit.domain.erased_people import (
    LATE,
    ErasedPeople,
    ErasedPerson,
    PersonMarks,
    addresses_in,
    traces_of,
)
from services.audit.domain.erasures import without
from services.audit.domain.records import KnownUser, record_of
from shared.contracts.facts import Actor, RequestInfo, ResourceRef
from tests.services.audit.sealed_site import MEMBER
from tests.services.rows import NOON, row_of

ZOE, HOME, TEAM = "usr_zoe", "acc_home", "acc_team"
NAME, ADDRESS = "Zoe Quill", "Zoe@Example.com"
MARKS = PersonMarks(b"a key")
KNOWN = KnownUser(user_id=ZOE, name=NAME, email=ADDRESS.casefold(), as_of=NOON)
TRACES = traces_of(KNOWN, MARKS)
PEOPLE = ErasedPeople(
    [
        ErasedPerson(
            user_id=ZOE,
            home=HOME,
            at=NOON + timedelta(hours=1),
            traces=type(TRACES)(
                addresses=TRACES.addresses,
                names=TRACES.names,
                lengths=TRACES.lengths,
                accounts=frozenset({TEAM}),
            ),
        ),
        ErasedPerson(user_id="usr_yan", home=None, at=NOON + timedelta(days=90)),
    ],
    MARKS,
)
BY_ZOE = Actor(type="user", id=ZOE, name=NAME, email=ADDRESS)
BY_ANA = Actor(type="user", id="usr_ana", name="Ana Díaz", email="ana@example.com")
NOT_KNOWN = Actor(type="anonymous", id="anonymous")
ABOUT_ZOE = ("user", ZOE, NAME)
PROJECT = ("project", "prj_1", "North")
LOG = ("audit_log", TEAM, None)


def a_record(resource, *, by=BY_ANA, account=TEAM, at=NOON, **fields):
    kind, key, name = resource
    row = row_of(
        MEMBER,
        account_id=account,
        actor=by,
        occurred_at=at,
        resource=ResourceRef(type=kind, id=key, name=name),
        request=RequestInfo(request_id="req", ip="203.0.113.7", user_agent="phone"),
        **fields,
    )
    return record_of(row, recorded_at=NOON)


DEVICE = {"ip", "user_agent"}
CASES = {
    "her own action": (
        a_record(PROJECT, by=BY_ZOE),
        {"actor.name", "actor.email", *DEVICE},
    ),
    "an action for her by a service": (
        a_record(PROJECT, by=Actor(type="service_client", id="cli_1", on_behalf_of=ZOE)),
        set(),
    ),
    "another's action on her": (
        a_record(
            ABOUT_ZOE,
            before={"role": "admin", "expires_at": None},
            after={"role": "viewer", "new_field": {"desk": 4}, "nothing": None},
        ),
        {"resource.name", "after.new_field"},
    ),
    "her erasure itself": (a_record(("user", ZOE, None), after={"records": 3}), set()),
    "her membership": (a_record(("member", ZOE, NAME)), {"resource.name"}),
    "her override": (
        a_record(("override", f"prj_1/{ZOE}", "Zoe in North"), after={"grants": {}}),
        {"resource.name"},
    ),
    "an unknown sender at her account": (
        a_record(ABOUT_ZOE, by=NOT_KNOWN),
        {"resource.name", *DEVICE},
    ),
    "an unknown sender elsewhere": (a_record(PROJECT, by=NOT_KNOWN), set()),
    "her sign-up": (
        a_record(
            ("sign_up", "sup_1", "Z."),
            by=NOT_KNOWN,
            account=None,
            after={"email": "zoe@example.com", "name": "Z."},
        ),
        {"resource.name", "after.email", "after.name", *DEVICE},
    ),
    "another's sign-up": (
        a_record(
            ("sign_up", "sup_1", NAME), by=NOT_KNOWN, account=None, after={"email": "z@example.com"}
        ),
        set(),
    ),
    "an invitation to her": (
        a_record(("invitation", "inv_1", ADDRESS), account="acc_x", after={"role": "admin"}),
        {"resource.name"},
    ),
    "an invitation to another": (a_record(("invitation", "inv_1", "x@example.com")), set()),
    "her personal account": (
        a_record(("account", HOME, "Zo"), account=HOME, after={"name": "Zo", "kind": "personal"}),
        {"resource.name", "after.name"},
    ),
    "her token": (
        a_record(("api_token", "tok_1", "laptop"), by=BY_ZOE, after={"name": "laptop"}),
        {"resource.name", "after.name", "actor.name", "actor.email", *DEVICE},
    ),
    "another's token": (
        a_record(("api_token", "tok_1", "laptop"), after={"name": "laptop"}),
        set(),
    ),
    "a former owner": (
        a_record(
            ("account", TEAM, "Acme"),
            before={"owner_user_id": ZOE, "owner": "Z."},
            after={"owner_user_id": "usr_ana", "owner": "Ana Díaz"},
        ),
        {"before.owner"},
    ),
    "an address deep in a value": (
        a_record(PROJECT, account="acc_x", after={"a": [{"b": f"to <{ADDRESS}>, x@y.example"}]}),
        {"after.a"},
    ),
    "an address as the name of a member": (
        a_record(PROJECT, after={"a": {ADDRESS: 1}}),
        {"after.a"},
    ),
    "an address within another one": (a_record(PROJECT, after={"a": f"x.{ADDRESS}"}), set()),
    "an address in a reply": (
        a_record(PROJECT, reason=f"550 5.1.1 <{ADDRESS}>: unknown"),
        {"reason"},
    ),
    "her name in a text": (a_record(PROJECT, after={"a": "ask zoe quill first"}), set()),
    "a project with her name": (a_record(("project", "prj_1", NAME)), set()),
    "a word of her name in a text": (a_record(PROJECT, after={"a": "Zoe first"}), set()),
    "her name in another account": (a_record(PROJECT, account="acc_x", after={"a": NAME}), set()),
    "a search for a word of her name": (
        a_record(LOG, after={"filters": {"text": "QUILL"}}),
        {"after.filters"},
    ),
    "a search for another word": (a_record(LOG, after={"filters": {"text": "north"}}), set()),
    "the address of its next owner": (
        a_record(("invitation", "inv_1", ADDRESS), at=NOON + timedelta(hours=2) + LATE),
        set(),
    ),
    "a search for the name of a later person": (
        a_record(
            LOG, at=NOON + timedelta(hours=2) + LATE, after={"filters": {"text": "zoe quill"}}
        ),
        set(),
    ),
    "a late fact about her": (
        a_record(ABOUT_ZOE, at=NOON + timedelta(hours=2) + LATE),
        {"resource.name"},
    ),
}


@pytest.mark.rule("Ro17")
@pytest.mark.parametrize(("record", "paths"), CASES.values(), ids=CASES)
def test_the_values_of_an_erased_person_are_found_by_their_fields(record, paths):
    assert PEOPLE.found_in(record).paths == paths


@pytest.mark.parametrize(("record", "paths"), CASES.values(), ids=CASES)
def test_a_record_without_them_has_all_else(record, paths):
    less = without(record, paths)
    assert PEOPLE.found_in(less).paths == set()
    assert less.erased == tuple(sorted(paths))
    assert bool(less.digest) is not bool(paths)
    assert (less.id, less.actor.id, less.resource.id) == (
        record.id,
        record.actor.id,
        record.resource.id,
    )
    assert without(less, paths) == less


def test_what_a_record_tells_of_a_person_is_learned():
    renamed = a_record(
        ABOUT_ZOE,
        account=HOME,
        before={"name": "Zoe Vane", "email": "vane@example.com"},
        after={"name": NAME},
    )
    [told] = PEOPLE.found_in(renamed).learned.values()
    assert told.addresses == {MARKS.address("VANE@example.com")}
    assert MARKS.name(["zoe", "vane"]) in told.names
    assert told.accounts == {HOME}
    assert PEOPLE.found_in(a_record(PROJECT, by=BY_ZOE)).learned == {}


def test_unproved_addresses_and_reported_names_teach_nothing():
    asked = a_record(ABOUT_ZOE, account=HOME, after={"new_email": "boss@corp.example"})
    told = PEOPLE.found_in(asked)
    assert "after.new_email" in told.paths
    assert not any(traces.addresses for traces in told.learned.values())
    reported = a_record(PROJECT, after={"owner": "Onyx Ledger", "owner_user_id": ZOE})
    assert PEOPLE.found_in(reported).learned
    assert PEOPLE.found_in(replace(reported, reported_by="cli_1")).learned == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("550 <zoe@example.com>: unknown", ["zoe@example.com"]),
        ("ask zoe@example.com.", ["zoe@example.com"]),
        ("@zoe and zoe@", []),
        ("a@b, c@d", ["a@b", "c@d"]),
    ],
)
def test_addresses_are_found_between_what_surrounds_them(text, found):
    assert addresses_in(text) == found


def test_a_name_of_one_word_is_a_name_in_fields_of_names_only():
    max_ = KnownUser(user_id="usr_max", name="Max", email="max@example.com", as_of=NOON)
    traces = traces_of(max_, MARKS) | type(TRACES)(accounts=frozenset({TEAM}))
    people = ErasedPeople(
        [ErasedPerson(user_id="usr_max", home=None, at=NOON, traces=traces)], MARKS
    )
    account = ("account", TEAM, "Max")
    found = people.found_in(a_record(account, before={"offered_to": "MAX", "limit": "max"}))
    assert found.paths == {"before.offered_to"}


def test_marks_tell_nothing_without_their_key():
    other = PersonMarks(b"another key")
    assert other.address(ADDRESS) != MARKS.address(ADDRESS) == MARKS.address(ADDRESS.upper())
    assert MARKS.name(["x"]) != MARKS.address("x")
