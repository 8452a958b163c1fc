"""The end of offers of an ownership whose time is over."""

import logging
from functools import partial

from services.team.domain import ownership
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import Ctx, NonMemberRequest
from shared.contracts.facts import service_caller
from shared.contracts.team_ownership import OfferEnd
from shared.contracts.topology import Service
from shared.due_work import DueWork
from shared.ids import AccountId

OFFERS_AT_ONCE = 100
"""The most offers that one round ends; the others wait for the next one."""


_log = logging.getLogger(__name__)


def expired_offers(ctx: Ctx) -> DueWork[AccountId]:
    """End the offers that are over; both people are told by mail."""

    async def find() -> list[AccountId]:
        return await ctx.store.accounts_with_offers_until(ctx.clock.now(), limit=OFFERS_AT_ONCE)

    return DueWork(
        service=Service.TEAM,
        name="offer-expiry",
        effect="Expired offers of an ownership are ended later.",
        find=find,
        do=partial(_end_expired_offer, ctx),
    )


async def _end_expired_offer(ctx: Ctx, account_id: AccountId) -> None:
    """End the offer. The transaction looks at it again, so several replicas end it once."""

    async def change(write: AccountWrite) -> None:
        offer = None if write.account is None else write.account.offer
        if write.account is None or offer is None or offer.open(write.now):
            return
        write.account, fact = ownership.end(write.account, OfferEnd.EXPIRED)
        write.record(fact)

    request = NonMemberRequest(caller=service_caller(Service.TEAM), account_id=account_id)
    written = await ctx.change(request, change, effective_everywhere=False)
    if written.revision is not None:
        _log.info("An expired offer of an ownership was ended.", extra={"account_id": account_id})
