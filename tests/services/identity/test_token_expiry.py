"""Mails about API tokens that end soon: one for each token and term, while the token acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from services.identity.migrations import give_notices
from services.identity.store import Store
from shared.ids import TokenId, new_id
from tests.patience import PATIENT
from tests.services.identity.running import Identity, running
from tests.support.service import ADMIN_KEY
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.mongo import Database

ADDRESS = "ana@example.com"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
FACT = "api_token.expiry_announced"


class ForgetfulStore(Store):
    """A store that also names every token that was due before, as a late replica would."""

    looks = 0

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._named: list[TokenId] = []

    async def tokens_to_announce(self, now: datetime, *, limit: int) -> list[TokenId]:
        """Find the due tokens, after those of all earlier looks."""
        found = await super().tokens_to_announce(now, limit=limit)
        self._named += [token_id for token_id in found if token_id not in self._named]
        type(self).looks += 1
        return list(self._named)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_identity(mongo_url: str) -> AsyncIterator[Identity]:
    """An identity that looks for due tokens all the time."""
    async with running(
        mongo_url,
        new_id("test"),
        timeouts=replace(PATIENT, token_poll=0.02),
        wiring={"store": ForgetfulStore},
    ) as ready:
        yield ready


async def looked_twice() -> None:
    """Wait for a whole round: a look that began later has ended too."""
    before = ForgetfulStore.looks
    await wait_for(lambda: ForgetfulStore.looks >= before + 3, what="three looks for due tokens")


async def told(identity: Identity) -> list[dict[str, Any]]:
    await looked_twice()
    return [dict(row.data) for row in await identity.rows(FACT)]


async def move_to(identity: Identity, moment: str, before: timedelta) -> None:
    """Move the clock to a time before this moment."""
    until = datetime.fromisoformat(moment) - before
    identity.clock.move((until - identity.clock.now()).total_seconds())


async def test_a_mail_is_due_a_week_and_a_day_before_the_end(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    made = await identity.make_token(person)
    steps = ((7 * DAY + MINUTE, 0), (7 * DAY, 1), (DAY + MINUTE, 1), (DAY, 2), (-DAY, 2))
    start = len(await told(identity))
    for before, mails in steps:
        await move_to(identity, made["expires_at"], before)
        assert len(await told(identity)) - start == mails, before
    last = (await told(identity))[-1]
    assert (last["email"], last["token_name"], last["account_name"]) == (ADDRESS, "CI", "Acme")
    assert last["token_id"] == made["id"]


async def test_a_service_that_was_away_tells_once(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    made = await identity.make_token(person)
    start = len(await told(identity))
    identity.stand_ins.team_away = True
    await move_to(identity, made["expires_at"], 7 * DAY)
    assert len(await told(identity)) == start
    await move_to(identity, made["expires_at"], DAY / 2)
    identity.stand_ins.team_away = False
    assert len(await told(identity)) == start + 1


async def revoke(identity: Identity, person: dict[str, Any], made: dict[str, Any]) -> None:
    path = f"/v1/accounts/{person['account_id']}/api-tokens/{made['id']}"
    answer = await identity.send("DELETE", path, token=person["access_token"])
    assert answer.status == 204, answer.text


async def disable(identity: Identity, person: dict[str, Any], made: dict[str, Any]) -> None:
    path = f"/internal/admin/users/{person['user']['id']}/disable"
    answer = await identity.post(path, {"reason": "Lost a laptop"}, token=ADMIN_KEY)
    assert answer.status == 200, answer.text


async def erase(identity: Identity, person: dict[str, Any], made: dict[str, Any]) -> None:
    path = f"/v1/me?confirm={ADDRESS}"
    answer = await identity.send("DELETE", path, token=person["access_token"])
    assert answer.status == 204, answer.text


async def suspend(identity: Identity, person: dict[str, Any], made: dict[str, Any]) -> None:
    identity.stand_ins.suspended.add((person["user"]["id"], person["account_id"]))


async def remove(identity: Identity, person: dict[str, Any], made: dict[str, Any]) -> None:
    identity.stand_ins.members.clear()


async def return_to(identity: Identity, person: dict[str, Any], made: dict[str, Any]) -> None:
    """The membership of now is another one than that of the token."""
    await identity.database["api_tokens"].update_one(
        {"_id": made["id"]}, {"$set": {"membership_id": "mem_" + "2" * 32}}
    )


async def expire(identity: Identity, person: dict[str, Any], made: dict[str, Any]) -> None:
    """The end came while no replica ran."""
    await move_to(identity, made["expires_at"], -DAY)


@pytest.mark.parametrize("end", [revoke, disable, erase, suspend, remove, return_to, expire])
async def test_no_mail_tells_of_a_token_that_does_not_act(identity: Identity, end: Any) -> None:
    person = await identity.person(ADDRESS)
    made = await identity.make_token(person)
    start = len(await told(identity))
    await end(identity, person, made)
    if end is not expire:
        await move_to(identity, made["expires_at"], 7 * DAY)
    assert len(await told(identity)) == start
    stored = await identity.database["api_tokens"].find_one({"_id": made["id"]})
    assert stored is None or stored["notice_at"] != stored_term(made, 7 * DAY)


def stored_term(made: dict[str, Any], before: timedelta) -> datetime:
    return datetime.fromisoformat(made["expires_at"]) - before


async def test_tokens_of_an_earlier_version_get_their_mails(identity: Identity) -> None:
    person = await identity.person(ADDRESS)
    made = await identity.make_token(person)
    start = len(await told(identity))
    await identity.database["api_tokens"].update_one(
        {"_id": made["id"]}, {"$unset": {"notice_at": ""}}
    )
    await give_notices(identity.database)
    await move_to(identity, made["expires_at"], 7 * DAY)
    assert len(await told(identity)) == start + 1
    await give_notices(identity.database)
    assert len(await told(identity)) == start + 1
