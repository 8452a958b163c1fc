"""Is a path, a query or a header refused that the row does not know?"""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from shared.http import Permission, Route, Strictness
from shared.ids import PREFIXES, new_id
from tests.contracts.asking import SANE, Asking, Case
from tests.contracts.people import People
from tests.contracts.rows import (
    READS,
    ROWS,
    body_of,
    content_type,
    encoded,
    examples,
    harmless_path,
    path_of,
    request,
    token_for,
)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

NO_SEGMENTS = (
    "x",
    "0",
    "-1",
    "null",
    "undefined",
    ".",
    "..",
    "%2e",
    "%2e%2e",
    "%2E%2E%2F%2e%2e",
    "..%2f..%2fme",
    "..%5c..%5cme",
    "%252e%252e",
    "%2F",
    "a%2Fb",
    "%00",
    "%0d%0aSet-Cookie:%20a=b",
    "%ff",
    "%c0%af",
    "%ed%a0%80",
    "%zz",
    "%",
    "%E2%80%AE",
    "%D9%A1%D9%A2",
    "%F0%9F%98%80",
    "$where",
    "%7B%22$gt%22:%22%22%7D",
    "[$ne]",
    "*",
    "{account_id}",
    "%7Baccount_id%7D",
    ";x=1",
    "a;b",
    "a,b",
    "a|b",
    "'%20OR%201=1",
    "%3Cscript%3E",
    "%20",
    "+",
    "x" * 300,
    "9" * 5_000,
)
"""What may stand in no path where the row names something."""


def no_ids(prefix: str, right: str) -> Iterator[str]:
    """What nearly is an id of this kind; `right` is one."""
    digits = right[4:]
    yield from (prefix, f"{prefix}_", f"{prefix}_{digits[:-1]}", f"{prefix}_{digits}0")
    yield from (f"{prefix}_{digits[:-1]}G", f"{prefix}-{digits}", f"{prefix}_{digits}%0a")
    yield from (f"{prefix.upper()}_{digits}", digits, f"{prefix}_{digits}%00", f"%20{right}")
    yield from (f"{prefix}_" + "%D9%A0" * 32, f"{right},{right}", f"{right};x", f"{right}.json")
    yield f"{prefix}_{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    yield from (new_id(other) for other in {*PREFIXES.values(), "key", "tok"} - {prefix})


REVISIONS = (
    "latest",
    "team",
    "team.x.1",
    "team.x.1.1.1",
    "team.x.64.1",
    "team.x.1.0",
    "team.x.01.1",
    "team.x.-1.1",
    "nobody.x.1.1",
    "team...",
)


async def test_a_segment_that_names_nothing_is_not_found(asking: Asking, people: People):
    def cases() -> Iterator[Case]:
        for row in ROWS:
            for name in row.parameters:
                right = people.team.ids[name]
                wrong = [*NO_SEGMENTS]
                if name in PREFIXES:
                    wrong += no_ids(PREFIXES[name], right)
                elif name == "revision":
                    wrong += REVISIONS
                for segment in wrong:
                    ids = people.team.ids | {name: segment}
                    yield request(
                        row,
                        people,
                        f"{name} = {segment[:60]}",
                        body_of(row, people),
                        path=path_of(row, ids),
                        statuses={404},
                        code="not-found",
                    )

    await asking.check(cases())


async def test_no_other_path_is_found(asking: Asking, people: People):
    """The internal rows are not at this address, and no spelling leads to another row."""
    account = people.team.path
    paths = (
        "/",
        "//",
        "/v1",
        "/v1/",
        "/v1/me/",
        "//v1/me",
        "/v1//me",
        "/V1/me",
        "/v1/me;a=b",
        "/v1/me%2f",
        "/v1/me%00",
        "/v1/me.json",
        "/v1%2fme",
        f"{account}/",
        f"{account}//members",
        f"{account}/members/",
        f"{account}/nothing",
        f"/v1/accounts//{account.rpartition('/')[2]}",
        "/internal/snapshot",
        "/internal/heads",
        "/internal/changes?shard=0&after=0",
        "/internal/jwks",
        f"/internal/users/{people.plain.user_id}",
        "/internal/decisions",
        "/internal/lease",
        "/internal/links",
        "/internal/admin/service-clients",
        "/metrics",
        "/health/live",
        "/health/ready",
        "/.env",
        "/.git/config",
        "/v1/" + "x" * 7_000,
    )
    await asking.check(
        Case(
            name=path[:60],
            method=method,
            path=path,
            token=people.team.owner.token,
            statuses={404},
            code="not-found",
        )
        for path in paths
        for method in ("GET", "POST")
    )


