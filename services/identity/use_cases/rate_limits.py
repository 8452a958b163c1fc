"""The use of rate limits: attempts are counted in the database, which all replicas share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.identity.domain.rate_limits import (
    RateLimit,
    TooManyRequests,
    Window,
    check_limit,
    mail_limit,
    sign_in_limits,
)
from services.identity.use_cases.context import Ctx
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

    Raises:
        TooManyRequests: a limit is reached.
    """
    now = ctx.clock.now()
    ctx.refused_senders.check(limits, now=now)
    passed: list[tuple[RateLimit, Window]] = []
    for limit in limits:
        window = await ctx.store.count(limit, now=now)
        try:
            check_limit(window, limit=limit.limit, now=now)
        except TooManyRequests:
            ctx.refused_senders.add(limit, window, now=now)
            for wider, counted_in in passed:
                await ctx.store.uncount(wider, counted_in)
            raise
        passed.append((limit, window))
    keep = not counted
    try:
        yield passed[0][1].count if passed else 0
    except BaseException as ended:
        keep = isinstance(ended, counted)
        raise
    finally:
        if not keep:
            for limit, window in passed:
                await ctx.store.uncount(limit, window)
                ctx.refused_senders.forget(limit)


def sign_in_limits_of(ctx: Ctx, caller: Caller, address_key: str) -> tuple[RateLimit, ...]:
    """Return the limits of a sign-in by this caller."""
    return sign_in_limits(
        address_key,
        network_of(caller.request.ip),
        per_address=ctx.settings.logins_per_address,
        per_network=ctx.settings.logins_per_ip,
    )


def mail_limit_of(ctx: Ctx, caller: Caller) -> RateLimit:
    """Return the limit of all mails that this caller asks for."""
    return mail_limit(network_of(caller.request.ip), per_network=ctx.settings.mails_per_ip)
