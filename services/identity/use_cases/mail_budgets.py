"""Requests for a mail: one at a time, counted before they are mailed, refused without a word."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.identity.adapters.turns import QueueFull
from services.identity.domain.mail_budgets import MailKind, mail_budget
from services.identity.domain.rate_limits import RateLimit, Window
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.rate_limits import mail_limit_of, rate_limited
from shared.contracts.facts import Caller
from shared.contracts.topology import Service
from shared.http.lanes import Overloaded
from shared.networks import network_of
from shared.withheld_mails import note_withheld_mail

MAILBOX, SENDER_SHARE = "mailbox", "sender-share"
"""Why a mail is held back: the mailbox had its mails, or the sender had its share of them."""


@asynccontextmanager
async def mail_turn(ctx: Ctx, caller: Caller) -> AsyncIterator[None]:
    """Count a request for a mail, and run the block when it is this caller's turn.

    There is one turn at a time, and it takes whole steps of time (`Ctx.pad_response_time`). A mail
    is work for four services, so a crowd's requests come one by one (`T19`). Of the callers that
    wait, the sender with the fewest requests of late is next.

    Raises:
        TooManyRequests: the sender has asked for as many mails as it may.
        Overloaded: too many wait already.
    """
    async with rate_limited(ctx, mail_limit_of(ctx, caller)) as requests:
        try:
            async with ctx.mail_turns.turn(rank=requests):
                began = ctx.clock.boottime()
                yield
                await ctx.pad_response_time(began)
        except QueueFull as full:
            raise Overloaded from full


@asynccontextmanager
async def within_mail_budget(
    ctx: Ctx, caller: Caller, address_key: str, kind: MailKind
) -> AsyncIterator[bool]:
    """Count one mail to the mailbox of an address, and give whether it may be sent.

    Counting first keeps requests at the same moment from passing together. The mail is given back
    if it may not be sent or if the block fails: a sender that has used its share takes nothing from
    the mailbox, and a mail that was not sent is not counted.
    """
    counted: list[tuple[RateLimit, Window]] = []
    keep = False
    try:
        keep = await _count(ctx, _budget(ctx, caller, address_key, kind), counted)
        if not keep:
            reason = MAILBOX if counted else SENDER_SHARE
            note_withheld_mail(Service.IDENTITY, kind=kind, reason=reason)
        yield keep
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            for limit, window in counted:
                await ctx.store.uncount(limit, window)


async def renew_mail_budget(ctx: Ctx, caller: Caller, address_key: str, kind: MailKind) -> None:
    """Begin the budget of a mailbox and the share of this caller anew.

    For a caller who has proved to be the user: a link that was mailed works no longer, so the next
    request must be mailed.
    """
    await ctx.store.forget(*_budget(ctx, caller, address_key, kind))


def _budget(
    ctx: Ctx, caller: Caller, address_key: str, kind: MailKind
) -> tuple[RateLimit, RateLimit]:
    return mail_budget(
        kind,
        address_key,
        network_of(caller.request.ip),
        per_mailbox=ctx.settings.mails_per_address,
    )


async def _count(
    ctx: Ctx, budget: tuple[RateLimit, ...], counted: list[tuple[RateLimit, Window]]
) -> bool:
    """Count against each limit in turn, and stop at the first that is reached."""
    now = ctx.clock.now()
    for limit in budget:
        window = await ctx.store.count(limit, now=now)
        if window.count > limit.limit:
            return False  # not counted: nothing is written for a limit that is reached
        counted.append((limit, window))
    return True
