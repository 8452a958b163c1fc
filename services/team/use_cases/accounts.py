"""Accounts: personal accounts, names, conversion, and the receipts of changes."""

from dataclasses import dataclass, replace

from rolecall import CompiledCatalog
from services.team.domain import accounts
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.catalog_mapping import CatalogMapping, Translator, same_catalog
from services.team.domain.catalog_moves import require_guardrails
from services.team.domain.catalog_translation import translate_roles
from services.team.domain.members import Membership
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.catalogs import catalog_named, personal_catalog
from services.team.use_cases.context import AccountRequest, Ctx, NonMemberRequest
from shared.addresses import parse_address
from shared.contracts.calls.identity import USER
from shared.contracts.facts import Caller, Position, parse_revision
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.journal import Guard, WriteResult
from shared.leases import Receipt
from shared.problems import NotFound, Refusal, RefusalKind


@dataclass(frozen=True, kw_only=True)
class VerifiedUser:
    """A user whose address is verified, as identity describes them."""

    user_id: UserId
    account_id: AccountId
    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class OpenedAccount:
    """A personal account that exists as of `revision`; `effective` if each replica has it."""

    revision: str
    effective: bool


@dataclass(frozen=True, kw_only=True)
class OwnAccount:
    """One of a user's accounts, with the membership in it."""

    account: Account
    catalog: CompiledCatalog
    membership: Membership


async def open_personal(
    ctx: Ctx,
    user: VerifiedUser,
    *,
    caller: Caller,
    position: Position | None = None,
    guard: Guard | None = None,
) -> str:
    """Create a verified user's personal account unless it exists (`Rp1`).

    It is not created again after it was deleted or given away: the user has another home since.
    `position` is that of the fact of identity that `user` comes from, if there is one.

    Returns:
        A revision as of which the account, or the one that replaced it, exists.
    """
    catalog = await personal_catalog(ctx)

    async def change(write: AccountWrite) -> int:
        if position is None:
            name = await write.name_for_joining(user.user_id, otherwise=user.name)
        else:
            name = await write.learn_name(user.user_id, user.name, position)
        if write.account is not None or await write.home_of(user.user_id) is not None:
            return write.base
        account, owner, fact = accounts.open_personal(
            account_id=user.account_id,
            user_id=user.user_id,
            membership_id=MembershipId(new_id("mem")),
            address=parse_address(user.email),
            name=name,
            catalog=catalog,
            now=write.now,
        )
        await write.insert_account(account)
        await write.insert_member(owner)
        write.record(fact)
        return write.base

    request = NonMemberRequest(caller=caller, account_id=user.account_id, guard=guard)
    written = await ctx.change(request, change, effective_everywhere=False)
    return written.revision or ctx.journal.revision(user.account_id, written.result)


async def open_personal_everywhere(
    ctx: Ctx, user: VerifiedUser, *, caller: Caller
) -> OpenedAccount:
    """Create the personal account unless it exists, and give each replica of authz time to have it.

    An answer that names the account follows, and the next check must find it. The wait is short
    (`Timeouts.personal_account_everywhere`). A late grant is not a danger.
    """
    revision = await open_personal(ctx, user, caller=caller)
    receipt = await ctx.leases.receipt(
        revision,
        occurred_at=ctx.clock.now(),
        seconds=ctx.timeouts.personal_account_everywhere,
    )
    return OpenedAccount(revision=revision, effective=receipt is not None and receipt.effective)


async def ensure_personal_account(
    ctx: Ctx, *, user_id: UserId, account_id: AccountId, caller: Caller
) -> bool:
    """Create the personal account of a user whose first request came before identity's fact.

    Identity says to whom the account's id belongs.

    Returns:
        Whether the account exists now, by this call, by the fact or by another request at the same
        moment. Then it is worth looking again. One that existed before does not exist again.

    Raises:
        Unavailable: identity cannot be asked.
    """
    if await ctx.store.account(account_id) is not None:
        return True
    user = await verified_user(ctx, user_id)
    if user is None or user.account_id != account_id:
        return False
    await open_personal_everywhere(ctx, user, caller=caller)
    return await ctx.store.account(account_id) is not None


