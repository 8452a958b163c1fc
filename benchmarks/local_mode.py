"""P8: checks in local mode of the SDK, from strings and with a handle; CPU time.

PYTHONPATH=.:sdk python -m benchmarks.local_mode
"""

import random
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.results import Goal, Result, Table
from benchmarks.workload import Check, checks, of_team
from rolecall import Resource
from rolecall.aio.accounts import ToldObject
from rolecall.aio.local import Handle, LocalChecks
from rolecall.aio.mirror import Mirror

ROUNDS, REPEATED, DIFFERENT = 15, 20_000, 200
FROM_STRINGS_US, BY_HANDLE_US = 1.0, 0.3
HOUR = 3600.0
Asked = TypeVar("Asked")
NOTE = (
    "A client keeps 10,000 handles. With more different checks in turn each makes its own, and"
    " finds accounts, members and answers cold."
)


def local_checks() -> LocalChecks:
    """Local mode with the workload, and a lease that does not end meanwhile."""
    mirror = Mirror()
    mirror.account_ids = None
    mirror.accounts.put(
        ToldObject(
            each.kind.value,
            each.id,
            each.account_id or "",
            {"roles": {}, **(each.state or {})},
        )
        for each in of_team()
    )
    mirror.lease.until = time.monotonic() + HOUR
    return LocalChecks(mirror, clock=time.monotonic)


def microseconds(asked: list[Asked], one: Callable[[Asked], object], rounds: int) -> float:
    """The median of the rounds, without the time of the loop."""
    found = []
    for _ in range(rounds):
        started = time.process_time()
        for each in asked:
            _nothing(each)
        empty = time.process_time() - started
        started = time.process_time()
        for each in asked:
            one(each)
        found.append((time.process_time() - started - empty) / len(asked) * 1e6)
    return statistics.median(found)


def _nothing(_: object) -> None:
    """A call that decides nothing."""


def run(rounds: int = ROUNDS) -> Result:
    """Measure.

    Raises:
        SystemExit: an answer is wrong.
    """
    local, every = local_checks(), checks()
    warm = random.Random(1).choices(range(DIFFERENT), k=REPEATED)
    prepared = [
        (
            local.handle(check.user, f"{check.type}:{check.action}", account=check.account),
            Resource("r-1", check.owner),
        )
        for check in every[:DIFFERENT]
    ]

    def from_strings(check: Check) -> bool:
        name, resource = f"{check.type}:{check.action}", Resource("r-1", check.owner)
        return local.check(check.user, name, resource, account=check.account).allowed

    def by_handle(resolved: tuple[Handle, Resource]) -> bool:
        handle, resource = resolved
        return handle.check(resource).allowed

    for check, resolved in zip(every, prepared, strict=False):
        if not from_strings(check) is by_handle(resolved) is check.allowed:
            raise SystemExit(f"Local mode answers {check} wrongly.")
    strings = microseconds([every[place] for place in warm], from_strings, rounds)
    handle = microseconds([prepared[place] for place in warm], by_handle, rounds)
    rows = [
        (f"from strings, {DIFFERENT} different checks", strings),
        ("by handles, one for each subject and permission", handle),
        (f"from strings, {len(every):,} different checks", microseconds(every, from_strings, 3)),
    ]
    return Result(
        "Checks in local mode of the SDK",
        "python -m benchmarks --only local",
        tables=[Table(("local mode", "a check, µs"), rows)],
        goals=[
            Goal(
                "P8",
                "a check in local mode, from strings",
                f"{strings:.2f} µs",
                f"at most {FROM_STRINGS_US:.0f} µs",
                strings <= FROM_STRINGS_US,
            ),
            Goal(
                "P8",
                "the same with subject and permission resolved once",
                f"{handle:.2f} µs",
                f"at most {BY_HANDLE_US} µs",
                handle <= BY_HANDLE_US,
            ),
        ],
        notes=[NOTE],
    )


if __name__ == "__main__":
    print(run().markdown())
