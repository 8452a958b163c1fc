"""P9: the time from a removal's request to its acknowledgement, with three replicas."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from tests.e2e.journey import Team, World, gather_team
from tests.e2e.people import Link, Person
from tests.e2e.processes import Processes

REMOVALS = 60


async def measure(product: Processes) -> list[float]:
    """Milliseconds of each removal, one after the other."""
    deployment = product.deployment()
    times = []
    async with aiohttp.ClientSession() as http:
        world = World(deployment, http)
        await world.platform.sign_in(deployment.client_id, deployment.client_secret)
        team = await gather_team(world, "standard")
        person = team.link
        for _ in range(REMOVALS):
            started = time.perf_counter()
            removed = await team.owner.send("DELETE", f"{team.path}/members/{person.user_id}")
            times.append((time.perf_counter() - started) * 1000)
            removed.expect(204)
            await join_again(team, person)
    return times


async def join_again(team: Team, person: Person) -> None:
    """Invite by link, and accept."""
    body = {"email": person.email, "role": "basic", "delivery": "link"}
    shown = (await team.owner.send("POST", f"{team.path}/invitations", body)).expect(201)
    link = Link.in_text(shown["link"]["url"])
    (await person.send("POST", "/v1/invitations/accept", link.body)).expect(200)


def run() -> str:
    """Measure; the rows of the report."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name))
        try:
            product.start()
            times = sorted(asyncio.run(measure(product)))
        finally:
            product.stop()
    p99 = times[int(len(times) * 0.99)]
    return (
        "| removals | p50 ms | p99 ms | longest ms |\n|---|---|---|---|\n"
        f"| {len(times)} | {statistics.median(times):.1f} | {p99:.1f} | {times[-1]:.1f} |"
    )


if __name__ == "__main__":
    print(run())
