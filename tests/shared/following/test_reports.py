"""Reports of what is applied: at once where a write may wait, and collected where none does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from services.authz.domain.policy_state import PolicyState
from shared.contracts.calls.journal import CHANGES, Changes
from shared.contracts.calls.leases import APPLIED, LEASE, SNAPSHOT, LeaseAnswer
from shared.contracts.facts import GENESIS
from shared.contracts.team import AccountRenamed
from shared.following.follower import Follower
from shared.following.journal_view import JournalView
from shared.http.client import InternalClient
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.authz.histories import BO, no_member
from tests.services.rows import NOON, row_of
from tests.support.journal_keys import signed, verifier
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.auth.row_signatures import SignedRow

PATIENT_REPORTS = replace(PATIENT, report=PATIENT.request)


EMPTY_PAGE = b'{"source": "team", "epoch": "e1", "heads": {}, "items": [], "next_cursor": null}'


class Reports(InternalClient):
    """A source with an empty snapshot, which keeps what is reported to it."""

    def __init__(self) -> None:
        self.leases = 0
        self.applied: list[dict[int, int]] = []
        self.kept: list[SignedRow] = []

    async def text(self, call: Any, _source: str, _request: Any, **_: Any) -> bytes:
        assert call is SNAPSHOT
        return EMPTY_PAGE

    async def call(self, call: Any, _source: str, request: Any = None, **_: Any) -> Any:
        if call is APPLIED:
            self.applied.append(request.applied)
            return None
        if call is CHANGES:
            return Changes(
                source="team",
                epoch="e1",
                items=[one.event.decode() for one in self.kept],
                signatures=[one.signature for one in self.kept],
            )
        self.leases += call is LEASE
        return LeaseAnswer(epoch="e1", heads={}, digests={}, ttl=60, server_time=NOON)


def rows(*changes: dict[str, Any], shard: int) -> list[SignedRow]:
    """Rows that follow each other in a shard; without more they change no decision."""
    made: list[SignedRow] = []
    for change in changes:
        place = {"epoch": "e1", "shard": shard, "seq": len(made) + 1}
        previous = made[-1].digest if made else GENESIS
        row = row_of(AccountRenamed(account_name="Acme"), account_id="acc_1")
        made.append(signed(row.model_copy(update=place | {"previous": previous} | change)))
    return made


DECIDED = {"policy_objects": (no_member(BO),)}


@asynccontextmanager
async def following(timeouts: Any) -> AsyncIterator[tuple[Follower, Reports]]:
    """A replica that has loaded the empty snapshot."""
    source = Reports()
    follower = Follower(
        "team",
        view=JournalView(PolicyState()),
        slot="a",
        internal=source,
        verifier=verifier(),
        clock=SetClock(),
        timeouts=timeouts,
    )
    loops = [
        asyncio.create_task(loop()) for loop in (follower.renew, follower.report, follower.fetch)
    ]
    await wait_for(lambda: source.leases, what="the lease")
    yield follower, source
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


async def test_rows_without_a_decision_are_reported_with_the_next_other_row() -> None:
    async with following(PATIENT_REPORTS) as (follower, source):
        for shard in (1, 2):
            follower.take(*rows({}, shard=shard))
            for _ in range(20):
                await asyncio.sleep(0)  # the loop that reports has its turns
        assert source.applied == []
        follower.take(*rows(DECIDED, shard=3))
        await wait_for(lambda: source.applied, what="the report")
        assert source.applied == [{1: 1, 2: 1, 3: 1}]


async def test_rows_without_a_decision_are_reported_soon_by_themselves() -> None:
    async with following(replace(PATIENT, report=0.01)) as (follower, source):
        follower.take(*rows({}, shard=1))
        await wait_for(lambda: source.applied == [{1: 1}], what="the report")


async def test_a_row_that_lets_a_decided_one_be_applied_is_reported_at_once() -> None:
    async with following(PATIENT_REPORTS) as (follower, source):
        quiet, decided = rows({}, DECIDED, shard=1)
        follower.take(decided)
        follower.take(quiet)
        await wait_for(lambda: source.applied == [{1: 2}], what="the report")


@pytest.mark.parametrize("first", [DECIDED, {}], ids=["decided", "without a decision"])
async def test_a_change_of_several_rows_is_reported_at_once(first: dict[str, Any]) -> None:
    async with following(PATIENT_REPORTS) as (follower, source):
        parts = rows({"part": 1, "parts": 2} | first, {"part": 2, "parts": 2}, shard=1)
        for part in parts:
            follower.take(part)
        await wait_for(lambda: source.applied == [{1: 2}], what="the report")


async def test_rows_that_were_fetched_are_reported_at_once() -> None:
    """The bus has lost the first one."""
    async with following(PATIENT_REPORTS) as (follower, source):
        source.kept = rows({}, DECIDED, shard=1)
        follower.take(source.kept[1])
        await wait_for(lambda: source.applied == [{1: 2}], what="the report")
