"""The permission table as pages show and change it, for each catalog; the SDK is the measure."""

import json
import re
from typing import Any

import pytest

from rolecall import CompiledCatalog, read_grant, written_grant
from rolecall import grant_text as text_of_sdk
from rolecall.core.level_grants import widest as widest_of_sdk
from services.console.domain import grant_texts, impacts
from services.console.domain.explanations import read_explanation, title_of
from services.console.domain.grant_unions import widest
from services.console.domain.override_choices import chosen_grants, shown_choices
from services.console.domain.permission_tables import (
    PermissionTable,
    held_levels,
    levels_of,
    read_table,
    typed_choices,
    typed_grants,
)
from services.console.pages.grant_words import reach_words
from tests.services.console.account_api import (
    CATALOGS,
    a_member,
    a_preview,
    catalog_answer,
    scopes,
)

TABLES = {name: read_table(catalog_answer(catalog)) for name, catalog in CATALOGS.items()}
SHOP = TABLES["print-shop"]
STANDARD = TABLES["standard"]
ACTIVE = [{"scope": "all", "when": [{"path": "resource.properties.status", "equals": "active"}]}]


def effective(table: PermissionTable, grants: Any) -> dict[tuple[str, str], str]:
    """Each level that is held, with its grant in words."""
    held = held_levels(table, grants)
    return {place: grant_texts.grant_text(one.grant) for place, one in held.items()}


@pytest.mark.parametrize("name", CATALOGS)
def test_each_role_is_shown_as_the_decision_has_it(name):
    table, compiled = TABLES[name], CompiledCatalog(CATALOGS[name])
    for role in table.roles:
        expected = {
            (entry, level): grant
            for entry, levels in compiled.table(compiled.roles[role["id"]]).items()
            for level, grant in levels.items()
            if grant is not None
        }
        assert effective(table, role["grants"]) == expected
        said = {
            (entry, one.level.id): one.limit or "all"
            for entry, row in grant_texts.of_grants(table, role["grants"]).items()
            for one in row.held
        }
        assert said == expected


def test_a_limit_of_every_level_is_said_once():
    entry = next(one for one in STANDARD.entries.values() if one.id == "instance")
    own = dict.fromkeys([level.id for level in entry.levels], "self")
    every = {"instance": own}, {"instance": {**own, "view": "all"}}, {"instance": {"view": "self"}}
    rows = [grant_texts.of_grants(STANDARD, grants)["instance"] for grants in every]
    assert [row.common_limit for row in rows] == ["self", "", ""]
    lost = {"view": {"before": "self", "after": None}}
    for levels, common in (
        (lost | {"delete": {"before": "self", "after": None}}, True),
        (lost | {"delete": {"before": "all", "after": None}}, False),
        (lost, False),
    ):
        [shift] = impacts.shifts(STANDARD, {"instance": levels})
        assert (shift.common is not None) is common


@pytest.mark.parametrize("name", CATALOGS)
def test_a_form_that_is_not_changed_says_the_grants_that_it_shows(name):
    table = TABLES[name]
    for role in table.roles:
        typed = typed_choices(role["grants"])
        assert typed_grants(table.sections, typed, role["grants"]) == role["grants"]


def test_a_form_keeps_conditions_and_says_nothing_unknown():
    before = {"storage": {"view": ACTIVE}}
    typed = {
        "grant.storage.view": "when",
        "grant.storage.manage": "when",  # has none to keep
        "grant.instance.view": "everything",
        "grant.instance.manage": "self",
        "grant.nothing.view": "all",
    }
    assert typed_choices(before) == {"grant.storage.view": "when"}
    assert typed_grants(STANDARD.sections, typed, before) == {
        "instance": {"manage": "self"},
        "storage": {"view": ACTIVE},
    }


