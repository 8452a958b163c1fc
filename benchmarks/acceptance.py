"""P12: the time from the acceptance of an invitation to the first allowed check.

PYTHONPATH=.:sdk python -m benchmarks.acceptance
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import aiohttp

from benchmarks.removals import invite
from benchmarks.results import Goal, Lines, Result, Table, distribution, percentile
from tests.e2e.journey import World, gather_team
from tests.e2e.processes import Processes

ACCEPTANCES = 60
P99_MS = 100


class Acceptances(NamedTuple):
    """Milliseconds of each: until the answer, and from the answer to an allowed check."""

    answered: list[float]
    allowed: list[float]


async def measure(product: Processes, count: int) -> Acceptances:
    """Accept, then ask until the last replica allows; the member leaves before the next time."""
    deployment = product.deployment()
    found = Acceptances([], [])
    async with aiohttp.ClientSession() as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        team = await gather_team(world, "standard")
        person = team.link
        for _ in range(count):
            path = f"{team.path}/members/{person.user_id}"
            (await team.owner.send("DELETE", path)).expect(204)
            link = await invite(team, person)
            started = time.perf_counter()
            accepted = await person.send("POST", "/v1/invitations/accept", link.body)
            answered = time.perf_counter()
            accepted.expect(200)
            asked = {"account": team.account_id, "owner": person.user_id}
            while True:
                reasons = await world.decisions(person.user_id, "instance:view", **asked)
                if reasons == world.everywhere("allowed"):
                    break
            found.allowed.append((time.perf_counter() - answered) * 1000)
            found.answered.append((answered - started) * 1000)
    return found


def run(count: int = ACCEPTANCES) -> Result:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name))
        try:
            product.start()
            return result(asyncio.run(measure(product, count)))
        finally:
            product.stop()


def result(found: Acceptances) -> Result:
    """What was found, with the goal."""
    whole = [sum(both) for both in zip(found.answered, found.allowed, strict=True)]
    slowest = percentile(found.allowed, 0.99)
    rows = [
        (name, len(times), statistics.median(times), percentile(times, 0.99), max(times))
        for name, times in (
            ("accepted (answered) to allowed by 3 replicas, asked in turn", found.allowed),
            ("request of the acceptance to its answer", found.answered),
            ("request of the acceptance to allowed", whole),
        )
    ]
    return Result(
        "Acceptance of an invitation to the first allowed check",
        "python -m benchmarks --only acceptance",
        tables=[Table(("", "number", "p50 ms", "p99 ms", "longest ms"), rows)],
        plots=[
            Lines(
                "acceptance",
                "Accepted invitations whose member is allowed",
                "milliseconds",
                "% of all",
                [
                    distribution("since the answer", found.allowed),
                    distribution("since the request", whole),
                ],
                markers=False,
            )
        ],
        goals=[
            Goal(
                "P12",
                "accepted to the first allowed check, p99",
                f"{slowest:.1f} ms",
                f"at most {P99_MS} ms",
                slowest <= P99_MS,
            )
        ],
    )


if __name__ == "__main__":
    print(run().markdown())
