"""The page of usage, over a stand-in of the API."""

from datetime import UTC, datetime

import pytest

from services.console.domain.usage_charts import HEIGHT, Month, chart, shown_number
from services.console.pages.usage_units import unit_words
from tests.services.console.accounts import API, PAGE, describe_account
from tests.services.console.browsing import StandIn, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

USAGE = f"GET {API}/usage"
NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
ROW = {
    "day": None,
    "member": {"id": "usr_2", "name": "Bo <b>", "email": "bo@example.com", "erased": False},
    "project_id": None,
    "resource_type": None,
    "action": None,
    "activity": 7,
    "metered": [{"unit": "gpu_hour", "quantity": "1.5"}, {"unit": "GB", "quantity": "3"}],
    "costs": [{"currency": "EUR", "amount": "12.30"}],
}
LIST = {"items": [ROW], "next_cursor": None, "complete_until": None}


@pytest.fixture
def usage(api: StandIn) -> StandIn:
    """The API of an account with usage."""
    describe_account(api, permissions=("account:view", "usage:view"))
    words = {"project": "cluster", "projects": "clusters"}
    api.answers |= {
        USAGE: (200, LIST),
        f"GET {API}/projects": problem(403, "permission-missing"),
        f"GET {API}/catalog": (200, {"policies": {"words": words}, "sections": []}),
    }
    return api


