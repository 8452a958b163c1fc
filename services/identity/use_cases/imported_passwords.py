"""The comparison of a password, which replaces a hash of another system by one of ours."""

from dataclasses import replace

from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.journal import JournalWrite


async def with_password(
    ctx: Ctx, caller: Caller, user: User | None, password: str, *, attempts: int
) -> User | None:
    """Return the user if this is their password; without a user the work is the same (`T9`).

    A disabled user has no password that fits.

    A hash that was imported is replaced: the password is known now.

    Raises:
        HashingBusy: too many passwords wait already.
    """
    stored_hash = None if user is None else user.password_hash
    imported = user is not None and user.password_imported
    matches = await ctx.hasher.verify(stored_hash, password, imported=imported, attempts=attempts)
    if user is None or user.disabled_at is not None or not matches:
        return None
    if not user.password_imported:
        return user
    hashed = await ctx.hasher.hash(password, attempts=attempts)

    async def change(write: JournalWrite) -> User | None:
        current = await ctx.store.user(user.id, write.session)
        if current is None or current.password_hash != user.password_hash:
            return current
        renewed = replace(current, password_hash=hashed, password_imported=False)
        await ctx.store.update_user(current, renewed, write.session)
        return renewed

    actor = caller_as(caller, user)
    written = await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
    current = written.result
    if current is None or current.password_hash == hashed:
        return current
    # Another sign-in was first, or another password was set.
    return await with_password(ctx, caller, current, password, attempts=attempts)
