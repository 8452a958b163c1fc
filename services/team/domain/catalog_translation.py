"""Custom roles and overrides of an account in the levels of another catalog."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rolecall import CatalogError, CompiledCatalog
from services.team.domain.catalog_mapping import Translator
from services.team.domain.custom_roles import CustomRole, edited
from services.team.domain.overrides import ProjectOverride, grants_as_json
from services.team.domain.role_rules import require_room
from shared.names import name_key


def translate_roles(
    roles: Sequence[CustomRole], translator: Translator, *, now: datetime
) -> tuple[CustomRole, ...]:
    """The custom roles that the account keeps, in the levels of the new catalog.

    A role for which the mapping names another one ends. So does every role where the new catalog
    offers none.

    Raises:
        RolesTooLarge: the account's row has no room for them.
    """
    if not translator.new.catalog.policies.features.custom_roles:
        return ()
    kept: list[CustomRole] = []
    for role in roles:
        if role.role_id in translator.mapping.roles:
            continue
        used_by, needs = f"custom role `{role.name}`", translator.needs
        grants = translator.grants(role.grants, used_by=used_by)
        translated = edited(role, now=now, grants=grants_as_json(grants))
        fault = _fault(translated, translator.new)
        if fault is not None and translator.needs == needs:  # all of its levels are there
            translator.need(f"/roles/{role.role_id}", used_by, fault)
        require_room(kept, translated)
        kept.append(translated)
    return tuple(kept)


def _fault(role: CustomRole, new: CompiledCatalog) -> str | None:
    """Why the new catalog cannot have this role."""
    names = {
        name_key(name) for built_in in new.catalog.roles for name in (built_in.id, built_in.title)
    }
    if name_key(role.name) in names:
        return "A role of the new catalog has its name. Rename it, or name a role to replace it."
    try:
        new.catalog.parse_role_grants(role.grants)
    except CatalogError as error:
        return f"{error.problems[0].message} Or name a role to replace it."
    return None


def translate_overrides(
    present: Sequence[ProjectOverride], translator: Translator, *, now: datetime
) -> tuple[list[tuple[ProjectOverride, ProjectOverride]], list[ProjectOverride]]:
    """The overrides that change, before and after, and those that end.

    One that is over already gives nothing, and stays as it is.
    """
    alive = [one for one in present if not one.expired(now)]
    if translator.new.catalog.policies.features.overrides:
        after = [
            replace(
                one,
                grants=translator.grants(one.grants, used_by="overrides", inside_project=True),
            )
            for one in alive
        ]
        return [pair for pair in zip(alive, after, strict=True) if pair[0] != pair[1]], []
    if not translator.mapping.end_overrides:
        for _ in alive:
            translator.need("/overrides", "overrides", _NO_OVERRIDES)
    return [], alive


_NO_OVERRIDES = (
    "The new catalog has no overrides. Set `end` to end them. The role counts in every project"
    " then, which may be more."
)
