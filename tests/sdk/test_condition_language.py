"""Tests of conditions as they are written: each fault at its place, and one form for equal ones."""

from typing import Any

import pytest

from rolecall import Catalog, CatalogError, Scope, read_grant, written_grant
from rolecall.core.condition_language import MAX_CHARACTERS, MAX_LISTED, MAX_TESTS
from rolecall.core.level_grants import MAX_ALTERNATIVES
from rolecall.core.property_paths import MAX_STEPS
from rolecall.core.table_text import table_lines
from tests.sdk.papers import ACTIVE, PAPERS, STATUS, content


def when(*tests: Any) -> dict[str, Any]:
    return {"scope": "all", "when": list(tests)}


IS_A = {"path": "context.x", "equals": "a"}


@pytest.mark.parametrize(
    ("written", "pointer", "text"),
    [
        ("al", "", "'al' is not allowed here. Choose one of: 'all' or 'self'."),
        ([], "", "Choose one of: 'all' or 'self'."),
        ({"when": IS_A}, "/scope", "This key is required. Add it."),
        ({"scope": "own"}, "/scope", "'own' is not allowed here."),
        ({"scope": "all", "whn": IS_A}, "/whn", "Did you mean 'when'?"),
        ({"scope": "all", "when": None}, "/when", "at least one test"),
        ({"scope": "all", "when": []}, "/when", "at least one test"),
        ({"scope": "all", "when": "status == active"}, "/when", "takes a test, or"),
        ({"scope": "all", "when": 5}, "/when", "takes a test, or a list of tests."),
        (["all", when(IS_A)], "", "`all` without a condition allows everything."),
        ([when(IS_A), 5], "/1", "is not an alternative"),
        ([when(IS_A)] * (MAX_ALTERNATIVES + 1), "", "8 alternatives at most"),
        (when("x"), "/when/0", "A test is a mapping."),
        (when({}), "/when/0", "needs a `path` and one of: equals, in, contains, in_network,"),
        (when({"path": "context.x"}), "/when/0", "and one of: equals"),
        (when({**IS_A, "in": ["a"]}), "/when/0", "and one of: equals"),
        (when({"path": "context.x", "equal": 1}), "/when/0/equal", "Did you mean 'equals'?"),
        (when({"path": "resource.propertys.x", "equals": 1}), "/when/0/path",
         "Did you mean 'resource.properties.<name>'?"),
        (when({"path": "resource.properties", "equals": 1}), "/when/0/path", "is not a path"),
        (when({"path": "context.", "equals": 1}), "/when/0/path", "is not a path"),
        (when({"path": "context.a b", "equals": 1}), "/when/0/path", "is not a path"),
        (when({"path": "subject.id.x", "equals": 1}), "/when/0/path", "is not a path"),
        (when({"path": "context" + ".x" * (MAX_STEPS + 1), "equals": 1}), "/when/0/path",
         "is not a path"),
        (when({"path": 5, "equals": 1}), "/when/0/path", "is not a path"),
        (when({"path": "context.x", "equals": None}), "/when/0/equals", "must be a text, a number"),
        (when({"path": "context.x", "equals": [1]}), "/when/0/equals", "must be a text, a number"),
        (when({"path": "context.x", "equals": float("inf")}), "/when/0/equals", "must be a text"),
        (when({"path": "context.x", "equals": 2**53}), "/when/0/equals", "must be a text"),
        (when({"path": "context.x", "equals": "x" * (MAX_CHARACTERS + 1)}), "/when/0/equals",
         "at most 256 characters"),
        (when({"path": "context.x", "in": "a"}), "/when/0/in", "must be a list"),
        (when({"path": "context.x", "in": []}), "/when/0/in", "must be a list"),
        (when({"path": "context.x", "in": ["a", {}]}), "/when/0/in/1", "must be a text"),
        (when({"path": "context.x", "in": ["a", 1]}), "/when/0/in", "must be of one type"),
        (when({"path": "context.x", "in": [True, 1]}), "/when/0/in", "must be of one type"),
        (when({"path": "context.x", "in": list(range(MAX_LISTED + 1))}), "/when/0/in", "64 items"),
        (when({"path": "context.x", "in_network": ["10.0.0.1/8"]}), "/when/0/in_network/0",
         "has bits behind its prefix. Write '10.0.0.0/8'."),
        (when({"path": "context.x", "in_network": "10.0.0"}), "/when/0/in_network",
         "is not an address range"),
        (when({"path": "context.x", "in_network": ["fe80::%1/64"]}), "/when/0/in_network/0",
         "is not an address range"),
        (when({"path": "context.x", "in_network": [5]}), "/when/0/in_network/0",
         "is not an address range"),
        (when({"path": "context.x", "same_as": "context.x"}), "/when/0/same_as", "Name another"),
        (when({"path": "context.x", "same_as": "x"}), "/when/0/same_as", "is not a path"),
        (when({"not": {"not": IS_A}}), "/when/0/not/not", "`not` stands alone"),
        (when({"not": IS_A, "path": "context.x"}), "/when/0/not", "`not` stands alone"),
        (when({"not": [IS_A]}), "/when/0/not", "A test is a mapping."),
        (when(*[IS_A] * (MAX_TESTS + 1)), "/when", "16 tests at most"),
    ],
)  # fmt: skip
def test_a_fault_in_a_condition_is_named_at_its_place(
    written: Any, pointer: str, text: str
) -> None:
    with pytest.raises(CatalogError) as caught:
        PAPERS.catalog.parse_grants({"paper": {"view": written}})
    [problem] = caught.value.problems
    assert problem.pointer == f"/paper/view{pointer}"
    assert text in problem.message


