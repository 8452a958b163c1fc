"""Pages of the console: the first byte of each beside the requests of the API that it makes.

The console runs in this process, so that the requests of a page can be timed; the product behind
it runs as processes behind its gateway, with the team of `make demo`.
"""

import asyncio
import os
import re
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from benchmarks.results import Goal, Result, Table
from benchmarks.team import fill_members
from deploy.demo.__main__ import fill
from deploy.demo.team import FURTHER_TEAM, OWNER, PASSWORD
from rolecall.client.jwk import encode
from services.console.adapters.api import ApiAnswer, PublicApi
from services.console.app import build
from services.console.domain import places
from services.console.routes import PAGES
from services.console.settings import Settings
from shared.ids import AccountId
from shared.mongo import connect
from shared.runtime.listeners import listen, url_of
from tests.e2e.processes import Processes
from tests.e2e.visitors import ProductWithMails
from tests.patience import PATIENT
from tests.pictures.demonstration import Demonstration
from tests.pictures.table import Seen, usual_pictures

ROUNDS, MEMBERS = 5, 1_000
MOST_TIMES, MOST_BYTES = 2.0, 100_000
PAGES_OF_MAILS = {"notification": {"pages": "true"}}
"""Links of mails lead to pages."""
SCOPES = ("authz:check", "audit:write", "usage:write")
MARK = re.compile(r'name="form" value="([^"]+)"')
FILES = re.compile(r'(?:src|href)="(/console/static/[^"#]+)')
PAUSE_SECONDS = 0.25
"""Between two pages: the gateway limits the requests of one user."""
NOTES = (
    "The console's own port is asked. The requests of a page go through the gateway.",
    "Their time is that during which at least one of them has no answer yet.",
    "A first load is the page with its style sheet, scripts and icons, not compressed.",
)


class TimedApi(PublicApi):
    """The API, which notes when each request began and ended."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.spans: list[tuple[float, float]] = []

    async def answer(self, *asked: Any, **named: Any) -> ApiAnswer:
        """Send a request."""
        began = time.perf_counter()
        try:
            return await super().answer(*asked, **named)
        finally:
            self.spans.append((began, time.perf_counter()))


class PageTime(NamedTuple):
    """One answer: milliseconds to the first byte, those of the requests, and their number."""

    first_byte: float
    requests: float
    number: int
    size: int


class PageTimes(NamedTuple):
    """The medians of a page."""

    name: str
    first_byte: float
    requests: float
    number: int
    ratio: float
    size: int


def covered(spans: Sequence[tuple[float, float]]) -> float:
    """The time that at least one of the spans covers."""
    total, until = 0.0, float("-inf")
    for began, ended in sorted(spans):
        total += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return total


@dataclass
class Reader:
    """A browser of one user that keeps its cookies, and gets nothing from a cache."""

    http: aiohttp.ClientSession
    url: str
    api: TimedApi
    cookies: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in by the page."""
        _, text = await self._ask("GET", places.SIGN_IN)
        found = MARK.search(text)
        typed = {"form": found[1] if found else "", "email": email, "password": password}
        status, _ = await self._ask("POST", places.SIGN_IN, typed)
        assert status == 303, status

    async def read(self, path: str) -> PageTime:
        """Read a page."""
        self.api.spans.clear()
        began = time.perf_counter()
        status, text = await self._ask("GET", path)
        took = time.perf_counter() - began
        assert status == 200, (status, path)
        spans = list(self.api.spans)
        size = len(text.encode()) + sum([await self._size(one) for one in set(FILES.findall(text))])
        return PageTime(took * 1000, covered(spans) * 1000, len(spans), size)

    async def _ask(
        self, method: str, path: str, typed: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Sec-Fetch-Site": "same-origin",
        }
        asking = self.http.request(
            method, self.url + path, data=typed, headers=headers, allow_redirects=False
        )
        async with asking as answer:
            self.cookies |= {name: one.value for name, one in answer.cookies.items() if one.value}
            return answer.status, await answer.text()

    async def _size(self, file: str) -> int:
        if file not in self.files:
            async with self.http.get(self.url + file) as answer:
                self.files[file] = len(await answer.read())
        return self.files[file]


