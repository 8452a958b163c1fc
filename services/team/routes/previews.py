"""The route that says what a change would do, without making it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from rolecall import LevelGrant, grant_text
from services.team.domain.impact import Changes, LevelChange, Standing
from services.team.routes.account_routes import account_request
from services.team.routes.guardrails import ViolationView, violation_views
from services.team.routes.preview_bodies import REAL_ROUTES, AnyChange, PreviewedChange
from services.team.use_cases import previews
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.previews import ConcernedInvitation, ConcernedMember
from shared.http.access import Permission
from shared.http.paging import Page, PageQuery, paged, read_cursor, write_cursor
from shared.http.preconditions import Precondition, read_precondition
from shared.http.routes import Answer, Call, Route
from shared.ids import InvitationId, ProjectId, UserId
from shared.problems import Pointed, Refusal

MAX_INVITATIONS = 200
MAX_LISTED = 20_000
"""How many levels and projects a page lists: with more, it ends before its limit of members."""


class ScopeChange(Answer):
    """The grant of a level before and after: `all`, `self`, or a scope with its conditions.

    Null: not held. A grant that depends on a condition reads `all when …`.
    """

    before: str | None
    after: str | None


LevelChanges = dict[str, dict[str, ScopeChange]]


class ChangesView(Answer):
    """Entry → level → grant before and after, of what is gained and of what is lost.

    A level whose condition changes is in both.
    """

    gained: LevelChanges
    lost: LevelChanges


class ProjectChangesView(ChangesView):
    """What changes inside these projects."""

    project_ids: list[ProjectId]


class RoleChange(Answer):
    """A role before and after; null: not a member."""

    before: str | None
    after: str | None


class StandingChange(Answer):
    """Whether the user takes part in the account before and after."""

    before: Standing
    after: Standing


class MemberImpactView(Answer):
    """What one member gains and loses.

    `everywhere` is outside of all projects, and inside each project that `in_projects` does not
    list. In a project that is new or gone only project-scoped entries are listed. `name` and
    `email` are null for a caller without `member:view`.
    """

    user_id: UserId
    name: str | None
    email: str | None
    role: RoleChange
    membership: StandingChange
    everywhere: ChangesView
    in_projects: list[ProjectChangesView]


class InvitationImpactView(Answer):
    """A pending invitation that ends, passes to another inviter, or has another role."""

    id: InvitationId
    email: str | None
    effect: Literal["ends", "changes"]
    role: RoleChange
    inviter_before: UserId
    inviter_after: UserId | None


class PreviewView(Page[MemberImpactView]):
    """The members for whom something changes, in the order of their ids.

    Every page is computed anew: pages of one `account_rev` belong together. `etag` is the tag of
    what the change is about, as it is now; with it as `If-Match` the change is made only if that
    has not changed since. It is null where the change takes none, and where nothing is there yet.
    `invitations` has 200 at most. If `violations` has any, a guardrail refuses the change.
    `resource_types_lost` are types in use for which another catalog has no permission.
    """

    account_rev: int
    etag: str | None
    members_concerned: int
    memberships_ending: int
    invitations_concerned: int
    invitations: list[InvitationImpactView]
    violations: list[ViolationView]
    resource_types_lost: list[str]


async def preview_change(
    ctx: Ctx, call: Call[PreviewedChange, PageQuery], request: AccountRequest
) -> PreviewView:
    """Say what a change would do."""
    read_cursor(call)  # refused before the work
    tag = _ComparedTag()
    real = _real_call(call, call.body.change, tag)

    async def change(dry: Ctx, real_request: AccountRequest) -> object:
        return await real.route.handler(dry, real, real_request)

    try:
        found = await previews.preview(ctx, request, account_request(real), change)
    except Refusal as refusal:
        refusal.errors = tuple(
            Pointed(f"/change{error.pointer.removeprefix('/query')}", error.message)
            for error in refusal.errors
        )
        raise
    page, following = paged(found.members, call, key=_key)
    fitting = _fitting(page)
    if len(fitting) < len(page):
        following = write_cursor(call, _key(fitting[-1]))
    return PreviewView(
        items=[_member_view(member, named=found.names_shown) for member in fitting],
        next_cursor=following,
        account_rev=found.account_rev,
        etag=tag.value,
        members_concerned=len(found.members),
        memberships_ending=sum(member.role_after is None for member in found.members),
        invitations_concerned=len(found.invitations),
        invitations=[
            _invitation_view(one, named=found.names_shown)
            for one in found.invitations[:MAX_INVITATIONS]
        ],
        violations=violation_views(found.violations),
        resource_types_lost=list(found.resource_types_lost),
    )


class _ComparedTag:
    """The tag of what the change is about, as the last attempt has read it."""

    value: str | None = None

    def note(self, tag: str | None) -> None:
        self.value = tag


def _real_call(
    call: Call[PreviewedChange, PageQuery], change: AnyChange, tag: _ComparedTag
) -> Call[Any, Any]:
    """The call of the route that makes the change, without a key."""
    route = REAL_ROUTES[type(change)]
    path = {
        name: call.path[name] if name in call.path else getattr(change, name)
        for name in route.parameters
    }
    return Call(
        caller=call.caller,
        principal=call.principal,
        path=path,
        body=None if route.takes is None else change,
        query=None if route.query is None else change,
        headers=call.headers,
        route=route,
        request_id=call.request_id,
        precondition=_observed(call, route, tag),
    )


def _observed(
    call: Call[PreviewedChange, PageQuery], route: Route, tag: _ComparedTag
) -> Precondition | None:
    """The precondition of the request, or one that requires nothing, which tells the tag."""
    if route.represent is None:
        return None
    condition = read_precondition(call.headers, route.represent)
    return replace(condition or Precondition(represent=route.represent), note_tag=tag.note)


def _key(member: ConcernedMember) -> tuple[str, str]:
    return member.impact.user_id, ""


def _fitting(members: Sequence[ConcernedMember]) -> list[ConcernedMember]:
    """The first members, as many as a page can list; at least one."""
    fitting: list[ConcernedMember] = []
    left = MAX_LISTED
    for member in members:
        inside = member.impact.in_projects.values()
        left -= len(member.impact.everywhere) + sum(1 + len(changes) for changes in inside)
        if fitting and left < 0:
            break
        fitting.append(member)
    return fitting


def _member_view(member: ConcernedMember, *, named: bool) -> MemberImpactView:
    impact = member.impact
    person = member.person if named else None
    by_changes: dict[Changes, list[ProjectId]] = {}
    for project_id, changes in impact.in_projects.items():
        by_changes.setdefault(changes, []).append(ProjectId(project_id))
    return MemberImpactView(
        user_id=UserId(impact.user_id),
        name=None if person is None else person.name,
        email=None if person is None else person.email,
        role=RoleChange(before=member.role_before, after=member.role_after),
        membership=StandingChange(before=impact.before, after=impact.after),
        everywhere=ChangesView(**_sides(impact.everywhere)),
        in_projects=[
            ProjectChangesView(project_ids=project_ids, **_sides(changes))
            for changes, project_ids in by_changes.items()
        ],
    )


def _sides(changes: Changes) -> dict[str, LevelChanges]:
    gained = [change for change in changes if change.gains]
    lost = [change for change in changes if change.loses]
    return {"gained": _levels(gained), "lost": _levels(lost)}


def _levels(changes: Sequence[LevelChange]) -> LevelChanges:
    levels: LevelChanges = {}
    for change in changes:
        scopes = ScopeChange(before=_text(change.before), after=_text(change.after))
        levels.setdefault(change.entry, {})[change.level] = scopes
    return levels


def _text(grant: LevelGrant | None) -> str | None:
    return None if grant is None else grant_text(grant)


def _invitation_view(concerned: ConcernedInvitation, *, named: bool) -> InvitationImpactView:
    before, after = concerned.before, concerned.after
    return InvitationImpactView(
        id=before.invitation_id,
        email=before.email if named else None,
        effect="ends" if after is None else "changes",
        role=RoleChange(before=before.role, after=None if after is None else after.role),
        inviter_before=before.inviter_user_id,
        inviter_after=None if after is None else after.inviter_user_id,
    )


def _refusals() -> tuple[type[Refusal], ...]:
    """The refusals of all real routes: of each code the most general one."""
    general: dict[str, type[Refusal]] = {}
    for refusal in (one for row in REAL_ROUTES.values() for one in row.refuses):
        known = general.setdefault(refusal.code, refusal)
        if issubclass(known, refusal):
            general[refusal.code] = refusal
    return tuple(general.values())


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/changes/preview",
        handler=preview_change,
        operation_id="previewChange",
        summary="What a change would give and take, before it is made",
        tag="changes",
        access=Permission("account:view"),
        caller_rule="The caller needs what the change itself needs.",
        takes=PreviewedChange,
        query=PageQuery,
        gives=PreviewView,
        refuses=_refusals(),
        only_previews=True,
        on_repeat="Changes nothing.",
    ),
)
