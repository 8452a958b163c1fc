"""The rules that a catalog of the right shape must follow as well."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from rolecall.core.control_permissions import CONTROL_PERMISSIONS, PROJECT_PERMISSIONS
from rolecall.core.mixed_alphabets import mixed_word
from rolecall.core.policies import Policies
from rolecall.core.problems import Place, Problem, choices
from rolecall.core.role_rules import problems_of_roles
from rolecall.core.table import Entry, Level, Role, Section

# The section for control permissions that the provider's own table has no row for.
CONTROL_SECTION = "rolecall"


def problems_of(
    sections: Sequence[Section],
    roles: Sequence[Role],
    policies: Policies,
    *,
    owner_role: str,
    role_after_transfer: str,
) -> list[Problem]:
    """Every problem of a catalog whose shape is right.

    Names and levels come first: with two entries of one name the other rules would be ambiguous.
    """
    names = [*_names(sections, roles)] or [*_carried_once(sections)]
    problems = [*names, *_levels(sections)]
    if problems:
        return problems
    entries = {entry.id: entry for section in sections for entry in section.entries}
    return [
        *_control(sections, policies),
        *_reasons(sections),
        *problems_of_roles(
            entries, roles, owner_role=owner_role, role_after_transfer=role_after_transfer
        ),
        *_policies(policies),
    ]


def _names(sections: Sequence[Section], roles: Sequence[Role]) -> Iterator[Problem]:
    yield from _duplicates(
        "section", {("sections", s, "id"): section.id for s, section in enumerate(sections)}
    )
    yield from _duplicates(
        "entry", {(*place, "id"): entry.id for place, entry in _entries(sections)}
    )
    yield from _duplicates("role", {("roles", r, "id"): role.id for r, role in enumerate(roles)})
    yield from _titles(roles)
    for place, entry in _entries(sections):
        yield from _duplicates(
            "level",
            {(*place, "levels", at, "id"): level.id for at, level in enumerate(entry.levels)},
        )


def _titles(roles: Sequence[Role]) -> Iterator[Problem]:
    """The titles that people could take for the title of another role."""
    yield from _duplicates(
        "title", {("roles", r, "title"): role.title.casefold() for r, role in enumerate(roles)}
    )
    for r, role in enumerate(roles):
        mixed = mixed_word(role.title)
        if mixed is not None:
            yield Problem(("roles", r, "title"), mixed)


def _carried_once(sections: Sequence[Section]) -> Iterator[Problem]:
    """The permissions of levels after the first that carries them."""
    carriers: dict[str, str] = {}
    for place, entry in _entries(sections):
        for at, level in enumerate(entry.levels):
            names = entry.permission_names(level)
            for name in dict.fromkeys(names):
                if names.count(name) > 1:
                    action = name.partition(":")[2]
                    yield Problem(
                        (*place, "levels", at),
                        f"The level carries the action {action!r} twice. Keep it once.",
                    )
                if name in carriers:
                    yield Problem(
                        (*place, "levels", at),
                        f"The permission {name!r} appears twice: {carriers[name]} carries it"
                        " already. Keep it at one level.",
                    )
                carriers.setdefault(name, f"the level {level.id!r} of the entry {entry.id!r}")


def _levels(sections: Sequence[Section]) -> Iterator[Problem]:
    for place, entry in _entries(sections):
        if not entry.levels:
            yield Problem((*place, "levels"), "The entry has no levels. Add at least one level.")
        levels = {level.id: level for level in entry.levels}
        for at, level in enumerate(entry.levels):
            for lower in dict.fromkeys(level.includes):
                problem = _inclusion(level, lower, levels)
                if problem:
                    yield Problem((*place, "levels", at, "includes"), problem)
        try:
            TopologicalSorter({level.id: level.includes for level in entry.levels}).prepare()
        except CycleError as error:
            circle = " > ".join(error.args[1])
            yield Problem(
                (*place, "levels"),
                f"The levels include each other in a circle: {circle}. Remove one `includes`.",
            )


def _inclusion(level: Level, lower: str, levels: Mapping[str, Level]) -> str | None:
    if lower not in levels:
        return f"This entry has no level {lower!r}. {choices(lower, levels)}"
    if level.offers_self and not levels[lower].offers_self:
        return (
            f"{level.id!r} offers scope 'self', so the included level {lower!r} must offer it too."
            " Set its `offers_self: true`."
        )
    return None


def _control(sections: Sequence[Section], policies: Policies) -> Iterator[Problem]:
    assigned: dict[str, tuple[Place, bool]] = {
        name: (place, entry.project_scoped)
        for place, entry in _entries(sections)
        for level in entry.levels
        for name in entry.permission_names(level)
    }
    left_out: set[str] = set()
    if not policies.features.custom_roles:
        left_out.add("role:manage")
    if not policies.features.api_tokens:
        left_out |= {"api_token:view", "api_token:manage"}
    for name in CONTROL_PERMISSIONS:
        if name not in assigned and name not in left_out:
            yield Problem(
                ("sections",),
                f"No level carries the control permission {name!r}. Add it to the `permissions` of"
                f" a level, or add an entry to the section {CONTROL_SECTION!r}.",
            )
    for name in CONTROL_PERMISSIONS:
        if name in assigned:
            place, project_scoped = assigned[name]
            yield from _scope_problems(name, place, project_scoped=project_scoped)


def _scope_problems(name: str, place: Place, *, project_scoped: bool) -> Iterator[Problem]:
    if name in PROJECT_PERMISSIONS and not project_scoped:
        yield Problem(
            place,
            f"The permission {name!r} is a right on one project and is decided inside it, so its"
            " entry must be project-scoped. Set `project_scoped: true`, or use another entry"
            " for it.",
        )
    if name not in PROJECT_PERMISSIONS and project_scoped:
        yield Problem(
            place,
            f"The permission {name!r} applies to the whole account, so its entry cannot be"
            " project-scoped. Remove `project_scoped`, or use another entry for it.",
        )


def _reasons(sections: Sequence[Section]) -> Iterator[Problem]:
    control_entries = {
        ("sections", s, "entries", e): entry
        for s, section in enumerate(sections)
        if section.id == CONTROL_SECTION
        for e, entry in enumerate(section.entries)
    }
    for place, entry in control_entries.items():
        if not entry.why:
            yield Problem(
                place,
                f"The entry has no `why`. Add its reason; section {CONTROL_SECTION!r} needs one.",
            )


def _policies(policies: Policies) -> Iterator[Problem]:
    invitations = policies.invitations
    place = ("policies", "invitations")
    if (invitations.lifetime_seconds is None) != (invitations.after_expiry is None):
        yield Problem(
            (*place, "after_expiry"),
            "`after_expiry` must be null exactly when `lifetime_seconds` is null."
            " Set both, or neither.",
        )
    yield from _duplicates(
        "way of delivery",
        {(*place, "deliveries", at): way.value for at, way in enumerate(invitations.deliveries)},
    )


def _entries(sections: Sequence[Section]) -> Iterator[tuple[Place, Entry]]:
    for s, section in enumerate(sections):
        for e, entry in enumerate(section.entries):
            yield ("sections", s, "entries", e), entry


def _duplicates(kind: str, ids: Mapping[Place, str]) -> Iterator[Problem]:
    """The ids that stand at an earlier place already."""
    first: dict[str, Place] = {}
    for place, name in ids.items():
        if name in first:
            earlier = Problem(first[name], "").pointer
            yield Problem(
                place, f"The {kind} {name!r} appears twice, first at {earlier}. Use each id once."
            )
        first.setdefault(name, place)