async def test_a_method_that_a_path_does_not_know_is_told_which_it_does(
    asking: Asking, people: People
):
    known: dict[str, set[str]] = {}
    for row in ROWS:
        path = path_of(row, people.team.ids)
        known.setdefault(path, set()).update(
            {"GET", "HEAD"} if row.method == "GET" else {row.method}
        )
    for path, methods in known.items():
        for method in set(METHODS) - methods:
            case = Case(
                name="method",
                method=method,
                path=path,
                token=people.team.owner.token,
                statuses={405},
                code="method-not-allowed",
            )
            await asking.check([case])
            answer = await asking.send(case)
            assert set(answer.headers["Allow"].split(", ")) == methods


async def test_head_answers_as_get_without_a_body(asking: Asking, people: People):
    for row in READS:
        whole = await asking.send(request(row, people, "get", None, statuses={200}))
        path, token = path_of(row, people.team.ids), token_for(row, people)
        case = Case(name="head", method="HEAD", path=path, token=token, statuses={200})
        answer = await asking.send(case)
        assert (answer.status, whole.status, answer.raw) == (200, 200, b""), row.operation_id


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
        "A" * 1_001,
    ),
    "status": ("", "gone", "ACTIVE", "active,invited", "1"),
    "q": ("x" * 201,),
    "sort": ("", "password", "--name", "name,email", "$natural"),
    "project": ("", "x" * 300),
    "from": (
        "",
        "yesterday",
        "1700000000",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-13-01T00:00Z",
    ),
    "to": ("", "x", "99999-01-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-01T25:00:00Z"),
    "user": ("", "x" * 255),
    "resource_type": ("", "x" * 255),
    "resource_id": ("", "x" * 255),
    "action": ("", "member%20removed", "MEMBER", "(", "member.**", "^.*$", "x" * 102, "%D9%A1"),
    "outcome": ("", "ok", "succeeded,denied"),
    "request_id": ("", "x" * 255),
}
"""What does not fit a parameter, by its name; every row that has it is asked."""

ODD_QUERIES: dict[str, tuple[str, ...]] = {
    "limit": ("1.0", "1_0", "%2B1", "%201", "%D9%A1", "01"),
    "cursor": (
        base64.urlsafe_b64encode(b'["' + b"~" * 300 + b'", 9]').decode(),
        base64.urlsafe_b64encode(json.dumps(["\ud800", "\0"]).encode()).decode(),
        base64.urlsafe_b64encode(b'[{"$gt":""},[[[[]]]]]').decode(),
    ),
    "q": ("%C3%9F%C5%BF", "(((((a+)+)+)+)+$", "%5C", "$where", ".*", "%E2%80%AE"),
    "from": ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59.999999-23:59"),
    "to": ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59.999999-23:59"),
    "user": ("@", "a@b", "$ne", "%7B%22$gt%22:%22%22%7D", "%F0%9F%98%80", "usr_1"),
    "resource_type": ("$ne", "%7B%22$gt%22:1%7D", "a.b", "%E2%80%AE"),
    "resource_id": ("$ne", "a.b", "%F0%9F%98%80"),
    "action": ("member.", "member.*", "*", ".", "a.b.c.d", "-"),
    "project": ("prj_" + "0" * 32,),
    "request_id": ("$ne", "a.b"),
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


async def test_a_parameter_may_be_odd_without_a_fault(asking: Asking, people: People):
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
        for row in ROWS
        if row.strictness is Strictness.STRICT
        for name, pointer in unknown.items()
    )


async def test_a_query_that_nobody_can_read_is_no_fault(asking: Asking, people: People):
    await asking.check(
        asked(row, people, query, statuses=SANE, rfc6749=True)
        for row in ROWS
        for query in BROKEN_QUERIES
    )


async def test_a_cursor_of_another_list_shows_nothing_of_that_list(asking: Asking, people: People):
    lists = [row for row in ROWS if "cursor" in names_of(row)]
    cursors, found = {}, {}
    for row in lists:
        first = await asking.send(asked(row, people, "limit=1", statuses={200}))
        page = first.problem
        cursors[row.operation_id] = page["next_cursor"]
        whole = await asking.send(asked(row, people, "limit=200", statuses={200}))
        found[row.operation_id] = [item_id(item) for item in whole.problem["items"]]
    assert any(cursors.values())
    for row in lists:
        for other, cursor in cursors.items():
            if cursor is None or other == row.operation_id:
                continue
            case = asked(row, people, f"limit=200&cursor={quote(cursor)}", statuses={200, 422})
            await asking.check([case])
            page = (await asking.send(case)).problem
            shown = {item_id(item) for item in page.get("items", ())}
            assert shown <= set(found[row.operation_id]), (row.operation_id, other)


