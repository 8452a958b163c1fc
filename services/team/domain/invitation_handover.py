"""Open invitations get a new inviter when theirs may no longer give the role (`Rp5`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rolecall import AccountState, Member
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import account_state, may_invite_with
from services.team.domain.catalog_texts import own_title, translations
from services.team.domain.invitations import Invitation, payload_fields, with_inviter
from services.team.domain.members import Membership
from services.team.domain.roles import role_title
from shared.contracts import team
from shared.contracts.facts import Fact


@dataclass(frozen=True, kw_only=True)
class Handover:
    """The invitations that have a new inviter, with their facts."""

    invitations: tuple[Invitation, ...] = ()
    facts: tuple[Fact, ...] = ()


def hand_over(
    access: AccountAccess,
    open_invitations: Sequence[Invitation],
    *,
    inviter: Member | None,
    owner: Membership,
) -> Handover:
    """Give a new inviter to each invitation whose role `inviter` can no longer give.

    `open_invitations` are those of one inviter. `inviter` is that member after the change, or
    `None` if the membership ends. The new inviter is the acting member if they may give the role,
    otherwise the owner. Expired invitations stay: a resend gives them a new inviter.
    """
    inviter_ids = {invitation.inviter_user_id for invitation in open_invitations}
    actor = None if access.member.user_id in inviter_ids else access.member
    present = [member for member in (inviter, actor) if member is not None]
    state = account_state(access.account, access.catalog, present)
    invitations, facts = [], []
    for invitation in open_invitations:
        if inviter is not None and _may_give(access, state, inviter, invitation):
            continue
        fit = actor is not None and _may_give(access, state, actor, invitation)
        new_inviter = access.membership if fit else owner
        passed, fact = _pass(access, invitation, new_inviter=new_inviter)
        invitations.append(passed)
        facts.append(fact)
    return Handover(invitations=tuple(invitations), facts=tuple(facts))


def _may_give(
    access: AccountAccess, state: AccountState, inviter: Member, invitation: Invitation
) -> bool:
    return may_invite_with(
        state,
        inviter,
        invitation.role,
        now=access.now,
        until=invitation.membership_expires_at,
    )


def _pass(
    access: AccountAccess, invitation: Invitation, *, new_inviter: Membership
) -> tuple[Invitation, Fact]:
    maker_name = invitation.passed_from_name or invitation.inviter_name
    passed = replace(
        with_inviter(new_inviter, invitation),
        passed_from=invitation.passed_from or invitation.inviter_user_id,
        passed_from_name=maker_name,
    )
    fact = Fact(
        payload=team.InvitationPassed(
            **payload_fields(invitation, access.account),
            from_user_id=invitation.inviter_user_id,
            to_user_id=new_inviter.user_id,
            role_title=role_title(access.catalog, invitation.role),
            translations=translations(
                access.catalog, role_title=own_title(access.catalog, invitation.role)
            ),
            made_by_name=maker_name,
            to_email=new_inviter.email,
        ),
        resource=passed.ref(),
        before={"inviter_user_id": invitation.inviter_user_id},
        after={"inviter_user_id": new_inviter.user_id},
    )
    return passed, fact
