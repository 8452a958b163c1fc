"""A path that no row has, or that names nothing, is refused."""

from collections.abc import Iterator
from dataclasses import replace

from shared.http.routes import Route
from shared.ids import FORMS, PREFIXES, new_id
from tests.contracts.asking import Asking, Case
from tests.contracts.pairing import kind_of
from tests.contracts.people import People
from tests.contracts.rows import (
    READS,
    REVISIONS,
    ROWS,
    body_of,
    path_of,
    request,
)
from tests.pairing import pairs

OF_A_MAIL = {"lookUpUnsubscribeLink"}
"""What answers only to a link of a mail, which no row has: the refusal is the answer."""
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
    yield from (new_id(other) for other in sorted({*PREFIXES.values(), "key", "tok"} - {prefix}))


async def test_a_segment_that_names_nothing_is_not_found(asking: Asking, people: People):
    def wrong(parameter: tuple[Route, str]) -> list[str]:
        row, name = parameter
        segments = [*NO_SEGMENTS]
        if name in PREFIXES:
            segments += no_ids(PREFIXES[name], people.team.ids[name])
        elif name == "revision":
            segments += REVISIONS
        # Another name of a resource would register it.
        makes = row.method == "PUT" and name in FORMS
        return [one for one in segments if not (makes and FORMS[name].fullmatch(one))]

    def cases() -> Iterator[Case]:
        parameters = [(row, name) for row in ROWS for name in row.parameters]
        given = pairs(parameters, wrong, kind=lambda one: (kind_of(one[0]), one[1]))
        for (row, name), segment in given:
            yield request(
                row,
                people,
                f"{name} = {segment[:60]}",
                body_of(row, people),
                path=path_of(row, people.team.ids | {name: segment}),
                statuses={404},
                code="not-found",
            )

    await asking.check(cases())


async def test_no_other_path_is_found(asking: Asking, people: People):
    """The internal rows are not at this address, and no spelling leads to another row."""
    account = people.team.path
    paths = (
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


async def test_a_wrong_method_is_answered_with_the_allowed_ones(asking: Asking, people: People):
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
            answer = await asking.send(case)
            assert not asking.wrong(case, answer)
            assert set(answer.headers["Allow"].split(", ")) == methods


async def test_head_answers_as_get_without_a_body(asking: Asking, people: People):
    for row in READS:
        status = 422 if row.operation_id in OF_A_MAIL else 200
        case = request(row, people, "get", None, statuses={status})
        whole = await asking.send(case)
        answer = await asking.send(replace(case, name="head", method="HEAD"))
        assert (answer.status, whole.status, answer.raw) == (status, status, b""), row.operation_id
