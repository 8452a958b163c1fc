"""The worker that ends offers of an ownership when their time is over."""

import asyncio
import contextlib

from services.team.domain import ownership
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import Ctx, NonMemberRequest
from shared.contracts.facts import service_caller
from shared.contracts.team_ownership import OfferEnd
from shared.contracts.topology import Service
from shared.ids import AccountId
from shared.mongo import DatabaseWatch
from shared.problems import Unavailable

OFFERS_AT_ONCE = 100
"""The most offers that one round ends; the others wait for the next one."""


async def run_offer_expiry(ctx: Ctx) -> None:
    """End expired offers, until cancelled.

    Every replica does so. Each offer is looked at again in the transaction that ends it, so it ends
    once.
    """
    database = DatabaseWatch("Expired offers of an ownership are ended later.")
    while True:
        with database.round(), contextlib.suppress(Unavailable):
            await end_expired_offers(ctx)
        await asyncio.sleep(ctx.timeouts.offer_poll)


async def end_expired_offers(ctx: Ctx) -> None:
    """End the offers that are over; both people are told by mail."""
    now = ctx.clock.now()
    for account_id in await ctx.store.accounts_with_offers_until(now, limit=OFFERS_AT_ONCE):
        await _end_expired_offer(ctx, account_id)


async def _end_expired_offer(ctx: Ctx, account_id: AccountId) -> None:
    async def change(write: AccountWrite) -> None:
        offer = None if write.account is None else write.account.offer
        if write.account is None or offer is None or offer.open(write.now):
            return
        write.account, fact = ownership.end(write.account, OfferEnd.EXPIRED)
        write.record(fact)

    request = NonMemberRequest(caller=service_caller(Service.TEAM), account_id=account_id)
    await ctx.change(request, change, effective_everywhere=False)
