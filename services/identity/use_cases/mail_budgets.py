"""Requests for a mail: one at a time, within a budget, at the same cost for every address."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from services.identity.adapters.turns import QueueFull
from services.identity.domain.mail_budgets import MailKind, mail_budget
from services.identity.domain.rate_limits import RateLimit, first_reached
from services.identity.domain.sign_up import PendingSignUp
from services.identity.domain.users import User
from services.identity.store import WRITES_OF_A_FACT
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.rate_limits import mail_limit_of, rate_limited
from shared.contracts.facts import Caller, Fact
from shared.contracts.topology import Service
from shared.http.lanes import Overloaded
from shared.ids import UserId
from shared.journal import JournalWrite
from shared.mongo import DbSession
from shared.networks import network_of
from shared.withheld_mails import note_withheld_mail

MAILBOX, SENDER_SHARE = "mailbox", "sender-share"
"""Why a mail is held back: the mailbox had its mails, or the sender had its share of them."""


@dataclass(frozen=True, kw_only=True)
class Addressee:
    """What identity has of an address: its user, and its pending sign-up."""

    user: User | None
    sign_up: PendingSignUp | None


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The fact that has a mail sent, and how the state that it tells of is saved, if it changes."""

    fact: Fact
    save: Callable[[DbSession], Awaitable[None]] | None = None


MailOf = Callable[[Addressee, datetime], Mail | None]
"""Decides what is mailed to an address at a moment; it may be asked more than once."""


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


async def request_mail(
    ctx: Ctx,
    caller: Caller,
    address_key: str,
    *,
    kind: MailKind,
    mail_of: MailOf,
    guard: Callable[[JournalWrite], Awaitable[None]] | None = None,
    requester: UserId | None = None,
) -> None:
    """Have a mail sent to an address, if there is one to send and the mailbox's budget has room.

    Budget, state and fact are one transaction, so a mail that is not promised is not counted. The
    `guard` runs first in it, and records a fact in any case. A signed-in `requester` has a share.

    Every request makes the same round trips to the database. Where there is nothing to save, a
    decoy is written. A busy machine that needs more than one step of time for them needs it for
    addresses with a user and without one (`T9`).

    Raises:
        TooManyRequests, Overloaded: the same for every address.
    """
    budget = _budget(ctx, caller, address_key, kind, requester)
    writes_of_a_fact = WRITES_OF_A_FACT if guard is None else 0  # those of the guard do for both

    async def change(write: JournalWrite) -> RateLimit | None:
        """Save what is mailed, or decoys; give the limit that holds the mail back."""
        now, session = write.now, write.session
        if guard is not None:
            await guard(write)
        addressee = Addressee(
            user=await ctx.store.user_of(address_key, session),
            sign_up=await ctx.store.sign_up_of(address_key, session),
        )
        windows = await ctx.store.windows(budget, session)
        reached = first_reached(budget, windows, now=now)
        mail = mail_of(addressee, now)
        if mail is None or reached is not None:
            await ctx.store.add_decoys(len(budget) + 1 + writes_of_a_fact, now=now, session=session)
            return None if mail is None else reached
        await ctx.store.save_attempts(budget, windows, now=now, session=session)
        if mail.save is None:
            await ctx.store.add_decoys(1, now=now, session=session)
        else:
            await mail.save(session)
        write.record(mail.fact)
        return None

    # The shard is the address's, with a user or without one. In a shard that depends on the user, a
    # stranger who keeps it busy could tell from the time whether there is one.
    async with mail_turn(ctx, caller):
        written = await ctx.journal.write(
            address_key, change, caller=caller, effective_everywhere=False
        )
        if written.result is not None:
            reason = MAILBOX if written.result == budget[-1] else SENDER_SHARE
            note_withheld_mail(Service.IDENTITY, kind=kind, reason=reason)


async def renew_mail_budget(ctx: Ctx, caller: Caller, address_key: str, kind: MailKind) -> None:
    """Begin the budget of a mailbox and the share of this caller anew.

    For a caller who has proved to be the user: a link that was mailed works no longer, so the next
    request must be mailed.
    """
    await ctx.store.forget(*_budget(ctx, caller, address_key, kind))


def _budget(
    ctx: Ctx,
    caller: Caller,
    address_key: str,
    kind: MailKind,
    requester: UserId | None = None,
) -> tuple[RateLimit, ...]:
    return mail_budget(
        kind,
        address_key,
        network_of(caller.request.ip),
        per_mailbox=ctx.settings.mails_per_address,
        requester=requester,
    )