TESTS: list[Any] = [
    {"path": "resource.properties.status", "equals": "active"},
    {"path": "resource.properties.tags", "contains": "é"},
    {"path": "resource.properties.size", "in": [1, 2.5]},
    {"path": "context.address", "in_network": ["10.0.0.0/8", "192.168.0.0/16"]},
    {"path": "context.address", "in_network": "10.0.0.0/8"},
    {"path": "resource.id", "same_as": "subject.properties.resource"},
]
GRANTS: list[Any] = [
    "all",
    "self",
    *([{"scope": "all", "when": [test]}] for test in TESTS),
    *([{"scope": "self", "when": [{"not": test}]}] for test in TESTS),
    [{"scope": "self"}, {"scope": "all", "when": TESTS[:2]}],
    [{"scope": "self", "when": TESTS[:1]}, {"scope": "all", "when": TESTS[1:2]}],
]


@pytest.mark.parametrize("written", GRANTS, ids=str)
def test_a_grant_is_shown_in_the_words_of_the_api(written):
    assert grant_texts.grant_text(_as_api(written)) == text_of_sdk(read_grant(written))


REACHES = [
    ("all", "All", "Alle"),
    ("self", "own only", "nur eigene"),
    (
        'all when resource.properties.status is "common"',
        "all, if “status” of the resource is “common”",
        "alle, wenn gilt: „status“ der Ressource ist „common“",
    ),
    (
        'self; or all when subject.properties.of is none of "is; or all", "b"',
        "own only; or all, if “of” of the member is none of “is; or all”, “b”",
        "nur eigene; oder alle, wenn gilt: „of“ des Mitglieds ist keines von „is; or all“, „b“",
    ),
    (
        "self when context.a.b is an address in 10.0.0.0/8 or 172.16.0.0/9",
        "own only, if “a.b” of the request is an address in 10.0.0.0/8 or 172.16.0.0/9",
        "nur eigene, wenn gilt: „a.b“ der Anfrage ist eine Adresse in 10.0.0.0/8 oder 172.16.0.0/9",
    ),
    (
        "all when resource.id is the same as subject.properties.all",
        "all, if the id of the resource is the same as “all” of the member",
        "alle, wenn gilt: die ID der Ressource ist dasselbe wie „all“ des Mitglieds",
    ),
]


@pytest.mark.parametrize(("text", "english", "german"), REACHES)
def test_a_limit_is_said_in_the_language_of_its_reader(text, english, german):
    assert reach_words(text, "en") == english
    assert reach_words(text, "de") == german


def test_no_word_of_a_condition_stays_english_on_a_german_page():
    for written in GRANTS:
        said = reach_words(grant_texts.grant_text(_as_api(written)), "de")
        assert not re.search(r"properties|context|\b(when|is|contains|differs|not)\b", said)


def test_what_an_entry_gives_is_named_by_its_levels():
    rows = grant_texts.of_grants(SHOP, {"job": {"look": "all"}})
    (title, held), (nothing, others) = grant_texts.summary(list(rows.values()))
    assert (title, nothing) == (SHOP.entries["job"].title_of("look"), "")
    assert ([SHOP.entries["job"].title], len(held) + len(others)) == (held, len(SHOP.entries))


def test_a_permission_in_other_words_is_offered_only_if_it_is_asked():
    levels = STANDARD.by_permission.values()
    level = next(one for one in levels if len(one.offered("")) < len(one.names))
    hidden = next(name for name in level.names if not level.has_own_title(name))
    assert hidden not in level.offered("")
    assert level.offered(hidden)[0] == hidden
    assert title_of(STANDARD, hidden) == title_of(STANDARD, level.names[0])


@pytest.mark.parametrize("one", GRANTS, ids=str)
def test_two_grants_of_a_level_allow_together_what_either_allows(one):
    for other in GRANTS:
        together = widest(_as_api(one), _as_api(other))
        of_sdk = widest_of_sdk(read_grant(one), read_grant(other))
        assert together == _as_api(written_grant(of_sdk))


