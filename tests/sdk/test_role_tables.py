"""Tests that the catalogs grant exactly what the four source documents say."""

import csv
from pathlib import Path

import pytest

from rolecall import (
    Catalog,
    CatalogError,
    CompiledCatalog,
    Reason,
    Resource,
    Subject,
    decide,
    load_catalog,
)
from tests.sdk.accounts import NOW, account, member

ROWS = [
    tuple(row.values())
    for row in csv.DictReader((Path(__file__).parent / "role_tables.csv").read_text().splitlines())
]
SOURCES = ("runpod", "runos", "cloud-iam", "novita")
COMPILED = {name: CompiledCatalog(load_catalog(name)) for name in SOURCES}
SUBJECT = Subject("usr_b")
# The meaning of each cell for an own resource, another user's, and one of an unknown owner.
OWNERS = ("usr_b", "usr_c", None)
ANSWERS = {
    "all": (Reason.ALLOWED, Reason.ALLOWED, Reason.ALLOWED),
    "self": (Reason.ALLOWED, Reason.NOT_OWNER, Reason.OWNER_UNKNOWN),
    "none": (Reason.PERMISSION_MISSING,) * 3,
}


def answers(compiled, role, permission):
    team = account(member(role, compiled), catalog=compiled)
    return tuple(
        decide(team, SUBJECT, permission, Resource(owner_id=owner), now=NOW) for owner in OWNERS
    )


def test_the_table_has_581_rows():
    assert len(set(ROWS)) == 581


@pytest.mark.rule("Rp8", "Rp10", "Rp12", "Ci6", "Nv6", "Nv8", "Nv9", "Nv10", "Nv11")
@pytest.mark.parametrize("name", SOURCES)
def test_every_cell_decides_as_its_source_says(name):
    wrong = [
        (role, entry, level, granted, given)
        for catalog, role, entry, level, granted in ROWS
        if catalog == name
        for given in [answers(COMPILED[name], role, f"{entry}:{level}")]
        if tuple(decision.reason for decision in given) != ANSWERS[granted]
        or any(decision.allowed != (decision.reason is Reason.ALLOWED) for decision in given)
        or {decision.decided_by for decision in given} != {f"role:{role}"}
    ]
    assert wrong == []


@pytest.mark.parametrize("name", SOURCES)
def test_no_catalog_has_a_row_or_role_beyond_its_source(name):
    catalog = load_catalog(name)
    listed = {(role, entry, level) for of, role, entry, level, _ in ROWS if of == name}
    defined = {
        (role.id, entry.id, level.id)
        for role in catalog.roles
        for section in catalog.sections
        if section.id != "rolecall"
        for entry in section.entries
        for level in entry.levels
    }
    assert defined == listed


@pytest.mark.parametrize("name", SOURCES)
def test_changing_one_grant_changes_exactly_that_cell(name):
    original = COMPILED[name]
    before = tables(original)
    varied, refused = set(), set()
    for role, entry, level, value in variations(original):
        copy = with_cell(original.catalog, before, role, entry, level, value)
        if copy is None:
            refused.add((role, entry))
            continue
        varied.add((role, entry))
        assert differing(before, tables(copy)) == {(role, entry, level)}
        granted = answers(copy, role, f"{entry}:{level}")
        assert tuple(decision.reason for decision in granted) == ANSWERS[value or "none"]
        assert copy.id != original.id
    pairs = {(role, entry) for role in before for entry in original.catalog.entries}
    assert varied | refused == pairs
    # Only permissions that a role must hold cannot be taken from it.
    assert {entry for _, entry in refused} <= {
        "access_team_account",
        "account",
        "invite_team_members",
        "manage_team_permissions",
        "member",
        "member_management",
        "team_management",
        "users",
    }


def tables(compiled):
    return {role: compiled.table(matrix) for role, matrix in compiled.roles.items()}


def differing(before, after):
    return {
        (role, entry, level)
        for role, table in before.items()
        for entry, cells in table.items()
        for level, scope in cells.items()
        if after[role][entry][level] != scope
    }


def variations(compiled):
    """Each cell with another value, where levels that include each other still agree."""
    for role, table in tables(compiled).items():
        for entry in compiled.catalog.entries.values():
            for level in entry.levels:
                for value in (None, "self", "all") if level.offers_self else (None, "all"):
                    cells = table[entry.id] | {level.id: value}
                    if value != table[entry.id][level.id] and consistent(entry, cells):
                        yield role, entry.id, level.id, value


def consistent(entry, cells):
    rank = {None: 0, "self": 1, "all": 2}
    return all(
        rank[cells[lower]] >= rank[cells[level.id]]
        for level in entry.levels
        for lower in level.includes
    )


def with_cell(catalog, before, role, entry, level, value):
    mapping = catalog.to_mapping()
    written = next(item for item in mapping["roles"] if item["id"] == role)
    cells = before[role][entry] | {level: value}
    written["grants"][entry] = {key: scope for key, scope in cells.items() if scope}
    try:
        return CompiledCatalog(Catalog.from_mapping(mapping))
    except CatalogError:
        return None
