"""P9: the time of a removal until three replicas apply it, beside the database's own commit.

The answer to a removal comes when every replica has applied it. Between two removals the statements
of one change are committed in a plain transaction, on copies of the same documents.

    PYTHONPATH=.:sdk python -m benchmarks.removals
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import NamedTuple

import aiohttp

from benchmarks.results import Goal, Lines, Result, Table, distribution, percentile
from benchmarks.team import copies, plain
from shared.mongo import Database, Transactions, connect
from tests.e2e.journey import Team, World, gather_team
from tests.e2e.people import Link, Person
from tests.e2e.processes import Processes
from tests.patience import PATIENT

REMOVALS = 60
MEDIAN_MS, P99_MS = 10, 60
"""The goals, beyond the database's own commit."""


class Removals(NamedTuple):
    """Milliseconds of each removal and of each plain commit, and answers that came too late."""

    removals: list[float]
    commits: list[float]
    wrong: int


async def measure(product: Processes, count: int) -> Removals:
    """Remove one member again and again, and ask every replica after each answer."""
    deployment = product.deployment()
    client = connect(product.database.url_for("team"), app_name="benchmark", timeouts=PATIENT)
    database: Database = client["rolecall_team"]
    found = Removals([], [], 0)
    async with aiohttp.ClientSession() as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        team = await gather_team(world, "standard")
        made = await copies(database)
        commit = await plain(Transactions(client), database, made, team.owner)
        person, wrong = team.link, 0
        for _ in range(count):
            found.commits.append(await milliseconds(commit()))
            path = f"{team.path}/members/{person.user_id}"
            started = time.perf_counter()
            removed = await team.owner.send("DELETE", path)
            found.removals.append((time.perf_counter() - started) * 1000)
            removed.expect(204)
            reasons = await world.decisions(
                person.user_id, "instance:view", account=team.account_id
            )
            wrong += reasons.count("allowed")
            await join_again(team, person)
    client.close()
    return found._replace(wrong=wrong)


async def milliseconds(work: Awaitable[object]) -> float:
    """The time of some work."""
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000


async def join_again(team: Team, person: Person) -> None:
    """Invite by link, and accept."""
    link = await invite(team, person)
    (await person.send("POST", "/v1/invitations/accept", link.body)).expect(200)


async def invite(team: Team, person: Person) -> Link:
    """Invite a person again, and return their link."""
    body = {"email": person.email, "role": "basic", "delivery": "link"}
    shown = (await team.owner.send("POST", f"{team.path}/invitations", body)).expect(201)
    return Link.in_text(shown["link"]["url"])


def run(count: int = REMOVALS) -> Result:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name))
        try:
            product.start()
            return result(asyncio.run(measure(product, count)))
        finally:
            product.stop()


def result(found: Removals) -> Result:
    """What was found, with the goals."""
    commit = statistics.median(found.commits)
    middle = statistics.median(found.removals) - commit
    slowest = percentile(found.removals, 0.99) - commit
    rows = [
        (name, len(times), statistics.median(times), percentile(times, 0.99), max(times))
        for name, times in (
            ("removal, with its effect on 3 replicas", found.removals),
            ("plain commit of such a change", found.commits),
        )
    ]
    return Result(
        "Removal to effect on three replicas",
        "python -m benchmarks --only removals",
        tables=[Table(("", "number", "p50 ms", "p99 ms", "longest ms"), rows)],
        plots=[
            Lines(
                "removals",
                "Removals that every replica has applied",
                "milliseconds since the request",
                "% of all",
                [
                    distribution("removal", found.removals),
                    distribution("plain commit of the database", found.commits),
                ],
                markers=False,
            )
        ],
        goals=[
            Goal(
                "P9",
                "removal to effect on 3 replicas beyond the database's own commit, p50",
                f"{middle:.1f} ms",
                f"at most {MEDIAN_MS} ms",
                middle <= MEDIAN_MS,
            ),
            Goal(
                "P9",
                "the same, p99",
                f"{slowest:.1f} ms",
                f"at most {P99_MS} ms",
                slowest <= P99_MS,
            ),
            Goal(
                "P9",
                "checks that a replica allowed after the answer",
                str(found.wrong),
                "0",
                found.wrong == 0,
            ),
        ],
    )


if __name__ == "__main__":
    print(run().markdown())