def item_id(item: dict[str, Any]) -> str:
    """What names an item of a list."""
    return str(item.get("id") or item.get("user_id") or item.get("invitation_id"))


async def test_a_bad_idempotency_key_is_refused_by_its_pointer(asking: Asking, people: People):
    rows = [row for row in ROWS if row.idempotent]
    assert rows
    keys: tuple[tuple[str, ...], ...] = (
        ("",),
        (" ",),
        ("a b",),
        ("a\tb",),
        ("é",),
        ("x" * 256,),
        ("x" * 5_000,),
        ("a", "b"),
        ("a", "a"),
    )
    await asking.check(
        request(
            row,
            people,
            f"key {values!r:.40}",
            body_of(row, people),
            headers=(*content_type(row), *(("Idempotency-Key", value) for value in values)),
            statuses={422},
            code="invalid",
            pointer="/headers/Idempotency-Key",
        )
        for row in rows
        for values in keys
    )


async def test_a_request_id_is_kept_when_it_is_sane_and_replaced_when_not(
    asking: Asking, people: People
):
    for row in ROWS:
        body = body_of(row, people) and b"{"
        for sent in ("a", "A-b.c~9_", "x" * 128):
            said = await asking.send(with_header(row, people, body, "X-Request-ID", sent))
            assert said.headers["X-Request-ID"] == sent
        for sent in ("", " ", "a b", "x" * 129, "é", "a,b", "<a>", "a\tb", "x" * 8_000):
            said = await asking.send(with_header(row, people, body, "X-Request-ID", sent))
            assert said.headers["X-Request-ID"].startswith("req_"), (row.operation_id, sent)
            assert said.status < 500


async def test_odd_headers_are_no_fault(asking: Asking, people: People):
    odd = {
        "traceparent": ("", "x", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é", "x" * 8_000),
        "X-Forwarded-For": ("", "x", ",,,", "::1, 127.0.0.1", "é", "999.9.9.9", "1.2.3.4," * 900),
        "X-Forwarded-Host": ("evil.example",),
        "X-HTTP-Method-Override": ("DELETE",),
        "X-User-Id": (people.team.owner.user_id,),
        "User-Agent": ("", "é", "x" * 8_000),
        "Accept": ("text/html", "", "x"),
        "Accept-Encoding": ("x", "gzip;q=nan"),
        "Cookie": ("a=b; " * 500,),
        "Expect": ("something",),
        "Range": ("bytes=0-1", "x"),
        "If-Match": ('"x"', "*"),
        "Origin": ("null", "https://evil.example"),
    }
    await asking.check(
        with_header(row, people, body_of(row, people) and b"{", name, value, statuses=SANE)
        for row in ROWS
        if row.method == "GET" or row.takes is not None
        for name, values in odd.items()
        for value in values
    )


async def test_a_revision_to_wait_for_must_be_one(asking: Asking, people: People):
    rows = [
        row for row in ROWS if isinstance(row.access, Permission) and not row.access.inside_write
    ]
    assert rows
    await asking.check(
        with_header(
            row,
            people,
            None,
            "Rolecall-Revision",
            revision,
            statuses={422},
            code="invalid",
            pointer="/headers/Rolecall-Revision",
        )
        for row in rows
        for revision in (
            "",
            "é",
            "team.x.1." + "9" * 25,
            "team..1.1",
            "audit.x.1.1",
            "notification.x.1.1",
            *REVISIONS,
        )
    )
    [evaluate] = [row for row in ROWS if row.operation_id == "evaluate"]
    [body] = examples(people)["evaluate"]
    await asking.check(
        request(
            evaluate,
            people,
            f"at least {revision}",
            encoded(evaluate, body | {"context": {"at_least_revision": revision}}),
            statuses={400},
            code="bad-request",
            pointer="/context/at_least_revision",
        )
        for revision in ("", "audit.x.1.1", *REVISIONS)
    )


def with_header(
    row: Route, people: People, body: bytes | None, name: str, value: str, **expected: Any
) -> Case:
    """A request with one more header."""
    sent = {
        "path": harmless_path(row, people.team),
        "statuses": SANE,
        "headers": (*content_type(row), (name, value)),
    } | expected
    return request(row, people, f"{name}: {value[:60]}", body, **sent)