@pytest.mark.parametrize(
    ("text", "name", "begin", "end"),
    [
        ("2026-02", "2026-02", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-12", "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("2026-13", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("0001-01", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("9999-12", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("2026-02-01", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ],
)
async def test_a_month_is_read_and_has_an_end(text, name, begin, end):
    month = Month.read(text, now=NOW)
    assert (month.name, month.query) == (name, {"from": begin, "to": end})


async def test_a_month_knows_its_neighbours():
    month = Month.read("2026-01", now=NOW)
    assert (month.before, month.after) == ("2025-12", "2026-02")
    assert not month.has_begun_after(NOW)
    assert Month.read("", now=NOW).has_begun_after(NOW)


@pytest.mark.parametrize(
    ("now", "is_latest"),
    [
        ("2026-01-31T23:59:59Z", True),
        ("2026-02-01T00:00:00Z", False),
        ("2026-02-01T00:30:00+01:00", True),
        ("2026-01-31T23:30:00-01:00", False),
    ],
)
async def test_a_month_is_the_latest_until_the_next_one_begins_in_utc(now, is_latest):
    month = Month.read("2026-01", now=NOW)
    assert month.has_begun_after(datetime.fromisoformat(now)) is is_latest


@pytest.mark.parametrize(
    ("text", "locale", "places", "shown"),
    [
        ("335.3", "en", 2, "335.30"),
        ("335.3", "de", 2, "335,30"),
        ("1234.5678", "en", 2, "1,234.5678"),
        ("12", "en", 0, "12"),
        ("0.000001", "de", 0, "0,000001"),
    ],
)
async def test_a_number_keeps_its_digits_in_each_language(text, locale, places, shown):
    assert shown_number(text, locale=locale, places=places) == shown


@pytest.mark.parametrize(
    ("unit", "quantity", "en", "de"),
    [
        ("gpu_hour", "335.3", "GPU hours", "GPU-Stunden"),
        ("gpu_hour", "1.0", "GPU hour", "GPU-Stunde"),
        ("million_tokens", "2", "million tokens", "Millionen Tokens"),
        ("of_a_platform", "2", "of a platform", "of a platform"),
    ],
)
async def test_a_unit_is_said_in_words_for_its_quantity(unit, quantity, en, de):
    assert (unit_words(unit, quantity, "en"), unit_words(unit, quantity, "de")) == (en, de)


async def test_a_month_has_its_name_in_each_language():
    month = Month.read("2026-03", now=NOW)
    assert (month.title("en"), month.title("de")) == ("March 2026", "März 2026")


async def test_a_chart_shows_each_day_and_a_single_action_is_seen():
    month = Month.read("2026-02", now=NOW)
    rows = [{"day": "2026-02-01", "activity": 10_000}, {"day": "2026-02-28", "activity": 1}]
    shown = chart(month, rows, locale="de")
    found = shown.bars
    assert (len(found), shown.total) == (28, 10_001)
    assert (found[0].height, found[0].y, found[0].day) == (HEIGHT, 0, "01.02.2026")
    assert (found[-1].height, found[-1].y) == (1, HEIGHT - 1)
    assert found[1].height == 0
    assert [bar.label for bar in found if bar.label] == ["1", "5", "10", "15", "20", "25"]
    assert {bar.height for bar in chart(month, [], locale="en").bars} == {0}


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (0, [1, 0]),
        (3, [3, 2, 1, 0]),
        (5, [6, 4, 2, 0]),
        (20, [20, 15, 10, 5, 0]),
        (21, [30, 20, 10, 0]),
        (10_000, [10_000, 5_000, 0]),
        (20_001, [30_000, 20_000, 10_000, 0]),
    ],
)
async def test_the_marks_of_a_chart_are_round_and_reach_over_the_highest_bar(most, marks):
    month = Month.read("2026-02", now=NOW)
    found = chart(month, [{"day": "2026-02-01", "activity": most}], locale="en").marks
    assert [mark.number for mark in found] == marks
    assert (found[0].y, found[-1].y) == (0, HEIGHT)


async def test_the_page_shows_a_month_by_what_was_chosen(browser, usage):
    await browser.sign_in()
    await browser.open(f"{PAGE}/usage?month=2026-02&by=member,day")
    asked = {"from": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}
    assert (USAGE, {**asked, "group_by": "member,day", "limit": "100"}) in usage.queries
    assert (USAGE, {**asked, "group_by": "day", "limit": "31"}) in usage.queries
    for shown in ("Bo &lt;b&gt;", "1.5 <bdi>GPU hours</bdi>", "12.30 <bdi>EUR</bdi>"):
        assert shown in browser.text
    assert f'href="{PAGE}/usage/file?month=2026-02&amp;by=member,day"' in browser.text
    assert f'href="{PAGE}/usage?month=2026-03&amp;by=member%2Cday"' in browser.text
    assert "<script>" not in browser.text


NO_NAME = {"id": "usr_2", "name": None, "email": None}
CALLED = [
    ({**NO_NAME, "erased": True}, "Deleted person"),
    ({**NO_NAME, "erased": False}, "usr_2"),
    ({**NO_NAME, "email": "bo@example.com", "erased": False}, "bo@example.com"),
]


@pytest.mark.parametrize(("member", "called"), CALLED)
async def test_only_a_member_who_is_erased_is_called_deleted(browser, usage, member, called):
    usage.answers[USAGE] = (200, {**LIST, "items": [{**ROW, "member": member}]})
    await browser.sign_in()
    await browser.open(f"{PAGE}/usage?by=member")
    assert f"<bdi>{called}</bdi>" in browser.text
    assert ("Deleted person" in browser.text) == member["erased"]


@pytest.mark.parametrize("month", ["2031-99", "last", "0000-01"])
async def test_a_month_that_there_is_not_is_said_beside_the_present_one(browser, usage, month):
    await browser.sign_in()
    for asked, told in ((f"?month={month}", True), ("?month=2031-12", False), ("", False)):
        await browser.open(f"{PAGE}/usage{asked}")
        assert ("There is no such month." in browser.text) is told
        assert (browser.status == 404) is told


async def test_an_unknown_grouping_counts_as_the_usual_one(browser, usage):
    await browser.sign_in()
    await browser.open(f"{PAGE}/usage?by=secret")
    assert {query["group_by"] for name, query in usage.queries if name == USAGE} == {
        "member",
        "day",
    }


async def test_the_file_has_all_groups_and_its_refusal_is_a_page(browser, usage):
    await browser.sign_in()
    usage.answers[USAGE] = problem(409, "too-many-usage-rows", limit=20_000)
    await browser.open(f"{PAGE}/usage/file?month=2026-02&by=member")
    assert (browser.status, "more than 20000 rows" in browser.text) == (409, True)
    assert (USAGE, "csv") in {(name, query.get("format")) for name, query in usage.queries}


@pytest.mark.rule("T25")
@pytest.mark.parametrize("said", ["cross-site", "same-site"])
async def test_a_page_of_another_site_starts_no_file(browser, usage, said):
    await browser.sign_in()
    where = f"{PAGE}/usage/file?month=2026-02&by=member"
    await browser.send("GET", where, headers={"Sec-Fetch-Site": said})
    assert browser.status == 403
    assert USAGE not in {name for name, _ in usage.queries}
    await browser.send("GET", where, headers={"Sec-Fetch-Site": "same-origin"})
    assert browser.status == 200
    assert (USAGE, "csv") in {(name, query.get("format")) for name, query in usage.queries}
