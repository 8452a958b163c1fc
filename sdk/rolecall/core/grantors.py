"""Which members could turn a denial into an allow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from rolecall.core.decide import decide
from rolecall.core.decision import Reason
from rolecall.core.giving import grants_not_held_inside, lasts_until, may_give
from rolecall.core.masks import Matrix
from rolecall.core.matrix import CompiledPermission
from rolecall.core.parts import Parts, StepCount, whole
from rolecall.core.persistent import items_after
from rolecall.core.remedies import Denial, Remedies
from rolecall.core.state import AccountState, Member, Resource, Subject

MAX_GRANTORS = 20
MAX_LOOKED_AT = 10_000
"""The most members who are looked at for those who manage others."""
MAX_EXAMINED = 500
MAX_COMPARED = 2_500
"""The most members who are examined, and the most roles that are compared with what they hold.

What a member holds in a project costs as much as `OVERRIDE_COMPARED` roles.
"""
OVERRIDE_COMPARED = 10
LOOK_STEPS, COMPARE_STEPS = 2, 15
"""As how many steps a look at a member counts, and a role that is compared with what one holds."""
INVITE, CHANGE_MEMBER, CHANGE_PROJECT = "member:invite", "member:update", "project:manage"


@dataclass(frozen=True, slots=True)
class Grantor:
    """A member who could bring the allow about: the roles that they may give, or the override."""

    user_id: str
    roles: tuple[str, ...]
    override: bool


@dataclass(frozen=True, slots=True)
class Grantors:
    """The first members who could bring the allow about, and how many there are.

    `complete` is false where the account has more members, or more who manage others, than were
    examined. `count` is of those who were.
    """

    members: tuple[Grantor, ...] = ()
    count: int = 0
    complete: bool = True


def grantors(denial: Denial, wanted: Remedies) -> Grantors:
    """The members who may give one of the roles or the override (`B5`), by their ids."""
    return whole(grantors_in_parts(denial, wanted))


def grantors_in_parts(denial: Denial, wanted: Remedies) -> Parts[Grantors]:
    """The same, in parts."""
    account = denial.account
    joins = denial.decision.reason is Reason.NOT_A_MEMBER
    needed = account.catalog.permissions.get(INVITE if joins else CHANGE_MEMBER)
    if needed is None or (not wanted.roles and wanted.override is None):
        return Grantors()
    offers, count = _Offers.of(account, wanted), StepCount()
    found, examined, compared = [], 0, 0
    complete = len(account.members) <= MAX_LOOKED_AT
    for member in _owner_first(account):
        if count.pauses_after(LOOK_STEPS):
            yield
        if not _manages(denial, needed, member):
            continue
        if examined == MAX_EXAMINED or compared >= MAX_COMPARED:
            complete = False
            break
        examined += 1
        compared += len(wanted.roles) * (1 + OVERRIDE_COMPARED * len(member.overrides))
        one = yield from _grantor(denial, offers, member, count)
        if one.roles or one.override:
            found.append(one)
    return Grantors(tuple(found[:MAX_GRANTORS]), len(found), complete)


def _owner_first(account: AccountState) -> Iterator[Member]:
    """The members who are looked at: the owner, then the others by their ids."""
    owner = account.members.get(account.owner_user_id)
    others = (
        member
        for user_id, member in items_after(account.members)
        if user_id != account.owner_user_id
    )
    return islice(chain(() if owner is None else (owner,), others), MAX_LOOKED_AT)


def _manages(denial: Denial, needed: CompiledPermission, member: Member) -> bool:
    """Whether the member has the permission."""
    if not (member.role.all_mask | member.role.self_mask) & needed.bit:
        return False
    subject = _giving(denial, member)
    return decide(denial.account, subject, needed.name, now=denial.now).allowed


def _giving(denial: Denial, member: Member) -> Subject:
    return Subject(member.user_id, second_factor=member.user_id in denial.with_factor)


@dataclass(frozen=True, slots=True)
class _Offers:
    """What a grantor would give, compiled: roles by their ids, or an override in a project."""

    roles: Mapping[str, Matrix]
    override: Matrix | None
    project_id: str | None

    @classmethod
    def of(cls, account: AccountState, wanted: Remedies) -> "_Offers":
        """Compile what is wanted."""
        found = {role: account.catalog.matrix(role) for role in wanted.roles}
        roles = {role: matrix for role, matrix in found.items() if matrix is not None}
        if wanted.override is None:
            return cls(roles, None, None)
        project_id = wanted.override.project_id
        parsed = account.catalog.catalog.parse_grants(wanted.override.grants, within_project=True)
        return cls(roles, account.catalog.override_matrix(project_id, parsed), project_id)


def _grantor(denial: Denial, offers: _Offers, giver: Member, count: StepCount) -> Parts[Grantor]:
    account, now = denial.account, denial.now
    member = account.members.get(denial.subject.user_id)
    if not lasts_until(giver, None if member is None else member.expires_at):
        return Grantor(giver.user_id, (), override=False)
    roles = []
    for role, matrix in offers.roles.items():
        if may_give(account, giver, matrix, now=now):
            roles.append(role)
        if count.pauses_after(COMPARE_STEPS * (1 + len(giver.overrides))):
            yield
    override = offers.override is not None and _may_set(denial, offers, offers.override, giver)
    return Grantor(giver.user_id, tuple(roles), override=override)


def _may_set(denial: Denial, offers: _Offers, override: Matrix, giver: Member) -> bool:
    account, project_id, now = denial.account, offers.project_id, denial.now
    inside = Resource(project_id=project_id)
    if not decide(account, _giving(denial, giver), CHANGE_PROJECT, inside, now=now).allowed:
        return False
    return not grants_not_held_inside(account, giver, project_id, override, now=now, until=None)
