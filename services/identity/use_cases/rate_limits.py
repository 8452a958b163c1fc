"""The use of rate limits: attempts are counted in the database, which all replicas share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from services.identity.domain.rate_limits import (
    Counted,
    RateLimit,
    check_limits,
    mail_limit,
    mailed_link_limit,
    sign_in_limits,
)
from services.identity.use_cases.context import Ctx
from shared import context
from shared.contracts.facts import Caller
from shared.networks import network_of
from shared.problems import Refusal


@asynccontextmanager
async def rate_limited(
    ctx: Ctx, *limits: RateLimit, counted: tuple[type[Refusal], ...] = ()
) -> AsyncIterator[int]:
    """Count one attempt against each limit, the widest first, before the block runs.

    The block is given the attempts that the widest limit counts, this one included.

    Nothing is counted if this process knows that one of them is reached.
    Counting first keeps attempts at the same moment from passing together. The attempt stays
    counted if the block ends in one of the `counted` refusals, or, without any, if it ends well.
    After every other end it is given back: a busy process or an unreachable database is not an
    attempt of the caller.

    The answer tells what is left of each limit.

    Raises:
        TooManyRequests: a limit is reached.
    """
    now = ctx.clock.now()
    _refuse(ctx.refused_senders.reached(limits, now=now), now=now)
    passed, reached = await ctx.store.count_all(limits, now=now)
    for each in reached:
        ctx.refused_senders.add(each, now=now)
    _refuse(reached, now=now)
    keep = not counted
    try:
        yield passed[0].window.count if passed else 0
    except BaseException as ended:
        keep = isinstance(ended, counted)
        raise
    finally:
        given_back = 0 if keep else 1
        context.quotas.set(tuple(each.quota(now=now, given_back=given_back) for each in passed))
        if not keep:
            for each in passed:
                await ctx.store.uncount(each.limit, each.window)
                ctx.refused_senders.forget(each.limit)


def _refuse(reached: Sequence[Counted], *, now: datetime) -> None:
    """Refuse an attempt if limits are reached, and let the answer tell which."""
    context.quotas.set(tuple(each.quota(now=now) for each in reached))
    check_limits(reached, now=now)


def sign_in_limits_of(ctx: Ctx, caller: Caller, address_key: str) -> tuple[RateLimit, ...]:
    """Return the limits of a sign-in by this caller."""
    return sign_in_limits(
        address_key,
        network_of(caller.request.ip),
        per_address=ctx.settings.logins_per_address,
        per_network=ctx.settings.logins_per_ip,
    )


def mailed_link_limit_of(ctx: Ctx, caller: Caller) -> RateLimit:
    """Return the limit of passwords that this caller sends with links that are not valid."""
    return mailed_link_limit(network_of(caller.request.ip), per_network=ctx.settings.logins_per_ip)


def mail_limit_of(ctx: Ctx, caller: Caller) -> RateLimit:
    """Return the limit of all mails that this caller asks for."""
    return mail_limit(network_of(caller.request.ip), per_network=ctx.settings.mails_per_ip)
