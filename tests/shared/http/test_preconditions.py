"""Entity tags, and the headers that compare them (RFC 9110, 13)."""

from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from shared.http.access import Permission
from shared.http.api import Api
from shared.http.entity_tags import TaggedAnswer
from shared.http.openapi import document_of
from shared.http.preconditions import (
    Precondition,
    PreconditionFailed,
    ResourceExists,
    read_precondition,
    state_tag,
)
from shared.http.routes import Answer
from shared.problems import Invalid
from tests.shared.http.sample import ROUTES, World, authenticator, row


class Lamp(TaggedAnswer):
    """A resource."""

    colour: str
    labels: dict[str, str]


class SwitchedLamp(Lamp):
    """The answer of a write."""

    beside_the_state = frozenset({"by"})

    by: str


class WatchedLamp(SwitchedLamp):
    """A resource with something that its readers wait for."""

    beside_the_state = frozenset({"by", "hours"})
    awaited = frozenset({"hours"})

    hours: int


RED = Lamp(colour="red", labels={"a": "1", "b": "2"})
OTHER = '"other"'


def read(*headers: tuple[str, str]) -> Precondition | None:
    return read_precondition(CIMultiDictProxy(CIMultiDict(headers)), lambda lamp: lamp)


def outcome(
    lamp: Lamp | None, *headers: tuple[str, str], applied: bool = False
) -> type[Exception] | None:
    precondition = read(*headers)
    assert precondition is not None
    try:
        precondition.require(lamp, applied=applied)
    except PreconditionFailed as failed:
        return type(failed)
    return None


def test_the_tag_is_quoted_and_changes_with_the_state() -> None:
    assert RED.etag.startswith('"')
    assert RED.etag.endswith('"')
    assert len(RED.etag) == 24
    assert RED.model_copy(update={"colour": "green"}).etag != RED.etag
    assert RED.model_copy(update={"labels": {}}).etag != RED.etag


def test_the_order_in_which_members_are_stored_does_not_change_the_tag() -> None:
    assert Lamp(colour="red", labels={"b": "2", "a": "1"}).etag == RED.etag


def test_what_the_answer_of_a_write_adds_does_not_change_the_tag() -> None:
    assert SwitchedLamp(**dict(RED), by="ana").etag == RED.etag


def test_the_tag_of_a_read_names_what_readers_wait_for_behind_the_state() -> None:
    seen = WatchedLamp(**dict(RED), by="ana", hours=1)
    moved, switched = seen.model_copy(update={"hours": 2}), seen.model_copy(update={"by": "bo"})
    assert seen.etag == moved.etag == RED.etag == RED.read_tag
    assert seen.read_tag == switched.read_tag != moved.read_tag
    assert state_tag(seen.read_tag) == state_tag(seen.etag) == seen.etag
    green = seen.model_copy(update={"colour": "green"})
    for tag in (seen.etag, seen.read_tag):
        assert outcome(moved, ("If-Match", tag)) is None
        assert outcome(green, ("If-Match", tag)) is PreconditionFailed
        assert outcome(moved, ("If-Match", f"W/{tag}")) is PreconditionFailed
    known = read(("If-None-Match", seen.read_tag))
    assert known is not None
    assert [known.excludes(each.read_tag) for each in (seen, switched, moved, green)] == [
        True,
        True,
        False,
        False,
    ]


def test_the_tag_is_shown_with_the_state_and_not_made_from_itself() -> None:
    kept = RED.model_dump(mode="json")
    assert kept["etag"] == RED.etag
    assert Lamp.model_validate(kept).etag == RED.etag


MATCHES: dict[str, tuple[Lamp | None, str, str, type[Exception] | None]] = {
    "the current tag": (RED, "If-Match", RED.etag, None),
    "another tag": (RED, "If-Match", OTHER, PreconditionFailed),
    "a list with the current tag": (RED, "If-Match", f"{OTHER},{RED.etag}", None),
    "a list with gaps": (RED, "If-Match", f" , {OTHER} ,\t,{RED.etag}, ", None),
    "a list without it": (RED, "If-Match", f'{OTHER}, "c,d"', PreconditionFailed),
    "a comma inside a tag": (RED, "If-Match", f'"x,{RED.etag[1:]}', PreconditionFailed),
    "the current tag, but weak": (RED, "If-Match", f"W/{RED.etag}", PreconditionFailed),
    "anything that exists": (RED, "If-Match", "*", None),
    "anything, and nothing exists": (None, "If-Match", "*", PreconditionFailed),
    "a tag, and nothing exists": (None, "If-Match", RED.etag, PreconditionFailed),
    "an excluded tag": (RED, "If-None-Match", RED.etag, ResourceExists),
    "an excluded tag, weak": (RED, "If-None-Match", f"W/{RED.etag}", ResourceExists),
    "another excluded tag": (RED, "If-None-Match", OTHER, None),
    "only if it is new, and it exists": (RED, "If-None-Match", "*", ResourceExists),
    "only if it is new, and it is": (None, "If-None-Match", "*", None),
}


