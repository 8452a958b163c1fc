"""Members of the tests' accounts, made by the product's rules in one write.

A test that is about invitations sends them instead: that takes two requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.team.domain import invitation_acceptance
from services.team.domain.invitation_acceptance import Invitee, Inviter
from services.team.domain.invitation_delivery import delivery_of, expiry
from services.team.domain.invitations import Invitation
from services.team.use_cases.context import NonMemberRequest
from shared.addresses import parse_address
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import AccountId, InvitationId, MembershipId, UserId, new_id

if TYPE_CHECKING:
    from services.team.use_cases.account_write import AccountWrite
    from services.team.use_cases.context import Ctx
    from tests.services.team.running import Person


async def admit(
    ctx: Ctx, account_id: AccountId, person: Person, role: str, *, inviter: Person
) -> None:
    """Make a user a member, as by an invitation that they have accepted at once.

    Raises:
        Refusal: the inviter cannot give the role, or the account has no room.
    """
    user_id, address = UserId(person.user_id), parse_address(person.email)

    async def change(write: AccountWrite) -> None:
        account = write.existing_account
        catalog = await ctx.store.catalog_of(account)
        giver = await write.member(UserId(inviter.user_id))
        policy = catalog.catalog.policies.invitations
        accepted = invitation_acceptance.accept(
            Invitation(
                account_id=account_id,
                invitation_id=InvitationId(new_id("inv")),
                email=address.typed,
                email_key=address.key,
                role=role,
                delivery=delivery_of(policy, None),
                inviter_user_id=giver.user_id,
                inviter_name=giver.name,
                inviter_email=giver.email,
                created_at=write.now,
                expires_at=expiry(policy, write.now),
            ),
            account=account,
            catalog=catalog,
            invitee=Invitee(
                user_id=user_id,
                address=address,
                name=await write.name_for_joining(user_id, otherwise=person.name),
            ),
            inviter=Inviter(membership=giver, overrides=await write.overrides_of(giver.user_id)),
            current_membership=await write.find_member(user_id),
            members=await write.count_members(),
            membership_id=MembershipId(new_id("mem")),
            now=write.now,
        )
        await write.admit(accepted.membership)
        await write.insert_invitation(accepted.invitation)
        write.record(*accepted.facts)

    actor = Actor(type="user", id=user_id, name=person.name, email=address.typed)
    caller = Caller(actor=actor, request=RequestInfo(request_id=new_id("req")))
    request = NonMemberRequest(caller=caller, account_id=account_id)
    await ctx.change(request, change, effective_everywhere=False)
