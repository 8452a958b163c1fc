"""What the measurements of checks over HTTP found, beside the goals of P2 to P5."""

from collections.abc import Mapping, Sequence

from benchmarks.load import Measured, median
from benchmarks.results import Bars, Goal, Result, Table

ITEMS = 100
AUTHZ, NGINX, ORDINARY, PEER = "authz", "nginx, a constant", "authz without the hot path", "Cerbos"
SINGLE = "single checks"
ONE_SUBJECT, SUBJECTS = f"{ITEMS} items of one subject", f"{ITEMS} items of as many subjects"
BATCH_TIMES = 10
"""How many times the decisions of single checks a batch of one subject should make."""


def result(
    found: Mapping[tuple[str, int], list[Measured]],
    batched: Mapping[str, float],
    processes: tuple[float, float],
    notes: Sequence[str],
) -> Result:
    """What was found, with the goals; `processes` are the checks/s of one and of two."""
    middle = {key: median(runs) for key, runs in found.items()}
    rows = [
        (
            *key,
            middle[key].rate,
            middle[key].cpu,
            middle[key].p50,
            middle[key].p99,
            sum(run.errors for run in runs),
        )
        for key, runs in found.items()
    ]
    head = ("server", "connections", "requests/s", "CPU of a request, µs", "p50 ms", "p99 ms")
    single, *_ = batched.values()
    return Result(
        "Checks over HTTP",
        "python -m benchmarks --only checks --peers FOLDER",
        tables=[
            Table((*head, "errors"), rows),
            Table(
                ("16 connections", "decisions/s", "beside single checks"),
                [(name, rate, rate / single) for name, rate in batched.items()],
            ),
            Table(
                ("processes on one port, each with its load on one core", "checks/s"),
                [("one", processes[0]), ("two", processes[1])],
            ),
        ],
        plots=[
            Bars(
                "checks",
                "Checks over HTTP, one core, 64 connections",
                "requests a second; more is better",
                [(name, each.rate) for (name, at), each in middle.items() if at == 64],
            ),
            Bars(
                "p99",
                "The slowest percent of checks, one core, 16 connections",
                "p99 in milliseconds; less is better",
                [(name, each.p99) for (name, at), each in middle.items() if at == 16],
            ),
            Bars(
                "batches",
                "Decisions of batches, one core, 16 connections",
                "decisions a second; more is better",
                list(batched.items()),
            ),
        ],
        goals=[*_goals(middle), *_batch_goals(batched), _process_goal(*processes)],
        notes=notes,
    )


def _goals(middle: Mapping[tuple[str, int], Measured]) -> list[Goal]:
    """P2 and P3."""
    ours, constants = (middle[name, 64] for name in (AUTHZ, NGINX))
    share = ours.rate / constants.rate
    found = [
        Goal(
            "P2",
            "checks/s beside nginx with a constant answer, 64 connections",
            f"{share:.2f} of it, {ours.rate:,.0f}/s",
            "at least 0.5",
            share >= 0.5,
        ),
        Goal("P2", "CPU of a check", f"{ours.cpu:.1f} µs", "at most 30 µs", ours.cpu <= 30),
    ]
    if (PEER, 64) in middle:
        times = ours.rate / middle[PEER, 64].rate
        measured = f"{times:.1f} times"
        found.append(
            Goal("P2", "checks/s beside Cerbos", measured, "at least 20 times", times >= 20)
        )
    else:
        found.append(Goal("P2", "checks/s beside Cerbos", "not compared", "20 times", None))
    times = middle[AUTHZ, 16].p99 / middle[NGINX, 16].p99
    figure = "p99 at 16 connections beside nginx's"
    found.append(Goal("P3", figure, f"{times:.1f} times", "at most 5 times", times <= 5))
    return found


def _batch_goals(batched: Mapping[str, float]) -> list[Goal]:
    """P4: beside single checks."""
    single, subject, subjects = batched.values()
    return [
        Goal("P4", name, f"{times:.1f} times single checks", f"at least {goal}", times >= goal)
        for name, times, goal in (
            (ONE_SUBJECT, subject / single, BATCH_TIMES),
            (SUBJECTS, subjects / single, BATCH_TIMES / 2),
        )
    ]


def _process_goal(one: float, two: float) -> Goal:
    times = two / one
    figure = "checks/s of two processes on one port, beside one"
    return Goal("P5", figure, f"{times:.2f} times", "at least 1.6 times", times >= 1.6)
