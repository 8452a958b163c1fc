"""Pages lead through a list once, and a cursor works for its own list, sort and filters only."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import AwareDatetime, Field

from rolecall.client.jwk import encode
from shared.http.paging import (
    MAX_CURSOR_CHARACTERS,
    MAX_PAGE_ROWS,
    Key,
    Order,
    PageQuery,
    paged,
    read_cursor,
    write_cursor,
)
from shared.http.routes import Strictness
from shared.http.validation import check_strings
from shared.problems import Invalid, Refusal
from tests.shared.http.sample import ACCOUNT

OTHER_ACCOUNT = "acc_" + "0e" * 16


class Query(PageQuery):
    """The query of a list with a sort and filters."""

    sort: str = "name"
    q: str = ""
    since: AwareDatetime | None = Field(None, alias="from")


def listing(list_name: str = "listThings", account: str = ACCOUNT, **asked: Any) -> Any:
    """A call of a list, with its query as the API reads it."""
    strings = [(name, str(value)) for name, value in asked.items()]
    return SimpleNamespace(
        query=check_strings(Query, strings, prefix="/query", strictness=Strictness.STRICT),
        route=SimpleNamespace(operation_id=list_name),
        path={"account_id": account},
        body=None,
    )


def name_and_id(row: str) -> Key:
    return row.rstrip("0123456789"), row


def all_pages(rows: list[str], order: Order = Order.ASCENDING, **asked: Any) -> list[list[str]]:
    """Every page of a list, read to its end."""
    pages, cursor = [], None
    while True:
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        page, cursor = paged(rows, listing(**asked, **more), key=name_and_id, order=order)
        pages.append(page)
        if cursor is None:
            return pages


def cursor_after(key: Key, **asked: Any) -> str:
    return write_cursor(listing(**asked), key)


def refusal_of(**asked: Any) -> str:
    """The message about the cursor."""
    with pytest.raises(Invalid) as refused:
        read_cursor(listing(**asked))
    assert refused.value.status == 422
    [(pointer, message)] = refused.value.errors
    assert pointer == "/query/cursor"
    return message


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("order", Order)
def test_pages_show_every_row_once_in_order(count: int, order: Order):
    rows = [f"{name}{number}" for number, name in enumerate("bacabca"[:count])]
    pages = all_pages(rows, order, limit=3)
    expected = sorted(rows, key=name_and_id, reverse=order is Order.DESCENDING)
    assert [row for page in pages for row in page] == expected
    assert [len(page) for page in pages] == [3] * (count // 3) + (
        [count % 3] if count % 3 else []
    ) or [[]]


@pytest.mark.parametrize("count", [3, 6])
def test_a_full_last_page_has_no_cursor(count: int):
    pages = all_pages([f"a{number}" for number in range(count)], limit=3)
    assert len(pages) == count // 3


def test_rows_of_the_same_value_are_kept_apart_by_their_id():
    assert all_pages(["a1", "a2", "a3"], limit=1) == [["a1"], ["a2"], ["a3"]]


def test_a_row_that_comes_or_goes_moves_no_other():
    first, cursor = paged(["a1", "b1", "c1", "d1"], listing(limit=2), key=name_and_id)
    assert first == ["a1", "b1"]
    for rows in (
        ["a1", "c1", "d1"],  # the row that the cursor names is gone
        ["c1", "d1"],
        ["a1", "a2", "b1", "c1", "d1"],  # a row came in before it
        ["b1", "c1", "d1"],
    ):
        page, following = paged(rows, listing(limit=2, cursor=cursor), key=name_and_id)
        assert (page, following) == (["c1", "d1"], None)
    page, _ = paged(["a1", "b1", "bb1", "c1"], listing(limit=2, cursor=cursor), key=name_and_id)
    assert page == ["bb1", "c1"]


def test_a_list_emptied_between_pages_has_no_next_cursor():
    _, cursor = paged(["a1", "b1"], listing(limit=1), key=name_and_id)
    assert paged([], listing(limit=1, cursor=cursor), key=name_and_id) == ([], None)


def test_a_cursor_leads_back_to_its_key_under_another_limit():
    key = ("Größe “x” \\ / é", "usr_1")
    for limit in (1, 50, MAX_PAGE_ROWS):
        assert read_cursor(listing(limit=limit, cursor=cursor_after(key, limit=7))) == key
    assert read_cursor(listing()) is None


def test_the_longest_name_fits_into_a_cursor():
    for letter in ("x", "\u0390", "\U0001d518"):
        key = ((letter * 100).casefold(), "usr_" + "0" * 32)
        assert read_cursor(listing(cursor=cursor_after(key))) == key


SORTED: dict[str, Any] = {"sort": "name", "q": "a", "from": "2026-03-01T00:00:00Z"}


@pytest.mark.parametrize(
    "changed",
    [
        {"sort": "-name"},
        {"sort": "since"},
        {"q": "b"},
        {"q": ""},
        {"from": "2026-03-02T00:00:00Z"},
        {"list_name": "listOthers"},
        {"account": OTHER_ACCOUNT},
    ],
)
def test_a_cursor_of_another_list_sort_or_filter_is_refused(changed: dict[str, Any]):
    cursor = cursor_after(("a", "a1"), **SORTED)
    assert read_cursor(listing(**SORTED, cursor=cursor)) == ("a", "a1")
    message = refusal_of(**SORTED | changed, cursor=cursor)
    assert message.startswith("This cursor was made for another list, sort or filter.")


def test_a_filter_that_is_left_out_is_another_than_one_that_is_given():
    cursor = cursor_after(("a", "a1"), q="a")
    assert "another" in refusal_of(cursor=cursor)
    assert "another" in refusal_of(q="a", cursor=cursor_after(("a", "a1")))


def test_a_default_that_is_spelled_out_is_the_same_sort():
    assert read_cursor(listing(sort="name", cursor=cursor_after(("a", "a1")))) == ("a", "a1")


DIGEST = "QUJDREVGR0hJSktM"
HOSTILE = {
    "nothing": "",
    "not base64": "{}",
    "a blank": " ",
    "other letters": "é",
    "padding": "AAAA====",
    "the other alphabet": "+/+/",
    "unused bits": "AAB",
    "bytes that are not UTF-8": encode(b"\xff\xfe"),
    "no JSON": encode(b"listThings:3"),
    "an open list": encode(b'["a"'),
    "a number": encode(b"1"),
    "null": encode(b"null"),
    "an object": encode(b'{"0": "a", "1": "b", "2": "c"}'),
    "an empty list": encode(b"[]"),
    "two members": encode(b'["a", "b"]'),
    "four members": encode(f'["{DIGEST}", "b", "c", "d"]'.encode()),
    "a number as value": encode(f'["{DIGEST}", 1, "c"]'.encode()),
    "null as id": encode(f'["{DIGEST}", "b", null]'.encode()),
    "an operator as value": encode(f'["{DIGEST}", {{"$gt": ""}}, "c"]'.encode()),
    "a list as digest": encode(b'[["a"], "b", "c"]'),
    "half of a character": encode(f'["{DIGEST}", "\\ud800", "c"]'.encode()),
    "NUL": encode(f'["{DIGEST}", "\\u0000", "c"]'.encode()),
    "deep nesting": encode(b"[" * 700),
    "deep nesting that is closed": encode(b"[" * 700 + b"]" * 700),
    "doubled members": encode(b'{"a": 1, "a": 2}'),
    "a float beyond all": encode(f'["{DIGEST}", 1e999, "c"]'.encode()),
}


@pytest.mark.parametrize("cursor", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_not_a_cursor_is_refused(cursor: str):
    assert refusal_of(cursor=cursor).startswith("This is not a cursor of this list.")


def test_a_cursor_with_an_unknown_digest_is_refused():
    assert "another" in refusal_of(cursor=encode(f'["{DIGEST}", "b", "c"]'.encode()))


def test_a_huge_cursor_is_refused_by_its_length():
    with pytest.raises(Refusal) as refused:
        listing(cursor="A" * (MAX_CURSOR_CHARACTERS + 1))
    assert [error.pointer for error in refused.value.errors] == ["/query/cursor"]
    assert "another" not in refusal_of(cursor="A" * MAX_CURSOR_CHARACTERS)


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE_ROWS + 1])
def test_a_limit_out_of_range_is_refused(limit: int):
    with pytest.raises(Refusal) as refused:
        listing(limit=limit)
    assert [error.pointer for error in refused.value.errors] == ["/query/limit"]