def _as_api(written: Any) -> Any:
    return json.loads(json.dumps(written_grant(read_grant(written))))


# --- other permissions inside a project


def grants_of(table: PermissionTable, role_id: str) -> Any:
    role = table.role(role_id)
    assert role is not None
    return role["grants"]


def after_choices(table: PermissionTable, role: str, typed: dict[str, str], override: Any = None):
    inside = table.inside_projects()
    grants = grants_of(table, role)
    return chosen_grants(table, inside, typed, role=grants, override=override)


@pytest.mark.parametrize("name", CATALOGS)
def test_choices_that_are_left_as_in_the_role_give_what_the_role_gives(name):
    table = TABLES[name]
    inside = {level.place for level in levels_of(table.inside_projects())}
    for role in table.roles:
        grants, faults = after_choices(table, role["id"], {})
        of_role = effective(table, role["grants"])
        assert effective(table, grants) == {
            place: text for place, text in of_role.items() if place in inside
        }
        assert faults == []


@pytest.mark.parametrize("name", CATALOGS)
def test_a_denied_level_is_not_held_and_what_does_not_bring_it_stays(name):
    table = TABLES[name]
    for role in table.roles:
        of_role = effective(table, role["grants"])
        for denied in levels_of(table.inside_projects()):
            grants, faults = after_choices(table, role["id"], {denied.field: "deny"})
            bringing = {
                level.place
                for level in table.entries[denied.entry].levels
                if denied.id in (level.id, *level.included)
            }
            expected = {
                level.place: of_role[level.place]
                for level in levels_of(table.inside_projects())
                if level.place in of_role and level.place not in bringing
            }
            assert effective(table, grants) == expected
            assert faults == []


@pytest.mark.parametrize(
    ("typed", "role", "expected", "faults"),
    [
        # a limited level limits what brings it along
        (
            {"instance.delete": "self"},
            "developer",
            {"view": "all", "connect": "all", "manage": "all", "delete": "self", "write": "self"},
            [],
        ),
        ({"instance.delete": "all"}, "viewer", {"view": "all", "delete": "all"}, []),
        ({"instance.delete": "self"}, "viewer", {"view": "all", "delete": "self"}, []),
        (
            {"instance.write": "all", "instance.delete": "deny"},
            "viewer",
            {"view": "all", "connect": "all", "manage": "all", "delete": "all", "write": "all"},
            [("delete", "write")],
        ),
        ({"instance.view": "nonsense"}, "viewer", {"view": "all"}, []),
    ],
)
def test_a_choice_counts_as_it_reads(typed, role, expected, faults):
    fields = {f"grant.{name}": text for name, text in typed.items()}
    grants, found = after_choices(STANDARD, role, fields)
    held = effective(STANDARD, {"instance": grants["instance"]})
    assert {level: text for (_, level), text in held.items()} == expected
    assert [(one.refused.id, one.chosen.id) for one in found] == faults


def test_an_override_is_shown_and_said_again_as_it_is():
    override: Any = {
        "instance": {"manage": "self"},
        "storage": {"view": ACTIVE},
        "vpc": {"write": "all"},
    }
    inside, role = STANDARD.inside_projects(), grants_of(STANDARD, "basic")
    shown = shown_choices(STANDARD, inside, role=role, override=override)
    assert {name: shown[f"grant.{name}"] for name in ("instance.manage", "instance.write")} == {
        "instance.manage": "role",
        "instance.write": "deny",
    }
    assert shown["grant.storage.view"] == "when"
    assert shown["grant.vpc.write"] == "all"
    grants, faults = chosen_grants(STANDARD, inside, shown, role=role, override=override)
    assert effective(STANDARD, grants) == effective(STANDARD, override)
    assert faults == []


# --- previews and explanations


