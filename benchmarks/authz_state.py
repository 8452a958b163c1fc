"""P6: what the state of a replica costs: memory, loading, and one change.

Times are of the CPU: other processes of the machine do not count.

python -m benchmarks.authz_state
"""

import asyncio
import gc
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.results import Bars, Goal, Lines, Result, Series, Table
from benchmarks.snapshots import PAGE_SIZE, RNG, ROLES, account, account_id_of, loaded, member
from services.authz.domain.policy_state import PolicyState
from shared.contracts.policy_objects import PolicyObject


class Loaded(NamedTuple):
    """A snapshot that was loaded: its accounts of a size, memory, speed, and the collector."""

    accounts: int
    size: int
    bytes_a_member: float
    members_per_second: float
    collection_ms: float
    frozen_ms: float

    @property
    def shape(self) -> str:
        """How the accounts are named in tables and plots."""
        return f"{self.accounts:,} x {self.size:,}"


class Changed(NamedTuple):
    """Milliseconds of changes in an account of a size, and the longest pause of the loop."""

    size: int
    one: float
    role: float
    batch: float
    longest_pause: float


def rss() -> int:
    """The resident bytes of this process."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def memory(shape: tuple[int, int]) -> Loaded:
    """Memory and speed of a snapshot of this shape, in a process that loads nothing else."""
    accounts, size = shape
    warm, _ = loaded(1, PAGE_SIZE)
    del warm
    gc.collect()
    before = rss()
    state, seconds = loaded(accounts, size)
    gc.collect()
    after, members = rss(), accounts * size
    start = time.thread_time()
    gc.collect()
    full = time.thread_time() - start
    gc.freeze()
    start = time.thread_time()
    gc.collect()
    frozen = time.thread_time() - start
    assert state.account(account_id_of(0)) is not None
    return Loaded(
        accounts, size, (after - before) / members, members / seconds, full * 1000, frozen * 1000
    )


def change(size: int) -> Changed:
    """The cost of changes in an account of this size."""
    state, _ = loaded(1, size)
    gc.freeze()
    account_id = account_id_of(0)
    known = state.account(account_id)
    assert known is not None
    users = list(known.members)
    revs = iter(range(2**41, 2**42))

    def objects(*rows: dict[str, Any]) -> list[PolicyObject]:
        return [PolicyObject.model_validate(each) for each in rows]

    def one() -> list[PolicyObject]:
        return objects(member(account_id, RNG.choice(users), RNG.choice(ROLES), next(revs)))

    def edited_role() -> list[PolicyObject]:
        role = {"name": "Night", "grants": {"instance": {RNG.choice(["view", "write"]): "all"}}}
        fields = {"roles": {"rol_1": role}}
        return objects(account(account_id, **fields) | {"rev": next(revs)})

    def batch() -> list[PolicyObject]:
        return objects(
            *(
                member(account_id, user_id, RNG.choice(ROLES), next(revs))
                for user_id in (RNG.choice(users) for _ in range(500))
            )
        )

    one_ms, role_ms, batch_ms = (
        statistics.median(timed(state, make) for _ in range(rounds))
        for make, rounds in ((one, 200), (edited_role, 20), (batch, 10))
    )
    pause = asyncio.run(longest_pause(state, [one() for _ in range(1_000)]))
    return Changed(size, one_ms, role_ms, batch_ms, pause)


def timed(state: PolicyState, make: Callable[[], list[PolicyObject]]) -> float:
    """The milliseconds of one change."""
    objects = make()
    start = time.thread_time()
    state.put(objects)
    return (time.thread_time() - start) * 1000


async def longest_pause(state: PolicyState, changes: list[list[PolicyObject]]) -> float:
    """The longest pause of the loop in milliseconds while these changes come at once."""
    pauses: list[float] = []
    done = asyncio.Event()

    async def look() -> None:
        last = time.thread_time()
        while not done.is_set():
            await asyncio.sleep(0)
            now = time.thread_time()
            pauses.append(now - last)
            last = now

    looking = asyncio.create_task(look())
    for objects in changes:  # as `shared.following.followers` takes them, one in each turn
        state.put(objects)
        await asyncio.sleep(0)
    done.set()
    await looking
    return max(pauses) * 1000


SHAPES = ((2_000, 50), (20_000, 50), (10, 10_000), (1, 100_000), (10, 100_000))
SIZES = (50, 1_000, 10_000, 100_000)
MILLION = 1_000_000
NOTE = (
    "Loading is what a replica does with a page: JSON, validation, and the state. The part about"
    " the start measures the whole way from a source over HTTP."
)
BYTES, MEMBERS_PER_SECOND, CHANGE_MS, PAUSE_MS = 300, 100_000, 0.2, 5


def run(*, short: bool = False) -> Result:
    """Measure, each row in a process of its own."""
    shapes, sizes = (SHAPES[:1], SIZES[:2]) if short else (SHAPES, SIZES)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as processes:
        return result(list(processes.map(memory, shapes)), list(processes.map(change, sizes)))


def result(snapshots: Sequence[Loaded], changes: Sequence[Changed]) -> Result:
    """What was found, with the goals."""
    return Result(
        "The state of a replica: memory, loading, changes",
        "python -m benchmarks --only state",
        tables=[
            Table(
                (
                    "accounts x members",
                    "bytes a member",
                    "members/s",
                    "full collection, ms",
                    "the same after `gc.freeze()`",
                ),
                [(each.shape, *each[2:]) for each in snapshots],
            ),
            Table(
                (
                    "members of the account",
                    "one member, ms",
                    "a custom role, ms",
                    "500 members, ms",
                    "longest pause in 1,000 changes, ms",
                ),
                changes,
            ),
        ],
        plots=[
            Bars(
                "memory",
                "Memory of a replica",
                "bytes a member",
                [(each.shape, each.bytes_a_member) for each in snapshots],
            ),
            Bars(
                "loading",
                "Loading pages of a snapshot, one core",
                "members a second",
                [(each.shape, each.members_per_second) for each in snapshots],
            ),
            Lines(
                "changes",
                "One change in an account",
                "members of the account (each line is ten times the one before)",
                "milliseconds",
                [
                    Series("one member", [(each.size, each.one) for each in changes]),
                    Series("a custom role", [(each.size, each.role) for each in changes]),
                ],
                log_x=True,
            ),
        ],
        goals=[*_goals_of_loading(snapshots), *_goals_of_changes(changes)],
        notes=[NOTE],
    )


def _goals_of_loading(snapshots: Sequence[Loaded]) -> list[Goal]:
    """P6, for the shapes of a million members."""
    whole = [each for each in snapshots if each.accounts * each.size == MILLION]
    if not whole:
        return []
    most = max(each.bytes_a_member for each in whole)
    slowest = min(each.members_per_second for each in whole)
    return [
        Goal(
            "P6",
            "memory of a member, of a million in accounts of 50 and of 100,000",
            f"{most:,.0f} bytes at most",
            f"at most {BYTES}",
            most <= BYTES,
        ),
        Goal(
            "P6",
            "members that a replica takes from the pages of a snapshot, one core",
            f"{slowest:,.0f}/s at least",
            f"at least {MEMBERS_PER_SECOND:,}/s",
            slowest >= MEMBERS_PER_SECOND,
        ),
    ]


def _goals_of_changes(changes: Sequence[Changed]) -> list[Goal]:
    pause = max(each.longest_pause for each in changes)
    found = [
        Goal(
            "P6",
            "longest pause while 1,000 changes come at once",
            f"{pause:.2f} ms",
            f"at most {PAUSE_MS} ms",
            pause <= PAUSE_MS,
        )
    ]
    for each in changes:
        if each.size == 10_000:
            goal, figure = f"at most {CHANGE_MS} ms", "a change in an account of 10,000"
            reached = each.one <= CHANGE_MS
            found.insert(0, Goal("P6", figure, f"{each.one:.3f} ms", goal, reached))
    return found


if __name__ == "__main__":
    print(run().markdown())
