"""Every row refuses a query that does not fit it."""

import base64
import json
from typing import Any
from urllib.parse import quote

from shared.http.routes import Route, Strictness
from tests.contracts.asking import SANE, Asking, Case
from tests.contracts.pairing import row_pairs
from tests.contracts.people import People
from tests.contracts.rows import (
    ROWS,
    body_of,
    harmless_path,
    request,
)

WRONG_QUERIES: dict[str, tuple[str, ...]] = {
    "limit": ("0", "-1", "201", "9" * 400, "", "x", "1.5", "1e2", "0x10", "true", "null"),
    "cursor": (
        "x",
        "%C3%A9",
        "e30",
        "e30=",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b'["a"]').decode(),
        base64.urlsafe_b64encode(b'["a","b","c"]').decode(),
        base64.urlsafe_b64encode(b"NaN").decode(),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
        base64.urlsafe_b64encode(b"9" * 700).decode(),
        base64.urlsafe_b64encode(b'{"$gt":""}').decode(),
        base64.urlsafe_b64encode(b'["' + b"~" * 300 + b'", 9]').decode(),
        base64.urlsafe_b64encode(json.dumps(["\ud800", "\0"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["d", "\ud800", "\0"]).encode()).decode(),
        base64.urlsafe_b64encode(b'[{"$gt":""},[[[[]]]]]').decode(),
        "A" * 2_001,
    ),
    "status": ("", "gone", "ACTIVE", "active,invited", "1"),
    "q": ("x" * 201,),
    "role": ("", "x" * 65, "Admin", "$ne", "a.b"),
    "account": ("", "x" * 300, "acc_x", "prj_" + "0" * 32),
    "confirm": ("x" * 401,),
    "locale": ("", "fr", "DE", "en,de"),
    "unread": ("", "1", "yes", "TRUE", "true,false"),
    "token": ("x" * 301,),
    "current": ("", "1", "yes", "TRUE", "true,false"),
    "counts": ("", "1", "yes", "TRUE", "true,false"),
    "sort": ("", "password", "--name", "name,email", "$natural"),
    "project": ("", "x" * 300, "prj_x", "usr_" + "0" * 32),
    "replacement": ("", "x" * 300),
    "type": ("", "x" * 65, "Instance", "a-b", "1a"),
    "owner": ("", "x" * 300, "usr_x", "prj_" + "0" * 32),
    "reassign_to": ("", "x" * 300, "usr_x", "prj_" + "0" * 32),
    "from": (
        "",
        "yesterday",
        "1700000000",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-13-01T00:00Z",
    ),
    "to": ("", "x", "99999-01-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-01T25:00:00Z"),
    "user": ("", "x" * 255, "usr_1", "cli_" + "0" * 31),
    "resource_type": ("", "x" * 255),
    "resource_id": ("", "x" * 255),
    "action": ("", "member%20removed", "MEMBER", "(", "member.**", "^.*$", "x" * 102, "%D9%A1"),
    "outcome": ("", "ok", "succeeded,denied"),
    "request_id": ("", "x" * 255),
    "through": ("", "x" * 255, "tok_1", "ses_"),
    "on_behalf_of": ("", "x" * 255, "usr_1"),
    "after": ("", "x" * 255, "evt_1", "evt_" + "0" * 32),
    "bom": ("", "maybe", "1", "TRUE"),
    "text": ("", "x" * 255, "%20", "$", "%E2%80%AE"),
    "group": ("", "0", "-1", "65", "x", "1.5", "9" * 30),
    "group_by": ("", "day,", "members", "DAY", "day;member"),
    "format": ("", "xml", "CSV", "json,csv"),
    "size": ("", "-1", "x", "1.5", "9" * 30, "NaN"),
    "from_size": ("", "-1", "x", "1.5", "9" * 30),
    "first": ("", "-1", "x", "1.5", "9" * 30),
}
"""What does not fit a parameter, by its name; every row that has it is asked."""

