"""The last activity of members: seldom written, shown, and beside every revision and tag."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from shared.activity import ACTIVITY_STEP, RecentActivity
from shared.contracts.calls.activity import ACTIVITY, ActiveMember, ActivityReport
from shared.contracts.topology import Service
from shared.ids import new_id
from tests.patience import PATIENT
from tests.services.team.memory import START
from tests.services.team.running import Account, Person, Team, running
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECOND = timedelta(seconds=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """A team that saves the activity of members many times a second."""
    timeouts = replace(PATIENT, activity=0.02)
    async with running(mongo_url, new_id("test"), timeouts=timeouts) as ready:
        yield ready


async def last_active(account: Account, person: Person) -> datetime:
    path = f"{account.path}/members/{person.user_id}"
    return datetime.fromisoformat((await account.owner.get(path))["last_active_at"])


async def saved(account: Account, person: Person, at: datetime) -> None:
    async def is_saved() -> bool:
        return abs(await last_active(account, person) - at) < timedelta(milliseconds=1)

    await wait_for(is_saved, what=f"the activity of {person.name}")


@pytest.mark.rule("Ro13")
async def test_the_last_activity_is_shown_and_changes_no_tag_or_revision(team: Team) -> None:
    account = await team.account()
    member, other = await account.join("developer", "Bea"), await account.join("viewer")
    path = f"{account.path}/members/{member.user_id}"
    before, stored = await account.owner.send("GET", path), team.database["members"]
    key = {"_id": f"{account.id}/{member.user_id}"}
    row = await stored.find_one(key)
    rows = len(await team.rows())
    assert before.expect(200)["last_active_at"] == before.body["since"]

    team.clock.move((ACTIVITY_STEP + SECOND).total_seconds())
    first = team.clock.now()
    await member.get(account.path)
    await saved(account, member, first)
    await saved(account, account.owner, first)
    after = await account.owner.send("GET", path)
    assert after.headers["ETag"] == before.headers["ETag"]
    changed = await stored.find_one(key)
    assert row is not None
    assert changed is not None
    assert {name for name in row if row[name] != changed[name]} == {"last_active_at"}
    assert len(await team.rows()) == rows
    items = (await account.owner.get(f"{account.path}/members?sort=last_active"))["items"]
    assert items[0]["user_id"] == other.user_id

    team.clock.move(1)
    await member.get(account.path)
    await other.get(account.path)
    await saved(account, other, team.clock.now())
    assert abs(await last_active(account, member) - first) < SECOND


@pytest.mark.rule("Ro13")
async def test_a_decision_of_authz_counts_and_no_clock_that_is_ahead(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer", "Bea")
    team.clock.move((ACTIVITY_STEP + SECOND).total_seconds())
    now = team.clock.now()
    reported = tuple(
        ActiveMember(account_id=account.id, user_id=user_id, at=now + timedelta(hours=1))
        for user_id in (member.user_id, "usr_unknown")
    )
    call = team.callers[Service.AUTHZ].call
    await call(ACTIVITY, Service.TEAM, ActivityReport(members=reported))
    await saved(account, member, now)


def test_activity_in_memory_is_bounded_and_keeps_the_latest_moment() -> None:
    activity = RecentActivity(limit=2)
    for user_id, seconds in (("a", 2), ("a", 1), ("b", 0), ("c", 5), ("b", 3)):
        activity.note("acc", user_id, START + seconds * SECOND)
    taken = [(one.user_id, one.at) for one in activity.take()]
    assert taken == [("a", START + 2 * SECOND), ("b", START + 3 * SECOND)]
    assert activity.take() == []
