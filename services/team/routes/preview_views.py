"""What the answers of previews show, and the tag of what a previewed change is about."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from rolecall import LevelGrant, grant_text
from services.team.domain.impact import Changes, LevelChange, Standing
from services.team.domain.preview_tags import ConcernedInvitation, ConcernedMember
from services.team.routes.guardrails import ViolationView, violation_views
from services.team.use_cases.previews import Preview
from shared.http.paging import Page, PageQuery, paged, write_cursor
from shared.http.preconditions import Precondition, read_precondition
from shared.http.routes import Answer, Call, Route
from shared.ids import InvitationId, ProjectId, UserId

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
    `preview_tag` is of all that the preview says, on every page the same. With it as
    `If-Preview-Match` the change is made only if it gives, takes and ends exactly that.
    `invitations` has 200 at most. If `violations` has any, a guardrail refuses the change.
    `resource_types_lost` are types in use for which another catalog has no permission.
    """

    account_rev: int
    etag: str | None
    preview_tag: str
    members_concerned: int
    memberships_ending: int
    invitations_concerned: int
    invitations: list[InvitationImpactView]
    violations: list[ViolationView]
    resource_types_lost: list[str]


def preview_view(call: Call[Any, PageQuery], found: Preview, *, etag: str | None) -> PreviewView:
    """The answer with the page that the call asks for."""
    effects = found.effects
    page, following = paged(effects.members, call, key=_key)
    fitting = _fitting(page)
    if len(fitting) < len(page):
        following = write_cursor(call, _key(fitting[-1]))
    return PreviewView(
        items=[_member_view(member, named=found.names_shown) for member in fitting],
        next_cursor=following,
        account_rev=found.account_rev,
        etag=etag,
        preview_tag=found.tag,
        members_concerned=len(effects.members),
        memberships_ending=sum(member.role_after is None for member in effects.members),
        invitations_concerned=len(effects.invitations),
        invitations=[
            _invitation_view(one, named=found.names_shown)
            for one in effects.invitations[:MAX_INVITATIONS]
        ],
        violations=violation_views(found.violations),
        resource_types_lost=list(effects.resource_types_lost),
    )


class ComparedTag:
    """The tag of what the change is about, as the last attempt has read it."""

    value: str | None = None

    def note(self, tag: str | None) -> None:
        """Keep the tag."""
        self.value = tag


def observed(call: Call[Any, PageQuery], route: Route, tag: ComparedTag) -> Precondition | None:
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