async def verified_user(ctx: Ctx, user_id: UserId) -> VerifiedUser | None:
    """Ask identity for the user; `None` unless they are active and verified at this moment.

    Raises:
        Unavailable: identity cannot be asked.
    """
    try:
        user = await ctx.internal.call(USER, "identity", path={"user_id": user_id})
    except Refusal as refusal:
        if refusal.kind is RefusalKind.NOT_FOUND:
            return None
        raise
    if user.status != "active" or not user.email_verified:
        return None
    return VerifiedUser(
        user_id=user_id,
        account_id=AccountId(user.account_id),
        email=user.email,
        name=user.name,
    )


async def own_accounts(
    ctx: Ctx, *, user_id: UserId, personal: AccountId | None, caller: Caller
) -> list[OwnAccount]:
    """List the accounts that the user is a member of (`Ro20`), the personal one included.

    `personal` is the account that the user's token names. A new user's is created if need be.
    """
    found = await _memberships(ctx, user_id)
    if personal is None or personal in {own.account.account_id for own in found}:
        return found
    if await ensure_personal_account(ctx, user_id=user_id, account_id=personal, caller=caller):
        return await _memberships(ctx, user_id)
    return found


async def convert(
    ctx: Ctx,
    request: AccountRequest,
    *,
    name: str,
    catalog_name: str | None,
    mapping: CatalogMapping,
) -> WriteResult[AccountAccess]:
    """Make a team of the owner's personal account (`Rp2`, `Nv1`).

    Raises:
        OwnerOnly, AlreadyATeam, Invalid, MappingNeeded, GuardrailsOfThisCatalog, RolesTooLarge: see
            the domain.
    """

    async def change(write: AccountWrite) -> AccountAccess:
        access = write.access
        accounts.require_owner(access.account, access.membership)
        catalog, roles = access.catalog, access.account.roles
        if catalog_name is not None:
            catalog = await catalog_named(ctx, catalog_name)
        accounts.require_personal(access.account)
        if catalog.id != access.catalog.id:
            translator = Translator(access.catalog, catalog, mapping)
            roles = translate_roles(roles, translator, now=write.now)
            translator.finish()
            own = catalog.with_roles({role.role_id: role for role in roles})
            same = same_catalog(access.catalog, catalog)
            require_guardrails(access.account, own, same=same)
        converted, owner, fact = accounts.convert(
            access.account, access.membership, name=name, catalog=catalog, roles=roles
        )
        if fact is None:
            return access
        await write.replace_member(owner)
        write.account = converted
        write.record(fact)
        return replace(access, account=converted, catalog=catalog, membership=owner)

    return await ctx.change(request, change, effective_everywhere=True)


async def receipt(ctx: Ctx, access: AccountAccess, revision: str) -> Receipt:
    """Return where one change of this account is effective (`B8`).

    The journal's row says whose change it was, so rows are kept for as long as receipts are.

    Raises:
        NotFound: the account has no change of that revision.
    """
    try:
        position = parse_revision(revision)
    except ValueError as no_revision:
        raise NotFound from no_revision
    row = await ctx.journal.row(position)
    if row is None or row.account_id != access.account.account_id:
        raise NotFound
    found = await ctx.leases.receipt(revision, occurred_at=row.occurred_at)
    if found is None:
        raise NotFound
    return found


async def stored_memberships(ctx: Ctx, user_id: UserId) -> list[tuple[Account, Membership]]:
    """Every membership of a user with its account, also those that give no access now."""
    memberships = await ctx.store.memberships_of(user_id)
    found = await ctx.store.accounts([membership.account_id for membership in memberships])
    return [
        (account, membership)
        for membership in memberships
        if (account := found.get(membership.account_id)) is not None
    ]


async def _memberships(ctx: Ctx, user_id: UserId) -> list[OwnAccount]:
    memberships = await ctx.store.memberships_of(user_id)
    found = await ctx.store.accounts([membership.account_id for membership in memberships])
    return [
        OwnAccount(
            account=account,
            catalog=await ctx.store.catalog_of(account),
            membership=membership,
        )
        for membership in memberships
        if membership.in_force(ctx.clock.now())
        and (account := found.get(membership.account_id)) is not None
    ]
