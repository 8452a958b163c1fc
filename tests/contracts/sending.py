"""A sender for tests that do not await: it has a team that its requests may change."""

import asyncio
import time
from dataclasses import replace

import aiohttp

from tests.contracts.asking import Asking, Case, Said
from tests.contracts.generated import ANONYMOUS, Operation
from tests.contracts.identities import newcomer
from tests.contracts.people import People, Team, convert, furnish, join
from tests.contracts.running import KnownKey
from tests.contracts.targets import FRESH, fresh
from tests.patience import PATIENT_SECONDS
from tests.support.sessions import http_session

SHOWN = 600
"""The characters of a request and an answer that a failure shows."""


class Sender:
    """Sends one request at a time to the product."""

    def __init__(self, product: KnownKey, gathered: People) -> None:
        """Sign up three users, and make the team."""
        self._product = product
        self._runner = asyncio.Runner()
        self._http = self._runner.run(_connections())
        self.people = self._runner.run(self._own_team(gathered))
        self._asking = Asking(self._http, self.people)
        product.new_faults()

    def close(self) -> None:
        """End the connections."""
        self._runner.run(self._http.close())
        self._runner.close()

    def check(self, operation: Operation, case: Case) -> Said:
        """Send it, and return the answer, which is as the case and the description say.

        Raises:
            AssertionError: it is another one, or the product's log has a fault.
        """
        case, said = self._runner.run(self._answer(operation, case))
        wrong = self._asking.wrong(case, said) or "\n".join(self._product.new_faults())
        sent = f"{case.method} {case.path[:SHOWN]} {(case.body or b'')[:SHOWN]!r}"
        assert not wrong, f"{sent}: {wrong}; {said.status} {said.text[:SHOWN]}"
        return said

    async def _answer(self, operation: Operation, case: Case) -> tuple[Case, Said]:
        """Ask again after each 503: a busy machine may delay a lease."""
        await self.people.come_back(self._http)
        path = case.path
        if FRESH in path:
            path = path.replace(FRESH, await fresh(case.name, self.people))
        case = replace(case, path=path, token=operation.token(case.token or ANONYMOUS))
        until = time.monotonic() + PATIENT_SECONDS
        said = await self._asking.send(case)
        while said.status == 503 and time.monotonic() < until:
            await asyncio.sleep(float(said.headers["Retry-After"]))
            said = await self._asking.send(case)
        return case, said

    async def _own_team(self, gathered: People) -> People:
        await gathered.come_back(self._http)
        people = replace(
            gathered,
            team=Team(newcomer(gathered, "Gen Owner")),
            plain=newcomer(gathered, "Gen Member"),
            stranger=newcomer(gathered, "Gen Stranger"),
        )
        team = people.team
        await asyncio.gather(
            *(one.sign_up() for one in (team.owner, people.plain, people.stranger))
        )
        await convert(team)
        await join(team, people.plain, "basic")
        await furnish(team, people.platform, member=people.plain)
        return people


async def _connections() -> aiohttp.ClientSession:
    return http_session(seconds=PATIENT_SECONDS)