@pytest.mark.parametrize("case", MATCHES.values(), ids=list(MATCHES))
def test_a_precondition_is_compared_as_the_standard_says(
    case: tuple[Lamp | None, str, str, type[Exception] | None],
) -> None:
    lamp, name, sent, expected = case
    assert outcome(lamp, (name, sent)) is expected


APPLIED: dict[str, tuple[str, str, type[Exception] | None]] = {
    "another tag": ("If-Match", OTHER, None),
    "the current tag": ("If-Match", RED.etag, None),
    "an excluded tag": ("If-None-Match", RED.etag, ResourceExists),
    "only if it is new": ("If-None-Match", "*", ResourceExists),
}


@pytest.mark.parametrize("case", APPLIED.values(), ids=list(APPLIED))
def test_a_change_that_is_applied_already_needs_no_matching_tag(
    case: tuple[str, str, type[Exception] | None],
) -> None:
    """RFC 9110 (13.1.1) allows that for `If-Match` only."""
    name, sent, expected = case
    assert outcome(RED, (name, sent), applied=True) is expected


def test_header_lines_are_one_list_and_both_headers_count() -> None:
    assert outcome(RED, ("If-Match", OTHER), ("if-match", RED.etag)) is None
    both = ("If-Match", RED.etag), ("If-None-Match", RED.etag)
    assert outcome(RED, *both) is ResourceExists
    assert read() is None


MALFORMED = (
    "",
    " ",
    "abc",
    "'abc'",
    '"abc',
    'abc"',
    '"a" "b"',
    '"a""b"',
    '"a b"',
    'w/"a"',
    'W/ "a"',
    '*, "a"',
    "**",
    '"a", *',
    '"\x7f"',
    ", " * 4_000 + "x",
    '"a", ' * 2_000 + "x",
)


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("sent", MALFORMED, ids=[repr(sent[:12]) for sent in MALFORMED])
def test_a_malformed_header_is_refused_with_its_name(name: str, sent: str) -> None:
    with pytest.raises(Invalid) as refused:
        read((name, sent))
    [error] = refused.value.errors
    assert error.pointer == f"/headers/{name}"
    assert "double quotes" in error.message


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_row_whose_answer_has_no_tag_stops_the_start(method: str) -> None:
    route = row(
        method,
        "/v1/accounts/{account_id}/lamp",
        Permission("lamp:view"),
        gives=Answer,
        represent=lambda lamp: lamp,
    )
    with pytest.raises(ValueError, match="no entity tag"):
        Api("lamps", [route], None, authenticator=authenticator(), checker=World())


def test_only_rows_with_a_tag_list_the_refusal_of_a_precondition() -> None:
    def codes(**more: Any) -> set[str]:
        route = row("PATCH", "/v1/lamp", Permission("lamp:view"), **more)
        return {refusal.code for refusal in route.all_refusals()}

    assert "precondition-failed" in codes(represent=lambda lamp: lamp)
    assert "precondition-failed" not in codes()
    assert all(route.represent is None for route in ROUTES)


@pytest.mark.parametrize(
    ("method", "headers", "answers"),
    [
        ("GET", {"If-Match", "If-None-Match"}, {"200", "304", "412"}),
        ("PATCH", {"If-Match"}, {"200", "412"}),
        ("PUT", {"If-Match", "If-None-Match"}, {"200", "412"}),
        ("DELETE", {"If-Match"}, {"200", "412"}),
    ],
)
def test_the_document_says_what_a_row_with_a_tag_takes_and_answers(
    method: str, headers: set[str], answers: set[str]
) -> None:
    route = row(
        method, "/v1/lamp", Permission("lamp:view"), gives=Lamp, represent=lambda lamp: lamp
    )
    operation = document_of([route])["paths"]["/v1/lamp"][method.lower()]
    assert {one["name"] for one in operation["parameters"]} == headers
    assert answers <= set(operation["responses"])
    assert ("304" in operation["responses"]) is (method == "GET")
    tagged = {
        status
        for status, answer in operation["responses"].items()
        if "ETag" in answer.get("headers", {})
    }
    assert tagged == answers & {"200", "304"} if method in {"GET", "PATCH"} else tagged == set()
