"""The page of the measurements is made from recorded results, without any server."""

import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from benchmarks.page import Measurement, files, summary
from benchmarks.results import Bars, Goal, Lines, Result, Series, Table, distribution, shown
from benchmarks.svg import axis

FIGURES = {"P1": "one decision", "P2": "checks over HTTP", "P10": "ingest"}
RESULT = Result(
    "Checks over HTTP",
    "python -m benchmarks --only checks",
    tables=[Table(("server", "requests/s"), [("authz", 18_956.4), ("nginx", 124_328)])],
    plots=[
        Bars("checks", "Checks <of> one core", "requests/s", [("authz", 18_956), ("nginx", 0)]),
        Lines(
            "sizes",
            "By size",
            "members",
            "ns",
            [Series("warm", [(1_000, 400), (1_000_000, 480)]), distribution("all", [3.0, 1.0])],
            log_x=True,
        ),
    ],
    goals=[
        Goal("P2", "CPU of a check", "50.8 µs", "at most 30 µs", reached=False),
        Goal("P2", "beside Cerbos", "not compared", "20 times", reached=None),
        Goal("P1", "a decision", "0.4 µs", "at most 1 µs", reached=True),
    ],
    notes=["Cerbos: not compared. " + "It is not in the folder of the peers. " * 5],
)
MEASURED = {
    "checks": Measurement(RESULT, "abc1234", "2026-11-26", {"Python": "3.11"}, "x86_64, 2 cores")
}


def test_the_page_begins_with_every_goal_and_whether_it_was_reached() -> None:
    assert summary(MEASURED, FIGURES).rows == [
        ("P1", "a decision", "0.4 µs", "at most 1 µs", "yes"),
        ("P2", "CPU of a check", "50.8 µs", "at most 30 µs", "**no**"),
        ("P2", "beside Cerbos", "not compared", "20 times", ""),
        ("P10", "ingest", "not measured", "", ""),
    ]


def test_the_page_shows_each_plot_and_the_raw_numbers() -> None:
    made = files(MEASURED, FIGURES)
    page = made.pop("benchmarks.md")
    assert (
        re.findall(r"!\[.*\]\((.*)\)", page)
        == list(made)
        == [
            "benchmarks/checks.svg",
            "benchmarks/sizes.svg",
        ]
    )
    assert "| authz | 18,956 |\n| nginx | 124,328 |" in page
    assert "`python -m benchmarks --only checks`, revision abc1234." in page
    assert "Measured on 2026-11-26; x86_64, 2 cores; Python 3.11." in page
    assert [line for line in page.splitlines() if len(line) > 130 and line[0] != "|"] == []


def test_a_plot_is_a_drawing_with_its_labels_and_colours_for_the_dark() -> None:
    made = files(MEASURED, FIGURES)
    for name, labels in (
        ("checks", {"Checks <of> one core", "requests/s", "authz", "nginx", "18,956"}),
        ("sizes", {"By size", "members", "ns", "warm", "all", "1,000"}),
    ):
        drawing = made[f"benchmarks/{name}.svg"]
        texts = {each.text for each in ET.fromstring(drawing).iter() if each.text}
        assert labels <= texts
        assert "prefers-color-scheme:dark" in drawing


def test_recorded_results_give_the_same_page_again() -> None:
    recorded = msgspec.json.encode(MEASURED)
    read = msgspec.json.decode(recorded, type=dict[str, Measurement])
    assert files(read, FIGURES) == files(MEASURED, FIGURES)


@pytest.mark.parametrize(
    ("values", "log", "marks"),
    [
        ([0.0, 47.0], False, [0, 10, 20, 30, 40, 50]),
        ([0.0], False, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ([3.0, 420.0], True, [1, 10, 100, 1000]),
        ([10.0], True, [10, 100]),
    ],
)
def test_an_axis_covers_its_values(values: list[float], log: bool, marks: list[float]) -> None:  # noqa: FBT001
    assert axis(values, log=log) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1234, "0.123"), (3.14159, "3.14"), (31.4159, "31.4"), (3141.5, "3,142"), (7, "7")],
)
def test_a_number_is_shown_with_the_digits_that_say_something(number: float, text: str) -> None:
    assert shown(number) == text
