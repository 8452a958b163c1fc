"""P6 and P7: what the state of a replica costs: memory, loading, one change, and one check.

Times are of the CPU: other processes of the machine do not count.

python -m benchmarks.authz_state
"""

import asyncio
import gc
import json
import multiprocessing
import random
import resource
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from rolecall import Subject, decide, load_catalog
from services.authz.domain.policy_state import PolicyState
from shared.contracts.calls.leases import SnapshotPage
from shared.contracts.policy_objects import PolicyObject

PAGE_SIZE = 2_000
CATALOG = load_catalog("standard")
ROLES = [role.id for role in CATALOG.roles]
RNG = random.Random(1)
NOW = 1_800_000_000_000


def new_id(prefix: str) -> str:
    """A random id with the length of those of the product."""
    return f"{prefix}_{RNG.getrandbits(128):032x}"


def account_id_of(number: int) -> str:
    return f"acc_{uuid.UUID(int=number).hex}"


def account(account_id: str, **fields: Any) -> dict[str, Any]:
    state = {"kind": "team", "status": "active", "owner_user_id": new_id("usr")}
    return row("account", account_id, account_id, 0, **state, catalog=CATALOG.id, **fields)


def member(account_id: str, user_id: str, role: str, rev: int = 0) -> dict[str, Any]:
    fields = {"membership_id": new_id("mem"), "role": role, "status": "active"}
    return row("member", user_id, account_id, rev, **fields, expires_at=None, attributes={})


def row(
    kind: str, object_id: str, account_id: str | None, rev: int = 0, /, **state: Any
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": object_id,
        "account_id": account_id,
        "rev": rev or RNG.randrange(1, 2**40),
        "state": state,
    }


def snapshot(accounts: int, size: int) -> Iterator[bytes]:
    """The pages of a snapshot as they come off the wire: accounts first, then their members."""
    ids = [account_id_of(number) for number in range(accounts)]
    rows = [row("catalog", CATALOG.id, None, content=CATALOG.to_mapping())]
    for account_id in ids:
        rows += [account(account_id), row("project", new_id("prj"), account_id, name="prod")]
    for account_id in ids:
        for user_id in sorted(new_id("usr") for _ in range(size)):
            rows.append(member(account_id, user_id, RNG.choice(ROLES)))
            if len(rows) >= PAGE_SIZE:
                yield page(rows)
                rows = []
    yield page(rows)


def page(rows: list[dict[str, Any]]) -> bytes:
    content = {"source": "team", "epoch": "e", "heads": {}, "items": rows, "next_cursor": None}
    return json.dumps(content).encode()


def load(state: PolicyState, text: bytes) -> None:
    """What a follower does with a page."""
    state.put(SnapshotPage.model_validate(json.loads(text)).items)


def rss() -> int:
    """The resident bytes of this process."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def loaded(accounts: int, size: int) -> tuple[PolicyState, float]:
    """A state with these accounts, and the seconds of loading them."""
    state, seconds = PolicyState(), 0.0
    gc.disable()
    for text in snapshot(accounts, size):
        start = time.thread_time()
        load(state, text)
        seconds += time.thread_time() - start
    gc.enable()
    return state, seconds


def memory(shape: tuple[int, int]) -> list[str]:
    """A row of the first table: memory and speed of a snapshot of this shape."""
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
    return [
        f"{accounts:,} x {size:,}",
        f"{(after - before) / members:,.0f}",
        f"{members / seconds:,.0f}",
        f"{full * 1000:,.1f}",
        f"{frozen * 1000:,.1f}",
    ]


def change(size: int) -> list[str]:
    """A row of the second table: one change in an account of this size."""
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

    return [
        f"{size:,}",
        *(
            f"{statistics.median(timed(state, make) for _ in range(rounds)):,.3f}"
            for make, rounds in ((one, 200), (edited_role, 20), (batch, 10))
        ),
        f"{asyncio.run(longest_pause(state, [one() for _ in range(1_000)])):,.2f}",
        f"{check(state, account_id, users):,.0f}",
    ]


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


def check(state: PolicyState, account_id: str, users: list[str]) -> float:
    """The nanoseconds of one decision about a random member."""
    known = state.account(account_id)
    assert known is not None
    permissions = list(known.catalog.permissions)
    asked = [(Subject(RNG.choice(users)), RNG.choice(permissions)) for _ in range(20_000)]
    found = []
    for _ in range(7):
        start = time.thread_time_ns()
        for subject, permission in asked:
            decide(known, subject, permission, now=NOW)
        found.append((time.thread_time_ns() - start) / len(asked))
    return min(found)


SHAPES = ((2_000, 50), (20_000, 50), (10, 10_000), (1, 100_000), (10, 100_000))
SIZES = (50, 1_000, 10_000, 100_000)


def table(head: tuple[str, ...], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def run() -> str:
    """Measure, each row in a process of its own; the tables of the report."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as processes:
        shapes, sizes = list(processes.map(memory, SHAPES)), list(processes.map(change, SIZES))
    collections = ("full collection, ms", "the same after `gc.freeze()`")
    return "\n\n".join(
        (
            table(("accounts x members", "bytes a member", "members/s", *collections), shapes),
            table(
                (
                    "members of the account",
                    "one member, ms",
                    "a custom role, ms",
                    "500 members, ms",
                    "longest pause in 1,000 changes, ms",
                    "a decision, ns",
                ),
                sizes,
            ),
        )
    )


if __name__ == "__main__":
    print(run())
