"""A header that makes no sense is refused or ignored."""

from typing import Any

from services.team.routes import ROUTES as TEAM_ROUTES
from shared.http.access import Permission
from shared.http.routes import Route
from tests.contracts.asking import SANE, Asking, Case
from tests.contracts.pairing import row_pairs
from tests.contracts.people import People
from tests.contracts.rows import (
    DECISIONS,
    REVISIONS,
    ROWS,
    body_of,
    content_type,
    encoded,
    examples,
    harmless_path,
    request,
)


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
        for row, values in row_pairs(rows, keys)
    )


async def test_an_id_of_the_sender_is_repeated_unless_http_forbids_it(
    asking: Asking, people: People
):
    kept = ("a", "A-b.c~9_", "x" * 200, "a,b", '<a>"}{')
    replaced = ("", " ", "a b", "x" * 201, "é", "a\tb", "x" * 8_000)
    for row, sent in row_pairs(ROWS, (*kept, *replaced)):
        body = None if row.takes is None else b"{"
        said = await asking.send(with_header(row, people, body, "X-Request-ID", sent))
        if sent in kept:
            assert said.headers["X-Request-ID"] == sent
            assert said.headers["Rolecall-Request-ID"].startswith("req_")
        else:
            assert said.headers["X-Request-ID"].startswith("req_"), (row.operation_id, sent)
            assert said.status < 500


async def test_odd_headers_cause_no_internal_error(asking: Asking, people: People):
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
        with_header(row, people, None if row.takes is None else b"{", name, value, statuses=SANE)
        for row, (name, value) in row_pairs(
            [row for row in ROWS if row.method == "GET" or row.takes is not None],
            [(name, value) for name, values in odd.items() for value in values],
        )
    )


async def test_a_malformed_revision_header_is_refused(asking: Asking, people: People):
    rows = [row for row in ROWS if isinstance(row.access, Permission) and row not in TEAM_ROUTES]
    assert rows
    rows += [row for row in ROWS if row.operation_id == "switchAccount"]
    await asking.check(
        with_header(
            row,
            people,
            body_of(row, people),
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
    rows = [row for row in DECISIONS if not row.operation_id.startswith("evaluateEach")]
    await asking.check(
        request(
            row,
            people,
            f"at least {revision}",
            encoded(row, body | {"context": {"at_least_revision": revision}}),
            statuses={400},
            code="bad-request",
            pointer="/context/at_least_revision",
        )
        for row in rows
        for body in examples(people)[row.operation_id]
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