def test_members_with_the_same_changes_are_one_row_of_a_preview():
    inside = {
        "project_ids": ["prj_2", "prj_1"],
        "gained": {},
        "lost": {"vpc": {"view": scopes("self", None), "write": scopes("self", None)}},
    }
    members = [*map(a_member, range(7)), a_member(8, in_projects=[inside])]
    preview = a_preview(*members, members_concerned=20)
    found = impacts.read_impact(preview, STANDARD, projects={"prj_1": "Alpha"})
    first, second = found.rows
    assert (list(first.names), first.others) == ([f"Person {n}" for n in range(5)], 2)
    assert (first.role_before, first.role_after) == ("Viewer", "Operator")
    [place] = first.places
    assert [(one.title, [level.title for level in one.levels]) for one in place.gained] == [
        ("Instances", ["Manage", "View"])
    ]
    assert [one.title for one in place.lost] == ["Secrets and configurations"]
    assert list(second.places[1].projects) == ["Alpha", "prj_2"]
    [vpc] = second.places[1].lost
    assert [level.title for level in vpc.levels] == ["Read/Write", "View"]
    assert found.more == 12


def test_what_is_lost_everywhere_is_not_said_again_inside_a_project():
    everywhere = {"vpc": {"view": scopes("all", None)}, "token": {"view": scopes("all", None)}}
    inside = {
        "project_ids": ["prj_1"],
        "gained": {},
        "lost": everywhere | {"vpc": {"view": scopes("self", None), "write": scopes("all", None)}},
    }
    both = a_member(1, everywhere={"gained": {}, "lost": everywhere}, in_projects=[inside])
    same = inside | {"lost": everywhere}
    one = a_member(2, everywhere={"gained": {}, "lost": everywhere}, in_projects=[same])
    first, second = impacts.read_impact(a_preview(both, one), STANDARD, projects={}).rows
    assert [len(place.lost) for place in first.places] == [2, 1]
    assert [level.title for level in first.places[1].lost[0].levels] == ["Read/Write", "View"]
    assert len(second.places) == 1


def test_a_preview_without_names_counts_and_one_without_members_is_empty():
    hidden = [a_member(n, name=None, email=None) for n in range(3)]
    [row] = impacts.read_impact(a_preview(*hidden), STANDARD, projects={}).rows
    assert (list(row.names), row.others) == ([], 3)
    assert impacts.read_impact(a_preview(), STANDARD, projects={}).nothing


def test_a_preview_names_what_the_catalog_does_not_have_any_more():
    gone = {"old_entry": {"old_level": scopes("all", None)}}
    member = a_member(1, everywhere={"gained": {}, "lost": gone})
    [row] = impacts.read_impact(a_preview(member), STANDARD, projects={}).rows
    assert [(one.title, one.levels[0].title) for one in row.places[0].lost] == [
        ("old_entry", "old_level")
    ]


def test_an_explanation_has_the_titles_of_permissions_and_roles():
    found = read_explanation(
        {
            "decision": False,
            "context": {"reason": "permission-missing", "role": "printer", "override": None},
            "steps": [
                {
                    "id": "grants",
                    "result": "does-not-hold",
                    "text": "The role Printer does not grant press:start. It ends.",
                }
            ],
            "would_allow": {"text": "…", "roles": ["foreman"], "override": None},
            "could_grant": {
                "items": [{"user_id": "usr_1", "roles": ["foreman"], "override": False}],
                "count": 3,
                "complete": True,
            },
        },
        SHOP,
    )
    assert found.steps[0].text == (
        "The role Printer does not grant “Presses: Run (start)”. It ends."
    )
    assert (found.role, list(found.roles), found.more_grantors) == ("Printer", ["Foreman"], 2)


def test_a_level_without_own_things_gives_way_to_a_lower_one():
    """The role writes all budgets: who may see own ones only can write none."""
    role = {"budget": {"write": "all"}}
    grants, faults = chosen_grants(
        STANDARD, STANDARD.sections, {"grant.budget.view": "self"}, role=role, override=None
    )
    assert (grants, faults) == ({"budget": {"view": "self"}}, [])
