"""What would turn a denial into an allow, and which members could bring that about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from types import MappingProxyType

from rolecall.core.condition_facts import Given
from rolecall.core.condition_work import ConditionWork
from rolecall.core.decide import decide, located
from rolecall.core.decision import Decision, Reason
from rolecall.core.explain import role_title
from rolecall.core.giving import grants_not_held_inside, lasts_until, may_give
from rolecall.core.level_grants import Scope
from rolecall.core.masks import Matrix
from rolecall.core.persistent import items_after
from rolecall.core.problems import CatalogError
from rolecall.core.state import AccountState, Member, Override, Resource, Subject

MAX_GRANTORS = 20
MAX_LOOKED_AT = 10_000
"""The most members who are looked at for those who manage others."""
MAX_EXAMINED = 500
MAX_COMPARED = 2_500
"""The most members who are examined, and the most roles that are compared with what they hold.

What a member holds in a project costs as much as `OVERRIDE_COMPARED` roles.
"""
OVERRIDE_COMPARED = 10
INVITE, CHANGE_MEMBER, CHANGE_PROJECT = "member:invite", "member:update", "project:manage"


@dataclass(frozen=True, slots=True)
class OverrideRemedy:
    """An override that would allow: it has to have these grants, and may have more."""

    project_id: str
    grants: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Remedies:
    """What would allow: one of the roles, or the override. `text` says it, and what else would.

    `roles` are ids of roles that can be assigned. Both are empty where no grant would help.
    """

    text: str
    roles: tuple[str, ...] = ()
    override: OverrideRemedy | None = None


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


@dataclass(frozen=True, slots=True)
class Denial:
    """A check that was denied, and the moment of it in epoch milliseconds."""

    account: AccountState
    subject: Subject
    permission: str
    resource: Resource
    decision: Decision
    now: int
    given: Given | None = None
    work: ConditionWork = field(default_factory=ConditionWork, compare=False, repr=False)

    def allowed_to(self, member: Member) -> bool:
        """Whether the check would be allowed to the subject with this membership."""
        changed = replace(self.account, members={member.user_id: member})
        subject = Subject(self.subject.user_id)
        return decide(
            changed,
            subject,
            self.permission,
            self.resource,
            now=self.now,
            given=self.given,
            work=self.work,
        ).allowed


_BY_GRANTS = frozenset(
    {
        Reason.PERMISSION_MISSING,
        Reason.OWNER_UNKNOWN,
        Reason.NOT_OWNER,
        Reason.CONDITION_FAILED,
    }
)
_TEXTS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NO_ACCOUNT: "Name the account of the resource, and check its id.",
        Reason.ACCOUNT_SUSPENDED: "The platform has to resume the account.",
        Reason.ACCOUNT_DELETING: "The owner has to restore the account.",
        Reason.USER_DISABLED: "The platform has to enable the user.",
        Reason.SESSION_ENDED: "The user has to sign in again.",
        Reason.MEMBERSHIP_SUSPENDED: "A member who may change members has to resume it.",
        Reason.MEMBERSHIP_EXPIRED: "A member who may change members has to give it a later end.",
        Reason.PERMISSION_UNKNOWN: "No role has it. Check the name of the permission.",
        Reason.RESOURCE_CONFLICT: "Leave the owner and project out: those of the resource count.",
        Reason.PROJECT_UNKNOWN: "Name one of the account's {projects}.",
    }
)
"""What helps where no grant does."""
_WITHOUT_GRANT: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.OWNER_UNKNOWN: "Name the owner of the resource: the user may do it to their own.",
        Reason.NOT_OWNER: "The check would be allowed if the resource were the user's own.",
        Reason.CONDITION_FAILED: "The check would be allowed if the grant's condition were met.",
    }
)
"""What helps besides another grant."""


def remedies(denial: Denial, *, with_custom_roles: bool = True) -> Remedies:
    """What would allow a check that was denied. Each role and override was tried with `decide`.

    Without `with_custom_roles` only the roles of the catalog are named.
    """
    account, reason = denial.account, denial.decision.reason
    if reason is not Reason.NOT_A_MEMBER and reason not in _BY_GRANTS:
        words = account.catalog.catalog.policies.words
        return Remedies(_TEXTS[reason].format(projects=words.projects))
    roles = tuple(_roles(denial, with_custom_roles=with_custom_roles))
    override = _override(denial)
    sentences = _sentences(denial, roles, override)
    text = " ".join(sentences) or "No role of the account would allow it."
    return Remedies(text, roles, override)


def _sentences(
    denial: Denial, roles: tuple[str, ...], override: OverrideRemedy | None
) -> Iterator[str]:
    """Each way by itself, as an alternative to the ones before it: what needs no grant is first."""
    account, reason = denial.account, denial.decision.reason
    without_grant = _WITHOUT_GRANT.get(reason)
    if without_grant is not None:
        yield without_grant
    if roles:
        article = "A" if reason is Reason.NOT_A_MEMBER else "The"
        beginning = f"{article} membership" if without_grant is None else "Otherwise the membership"
        one = "the role" if len(roles) == 1 else "one of the roles"
        titles = ", ".join(role_title(account, role) for role in roles)
        yield f"{beginning} would need {one} {titles}."
    if override is not None:
        word = account.catalog.catalog.policies.words.project
        [(entry, levels)] = override.grants.items()
        granted = ", ".join(f"{entry}:{level}" for level in levels)
        also = "also " if roles or without_grant is not None else ""
        yield f"An override in the {word} that grants {granted} would {also}do."
        yield "It replaces the role there, so it has to name all that the member keeps."


def grantors(denial: Denial, wanted: Remedies) -> Grantors:
    """The members who may give one of the roles or the override (`B5`), by their ids."""
    account = denial.account
    joins = denial.decision.reason is Reason.NOT_A_MEMBER
    needed = INVITE if joins else CHANGE_MEMBER
    if not wanted.roles and wanted.override is None:
        return Grantors()
    offers = _Offers.of(account, wanted)
    found, compared = [], 0
    complete = len(account.members) <= MAX_LOOKED_AT
    for examined, member in enumerate(_managers(denial, needed)):
        if examined == MAX_EXAMINED or compared >= MAX_COMPARED:
            complete = False
            break
        compared += len(wanted.roles) * (1 + OVERRIDE_COMPARED * len(member.overrides))
        one = _grantor(denial, offers, member)
        if one.roles or one.override:
            found.append(one)
    return Grantors(tuple(found[:MAX_GRANTORS]), len(found), complete)


def _managers(denial: Denial, needed: str) -> Iterator[Member]:
    """The members who have the permission: the owner, then the others by their ids."""
    account = denial.account
    known = account.catalog.permissions.get(needed)
    if known is None:
        return
    owner = account.members.get(account.owner_user_id)
    others = (
        member
        for user_id, member in items_after(account.members)
        if user_id != account.owner_user_id
    )
    for member in islice(chain(() if owner is None else (owner,), others), MAX_LOOKED_AT):
        if not (member.role.all_mask | member.role.self_mask) & known.bit:
            continue
        if decide(account, Subject(member.user_id), needed, now=denial.now).allowed:
            yield member


def _roles(denial: Denial, *, with_custom_roles: bool) -> Iterator[str]:
    account, user_id = denial.account, denial.subject.user_id
    if user_id == account.owner_user_id:
        return
    member = account.members.get(user_id)
    offered = account.catalog.all_roles() if with_custom_roles else account.catalog.catalog.roles
    for role in offered:
        matrix = account.catalog.matrix(role.id)
        if matrix is None or not role.assignable:
            continue
        if denial.allowed_to(
            Member(user_id, matrix) if member is None else replace(member, role=matrix)
        ):
            yield role.id


def _override(denial: Denial) -> OverrideRemedy | None:
    """The smallest override that would allow, if the member can have one."""
    account, user_id = denial.account, denial.subject.user_id
    catalog = account.catalog
    member, held = account.members.get(user_id), catalog.permissions.get(denial.permission)
    if member is None or held is None or user_id == account.owner_user_id:
        return None
    if not held.project_scoped or not catalog.catalog.policies.features.overrides:
        return None
    place = located(account, held, denial.resource)
    if place is None or place.project_id is None:
        return None
    [grant] = catalog.grants_of(Matrix(source="", all_mask=held.bit, self_mask=0))
    for scope in (Scope.SELF, Scope.ALL):
        grants = {grant.entry: {grant.level: scope}}
        try:
            parsed = catalog.catalog.parse_grants(grants, within_project=True)
        except CatalogError:
            continue  # the level does not offer the scope, or the entry is account-wide
        override = Override(catalog.override_matrix(place.project_id, parsed))
        overrides = {**member.overrides, place.project_id: override}
        if denial.allowed_to(replace(member, terms=replace(member.terms, overrides=overrides))):
            shown = {grant.entry: {grant.level: scope.value}}
            return OverrideRemedy(place.project_id, shown)
    return None


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


def _grantor(denial: Denial, offers: _Offers, giver: Member) -> Grantor:
    account, now = denial.account, denial.now
    member = account.members.get(denial.subject.user_id)
    if not lasts_until(giver, None if member is None else member.expires_at):
        return Grantor(giver.user_id, (), override=False)
    return Grantor(
        giver.user_id,
        tuple(
            role
            for role, matrix in offers.roles.items()
            if may_give(account, giver, matrix, now=now)
        ),
        override=offers.override is not None and _may_set(denial, offers, offers.override, giver),
    )


def _may_set(denial: Denial, offers: _Offers, override: Matrix, giver: Member) -> bool:
    account, project_id, now = denial.account, offers.project_id, denial.now
    inside = Resource(project_id=project_id)
    if not decide(account, Subject(giver.user_id), CHANGE_PROJECT, inside, now=now).allowed:
        return False
    return not grants_not_held_inside(account, giver, project_id, override, now=now, until=None)