def test_every_fault_of_a_grant_is_named_at_once() -> None:
    written = [{"scope": "own", "when": [{"path": "x", "equals": 1}, "y"]}, 5]
    with pytest.raises(CatalogError) as caught:
        Catalog.from_mapping(content(paper={"view": written}))
    assert [problem.pointer for problem in caught.value.problems] == [
        f"/roles/7/grants/paper/view/{place}"
        for place in ("0/scope", "0/when/0/path", "0/when/1", "1")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (when(IS_A), {"scope": "all", "when": IS_A}),
        (when(IS_A), [when(IS_A)]),
        (when(IS_A), [when(IS_A), when(IS_A)]),
        (when(IS_A), [when(IS_A), {**when(IS_A), "scope": "self"}]),
        (when(IS_A), when({"path": "context.x", "in": ["a", "a"]})),
        (when(IS_A, ACTIVE["when"][0]), when(ACTIVE["when"][0], IS_A)),
        (when({"path": "context.x", "in": ["b", "a"]}),
         when({"path": "context.x", "in": ["a", "b"]})),
        (when({"path": "context.x", "equals": 1}), when({"path": "context.x", "equals": 1.0})),
        (when({"path": "context.x", "same_as": STATUS}),
         when({"path": STATUS, "same_as": "context.x"})),
        (when({"path": "context.x", "in_network": "10.0.0.0/8"}),
         when({"path": "context.x", "in_network": ["::ffff:10.0.0.0/104"]})),
        (["self", when(IS_A)], [when(IS_A), {"scope": "self"}]),
        ("self", ["self", {**when(IS_A), "scope": "self"}]),
        ("all", ["all"]),
    ],
)  # fmt: skip
def test_equal_grants_have_one_form(one: Any, other: Any) -> None:
    grant = read_grant(one)
    assert grant == read_grant(other)
    assert read_grant(written_grant(grant)) == grant
    assert written_grant(read_grant(other)) == written_grant(grant)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"path": "context.x", "equals": 1}, {"path": "context.x", "equals": True}),
        ({"path": "context.x", "equals": 1}, {"path": "context.x", "equals": "1"}),
        (IS_A, {"not": IS_A}),
        (IS_A, {"path": "context.y", "equals": "a"}),
        (IS_A, {"path": "context.x", "contains": "a"}),
    ],
)
def test_conditions_that_differ_are_not_equal(one: Any, other: Any) -> None:
    assert read_grant(when(one)) != read_grant(when(other))


def test_a_catalog_with_conditions_is_written_and_read_unchanged() -> None:
    catalog = Catalog.from_mapping(content(paper={"edit": ACTIVE, "view": ["self", when(IS_A)]}))
    assert Catalog.from_mapping(catalog.to_mapping()) == catalog
    assert Catalog.from_published(catalog.to_mapping()).id == catalog.id


@pytest.mark.parametrize("level", ["view", "invite"])
def test_a_control_permission_takes_no_condition(level: str) -> None:
    with pytest.raises(CatalogError, match="decided without the properties of a request"):
        PAPERS.catalog.parse_grants({"member": {level: ACTIVE}})


def test_a_wildcard_with_a_condition_leaves_control_permissions_out() -> None:
    grants = PAPERS.catalog.parse_grants({"*": {"*": ACTIVE}})
    assert grants["paper"]["print"] == read_grant(ACTIVE)
    assert "member" not in grants
    with pytest.raises(CatalogError, match="must hold 'account:view' in scope 'all'"):
        PAPERS.catalog.parse_role_grants({"*": {"*": ACTIVE}})


def test_a_condition_on_own_resources_needs_a_level_that_offers_them() -> None:
    with pytest.raises(CatalogError, match="does not offer scope 'self'"):
        PAPERS.catalog.parse_grants({"paper": {"print": {**ACTIVE, "scope": "self"}}})


def test_a_condition_below_a_wider_level_has_no_effect() -> None:
    grants = {"account": {"view": "all"}, "paper": {"edit": "all", "view": ACTIVE}}
    with pytest.raises(CatalogError, match="so the condition has no effect here"):
        PAPERS.catalog.parse_role_grants(grants)
    PAPERS.catalog.parse_role_grants(grants | {"paper": {"edit": ACTIVE, "view": Scope.ALL}})


def test_a_table_for_a_terminal_numbers_the_conditions() -> None:
    lines = [
        *table_lines(
            Catalog.from_mapping(content(paper={"print": ACTIVE, "view": ["self", ACTIVE]}))
        )
    ]
    assert [line.split()[-1] for line in lines if "paper:" in line] == ["(1)", "-", "(2)"]
    assert lines[-2:] == [
        f'(1): self; or all when {STATUS} is "active"',
        f'(2): all when {STATUS} is "active"',
    ]
