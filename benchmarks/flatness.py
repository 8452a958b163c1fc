"""P7: the cost of a check as accounts, roles and overrides grow; CPU time.

    PYTHONPATH=.:sdk python -m benchmarks.flatness

The same number of checks is asked at every size. Random members of a large account are shown
beside: they are not in the processor's caches, and a plain dictionary waits for them as well.
"""

import gc
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple, TypeVar

from benchmarks.results import Goal, Lines, Result, Series, Table
from benchmarks.snapshots import CATALOG, RNG, account, account_id_of, loaded, member, new_id, row
from rolecall import AccountState, Resource, Subject, decide
from services.authz.domain.policy_state import PolicyState
from shared.contracts.policy_objects import PolicyObject

NOW = 1_800_000_000_000
WARM, RANDOM, ROUNDS = 200, 20_000, 15
SIZES, ROLES, OVERRIDES = (1_000, 10_000, 100_000, 1_000_000), (6, 50, 200), (0, 10, 100)
FLAT = 1.2
NOTE = (
    "Random members of a large account are not in the processor's caches. A plain dictionary waits"
    " for them in the same way; a check adds the record and the parts of the map."
)
MEMBERS = 1_000

AskedT = TypeVar("AskedT")


class BySize(NamedTuple):
    """Nanoseconds of a check: a few members, random ones, and random ones of a dictionary."""

    size: int
    warm: float
    random: float
    plain: float


def nanoseconds(asked: Sequence[AskedT], one: Callable[[AskedT], object]) -> float:
    """The median of the rounds."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        for each in asked:
            one(each)
        found.append((time.process_time_ns() - start) / len(asked))
    return statistics.median(found)


def check(
    known: AccountState, users: Sequence[str], number: int, project_id: str | None = None
) -> float:
    """The nanoseconds of a decision about these members, each with another permission."""
    permissions = [name for name, one in known.catalog.permissions.items() if not one.on_project]
    resource = Resource("i-1", None, project_id)
    asked = [(Subject(RNG.choice(users)), RNG.choice(permissions), resource) for _ in range(number)]
    repeated = asked * max(1, RANDOM // number)
    return nanoseconds(repeated, lambda each: decide(known, *each, now=NOW))


def by_size(size: int) -> BySize:
    """An account of this size."""
    state, _ = loaded(1, size)
    gc.collect()
    gc.freeze()
    known = state.account(account_id_of(0))
    assert known is not None
    users = list(known.members)
    plain, some = dict(known.members.items()), [RNG.choice(users) for _ in range(RANDOM)]
    return BySize(
        size,
        check(known, [RNG.choice(users) for _ in range(WARM)], WARM),
        check(known, users, RANDOM),
        nanoseconds([str(each) for each in some], plain.__getitem__),
    )


def small(roles: int, overrides: int) -> AccountState:
    """An account of `MEMBERS` with custom roles, and with overrides in its one project."""
    account_id, project_id = account_id_of(0), "prj_" + "1" * 32
    custom = {
        f"rol_{number}": {"name": f"Role {number}", "grants": {"instance": {"write": "all"}}}
        for number in range(roles - len(CATALOG.roles))
    }
    names = [*(role.id for role in CATALOG.roles), *custom]
    rows = [
        row("catalog", CATALOG.id, None, content=CATALOG.to_mapping()),
        account(account_id, roles=custom),
        row("project", project_id, account_id, name="prod"),
    ]
    for number in range(MEMBERS):
        told = member(account_id, new_id("usr"), names[number % len(names)])
        rows.append(told)
        if number < overrides:
            grants = {
                "project_id": project_id,
                "user_id": told["id"],
                "membership_id": told["state"]["membership_id"],
                "grants": {"instance": {"view": "all"}},
            }
            rows.append(row("override", f"{project_id}/{told['id']}", account_id, **grants))
    state = PolicyState()
    state.put([PolicyObject.model_validate(each) for each in rows])
    known = state.account(account_id)
    assert known is not None
    return known


def by_roles(roles: int) -> tuple[int, float]:
    """An account with this many roles."""
    known = small(max(roles, len(CATALOG.roles)), 0)
    return roles, check(known, list(known.members)[:WARM], WARM)


def by_overrides(overrides: int) -> tuple[int, float]:
    """Checks of members inside a project in which this many have an override."""
    known = small(len(CATALOG.roles), overrides)
    return overrides, check(known, list(known.members)[:WARM], WARM, next(iter(known.projects)))


def run(*, short: bool = False) -> Result:
    """Measure, each size in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as processes:
        return result(
            list(processes.map(by_size, SIZES[:2] if short else SIZES)),
            list(processes.map(by_roles, ROLES)),
            list(processes.map(by_overrides, OVERRIDES)),
        )


def result(
    sizes: Sequence[BySize],
    roles: Sequence[tuple[int, float]],
    overrides: Sequence[tuple[int, float]],
) -> Result:
    """What was found, with the goals."""
    warm = [(each.size, each.warm) for each in sizes]
    return Result(
        "The cost of a check as accounts grow",
        "python -m benchmarks --only flatness",
        tables=[
            Table(
                (
                    "members of the account",
                    f"a check, {WARM} different ones, ns",
                    f"a check, {RANDOM:,} random ones, ns",
                    "a plain dictionary, random ones, ns",
                ),
                sizes,
            ),
            Table(("roles of the account", "a check, ns"), roles),
            Table(("overrides in the project of the check", "a check, ns"), overrides),
        ],
        plots=[
            Lines(
                "flatness",
                "A check as its account grows",
                "members of the account (each line is ten times the one before)",
                "nanoseconds",
                [
                    Series(f"{WARM} different checks", warm),
                    Series("random members", [(each.size, each.random) for each in sizes]),
                    Series("a plain dictionary", [(each.size, each.plain) for each in sizes]),
                ],
                log_x=True,
            )
        ],
        goals=[
            _goal(f"from {sizes[0].size:,} to {sizes[-1].size:,} members", warm),
            _goal(f"from {roles[0][0]} to {roles[-1][0]} roles", roles),
            _goal(f"from {overrides[0][0]} to {overrides[-1][0]} overrides", overrides),
        ],
        notes=[NOTE],
    )


def _goal(figure: str, points: Sequence[tuple[int, float]]) -> Goal:
    """The largest cost beside that of the smallest size."""
    times = max(cost for _, cost in points) / points[0][1]
    return Goal(
        "P7",
        f"cost of a check, {figure}",
        f"{times:.2f} times",
        f"at most {FLAT} times",
        times <= FLAT,
    )


if __name__ == "__main__":
    print(run().markdown())
