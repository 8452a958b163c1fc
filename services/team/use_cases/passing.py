"""Which invitations need another inviter, because theirs may no longer give the role?"""

from collections.abc import Iterable
from datetime import datetime

from rolecall import AccountState, Member, Subject, decide
from services.team.domain import invitations
from services.team.domain.authority import account_state, lacking, member_state, milliseconds
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from services.team.use_cases.context import Ctx
from services.team.use_cases.desk import Desk
from shared.contracts.facts import Fact
from shared.ids import UserId
from shared.journal import JournalWrite

INVITE = "member:invite"


def may_invite_with(state: AccountState, inviter: Member, role_id: str, *, now: datetime) -> bool:
    """Whether the member may give this role by an invitation."""
    allowed = decide(state, Subject(inviter.user_id), INVITE, now=milliseconds(now)).allowed
    return allowed and not lacking(state, inviter, role_id, now=now)


async def pass_invitations(
    ctx: Ctx,
    tx: JournalWrite,
    desk: Desk,
    *,
    inviter_id: UserId,
    now_is: Membership | None,
    overrides: Iterable[ProjectOverride] = (),
) -> list[Fact]:
    """Pass open invitations of `inviter_id`, whose membership became `now_is`, to somebody else.

    That is whoever caused the change if they may give the role, else the owner. Expired ones open
    nothing until somebody sends them again, and then they are that person's.
    """
    concerned = await ctx.store.open_of(
        desk.account.account_id, inviter_id, now=desk.now, session=tx.session
    )
    if not concerned:
        return []
    inviter = None if now_is is None else member_state(desk.catalog, now_is, overrides)
    others = [] if desk.member.user_id == inviter_id else [desk.member]
    present = others if inviter is None else [inviter, *others]
    state = account_state(desk.account, desk.catalog, present)
    owner = await ctx.store.member(desk.account.account_id, desk.account.owner_user_id, tx.session)
    passed, facts = [], []
    for invitation in concerned:
        if inviter is not None and may_invite_with(state, inviter, invitation.role, now=desk.now):
            continue
        fit = any(may_invite_with(state, other, invitation.role, now=desk.now) for other in others)
        heir = desk.membership if fit else owner
        if heir is None:
            raise LookupError(f"{desk.account.account_id} has no owner's membership")
        again, fact = invitations.pass_on(invitation, account=desk.account, heir=heir)
        passed.append(again)
        facts.append(fact)
    await ctx.store.replace_invitations(passed, tx.session)
    return facts
