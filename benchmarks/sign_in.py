"""T8, T9: sign-ins during a thousand guesses, and what the time of an answer reveals."""

import asyncio
import math
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.results import Result, Table, percentile
from tests.e2e.journey import World
from tests.e2e.people import PASSWORD, Answer, Browser
from tests.e2e.processes import Processes

GUESSES, GUESSERS = 1000, 8
SAMPLES = 300
WRONG = "not-the-password-1"


async def log_in(at: Browser, email: str, password: str, sender: str) -> tuple[Answer, float]:
    """The answer to a sign-in that is sent from the address `sender`, and its milliseconds."""
    body = {"email": email, "password": password}
    started = time.perf_counter()
    answer = await at.send("POST", "/v1/login", body, headers={"X-Forwarded-For": sender})
    return answer, (time.perf_counter() - started) * 1000


async def guess(at: Browser, victim: str, other: str) -> Table:
    """Guess one address as fast as possible while another user signs in again and again."""
    statuses, times, alone = [], [], []

    async def guesses() -> None:
        for _ in range(GUESSES // GUESSERS):
            answer, _ = await log_in(at, victim, WRONG, "198.51.100.1")
            statuses.append(answer.status)

    async def others(into: list[float], count: int) -> None:
        for _ in range(count):
            answer, milliseconds = await log_in(at, other, PASSWORD, "198.51.100.2")
            answer.expect(200)
            into.append(milliseconds)

    await others(alone, 20)
    guessing = asyncio.gather(*(guesses() for _ in range(GUESSERS)))
    while not guessing.done():
        await others(times, 1)
    await guessing
    head = (
        "guesses",
        "of these checked",
        "sign-ins of another user meanwhile",
        "p50 ms",
        "p99 ms",
        "p50 ms without guesses",
    )
    found = (
        len(statuses),
        statuses.count(401),
        len(times),
        statistics.median(times),
        percentile(times, 0.99),
        statistics.median(alone),
    )
    return Table(head, [found])


async def compare(at: Browser, known: str, samples: int) -> Table:
    """Alternate wrong passwords for an address with a user and for one without."""
    took: dict[str, list[float]] = {known: [], "unknown@example.com": []}
    for number in range(samples):
        for email, times in took.items():
            sender = f"203.0.{number // 200}.{number % 200 + 1}"
            answer, milliseconds = await log_in(at, email, WRONG, sender)
            answer.expect(401)
            times.append(milliseconds)
    with_user, without = took.values()
    one, other = statistics.median(with_user), statistics.median(without)
    return Table(
        ("samples each", "p50 ms with a user", "p50 ms without", "difference ms", "Mann-Whitney p"),
        [(samples, one, other, abs(one - other), same_distribution(with_user, without))],
    )


def same_distribution(one: list[float], other: list[float]) -> float:
    """The two-sided p of the Mann-Whitney U test, by its normal approximation (no ties)."""
    u = sum(a > b for a in one for b in other)
    mean = len(one) * len(other) / 2
    deviation = math.sqrt(mean * (len(one) + len(other) + 1) / 6)
    return math.erfc(abs(u - mean) / deviation / math.sqrt(2))


async def measure(product: Processes, samples: int) -> list[Table]:
    """Both tables, from identity's own port, where the test can set the sender's address."""
    async with aiohttp.ClientSession() as http:
        world = World(product.deployment(), http)
        victim, other = world.person("Vera Victim"), world.person("Otto Other")
        for person in victim, other:
            await person.sign_up()
        [identity] = product.replicas_of("identity")
        at = Browser(http, identity.url)
        compared = await compare(at, victim.email, samples)
        return [compared, await guess(at, victim.email, other.email)]


def run(samples: int = SAMPLES) -> Result:
    """Measure, with `samples` of each kind."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name), replicas={"authz": 1})
        try:
            product.start()
            tables = asyncio.run(measure(product, samples))
        finally:
            product.stop()
    title = "Sign-ins during guesses, and what their time reveals (T8, T9)"
    return Result(title, "python -m benchmarks --only sign_in", tables=tables)


if __name__ == "__main__":
    print(run().markdown())