ODD_QUERIES: dict[str, tuple[str, ...]] = {
    "limit": ("1.0", "1_0", "%2B1", "%201", "%D9%A1", "01"),
    "q": ("%C3%9F%C5%BF", "(((((a+)+)+)+)+$", "%5C", "$where", ".*", "%E2%80%AE"),
    "from": ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59.999999-23:59"),
    "to": ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59.999999-23:59"),
    "user": ("@", "a@b", "$ne", "%7B%22$gt%22:%22%22%7D", "%F0%9F%98%80", "usr-1"),
    "resource_type": ("$ne", "%7B%22$gt%22:1%7D", "a.b", "%E2%80%AE"),
    "resource_id": ("$ne", "a.b", "%F0%9F%98%80"),
    "action": ("member.", "member.*", "*", ".", "a.b.c.d", "-"),
    "project": ("prj_" + "0" * 32,),
    "request_id": ("$ne", "a.b"),
    "through": ("$ne", "a%26b=c"),
    "on_behalf_of": ("$ne", "a.b"),
    "text": ("$ne", "%7B%22$gt%22:1%7D", "%D9%A1", "a" * 254, ".*+a"),
}
"""What fits, and must find little or nothing."""

BROKEN_QUERIES = (
    "%00",
    "%00=1",
    "a=%00",
    "%ff=%fe",
    "a=%ed%a0%80",
    "%zz=%",
    "=",
    "&&&",
    "?",
    "a[]=1&a[$ne]=2",
    "a=" + "x" * 7_000,
    "&".join(f"a{number}=1" for number in range(700)),
)


def asked(row: Route, people: People, query: str, **expected: Any) -> Case:
    """A request with this query, good but for it."""
    path = f"{harmless_path(row, people.team)}?{query}"
    return request(row, people, f"?{query[:80]}", body_of(row, people), path=path, **expected)


def names_of(row: Route) -> set[str]:
    """The parameters that the row knows."""
    if row.query is None:
        return set()
    return {field.alias or name for name, field in row.query.model_fields.items()}


def test_every_parameter_has_wrong_values():
    assert set(WRONG_QUERIES) == set().union(*map(names_of, ROWS))


async def test_a_parameter_that_does_not_fit_is_refused_by_its_pointer(
    asking: Asking, people: People
):
    await asking.check(
        asked(
            row,
            people,
            f"{name}={value}",
            statuses={422},
            code="invalid",
            pointer=f"/query/{name}",
        )
        for row in ROWS
        for name in sorted(names_of(row))
        for value in WRONG_QUERIES[name]
    )


async def test_odd_parameters_cause_no_internal_error(asking: Asking, people: People):
    await asking.check(
        asked(row, people, f"{name}={value}", statuses=SANE)
        for row in ROWS
        for name in sorted(names_of(row))
        for value in ODD_QUERIES.get(name, ())
    )


async def test_a_parameter_is_given_once(asking: Asking, people: People):
    await asking.check(
        asked(
            row,
            people,
            f"{name}=1&{name}=1",
            statuses={422},
            code="invalid",
            pointer=f"/query/{name}",
        )
        for row in ROWS
        for name in sorted(names_of(row))
    )


async def test_an_unknown_parameter_is_refused_by_its_pointer(asking: Asking, people: People):
    unknown = {
        "surprise": "/query/surprise",
        "LIMIT": "/query/LIMIT",
        "limit[$gt]": "/query/limit[$gt]",
        "$where": "/query/$where",
        "a/b": "/query/a~1b",
        "account_id": "/query/account_id",
        "access_token": "/query/access_token",
        "": "/query/",
    }
    await asking.check(
        asked(row, people, f"{name}=1", statuses={422}, code="invalid", pointer=pointer)
        for row, (name, pointer) in row_pairs(
            [row for row in ROWS if row.strictness is Strictness.STRICT], unknown.items()
        )
    )


async def test_an_unreadable_query_causes_no_internal_error(asking: Asking, people: People):
    await asking.check(
        asked(row, people, query, statuses=SANE) for row, query in row_pairs(ROWS, BROKEN_QUERIES)
    )


async def test_a_cursor_of_another_list_or_account_is_refused(asking: Asking, people: People):
    lists = [row for row in ROWS if "cursor" in names_of(row) and row.method == "GET"]
    cursors: dict[str, str] = {}
    for row in lists:
        first = await asking.send(asked(row, people, "limit=1", statuses={200}))
        if first.problem["next_cursor"] is not None:
            cursors[row.operation_id] = first.problem["next_cursor"]
    assert len(cursors) > 2
    for row in lists:
        for other, cursor in cursors.items():
            query = f"limit=200&cursor={quote(cursor)}"
            own = other == row.operation_id
            case = asked(row, people, query, statuses={200} if own else {422})
            said = await asking.send(case)
            assert not asking.wrong(case, said)
            if not own:
                assert [error["pointer"] for error in said.problem["errors"]] == ["/query/cursor"]
