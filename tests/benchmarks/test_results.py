"""Each part compares what it measured with its goals; here from recorded examples."""

from benchmarks import acceptance, authz_state, flatness, removals, start
from benchmarks import checks_found as checks
from benchmarks.acceptance import Acceptances
from benchmarks.authz_state import Changed, Loaded
from benchmarks.flatness import BySize
from benchmarks.load import Measured
from benchmarks.removals import Removals
from benchmarks.results import Result, percentile
from benchmarks.start import Started


def reached(result: Result) -> list[tuple[str, str, bool | None]]:
    return [(goal.id, goal.measured, goal.reached) for goal in result.goals]


def test_checks_are_compared_with_nginx_and_cerbos() -> None:
    runs = {
        (name, connections): [Measured(rate, 0.1, p99, errors=0, cpu=cpu)] * 3
        for connections in (16, 64)
        for name, rate, p99, cpu in (
            (checks.AUTHZ, 60_000.0, 0.8, 16.0),
            (checks.NGINX, 110_000.0, 0.2, 8.0),
            (checks.PEER, 3_900.0, 8.9, 255.0),
        )
    }
    batched = {checks.SINGLE: 60_000.0, checks.ONE_SUBJECT: 700_000.0, checks.SUBJECTS: 290_000.0}
    found = checks.result(runs, batched, (40_000.0, 70_000.0), [])
    assert reached(found) == [
        ("P2", "0.55 of it, 60,000/s", True),
        ("P2", "16.0 µs", True),
        ("P2", "15.4 times", False),
        ("P3", "4.0 times", True),
        ("P4", "11.7 times single checks", True),
        ("P4", "4.8 times single checks", False),
        ("P5", "1.75 times", True),
    ]
    alone = {key: each for key, each in runs.items() if key[0] != checks.PEER}
    result = checks.result(alone, batched, (1.0, 2.0), [])
    assert ("P2", "not compared", None) in reached(result)


def test_the_memory_and_speed_of_a_million_members_count() -> None:
    snapshots = [Loaded(10, 50, 900, 1_000, 0, 0), Loaded(20_000, 50, 270.4, 150_000, 300, 0)]
    changes = [Changed(50, 0.3, 0.1, 1, 0.2), Changed(10_000, 0.02, 0.1, 4, 0.3)]
    assert reached(authz_state.result(snapshots, changes)) == [
        ("P6", "270 bytes at most", True),
        ("P6", "150,000/s at least", True),
        ("P6", "0.020 ms", True),
        ("P6", "0.30 ms", True),
    ]
    slow = [Started("documents in memory", 200_000, 4.0, 9.0, 7.0)]
    assert reached(start.result(slow)) == [("P6", "50,000/s", False)]


def test_a_check_is_flat_if_no_size_costs_much_more_than_the_smallest() -> None:
    sizes = [BySize(1_000, 400, 500, 30), BySize(1_000_000, 500, 900, 500)]
    found = flatness.result(sizes, [(6, 400), (50, 470), (200, 410)], [(0, 400), (100, 400)])
    assert reached(found) == [
        ("P7", "1.25 times", False),
        ("P7", "1.18 times", True),
        ("P7", "1.00 times", True),
    ]


def test_the_commit_of_the_database_is_set_apart_from_a_removal() -> None:
    found = removals.result(Removals([30.0, 24.0, 90.0], [15.0, 20.0, 16.0], wrong=1))
    assert reached(found) == [
        ("P9", "14.0 ms", False),
        ("P9", "74.0 ms", False),
        ("P9", "1", False),
    ]
    found = acceptance.result(Acceptances([200.0, 100.0], [20.0, 30.0]))
    assert reached(found) == [("P12", "30.0 ms", True)]
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 3.0
