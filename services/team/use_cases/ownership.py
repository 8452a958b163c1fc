"""The transfer of an account's ownership: offer, cancel, decline and accept."""

from dataclasses import dataclass, replace
from datetime import timedelta

from services.team.domain import ownership
from services.team.domain.account_access import AccountAccess, after_change
from services.team.domain.authority import member_state
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from services.team.domain.ownership import Transfer
from services.team.domain.ownership_offers import OwnershipOffer
from services.team.domain.ownership_refusals import AccountLimit
from services.team.domain.projects import Project
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.accounts import verified_user
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.invitation_handover import hand_over_invitations
from services.team.use_cases.owned_accounts import open_personal_in_place
from shared.ids import UserId
from shared.journal import WriteResult


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The account as its new owner has it, and the invitations that passed to another inviter."""

    access: AccountAccess
    passed: tuple[Invitation, ...]


async def offer(
    ctx: Ctx, request: AccountRequest, *, user_id: UserId
) -> WriteResult[OwnershipOffer]:
    """Offer the ownership to a member (`B3`).

    Raises:
        TransferOwnerOnly, ReceiverUnfit, TransferPending: see the domain.
    """

    async def change(write: AccountWrite) -> OwnershipOffer:
        account, made, facts = ownership.offer(
            write.access,
            await write.find_member(user_id),
            lifetime=timedelta(days=ctx.settings.ownership_offer_days),
        )
        write.account = account
        write.record(*facts)
        return made

    return await ctx.change(request, change, effective_everywhere=False)


async def cancel(ctx: Ctx, request: AccountRequest) -> WriteResult[None]:
    """Take the offer back.

    Raises:
        TransferOwnerOnly, NoTransfer: see the domain.
    """

    async def change(write: AccountWrite) -> None:
        write.account, fact = ownership.cancel(write.access)
        write.record(fact)

    return await ctx.change(request, change, effective_everywhere=False)


async def decline(ctx: Ctx, request: AccountRequest) -> WriteResult[None]:
    """Decline the ownership, also without the second factor that the account demands.

    Raises:
        NoTransfer, TransferExpired: see the domain.
    """

    async def change(write: AccountWrite) -> None:
        write.account, fact = ownership.decline(write.access)
        write.record(fact)

    request = replace(request, without_factor=True)
    return await ctx.change(request, change, effective_everywhere=False)


async def accept(ctx: Ctx, request: AccountRequest) -> WriteResult[Accepted]:
    """Make the receiver the owner; the change is in force with the answer (`Nv7`, `B3`).

    A former owner who gives their home away gets a new personal account in the same
    transaction. Open invitations pass to another inviter where theirs may not give the role now.

    Raises:
        NoTransfer, TransferExpired: see the domain.
        AccountLimit: the receiver owns as many accounts as one user can.
        Unavailable: identity cannot be asked where the former owner's sessions begin.
    """
    seen = await ctx.authorize(request)  # identity is asked for those who may ask this
    user = await verified_user(ctx, seen.account.owner_user_id)

    async def change(write: AccountWrite) -> Accepted:
        access = write.access
        ownership.require_offer(access)
        limit = ctx.settings.accounts_per_user
        owned = await write.accounts_owned_by(access.membership.user_id)
        if len(owned.ids) >= limit:
            raise AccountLimit(limit=limit)
        former_owner = await write.member(access.account.owner_user_id)
        overridden = await _overridden(write, access.membership)
        transfer = ownership.accept(
            access,
            former_owner,
            overridden=overridden,
            personal_account_id=await open_personal_in_place(ctx, write, former_owner, user=user),
        )
        await write.replace_member(transfer.owner)
        await write.replace_member(transfer.former_owner)
        if overridden:
            await write.delete_overrides_of(transfer.owner.user_id)
        write.account = transfer.account
        write.record(*transfer.facts)
        return await _handed_over(write, transfer)

    return await ctx.change(request, change, effective_everywhere=True)


async def _overridden(
    write: AccountWrite, member: Membership
) -> list[tuple[ProjectOverride, Project]]:
    overrides = await write.overrides_of(member.user_id)
    if not overrides:
        return []
    projects = {project.project_id: project for project in await write.projects()}
    return [(override, projects[override.project_id]) for override in overrides]


async def _handed_over(write: AccountWrite, transfer: Transfer) -> Accepted:
    """Look at the open invitations of both, with the rights that they have from now on."""
    access = after_change(
        write.access,
        account=transfer.account,
        catalog=write.access.catalog,
        membership=transfer.owner,
        overrides=(),
    )
    passed: list[Invitation] = []
    for member in (transfer.former_owner, transfer.owner):
        overrides = await write.overrides_of(member.user_id)
        passed += await hand_over_invitations(
            write,
            member.user_id,
            inviter=member_state(access.catalog, member, overrides),
            access=access,
        )
    return Accepted(access=access, passed=tuple(passed))
