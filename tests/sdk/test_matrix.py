"""Tests of compiled grants: what they hold, and which of them a member may give."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall import CatalogError, CompiledCatalog, Scope, load_catalog
from tests.sdk.accounts import STANDARD


@pytest.mark.parametrize(
    ("giver", "given", "lacking"),
    [
        ({"instance": {"write": "all"}}, {"instance": {"write": "all"}}, []),
        ({"instance": {"write": "all"}}, {"instance": {"write": "self"}}, []),
        ({"instance": {"write": "all"}}, {"instance": {"view": "all", "delete": "self"}}, []),
        ({"instance": {"write": "self"}}, {"instance": {"write": "self"}}, []),
        ({"instance": {"delete": "self"}}, {"instance": {"delete": "all"}},
         ["instance:view", "instance:delete"]),
        ({"instance": {"view": "all", "delete": "self"}}, {"instance": {"delete": "all"}},
         ["instance:delete"]),
        ({"instance": {"manage": "all", "delete": "all"}}, {"instance": {"write": "all"}},
         ["instance:write"]),
        ({"balance": {"view": "all"}}, {"balance": {"write": "all"}}, ["balance:write"]),
        ({}, {"budget": {"view": "self"}}, ["budget:view (own)"]),
        ({}, {}, []),
    ],
)  # fmt: skip
def test_a_giver_lacks_what_they_do_not_hold_in_that_scope(giver, given, lacking):
    parse = STANDARD.catalog.parse_grants
    exceeding = STANDARD.grants_exceeding(
        STANDARD.role_matrix("giver", parse(giver)), STANDARD.role_matrix("given", parse(given))
    )
    assert [str(grant) for grant in exceeding] == lacking


@pytest.mark.parametrize(
    ("catalog", "giver", "may_give"),
    [
        ("standard", "owner", "owner admin operator developer billing basic viewer"),
        ("standard", "admin", "admin operator developer billing basic viewer"),
        ("standard", "developer", "developer basic"),
        ("standard", "viewer", "viewer"),
        ("novita", "owner", "owner admin developer basic billing"),
        ("novita", "admin", "admin developer basic billing"),
        ("novita", "developer", "developer basic"),
        ("cloud-iam", "admin", "admin operator viewer"),
        ("cloud-iam", "operator", "operator viewer"),
        ("runpod", "admin", "basic billing dev admin"),
        ("runpod", "dev", "basic dev"),
    ],
)
def test_the_roles_that_each_role_may_give(catalog, giver, may_give):
    compiled = CompiledCatalog(load_catalog(catalog))
    within = [
        role
        for role, matrix in compiled.roles.items()
        if not compiled.grants_exceeding(compiled.roles[giver], matrix)
    ]
    assert sorted(within) == sorted(may_give.split())


def random_grants(seed):
    rng = random.Random(seed)
    return {
        entry.id: {
            level.id: rng.choice([Scope.ALL, Scope.SELF] if level.offers_self else [Scope.ALL])
            for level in entry.levels
            if rng.random() < 0.4
        }
        for entry in STANDARD.catalog.entries.values()
    }


@given(st.integers(), st.integers(), st.booleans())
@settings(max_examples=50, deadline=None)
def test_exceeding_grants_are_exactly_those_that_reach_further(one, other, within):
    given_ = STANDARD.role_matrix("given", random_grants(one))
    giver = given_ if within else STANDARD.role_matrix("giver", random_grants(other))
    rank = {None: 0, "self": 1, "all": 2}
    have, want = STANDARD.table(giver), STANDARD.table(given_)
    further = {
        (entry, level)
        for entry, cells in want.items()
        for level, scope in cells.items()
        if rank[scope] > rank[have[entry][level]]
    }
    exceeding = STANDARD.grants_exceeding(giver, given_)
    assert {(grant.entry, grant.level) for grant in exceeding} == further
    assert all(grant.held == want[grant.entry][grant.level] for grant in exceeding)


def test_a_grant_for_all_is_not_also_a_grant_for_self():
    parsed = STANDARD.catalog.parse_grants({"instance": {"view": "all", "write": "self"}})
    matrix = STANDARD.role_matrix("r", parsed)
    assert STANDARD.table(matrix)["instance"]["view"] == "all"
    assert matrix.all_mask == STANDARD.permissions["instance:view"].bit
    assert matrix.all_mask & matrix.self_mask == 0


def test_an_override_holds_only_project_scoped_entries():
    whole = STANDARD.catalog.parse_grants({"*": {"*": "all"}})
    matrix = STANDARD.override_matrix("prj_1", whole)
    assert {grant.entry for grant in STANDARD.grants_of(matrix)} == {
        entry.id for entry in STANDARD.catalog.entries.values() if entry.project_scoped
    }


def test_all_names_of_a_level_share_the_bit_of_the_level():
    bits = {}
    for entry in STANDARD.catalog.entries.values():
        for level in entry.levels:
            (bit,) = {STANDARD.permissions[name].bit for name in entry.permission_names(level)}
            bits[entry.id, level.id] = bit
    assert len(set(bits.values())) == len(bits)
    assert all(bit.bit_count() == 1 for bit in bits.values())


@pytest.mark.parametrize(
    ("grants", "within_project", "pointers"),
    [
        ({"spaceship": {"view": "all"}}, False, ["/spaceship"]),
        ({"instance": {"fly": "all"}}, False, ["/instance/fly"]),
        ({"balance": {"view": "self"}}, False, ["/balance/view"]),
        ({"instance": {"view": "some"}}, False, ["/instance/view"]),
        ({"instance": "write"}, False, ["/instance"]),
        (["instance"], False, [""]),
        (None, False, [""]),
        ({"*": {"fly": "all"}}, False, ["/*/fly"]),
        ({"member": {"view": "all"}, "instance": {"view": "all"}}, True, ["/member"]),
        ({"balance": {"view": "self"}, "nope": {}}, True, ["/balance", "/nope"]),
    ],
)  # fmt: skip
def test_grants_unknown_to_the_catalog_are_refused_at_their_place(grants, within_project, pointers):
    with pytest.raises(CatalogError) as refused:
        STANDARD.catalog.parse_grants(grants, within_project=within_project)
    assert [problem.pointer for problem in refused.value.problems] == pointers


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ({"instance": {"*": "self"}}, {"instance": "view connect manage delete write"}),
        ({"budget": {"*": "self"}}, {"budget": "view"}),
        ({"*": {"connect": "all"}}, {"instance": "connect"}),
        ({"*": {"connect": "all"}, "instance": {"view": "all"}}, {"instance": "view"}),
        ({"*": {"connect": "all"}, "instance": {}}, {}),
    ],
)
def test_a_star_grants_every_entry_and_level(grants, expected):
    parsed = STANDARD.catalog.parse_grants(grants)
    assert {entry: " ".join(cells) for entry, cells in parsed.items()} == expected


@dataclass(frozen=True)
class CustomRole:
    """A role of an account, as a service has it."""

    name: str
    grants: object
    description: str = ""


def test_an_account_has_the_roles_of_its_catalog_and_its_own():
    own = CustomRole("Night shift", {"instance": {"view": "all"}})
    account = STANDARD.with_roles({"rol_1": own})
    held = account.matrix("rol_1")
    assert held == account.role_matrix("rol_1", {"instance": {"view": Scope.ALL}})
    assert account.matrix("rol_1") is held
    assert account.matrix("viewer") is STANDARD.matrix("viewer")
    assert [role.title for role in account.all_roles()][-1] == "Night shift"
    assert (STANDARD.matrix("rol_1"), STANDARD.role("rol_1")) == (None, None)
    assert account.with_roles({}).matrix("rol_1") is None


def test_a_custom_role_never_takes_the_place_of_a_built_in_one():
    account = STANDARD.with_roles({"viewer": CustomRole("Viewer", {"*": {"*": "all"}})})
    assert account.matrix("viewer") == STANDARD.matrix("viewer")
    assert account.role("viewer") == STANDARD.role("viewer")
    assert [role.id for role in account.all_roles()].count("viewer") == 1


@pytest.mark.parametrize("grants", [{"nothing": {"view": "all"}}, {"instance": "all"}, None])
def test_a_custom_role_that_cannot_be_read_grants_nothing(grants):
    held = STANDARD.with_roles({"rol_1": CustomRole("Old", grants)}).matrix("rol_1")
    assert held is not None
    assert (held.all_mask, held.self_mask) == (0, 0)
