"""The internal routes that other services call."""

from rolecall import AccountStatus
from services.team.routes.invitations import link_view
from services.team.use_cases import invitation_acceptance
from services.team.use_cases.accounts import (
    VerifiedUser,
    open_personal_everywhere,
    stored_memberships,
)
from services.team.use_cases.context import Ctx
from services.team.use_cases.past_policy import past_bearers, past_policy
from services.team.use_cases.user_release import release
from shared.contracts.calls.activity import ACTIVITY, ActivityReport
from shared.contracts.calls.base import LinkAnswer
from shared.contracts.calls.history import (
    PAST_BEARERS,
    PAST_POLICY,
    PastBearers,
    PastBearersRequest,
    PastPolicy,
    PastPolicyRequest,
)
from shared.contracts.calls.leases import SNAPSHOT, SnapshotQuery
from shared.contracts.calls.team import (
    INVITATION_LINK,
    INVITATION_LOOKUP,
    MEMBERSHIPS,
    PERSONAL_ACCOUNT,
    READ_ACTING_USERS,
    USER_RELEASE,
    AccountProject,
    ActingUsers,
    ActingUsersRequest,
    InvitationLinkRequest,
    InvitationLookupRequest,
    InvitedAddress,
    MemberOnce,
    Memberships,
    MembershipsRequest,
    OwnedTeam,
    PersonalAccountAnswer,
    PersonalAccountRequest,
    StoredMembership,
    UserReleased,
    UserReleaseRequest,
)
from shared.contracts.facts import Actor, Caller
from shared.contracts.groups import shards_in
from shared.contracts.refusals import (
    HistoryUnavailable,
    InvitationNotValid,
    InvitationsPaused,
    MailboxFull,
)
from shared.contracts.topology import Service
from shared.http.internal import internal_route
from shared.http.routes import Call, Reply
from shared.ids import AccountId, ProjectId, UserId
from shared.journal.snapshot import page_text
from shared.links import Link


async def make_link(ctx: Ctx, call: Call[InvitationLinkRequest, None]) -> LinkAnswer:
    """Make the URL and the code of an invitation that is about to be mailed."""
    link = Link(id=call.body.id, generation=call.body.generation)
    view = link_view(ctx, await invitation_acceptance.mailed_link(ctx, link))
    return LinkAnswer(url=view.url, code=view.code)


async def look_up(ctx: Ctx, call: Call[InvitationLookupRequest, None]) -> InvitedAddress:
    """Return the address that an invitation is for: its holder may sign up with it."""
    opened = await invitation_acceptance.lookup(ctx, token=call.body.token, code=call.body.code)
    return InvitedAddress(email=opened.invitation.email, delivery=opened.invitation.delivery)


async def open_personal_account(
    ctx: Ctx, call: Call[PersonalAccountRequest, None]
) -> PersonalAccountAnswer:
    """Make a new user's personal account before the sign-up is answered, as the fact does later."""
    body = call.body
    user = VerifiedUser(
        user_id=UserId(body.user_id),
        account_id=AccountId(body.account_id),
        email=body.email,
        name=body.name,
    )
    caller = _on_behalf_of(body.user_id, call.caller)
    opened = await open_personal_everywhere(ctx, user, caller=caller)
    return PersonalAccountAnswer(revision=opened.revision, effective=opened.effective)


async def read_memberships(ctx: Ctx, call: Call[MembershipsRequest, None]) -> Memberships:
    """Return every membership of a user who takes their personal data along."""
    found = await stored_memberships(ctx, UserId(call.body.user_id))
    now = ctx.clock.now()
    return Memberships(
        memberships=tuple(
            StoredMembership(
                membership_id=membership.membership_id,
                account_id=account.account_id,
                account_name=account.name,
                owner=account.owner_user_id == membership.user_id,
                role=membership.role,
                status=membership.status.value,
                joined_at=membership.joined_at,
                email=membership.email,
                name=membership.name,
                gives_access=account.status is AccountStatus.ACTIVE and membership.in_force(now),
            )
            for account, membership in found
        )
    )


async def read_acting_users(ctx: Ctx, call: Call[ActingUsersRequest, None]) -> ActingUsers:
    """Return who is or was a member of an account, and which projects it has."""
    asked = call.body.users
    accounts = await ctx.store.accounts(sorted({AccountId(one.account_id) for one in asked}))
    users = await ctx.store.users_once_in(
        {
            (AccountId(one.account_id), UserId(one.user_id))
            for one in asked
            if one.user_id is not None and one.account_id in accounts
        }
    )
    projects = await ctx.store.projects_there(
        {(AccountId(one.account_id), ProjectId(one.project_id)) for one in call.body.projects}
    )
    return ActingUsers(
        accounts=tuple(accounts),
        projects=tuple(
            AccountProject(account_id=account_id, project_id=project_id)
            for account_id, project_id in sorted(projects)
        ),
        users=tuple(
            MemberOnce(account_id=account_id, user_id=user_id)
            for account_id, user_id in sorted(users)
        ),
    )


async def release_user(ctx: Ctx, call: Call[UserReleaseRequest, None]) -> UserReleased:
    """End every membership of a user who is about to be erased."""
    user_id = call.body.user_id
    caller = _on_behalf_of(user_id, call.caller)
    released = await release(ctx, UserId(user_id), caller=caller)
    return UserReleased(
        owned=tuple(
            OwnedTeam(account_id=account.account_id, account_name=account.name)
            for account in released.owned
        ),
        effective=released.effective,
    )


async def note_activity(ctx: Ctx, call: Call[ActivityReport, None]) -> None:
    """Note which members authz has answered about; a clock that is ahead does not count."""
    now = ctx.clock.now()
    for member in call.body.members:
        ctx.activity.note(member.account_id, member.user_id, min(member.at, now))


async def snapshot(ctx: Ctx, call: Call[None, SnapshotQuery]) -> Reply:
    """Return a page of the policy state of all accounts."""
    mask = call.query.shards
    shards = None if mask is None else shards_in(mask)
    return Reply(body=page_text(await ctx.snapshot.page(call.query.cursor, shards=shards)))


async def read_past_policy(ctx: Ctx, call: Call[PastPolicyRequest, None]) -> PastPolicy:
    """Return objects of an account as they were at a past time."""
    return await past_policy(ctx, call.body)


async def read_past_bearers(ctx: Ctx, call: Call[PastBearersRequest, None]) -> PastBearers:
    """Return which members of an account had an external id at a past time."""
    return await past_bearers(ctx, call.body)


def _on_behalf_of(user_id: str, caller: Caller) -> Caller:
    actor = Actor(type="service", id=Service.TEAM, on_behalf_of=user_id)
    return Caller(actor=actor, request=caller.request)


ROUTES = (
    internal_route(
        INVITATION_LINK, make_link, refuses=(InvitationNotValid, InvitationsPaused, MailboxFull)
    ),
    internal_route(INVITATION_LOOKUP, look_up, refuses=(InvitationNotValid,)),
    internal_route(PERSONAL_ACCOUNT, open_personal_account),
    internal_route(MEMBERSHIPS, read_memberships),
    internal_route(READ_ACTING_USERS, read_acting_users),
    internal_route(USER_RELEASE, release_user),
    internal_route(ACTIVITY, note_activity),
    internal_route(SNAPSHOT, snapshot),
    internal_route(PAST_POLICY, read_past_policy, refuses=(HistoryUnavailable,)),
    internal_route(PAST_BEARERS, read_past_bearers, refuses=(HistoryUnavailable,)),
)
