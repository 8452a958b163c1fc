"""Move accounts to another catalog: one by its owner, many by the platform."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rolecall import CompiledCatalog
from services.team.domain import accounts, catalog_choices, catalog_moves
from services.team.domain.account_access import AccountAccess, access_of
from services.team.domain.catalog_mapping import CatalogMapping, Translator
from services.team.domain.catalog_moves import CatalogMove, MovableRows
from services.team.domain.catalogs import CatalogNotThere
from services.team.domain.invitations import Invitation
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.catalogs import catalog_named
from services.team.use_cases.context import AccountRequest, Ctx, NonMemberRequest
from services.team.use_cases.invitation_handover import hand_over_after_move
from shared.contracts.facts import Caller
from shared.ids import AccountId
from shared.journal import DryRun, WriteResult
from shared.mongo import DbSession
from shared.problems import NotFound, Refusal

MOVE_SECONDS = 15.0
"""After this time a batch begins no further account, so that its answer comes in time."""


@dataclass(frozen=True, kw_only=True)
class MovedAccount:
    """The owner's access after the move. `move` is `None` if the account had the catalog already.

    `passed` are the invitations that have another inviter now.
    """

    access: AccountAccess
    move: CatalogMove | None
    passed: tuple[Invitation, ...]


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """What became of one account of a batch: a revision, or the reason why it stays.

    `dry_run` says that nothing became of it, and that the rest is what would.
    """

    account_id: AccountId
    dry_run: bool
    revision: str | None = None
    effective: bool = True
    refusal: Refusal | None = None
    move: CatalogMove | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The accounts of one batch; `last` is the place to go on from, `None` at the end."""

    target: CompiledCatalog
    items: Sequence[BatchItem]
    last: AccountId | None


async def choices(ctx: Ctx, access: AccountAccess) -> list[CompiledCatalog]:
    """The catalogs that the owner may move the account to, by name, each in its newest version.

    Raises:
        OwnerOnly: the caller is not the owner.
    """
    accounts.require_owner(access.account, access.membership)
    names = {version.name for version in await ctx.store.catalog_versions()}
    newest = [await ctx.store.catalog_named(name) for name in sorted(names)]
    return [
        one
        for one in newest
        if one is not None
        and one.id != access.account.catalog
        and catalog_choices.is_free_to_move(access.account, access.catalog, one)
    ]


async def move_account(
    ctx: Ctx, request: AccountRequest, *, catalog_name: str, mapping: CatalogMapping
) -> WriteResult[MovedAccount]:
    """Move the owner's account to another published catalog; in force with the answer.

    Raises:
        OwnerOnly: the caller is not the owner.
        CatalogBound: the account stays with its catalog.
        Invalid, MappingNeeded, GuardrailsOfThisCatalog, CatalogTooSmall, MoveTooLarge,
            RolesTooLarge: see the domain.
        GrantsExceeded: the mapping gives what the owner does not hold afterwards (`B5`).
        PreconditionFailed: the account has changed since the preview that the request names.
    """

    async def change(write: AccountWrite) -> MovedAccount:
        access = write.access
        accounts.require_owner(access.account, access.membership)
        target = await catalog_named(ctx, catalog_name)
        catalog_choices.require_free_to_move(access.account, access.catalog, target)
        moved = await _move(ctx, write, access, target, mapping, by_platform=False)
        if moved.move is not None:
            catalog_moves.require_to_give_all(moved.access, moved.move)
        return moved

    return await ctx.change(request, change, effective_everywhere=True)


async def move_batch(
    ctx: Ctx,
    caller: Caller,
    *,
    catalog_id: str,
    target_name: str,
    mapping: CatalogMapping,
    after: AccountId | None,
    limit: int,
    dry_run: bool,
) -> Batch:
    """Move accounts that have one version to another; each is a change of its own.

    An account that cannot be moved stays as it is, and its item says why. A batch that was
    interrupted can be sent again: what is moved does not have the old version any more. With
    `dry_run` nothing changes, and the items say what would.

    Raises:
        CatalogNotThere: the old version is not published.
        Invalid: the new one is not, or the mapping names what one of them does not have.
    """
    present = await ctx.store.catalog(catalog_id)
    if present is None:
        raise CatalogNotThere(catalog_id)
    target = await catalog_named(ctx, target_name)
    Translator(present, target, mapping)
    began = ctx.clock.boottime()
    found = await ctx.store.accounts_of_catalog(catalog_id, after=after, limit=limit)
    items: list[BatchItem] = []
    for account_id in found:
        if ctx.clock.boottime() - began > MOVE_SECONDS:
            break
        items.append(await _move_one(ctx, caller, account_id, target, mapping, dry_run=dry_run))
    more = len(found) == limit or len(items) < len(found)
    return Batch(target=target, items=items, last=items[-1].account_id if more and items else None)


async def _nothing(session: DbSession) -> None:
    """Read nothing: what a move changes is in its result."""


async def _move_one(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    target: CompiledCatalog,
    mapping: CatalogMapping,
    *,
    dry_run: bool,
) -> BatchItem:
    if dry_run:
        ctx = replace(ctx, journal=DryRun(ctx.journal, look=_nothing))

    async def change(write: AccountWrite) -> MovedAccount:
        if write.account is None:
            raise NotFound
        owner = await write.member(write.account.owner_user_id)
        catalog = await ctx.store.catalog_of(write.account)
        access = access_of(write.account, catalog, owner, now=write.now)
        return await _move(ctx, write, access, target, mapping, by_platform=True)

    request = NonMemberRequest(caller=caller, account_id=account_id)
    try:
        written = await ctx.change(request, change, effective_everywhere=True)
    except Refusal as refusal:
        return BatchItem(account_id=account_id, dry_run=dry_run, refusal=refusal)
    return BatchItem(
        account_id=account_id,
        dry_run=dry_run,
        revision=written.revision,
        effective=written.effective,
        move=written.result.move,
    )


async def _move(
    ctx: Ctx,
    write: AccountWrite,
    access: AccountAccess,
    target: CompiledCatalog,
    mapping: CatalogMapping,
    *,
    by_platform: bool,
) -> MovedAccount:
    """Move the account; `access` is the owner's before the move."""
    if target.id == access.account.catalog:
        write.require_precondition(None, applied=True)
        return MovedAccount(access=access, move=None, passed=())
    owner = access.membership
    rows = MovableRows(
        account=access.account,
        owner=owner,
        others=[one for one in await write.members() if one.user_id != owner.user_id],
        invitations=await write.pending_invitations(),
        overrides=await write.all_overrides(),
        projects={project.project_id: project for project in await write.projects()},
        resource_types={
            *await write.resource_types(),
            *ctx.callers.resource_types_of(access.account.account_id),
        },
    )
    write.require_precondition(rows)
    moved = catalog_moves.move(
        rows,
        old=access.catalog,
        new=target,
        mapping=mapping,
        by_platform=by_platform,
        now=write.now,
    )
    write.account = moved.account
    for member in (moved.owner, *moved.members):
        await write.replace_member(member)
    for override in moved.overrides:
        await write.put_override(override)
    for override in moved.ended_overrides:
        await write.delete_override(override)
    await write.replace_invitations(moved.invitations)
    write.record(*moved.facts)
    catalog = target.with_roles({role.role_id: role for role in moved.account.roles})
    after = replace(
        access_of(moved.account, catalog, moved.owner, now=write.now), project=access.project
    )
    passed = await hand_over_after_move(write, after)
    return MovedAccount(access=after, move=moved, passed=passed)
