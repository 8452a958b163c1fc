"""The rules for the roles of a catalog, and for custom ones."""

from collections.abc import Iterator, Mapping, Sequence

from rolecall.core.control_permissions import MEMBER_PERMISSIONS, VIEW_ACCOUNT
from rolecall.core.grants import expand
from rolecall.core.level_grants import LevelGrant, Scope, exceeds
from rolecall.core.problems import Place, Problem, choices
from rolecall.core.table import Entry, Grants, Role


def problems_of_roles(
    entries: Mapping[str, Entry],
    roles: Sequence[Role],
    *,
    owner_role: str,
    role_after_transfer: str,
) -> Iterator[Problem]:
    """Every problem of the built-in roles, and of the roles that the catalog names elsewhere."""
    named = {role.id: role for role in roles}
    for key, role_id in (("owner_role", owner_role), ("role_after_transfer", role_after_transfer)):
        if role_id not in named:
            yield Problem((key,), f"The catalog has no role {role_id!r}. {choices(role_id, named)}")
    if role_after_transfer in named and not named[role_after_transfer].assignable:
        yield Problem(
            ("role_after_transfer",),
            f"The role {role_after_transfer!r} is not assignable, so a former owner cannot get it."
            " Choose an assignable role.",
        )
    if not any(role.assignable for role in roles):
        yield Problem(
            ("roles",),
            "No role is assignable, so no member could be invited. Make one `assignable`.",
        )
    for at, role in enumerate(roles):
        place: Place = ("roles", at, "grants")
        grants, problems = expand(role.grants, entries, place)
        yield from problems
        if problems:  # a mistyped name may be the reason for what the role does not hold
            yield from _narrower(entries, grants, place)
            continue
        yield from role_problems(entries, grants, place, called=f"The role {role.id!r}")
        if role.id == owner_role:
            held = _held_for_all(entries, grants)
            for name in MEMBER_PERMISSIONS:
                if name not in held:
                    yield _not_held(entries, name, place, f"The owner's role {role.id!r}")


def role_problems(
    entries: Mapping[str, Entry], grants: Grants, place: Place = (), *, called: str
) -> Iterator[Problem]:
    """Every fault of one role whose grants name known levels; `called` begins a message."""
    yield from _narrower(entries, grants, place)
    if VIEW_ACCOUNT not in _held_for_all(entries, grants):
        yield _not_held(entries, VIEW_ACCOUNT, place, called)


def _not_held(entries: Mapping[str, Entry], name: str, place: Place, called: str) -> Problem:
    carrying = [
        f"the level {level.id!r} of {entry.id!r}"
        for entry in entries.values()
        for level in entry.levels
        if name in entry.permission_names(level)
    ]
    grant = carrying[0] if carrying else "a level that has it"
    return Problem(place, f"{called} must hold {name!r} in scope 'all'. Grant {grant}.")


def _narrower(entries: Mapping[str, Entry], grants: Grants, place: Place) -> Iterator[Problem]:
    """The grants of levels that come with another level to a wider extent."""
    for entry_id, cells in grants.items():
        for level_id, grant in cells.items():
            for lower in entries[entry_id].included(level_id):
                narrower = cells.get(lower.id)
                if narrower not in (None, grant) and not exceeds(narrower, grant):
                    yield Problem(
                        (*place, entry_id, lower.id),
                        f"The level {level_id!r} is granted {_extent(grant)} and includes"
                        f" {lower.id!r}, so {_limit(narrower)} has no effect here. Remove this"
                        f" grant, or grant {level_id!r} {_same_limit(narrower)}, too.",
                    )


def _extent(grant: LevelGrant) -> str:
    return f"in scope {grant.value!r}" if isinstance(grant, Scope) else "with a wider condition"


def _limit(grant: LevelGrant) -> str:
    return f"scope {grant.value!r}" if isinstance(grant, Scope) else "the condition"


def _same_limit(grant: LevelGrant) -> str:
    return f"in scope {grant.value!r}" if isinstance(grant, Scope) else "with this condition"


def _held_for_all(entries: Mapping[str, Entry], grants: Grants) -> set[str]:
    held = set()
    for entry_id, cells in grants.items():
        entry = entries[entry_id]
        levels = {level.id: level for level in entry.levels}
        for level_id, grant in cells.items():
            if grant is Scope.ALL:
                for reached in (levels[level_id], *entry.included(level_id)):
                    held |= set(entry.permission_names(reached))
    return held
