"""The difference of two states of an account: who gains and loses what, and where (`B9`)."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rolecall import (
    AccountState,
    CompiledCatalog,
    LevelGrant,
    Matrix,
    Member,
    Subject,
    effective_matrix,
    exceeds,
    is_outsider,
    membership_denial,
    settled,
)
from rolecall.core.json_values import same_json

Cells = Mapping[tuple[str, str], LevelGrant]
"""Entry and level -> grant, for every level that is held."""


class Standing(StrEnum):
    """Whether a user takes part in the account."""

    NONE = "none"
    """They are not a member, or their membership is suspended or over."""
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One level of one entry, with its grant before and after; `None`: not held."""

    entry: str
    level: str
    before: LevelGrant | None
    after: LevelGrant | None

    @property
    def gains(self) -> bool:
        """Whether something is reached that was not reached before."""
        return _reaches_further(self.after, self.before)

    @property
    def loses(self) -> bool:
        """Whether something is not reached any more; with another condition both may be true."""
        return _reaches_further(self.before, self.after)


def _reaches_further(grant: LevelGrant | None, other: LevelGrant | None) -> bool:
    return grant is not None and (other is None or exceeds(grant, other))


Changes = tuple[LevelChange, ...]


@dataclass(frozen=True, kw_only=True)
class MemberImpact:
    """What one member gains and loses.

    `everywhere` is outside of all projects, and inside each one that `in_projects` does not have.
    In a project that is new or gone only the project-scoped entries count: the others are not
    decided there. `comes_or_goes` is a membership that begins or is deleted. Where attributes
    change, the conditions are compared without what the attributes decide.
    """

    user_id: str
    before: Standing
    after: Standing
    comes_or_goes: bool
    everywhere: Changes
    in_projects: Mapping[str, Changes]

    def inside(self, project_id: str) -> Changes:
        """What changes inside this project."""
        return self.in_projects.get(project_id, self.everywhere)


def impact_of(
    before: AccountState,
    after: AccountState,
    *,
    other_roles: Collection[str],
    with_factor: Collection[str],
    now: int,
) -> list[MemberImpact]:
    """Every member for whom something changes, by user id; `now` is in epoch milliseconds.

    An override or a membership that is over at `now` is over in both states. `other_roles` are the
    members who get another role: something changes for them, also if it grants the same.
    `with_factor` have a second factor, which the account may demand.
    """
    return [
        impact
        for impact in _Comparison(before, after, with_factor, now).impacts()
        if impact.user_id in other_roles or _concerned(impact)
    ]


class _Comparison:
    """Two states of one account; equal pairs of grants are compared once."""

    def __init__(
        self, before: AccountState, after: AccountState, with_factor: Collection[str], now: int
    ) -> None:
        self._before = before
        self._after = after
        self._with_factor = with_factor
        self._now = now
        self._moved = set(before.projects) ^ set(after.projects)
        self._changes: dict[tuple[Hashable, Hashable, bool], Changes] = {}

    def impacts(self) -> Iterator[MemberImpact]:
        for user_id in sorted({*self._before.members, *self._after.members}):
            yield self._impact(user_id)

    def _impact(self, user_id: str) -> MemberImpact:
        before, after = self._active(self._before, user_id), self._active(self._after, user_id)
        if before and after and not same_json(before.attributes, after.attributes):
            before, after = settled(before), settled(after)
        everywhere = self._changed(_role(before), _role(after))
        in_projects = {}
        for project_id in sorted(self._moved | _overridden(before) | _overridden(after)):
            changes = self._inside(project_id, before, after)
            if changes is not None and changes != everywhere:
                in_projects[project_id] = changes
        return MemberImpact(
            user_id=user_id,
            before=self._standing(self._before, user_id),
            after=self._standing(self._after, user_id),
            comes_or_goes=(user_id in self._before.members) is not (user_id in self._after.members),
            everywhere=everywhere,
            in_projects=in_projects,
        )

    def _inside(
        self, project_id: str, before: Member | None, after: Member | None
    ) -> Changes | None:
        """What changes inside a project; `None` if neither state has the project."""
        was, is_ = project_id in self._before.projects, project_id in self._after.projects
        if not was and not is_:
            return None
        return self._changed(
            self._held(self._before, before, project_id) if was else _NOTHING,
            self._held(self._after, after, project_id) if is_ else _NOTHING,
            project_scoped=was is not is_,
        )

    def _held(self, state: AccountState, member: Member | None, project_id: str) -> Matrix:
        if member is None:
            return _NOTHING
        return effective_matrix(state, member, project_id, now=self._now)

    def _active(self, state: AccountState, user_id: str) -> Member | None:
        """The member, if anything is granted to them at this moment."""
        subject = Subject(user_id, second_factor=user_id in self._with_factor)
        denied = membership_denial(state, subject, now=self._now)
        return state.members[user_id] if denied is None else None

    def _standing(self, state: AccountState, user_id: str) -> Standing:
        outside = is_outsider(state, user_id, now=self._now)
        return Standing.NONE if outside else Standing.MEMBER

    def _changed(self, before: Matrix, after: Matrix, *, project_scoped: bool = False) -> Changes:
        key = (before.content, after.content, project_scoped)
        if key not in self._changes:
            was = _Held(self._before.catalog, before, project_scoped=project_scoped)
            is_ = _Held(self._after.catalog, after, project_scoped=project_scoped)
            same_catalog = was.catalog.id == is_.catalog.id
            self._changes[key] = _compared(was, is_) if same_catalog else _moved(was, is_)
        return self._changes[key]


