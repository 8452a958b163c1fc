"""How the restriction of an API token narrows what its creator may do.

A token never adds to the grants of its creator. `reaches` takes an allow back at a check, and
`narrowed` bounds what the token may give to others (`B5`).
"""

from collections.abc import Iterator
from dataclasses import replace

from rolecall.core.control_permissions import VIEW_ACCOUNT
from rolecall.core.decision import Decision, Reason
from rolecall.core.masks import Matrix
from rolecall.core.matrix import CompiledCatalog, CompiledPermission
from rolecall.core.state import AccountState, AnyResource, Member, Override, Restriction

READING_LEVELS = frozenset({"view", "read", "list", "get"})
"""The names of the levels that a read-only token keeps."""


def has_api_tokens(catalog: CompiledCatalog) -> bool:
    """Return whether accounts of the catalog have API tokens: without them none counts."""
    return catalog.catalog.policies.features.api_tokens


def reaches(
    catalog: CompiledCatalog,
    restriction: Restriction,
    held: CompiledPermission,
    project_id: str | None,
) -> bool:
    """Return whether the restriction lets a permission through, inside this project or in none.

    Every token may see that its account exists: a member without that right is told 404.
    """
    if held.bit & _always(catalog):
        return True
    if restriction.projects is not None and not (
        held.project_scoped and project_id in restriction.projects
    ):
        return False
    return bool(mask_of(catalog, restriction) & held.bit)


def restricted(
    decision: Decision,
    catalog: CompiledCatalog,
    restriction: Restriction | None,
    held: CompiledPermission,
    resource: AnyResource,
    matrix: Matrix,
) -> Decision:
    """The decision about a check by an API token: its restriction can only take an allow back."""
    if restriction is None or not decision.allowed:
        return decision
    if reaches(catalog, restriction, held, resource.project_id):
        return decision
    return Decision(allowed=False, reason=Reason.TOKEN_RESTRICTED, decided_by=matrix.source)


def withheld_by(
    catalog: CompiledCatalog,
    restriction: Restriction | None,
    held: CompiledPermission,
    project_id: str | None,
) -> tuple[str, ...]:
    """The parts of a restriction that leave the permission out: `projects`, `levels`, `read_only`.

    `reaches` is true exactly when there is none.
    """
    if restriction is None:
        return ()
    parts = {
        "projects": Restriction(projects=restriction.projects),
        "levels": Restriction(levels=restriction.levels),
        "read_only": Restriction(read_only=restriction.read_only),
    }
    return tuple(
        name for name, part in parts.items() if not reaches(catalog, part, held, project_id)
    )


def mask_of(catalog: CompiledCatalog, restriction: Restriction) -> int:
    """The bits that the restriction lets through, in whichever project."""
    mask = -1 if restriction.levels is None else catalog.mask_of(restriction.levels)
    if restriction.read_only:
        mask &= catalog.mask_named(READING_LEVELS)
    if restriction.projects is not None:
        mask &= catalog.project_mask
    return mask


def narrowed(
    catalog: CompiledCatalog, member: Member, restriction: Restriction | None, *, now: int
) -> Member:
    """The member with no more grants than the restriction lets through.

    `now` is in epoch milliseconds: an override that has ended by then does not count.
    """
    if restriction is None:
        return member
    mask, always = mask_of(catalog, restriction), _always(catalog)
    if restriction.projects is None:
        overrides = {
            project_id: replace(override, matrix=override.matrix.within(mask))
            for project_id, override in member.overrides.items()
        }
        return _with(member, member.role.within(mask | always), overrides)
    inside = {
        project_id: Override((_override(member, project_id, now=now) or member.role).within(mask))
        for project_id in restriction.projects
    }
    return _with(member, member.role.within(always), inside)


def exceeding(
    account: AccountState, member: Member, restriction: Restriction, *, now: int
) -> tuple[str, ...]:
    """The levels that a restriction names and the member does not hold, in one of its projects.

    A token that names them would wait for rights that were never given (`B5`).
    """
    catalog = account.catalog
    held = list(_held(catalog, member, restriction, now=now))
    return tuple(
        f"{entry}:{level}"
        for entry, level in sorted(restriction.levels or ())
        if not all(_holds(matrix, catalog.mask_of([(entry, level)])) for matrix in held)
    )


def within(catalog: CompiledCatalog, inner: Restriction | None, outer: Restriction) -> bool:
    """Return whether `inner` lets nothing through that `outer` does not."""
    if inner is None:
        return False
    if outer.projects is not None and (
        inner.projects is None or not inner.projects <= outer.projects
    ):
        return False
    everything = catalog.mask_of(
        (entry.id, level.id) for entry in catalog.catalog.entries.values() for level in entry.levels
    )
    return not mask_of(catalog, inner) & ~mask_of(catalog, outer) & everything


def _held(
    catalog: CompiledCatalog, member: Member, restriction: Restriction, *, now: int
) -> Iterator[Matrix]:
    if restriction.projects is None:
        yield member.role
    for project_id in restriction.projects or ():
        yield catalog.within_project(member.role, _override(member, project_id, now=now))


def _holds(matrix: Matrix, mask: int) -> bool:
    conditional = 0
    for bit in matrix.conditional:
        conditional |= bit
    return not mask & ~(matrix.all_mask | matrix.self_mask | conditional)


def _override(member: Member, project_id: str, *, now: int) -> Matrix | None:
    override = member.overrides.get(project_id)
    return override.matrix if override is not None and override.active(now=now) else None


def _with(member: Member, role: Matrix, overrides: dict[str, Override]) -> Member:
    return Member(member.user_id, role, replace(member.terms, overrides=overrides))


def _always(catalog: CompiledCatalog) -> int:
    found = catalog.permissions.get(VIEW_ACCOUNT)
    return 0 if found is None else found.bit
