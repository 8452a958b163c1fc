"""An account that wishes it has its checkpoint delivered once a day, by webhooks and by mail."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from services.audit.domain.records import KnownUser
from services.audit.use_cases.checkpoint_delivery import change_delivery, deliver_checkpoints
from shared.contracts.calls.connections import CONNECTION_ACCOUNT, ConnectionAccount
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.problems import Unavailable
from tests.services.audit.sealed_site import Sealing, record, signer
from tests.services.audit.site import ACCOUNT as ACCOUNT_OF_API
from tests.services.rows import NOON

ACCOUNT, OTHER = "acc_" + "1" * 32, "acc_" + "2" * 32
ANA = Caller(actor=Actor(type="user", id="usr_ana"), request=RequestInfo(request_id="req_1"))
MANAGERS = ("ana@example.com", "bo@example.com")


@dataclass
class Team:
    """Tells who manages the members of an account."""

    open: bool = True
    away: bool = False

    async def call(self, call: Any, callee: str, request: Any) -> ConnectionAccount:
        assert (call, callee) == (CONNECTION_ACCOUNT, "team")
        if self.away:
            raise Unavailable
        return ConnectionAccount(open=self.open, account_name="Acme", manager_emails=MANAGERS)


@pytest.fixture
def sealing(auditing, tmp_path) -> Sealing:
    return Sealing(auditing, tmp_path)


@pytest.fixture
def team(auditing) -> Team:
    """Team, and a clock that stands a minute after noon."""
    team = Team()
    auditing.ctx = replace(auditing.ctx, internal=team)
    auditing.clock.ahead = NOON + timedelta(minutes=1) - auditing.clock.now()
    return team


async def sealed(sealing: Sealing, *accounts: str) -> None:
    records = [record(seq, account=each) for seq, each in enumerate(accounts, start=1)]
    await sealing.add(*records)
    await sealing.applied(len(records))
    await sealing.sealer().round()


async def facts(sealing: Sealing, kind: str = "published") -> list[dict[str, Any]]:
    rows = [json.loads(row["event"]) for row in await sealing.auditing.all("journal")]
    return [row["data"] for row in rows if row["type"].endswith(f".{kind}.v1")]


async def test_who_changed_a_setting_of_the_log_is_named(sealing, team):
    ctx, journal = sealing.auditing.ctx, sealing.auditing.all
    ana = KnownUser(user_id="usr_ana", name="Ana Díaz", email="ana@example.com", as_of=NOON)
    await ctx.store.remember_user(ana)
    bo = replace(ANA, actor=Actor(type="user", id="usr_bo"))
    platform = replace(ANA, actor=Actor(type="service_client", id="usr_ana"))
    for daily, caller in ((True, ANA), (False, bo), (True, platform)):
        await change_delivery(ctx, caller, ACCOUNT, daily=daily)
    actors = [json.loads(row["event"])["data"]["actor"] for row in await journal("journal")]
    assert [(each["name"], each["email"]) for each in actors] == [
        ("Ana Díaz", "ana@example.com"),
        (None, None),
        (None, None),
    ]


@pytest.mark.rule("B11")
async def test_a_checkpoint_is_delivered_once_a_day_to_accounts_that_wish_it(sealing, team):
    ctx, clock = sealing.auditing.ctx, sealing.auditing.clock
    await sealed(sealing, ACCOUNT, OTHER, ACCOUNT)
    await change_delivery(ctx, ANA, ACCOUNT, daily=True)
    await asyncio.gather(*(deliver_checkpoints(ctx) for _ in range(3)))
    await deliver_checkpoints(ctx)

    [row] = await facts(sealing)
    told = row["data"]
    assert row["account_id"] == ACCOUNT
    assert (told["account_name"], told["size"]) == ("Acme", 2)
    assert tuple(told["manager_emails"]) == MANAGERS
    assert told["verifier"] == str(signer().verifier_keys(ACCOUNT)[0])
    assert signer().opened(ACCOUNT, told["checkpoint"]) == await sealing.checkpoint(ACCOUNT)

    clock.ahead += timedelta(hours=11)
    await deliver_checkpoints(ctx)
    assert len(await facts(sealing)) == 1
    clock.ahead += timedelta(hours=1)
    await deliver_checkpoints(ctx)
    assert len(await facts(sealing)) == 2


async def test_the_choice_is_recorded_and_ends_the_delivery(sealing, team):
    ctx = sealing.auditing.ctx
    await sealed(sealing, ACCOUNT)
    for daily in (True, True, False):
        await change_delivery(ctx, ANA, ACCOUNT, daily=daily)
    await deliver_checkpoints(ctx)
    assert await facts(sealing) == []
    assert [each["after"] for each in await facts(sealing, "changed")] == [
        {"daily": True},
        {"daily": False},
    ]
    await change_delivery(ctx, ANA, ACCOUNT, daily=True)
    await deliver_checkpoints(ctx)
    for daily in (False, True):
        await change_delivery(ctx, ANA, ACCOUNT, daily=daily)
    await deliver_checkpoints(ctx)
    assert len(await facts(sealing)) == 1


async def test_a_delivery_waits_for_team_and_for_the_first_checkpoint(sealing, team):
    ctx = sealing.auditing.ctx
    await change_delivery(ctx, ANA, ACCOUNT, daily=True)
    await deliver_checkpoints(ctx)
    await sealed(sealing, ACCOUNT)
    team.away = True
    with pytest.raises(Unavailable):
        await deliver_checkpoints(ctx)
    assert await facts(sealing) == []
    team.away = False
    await deliver_checkpoints(ctx)
    assert len(await facts(sealing)) == 1


async def test_a_closed_account_has_no_delivery(sealing, team):
    ctx = sealing.auditing.ctx
    await sealed(sealing, ACCOUNT)
    await change_delivery(ctx, ANA, ACCOUNT, daily=True)
    team.open = False
    await deliver_checkpoints(ctx)
    assert await facts(sealing) == []
    assert await ctx.store.due_deliveries("2026-03-05", limit=9) == []


async def test_members_who_manage_webhooks_choose_the_delivery(api):
    path = f"/v1/accounts/{ACCOUNT_OF_API}/audit-checkpoint/delivery"
    assert await api.get(path) == (200, {"daily": False, "delivered_on": None})
    url, headers = (
        api.service.addresses["public"] + path,
        {"Authorization": f"Bearer {api.reader_token()}"},
    )
    async with api.http.put(url, json={"daily": True}, headers=headers) as answer:
        assert await answer.json() == {"daily": True, "delivered_on": None}
    assert [each.permission for each in api.others.questions[-2:]] == [
        "audit_log:view",
        "webhook:manage",
    ]
