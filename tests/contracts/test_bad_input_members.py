"""Every member of every body is held to its type, and unknown members are refused."""

import copy
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from shared.http.routes import Media, Route, Strictness
from tests.contracts.asking import SANE, Asking, Case
from tests.contracts.pairing import kind_of, row_pairs
from tests.contracts.people import People
from tests.contracts.rows import (
    DECISIONS,
    OF_POINTS,
    ROWS,
    WITH_BODY,
    body_of,
    encoded,
    examples,
    path_of,
    request,
)
from tests.contracts.schemas import Place, places
from tests.pairing import one_of, pairs

JSON_ROWS = tuple(row for row in WITH_BODY if row.media is Media.JSON)
STRICT_ROWS = tuple(row for row in JSON_ROWS if row.strictness is Strictness.STRICT)
WRITES = tuple(row for row in ROWS if row.method != "GET")

VALUES: tuple[tuple[str, Any], ...] = (
    ("object", {"$gt": ""}),
    ("object", {"$where": "1"}),
    ("object", {"$ne": None}),
    ("object", {}),
    ("array", []),
    ("array", ["x"]),
    ("array", [{"$gt": ""}]),
    ("boolean", True),
    ("boolean", False),
    ("integer", 0),
    ("integer", 1),
    ("integer", 19_000_000_000),  # a moment in the year 2572, if numbers counted as times
    ("integer", -(2**63)),
    ("number", 1.5),
    ("number", 1e308),
    ("null", None),
    ("string", "x"),
)
STRANGERS: tuple[tuple[str, str], ...] = (
    ("surprise", "/surprise"),
    ("", "/"),
    ("$where", "/$where"),
    ("$set", "/$set"),
    ("__proto__", "/__proto__"),
    ("__class__", "/__class__"),
    ("a.b", "/a.b"),
    ("a/b~c", "/a~1b~0c"),
    ("model_config", "/model_config"),
    ("NAME", "/NAME"),
    ("näme", "/näme"),
)
CANARIES: Mapping[str, Any] = {
    "account_id": "acc_" + "0" * 32,
    "user_id": "usr_" + "0" * 32,
    "id": "usr_" + "0" * 32,
    "_id": "usr_" + "0" * 32,
    "owner": True,
    "owner_user_id": "usr_" + "0" * 32,
    "verified": True,
    "verified_at": "2020-01-01T00:00:00Z",
    "email_verified": True,
    "role": "owner",
    "status": "active",
    "kind": "team",
    "permissions": ["*"],
    "grants": {"*": {"*": "all"}},
    "password_hash": "x",
    "account_rev": 0,
    "is_admin": True,
    "membership_id": "mem_" + "0" * 32,
    "given_by": "usr_" + "0" * 32,
}
"""What a caller must not be able to set, unless the row says that it takes it."""

TEXTS = (
    " ",
    "\t\r\n",
    "a\r\nBcc: eve@example.com",
    "=?utf-8?q?x=0d=0aBcc:eve@example.com?=",
    "$where",
    "$gt",
    "a.b.c",
    "../../../etc/passwd",
    "%00%0d%0a",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "\u202eevil",
    "\u200b",
    "\ufeff",
    "\uffff",
    "\U000e0001",
    "e\u0301" * 100,
    "😀" * 120,
    "x" * 513,
    "eve@example.com,bob@example.com",
    "@",
    "a@b",
    "a@xn--.com",
    "a@" + "b." * 120 + "c",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2024-02-30T00:00:00Z",
    "2999-01-01",
    "1e999",
)
GRANTS: tuple[tuple[Any, str], ...] = (
    ({"$where": {"view": "all"}}, "/grants/$where"),
    ({"instance": {"$ne": "all"}}, "/grants/instance/$ne"),
    ({"instance": {"view": "$all"}}, "/grants/instance/view"),
    ({"instance": {"view": ""}}, "/grants/instance/view"),
    ({"instance.view": {"view": "all"}}, "/grants/instance.view"),
    ({"": {"view": "all"}}, "/grants/"),
    ({"instance": {"": "all"}}, "/grants/instance/"),
    ({"__proto__": {"view": "all"}}, "/grants/__proto__"),
    ({"member": {"invite": "all"}}, "/grants/member"),
    ({"balance": {"view": "all"}}, "/grants/balance"),
    ({"playground": {"use": "self"}}, "/grants/playground"),
    ({f"entry-{number}": {"view": "all"} for number in range(501)}, "/grants"),
    ({"x" * 30_000: {"view": "all"}}, "/grants"),
)


def replaced(body: Mapping[str, Any], steps: Sequence[str], value: Any) -> dict[str, Any]:
    """The body with another value there."""
    changed = copy.deepcopy(dict(body))
    inner = changed
    for step in steps[:-1]:
        inner = inner[step]
    inner[steps[-1]] = value
    return changed


def without(body: Mapping[str, Any], steps: Sequence[str]) -> dict[str, Any]:
    """The body without that member."""
    changed = copy.deepcopy(dict(body))
    inner = changed
    for step in steps[:-1]:
        inner = inner[step]
    del inner[steps[-1]]
    return changed


def refusal(row: Route, pointer: str) -> dict[str, Any]:
    """How this row says that something does not fit."""
    if row.strictness is Strictness.LENIENT:
        return {"statuses": {400}, "code": "bad-request", "pointer": pointer}
    return {"statuses": {422}, "code": "invalid", "pointer": pointer}


