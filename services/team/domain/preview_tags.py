"""What a change does to members and invitations, and the tag by which a caller names it."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from rolecall import LevelGrant, grant_text
from services.team.domain.account_policy import AccountPolicy
from services.team.domain.guardrail_violations import Violation
from services.team.domain.impact import Changes, MemberImpact
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership

TAG_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class ConcernedMember:
    """A member with something to gain or lose; no role: not a member then."""

    impact: MemberImpact
    person: Membership | None
    role_before: str | None
    role_after: str | None

    @classmethod
    def between(cls, impact: MemberImpact, before: AccountPolicy, after: AccountPolicy) -> Self:
        """The member with the roles of both policies."""
        was, is_ = before.members.get(impact.user_id), after.members.get(impact.user_id)
        return cls(
            impact=impact,
            person=before.people.get(impact.user_id),
            role_before=None if was is None else was.role,
            role_after=None if is_ is None else is_.role,
        )


@dataclass(frozen=True, kw_only=True)
class ConcernedInvitation:
    """A pending invitation that ends, or has another inviter or role."""

    before: Invitation
    after: Invitation | None

    @classmethod
    def among(cls, before: Iterable[Invitation], after: Iterable[Invitation]) -> Iterator[Self]:
        """Those of the first invitations that are not the same among the second."""
        left = {invitation.invitation_id: invitation for invitation in after}
        for was in before:
            is_ = left.get(was.invitation_id)
            if is_ is None or (was.inviter_user_id, was.role) != (is_.inviter_user_id, is_.role):
                yield cls(before=was, after=is_)


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What a change does: `resource_types_lost` have no permission in another catalog."""

    members: tuple[ConcernedMember, ...]
    invitations: tuple[ConcernedInvitation, ...]
    resource_types_lost: tuple[str, ...]


def preview_tag(effects: Effects, violations: Collection[Violation]) -> str:
    """The entity tag of all that a preview says, names and addresses aside.

    It is the same for every page of a preview. The change itself has no violations: a guardrail
    would have refused it.
    """
    digest = hashlib.sha256()
    for line in _lines(effects, violations):
        digest.update(repr(line).encode())
    return f'"{digest.hexdigest()[:TAG_DIGITS]}"'


def _lines(effects: Effects, violations: Collection[Violation]) -> Iterator[tuple[object, ...]]:
    for member in effects.members:
        impact = member.impact
        standings = impact.before.value, impact.after.value
        yield "member", impact.user_id, member.role_before, member.role_after, *standings
        yield from _changes(impact.everywhere, impact.in_projects)
    for invitation in sorted(effects.invitations, key=lambda one: one.before.invitation_id):
        before, after = invitation.before, invitation.after
        yield "invitation", before.invitation_id, before.role, before.inviter_user_id
        if after is not None:
            yield "after", after.role, after.inviter_user_id
    for resource_type in effects.resource_types_lost:
        yield "type", resource_type
    for guardrail_id in sorted(one.guardrail.guardrail_id for one in violations):
        yield "violation", guardrail_id


def _changes(
    everywhere: Changes, in_projects: Mapping[str, Changes]
) -> Iterator[tuple[object, ...]]:
    """Each set of changes once, then the projects that have it."""
    projects: dict[Changes, list[str]] = {}
    for project_id, changes in in_projects.items():
        projects.setdefault(changes, []).append(project_id)
    yield "everywhere", *_levels(everywhere)
    same = {tuple(_levels(changes)): sorted(ids) for changes, ids in projects.items()}
    for levels, ids in sorted(same.items(), key=lambda one: one[1]):
        yield "inside", *ids, *levels


def _levels(changes: Changes) -> Iterator[tuple[str, str, str, str]]:
    for one in sorted(changes, key=lambda each: (each.entry, each.level)):
        yield one.entry, one.level, _text(one.before), _text(one.after)


def _text(grant: LevelGrant | None) -> str:
    return "" if grant is None else grant_text(grant)
