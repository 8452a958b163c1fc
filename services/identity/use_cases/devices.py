"""Devices that sign in: the known ones are remembered, and a mail tells of a new one."""

from services.identity.domain.devices import Origin, notice_limit, remember
from services.identity.domain.rate_limits import first_reached
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from shared.journal import JournalWrite


async def remember_device(ctx: Ctx, write: JournalWrite, user: User, origin: Origin) -> User | None:
    """Remember where a user signs in from; give the user whom a mail tells that it is new.

    Beyond the number of mails of a day it is remembered without a mail.
    """
    changed, new = remember(user, origin)
    if changed == user:
        return None
    await ctx.store.update_user(user, changed, write.session)
    if not new:
        return None
    limits = (notice_limit(user.id),)
    windows = await ctx.store.windows(limits, write.session)
    if first_reached(limits, windows, now=write.now) is not None:
        return None
    await ctx.store.save_attempts(limits, windows, now=write.now, session=write.session)
    return changed