@asynccontextmanager
async def console_of(product: Processes) -> AsyncIterator[Reader]:
    """A console of this process over the product, and its reader."""
    made: list[TimedApi] = []

    def api_at(url: str) -> PublicApi:
        made.append(TimedApi(url))
        return made[0]

    settings = Settings(
        public_url=product.gateway.url,
        api_url=product.gateway.url,
        cookie_keys=(encode(secrets.token_bytes(32)),),
    )
    service = build(settings, api_at=api_at)
    public = listen("127.0.0.1", 0)
    await service.start(internal=listen("127.0.0.1", 0), public=public)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Reader(http, url_of(public), made[0])
    finally:
        await service.stop()


async def times(reader: Reader, name: str, path: str, rounds: int) -> PageTimes | None:
    """The medians of a page, after one reading that does not count; some pages ask for nothing."""
    if (await reader.read(path)).number == 0:
        return None
    found = []
    for _ in range(rounds):
        await asyncio.sleep(PAUSE_SECONDS)
        found.append(await reader.read(path))
    ratio = statistics.median(one.first_byte / one.requests for one in found)
    return PageTimes(
        name,
        statistics.median(one.first_byte for one in found),
        statistics.median(one.requests for one in found),
        found[-1].number,
        ratio,
        found[-1].size,
    )


def addresses(demonstration: Demonstration) -> Mapping[str, str]:
    """The pages of the owner by their names; a mailed link has none of its own."""
    ids = demonstration.ids
    return {
        one.name: one.address(ids)
        for one in usual_pictures(PAGES)
        if one.by is Seen.OWNER and one.link is None and one.status == 200
    }


async def measure(
    product: Processes, pages: Mapping[str, str], large: str, rounds: int
) -> Sequence[PageTimes]:
    """Every page of the owner, then the members of the account `large`."""
    client = connect(product.database.url_for("team"), app_name="benchmark", timeouts=PATIENT)
    await fill_members(client["rolecall_team"], AccountId(large), MEMBERS)
    client.close()
    members = places.account_path(large, "members")
    async with console_of(product) as reader:
        await reader.sign_in(OWNER.email, PASSWORD)
        found = [await times(reader, name, path, rounds) for name, path in pages.items()]
        for name, query in (
            (f"50 of {MEMBERS:,} members", ""),
            (f"the same, found by `{FOUND}`", f"?q={FOUND}"),
            ("the same, by last activity", "?sort=-last_active"),
        ):
            found.append(await times(reader, name, members + query, rounds))
        return [one for one in found if one is not None]


FOUND = "member.7"


def run(rounds: int = ROUNDS) -> Result:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        product = Processes(Path(name), replicas={"authz": 1}, options=PAGES_OF_MAILS)
        try:
            product.start()
            made = product.create_client(scopes=SCOPES)
            run_file = {
                "gateway": product.gateway.url,
                "mail": product.mail.url,
                "service_client": {"id": made["id"], "secret": made["secret"]},
            }
            asyncio.run(fill(run_file))
            site = ProductWithMails(url=product.gateway.url, mail=product.mail.url)
            demonstration = Demonstration(site)
            large = demonstration.ids["further_id"]
            found = asyncio.run(measure(product, addresses(demonstration), large, rounds))
        finally:
            product.stop()
    return result(found)


def result(found: Sequence[PageTimes]) -> Result:
    """What was found, with the goals."""
    slowest = max(found, key=lambda one: one.ratio)
    largest = max(found, key=lambda one: one.size)
    head = ("page", "first byte, ms", "its requests, ms", "requests", "ratio", "first load, bytes")
    rows = [
        (one.name, one.first_byte, one.requests, one.number, one.ratio, one.size) for one in found
    ]
    return Result(
        f"Pages of the console, and those of {FURTHER_TEAM} with {MEMBERS:,} members",
        "python -m benchmarks --only console",
        tables=[Table(head, rows)],
        notes=(*NOTES, f"{os.getloadavg()[1]:.0f} processes wanted a core while it was measured."),
        goals=[
            Goal(
                "",
                "first byte of a page beside the requests that it makes",
                f"{slowest.ratio:.2f} times at most ({slowest.name})",
                "below 2 times",
                slowest.ratio < MOST_TIMES,
            ),
            Goal(
                "",
                "first load of a page, not compressed",
                f"{largest.size:,} bytes at most ({largest.name})",
                f"at most {MOST_BYTES:,}",
                largest.size <= MOST_BYTES,
            ),
        ],
    )


if __name__ == "__main__":
    print(run().markdown())