def wrong_values(row: Route, place: Place) -> Iterator[list[Any]]:
    """What does not fit there: the values of each type."""
    wrong: dict[str, list[Any]] = {}
    lenient = row.strictness is Strictness.LENIENT
    for kind, value in VALUES:
        if kind == "object" and place.empty_fits:
            fits = lenient or not value  # its members are not known there, or of a wrong type
        elif kind == "object":
            fits = False
        else:
            fits = kind in place.types
        if not fits:
            wrong.setdefault(kind, []).append(value)
    yield from wrong.values()
    if place.longest is not None:
        yield ["x" * (place.longest + 1)]
        yield ["x" * 60_000]


def all_places(row: Route, people: People) -> Iterator[tuple[dict[str, Any], Place]]:
    """Every member of every example of the row."""
    assert row.takes is not None
    for body in examples(people)[row.operation_id]:
        for place in places(row.takes, body):
            yield body, place


async def test_a_member_of_another_type_is_refused_by_its_pointer(asking: Asking, people: People):
    def cases() -> Iterator[Case]:
        turns = itertools.count()
        for row in JSON_ROWS:
            for body, place in all_places(row, people):
                values = itertools.chain.from_iterable(
                    one_of(of_one_type, next(turns)) for of_one_type in wrong_values(row, place)
                )
                for value in values:
                    name = f"{place.pointer} = {json.dumps(value)[:60]}"
                    sent = encoded(row, replaced(body, place.steps, value))
                    yield request(row, people, name, sent, **refusal(row, place.pointer))

    await asking.check(cases())


async def test_a_missing_member_is_refused_by_its_pointer(asking: Asking, people: People):
    await asking.check(
        request(
            row,
            people,
            f"no {place.pointer}",
            encoded(row, without(body, place.steps)),
            **refusal(row, place.pointer),
        )
        for row in JSON_ROWS
        for body, place in all_places(row, people)
        if place.required
    )


@pytest.mark.rule("T23")
async def test_an_unknown_member_is_refused_by_its_pointer_on_every_level(
    asking: Asking, people: People
):
    def cases() -> Iterator[Case]:
        objects = [
            (row, body, steps)
            for row in STRICT_ROWS
            for body in examples(people)[row.operation_id]
            for steps in [(), *((name,) for name in body if name == "invitation")]
        ]
        given = pairs(objects, lambda _: STRANGERS, kind=lambda thing: kind_of(thing[0]))
        for (row, body, steps), (name, pointer) in given:
            above = "".join(f"/{step}" for step in steps)
            sent = encoded(row, replaced(body, (*steps, name), "x"))
            expected = refusal(row, above + pointer)
            yield request(row, people, f"{above}/{name}", sent, **expected)

    await asking.check(cases())


@pytest.mark.rule("T23")
async def test_what_a_caller_must_not_set_is_refused_on_every_write(asking: Asking, people: People):
    def cases() -> Iterator[Case]:
        for row in STRICT_ROWS:
            assert row.takes is not None
            for body in examples(people)[row.operation_id]:
                for name in CANARIES.keys() - row.takes.model_fields.keys():
                    sent = encoded(row, body | {name: CANARIES[name]})
                    yield request(row, people, name, sent, **refusal(row, f"/{name}"))
        strict = [row for row in WRITES if row.strictness is Strictness.STRICT]
        for row, name in row_pairs(strict, CANARIES):
            path = f"{path_of(row, people.team.ids)}?{name}=x"
            pointer = f"/query/{name}"
            good = body_of(row, people)
            yield request(row, people, f"?{name}", good, path=path, **refusal(row, pointer))

    await asking.check(cases())


async def test_a_lenient_row_ignores_what_it_does_not_know(asking: Asking, people: People):
    lenient = [row for row in WITH_BODY if row.strictness is Strictness.LENIENT]
    assert {row.operation_id for row in lenient} == {
        *(row.operation_id for row in DECISIONS if row not in OF_POINTS),
        "getToken",
        "introspectToken",
        "revokeToken",
    }
    for row in lenient:
        body, *_ = examples(people)[row.operation_id]
        unknown = {name: "x" for name, _ in STRANGERS} | {"decision": "true", "account_id": "x"}
        more = {
            name: inner | {"later": {"version": 2}} if isinstance(inner, dict) else inner
            for name, inner in body.items()
        }
        case = request(row, people, "unknown", encoded(row, more | unknown), statuses={200})
        answer = await asking.send(case)
        assert answer.status == 200, answer.text
        plain = await asking.send(request(row, people, "plain", encoded(row, body), statuses={200}))
        assert answer.problem.keys() == plain.problem.keys()
        assert answer.problem.get("decision") == plain.problem.get("decision")


async def test_no_text_in_any_member_causes_an_internal_error(asking: Asking, people: People):
    def cases() -> Iterator[Case]:
        texts = [
            (row, body, place)
            for row in WITH_BODY
            for body, place in all_places(row, people)
            if "string" in place.types
        ]
        given = pairs(texts, lambda _: TEXTS, kind=lambda thing: kind_of(thing[0]))
        for (row, body, place), text in given:
            # The account may have this text as its name by now.
            told = f"not {text}" if place.pointer == "/confirm" else text
            sent = encoded(row, replaced(body, place.steps, told))
            name = f"{place.pointer} = {ascii(text)[:60]}"
            yield request(row, people, name, sent, statuses=SANE)

    await asking.check(cases())


async def test_grants_name_entries_and_levels_of_the_catalog_and_nothing_else(
    asking: Asking, people: People
):
    [row] = [row for row in ROWS if row.operation_id == "setOverride"]
    await asking.check(
        request(row, people, pointer, encoded(row, {"grants": grants}), **refusal(row, pointer))
        for grants, pointer in GRANTS
    )