_NOTHING = Matrix(source="", all_mask=0, self_mask=0)


def _concerned(impact: MemberImpact) -> bool:
    changes = bool(impact.everywhere or impact.in_projects)
    return changes or impact.comes_or_goes or impact.before is not impact.after


def _role(member: Member | None) -> Matrix:
    return _NOTHING if member is None else member.role


def _overridden(member: Member | None) -> set[str]:
    return set() if member is None else set(member.overrides)


class _Held:
    """What a matrix holds by one catalog: by levels, and by the names of permissions."""

    def __init__(self, catalog: CompiledCatalog, matrix: Matrix, *, project_scoped: bool) -> None:
        self.catalog = catalog
        self._matrix = matrix.within(catalog.project_mask) if project_scoped else matrix

    def cells(self) -> Cells:
        grants = self.catalog.grants_of(self._matrix)
        return {(grant.entry, grant.level): grant.held for grant in grants}

    def permission(self, name: str) -> LevelGrant | None:
        known = self.catalog.permissions.get(name)
        return None if known is None else self._matrix.granted(known.bit)

    def names(self, entry_id: str, level_id: str, other: CompiledCatalog) -> Sequence[str]:
        """The permissions of a level that count beside another catalog.

        That one may have no level of this name. Where the level stands for other permissions, they
        are what its holders may do.
        """
        entry = self.catalog.catalog.entries[entry_id]
        level = next(one for one in entry.levels if one.id == level_id)
        own, *others = entry.permission_names(level)
        return others if level.permissions and own not in other.permissions else [own, *others]

    def beyond(self, other: "_Held") -> Iterator[tuple[str, str, LevelGrant, LevelGrant | None]]:
        """Each level with a permission that the other holds less of, and what is left of it.

        Nothing is left unless the other holds all permissions of the level to the same extent.
        """
        for (entry, level), held in self.cells().items():
            left = {other.permission(name) for name in self.names(entry, level, other.catalog)}
            if any(_reaches_further(held, grant) for grant in left):
                common = left.pop() if len(left) == 1 else None
                yield entry, level, held, None if _reaches_further(common, held) else common


def _compared(was: _Held, is_: _Held) -> Changes:
    before, after = was.cells(), is_.cells()
    return tuple(
        LevelChange(entry, level, before.get((entry, level)), after.get((entry, level)))
        for entry, level in dict.fromkeys((*before, *after))
        if before.get((entry, level)) != after.get((entry, level))
    )


def _moved(was: _Held, is_: _Held) -> Changes:
    """The levels of either catalog with a permission that is lost, or gained, by its name.

    Levels of two catalogs have nothing in common: another one may carry the same permissions.
    """
    lost = [LevelChange(entry, level, old, new) for entry, level, old, new in was.beyond(is_)]
    gained = [LevelChange(entry, level, old, new) for entry, level, new, old in is_.beyond(was)]
    return tuple(dict.fromkeys((*lost, *gained)))
