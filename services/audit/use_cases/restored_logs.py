"""What an operator does about logs that do not continue their last checkpoints after a restore."""

import logging

from services.audit.domain.checkpoints import TreeHead
from services.audit.domain.sealed_records import PLATFORM
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.member_writes import write_named
from shared.contracts.audit import RestoreAccepted
from shared.contracts.facts import Caller, Fact, ResourceRef
from shared.journal import JournalWrite
from shared.problems import NotFound, Unavailable

_log = logging.getLogger(__name__)


async def inconsistent_logs(ctx: Ctx, *, after: str, limit: int) -> list[TreeHead]:
    """Logs of which no checkpoint is signed, because they do not continue their last one."""
    return await ctx.store.inconsistent(after, limit=limit)


async def accept_restore(ctx: Ctx, caller: Caller, tree: str) -> None:
    """Let a log go on from the state that was restored.

    The decision stands beside the notes, away from the database: who can change the database alone
    cannot take it. All later checkpoints of the log name the last one from before the restore.

    Raises:
        NotFound: the log continues its last checkpoint, or no checkpoint is kept in a file.
        Unavailable: the folder of checkpoints cannot be used now.
    """
    found = await ctx.store.inconsistent_tree(tree)
    try:
        note = await ctx.files.last(tree)
    except OSError as problem:
        raise Unavailable from problem
    if not found or note is None:
        raise NotFound
    size = ctx.signer.opened(tree, note).size

    async def change(write: JournalWrite) -> None:
        account_id = None if tree == PLATFORM else tree
        write.record(
            Fact(
                payload=RestoreAccepted(tree=tree, size=size),
                resource=ResourceRef(type="audit_log", id=tree),
                account_id=account_id,
            )
        )

    # Recorded first: no log goes on so without a record of who has decided it.
    await write_named(ctx, tree, change, caller=caller)
    try:
        await ctx.files.accept(tree, operator=caller.actor.name or caller.actor.id)
    except OSError as problem:
        raise Unavailable from problem
    _log.warning("An operator accepts a restored log.", extra={"tree": tree, "size": size})
