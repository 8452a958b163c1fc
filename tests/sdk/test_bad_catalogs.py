"""Tests of catalogs that are refused: at which place, and with which text."""

import copy
from importlib import resources
from typing import Any

import pytest
import yaml

from rolecall import (
    CONTROL_PERMISSIONS,
    PROJECT_PERMISSIONS,
    SHIPPED_CATALOGS,
    Catalog,
    CatalogError,
    CompiledCatalog,
    load_catalog,
    parse_catalog,
)
from rolecall.core.source import parse


def content(name) -> Any:
    return copy.deepcopy(load_catalog(name).to_mapping())


def entry(mapping, entry_id):
    return next(
        item
        for section in mapping["sections"]
        for item in section["entries"]
        if item["id"] == entry_id
    )


def role(mapping, role_id):
    return next(item for item in mapping["roles"] if item["id"] == role_id)


def grant(mapping, role_id, **grants):
    role(mapping, role_id)["grants"].update(grants)


def german(**words):
    return {"translations": {"de": {name.replace("_", " "): said for name, said in words.items()}}}


BAD = [
    (
        "a translation of what is not there",
        lambda m: m.update(german(Instancs="Instanzen")),
        "/translations/de/Instancs", "The catalog has no such text. Did you mean 'Instances'?",
    ),
    (
        "a translation in no language",
        lambda m: m.update(translations={"German": {"Instances": "Instanzen"}}),
        "/translations/German", "is not the code of a language, such as `de`",
    ),
    (
        "a translation without a text",
        lambda m: m.update(german(Instances="")),
        "/translations/de/Instances", "The text needs at least 1 character.",
    ),
    (
        "a translation that hides a character",
        lambda m: m.update(german(Instances="Inst\u200banzen")),
        "/translations/de/Instances", "cannot contain control or formatting characters",
    ),
    (
        "a translation that takes the title of another role",
        lambda m: m.update(german(Viewer="admin")),
        "/translations/de/Viewer", "The role 'Admin' has this title already.",
    ),
    (
        "a translation in two alphabets",
        lambda m: m.update(german(Viewer="L\u0435ser")),
        "/translations/de/Viewer", "alphabet",
    ),
    ("an unknown key at the top", lambda m: m.update(colour="red"), "/colour", "Unexpected key"),
    (
        "a mistyped key at the top",
        lambda m: m.update(polices=m.pop("policies")),
        "/polices", "Unexpected key. Did you mean 'policies'? Remove it",
    ),
    (
        "a mistyped key further down",
        lambda m: entry(m, "balance")["levels"][0].update(offer_self=True),
        "/sections/6/entries/0/levels/0/offer_self", "Did you mean 'offers_self'?",
    ),
    (
        "a mistyped key of a policy",
        lambda m: m["policies"]["invitations"].update(lifetime_second=1),
        "/policies/invitations/lifetime_second", "Did you mean 'lifetime_seconds'?",
    ),
    ("no roles at all", lambda m: m.pop("roles"), "/roles", "This key is required"),
    ("a name with capitals", lambda m: m.update(name="Standard"), "/name", "is not a name"),
    ("sections that are not a list", lambda m: m.update(sections=7), "/sections", "must be a list"),
    (
        "an unknown key of a level",
        lambda m: entry(m, "balance")["levels"][0].update(selfish=True),
        "/sections/6/entries/0/levels/0/selfish", "Unexpected key",
    ),
    (
        "an unknown scope",
        lambda m: grant(m, "viewer", balance={"view": "some"}),
        "/roles/6/grants/balance/view", "'all' or 'self'",
    ),
    (
        "an entry id with a colon",
        lambda m: entry(m, "balance").update(id="bal:ance"),
        "/sections/6/entries/0/id", "digits and `_`, at most 64 characters",
    ),
    (
        "a section twice",
        lambda m: m["sections"][1].update(id="compute"),
        "/sections/1/id", "'compute' appears twice, first at /sections/0/id. Use each id once.",
    ),
    (
        "an entry twice, in different sections",
        lambda m: entry(m, "vpc").update(id="instance"),
        "/sections/3/entries/0/id", "'instance' appears twice, first at /sections/0/entries/0/id.",
    ),
    (
        "a level twice",
        lambda m: entry(m, "balance")["levels"][1].update(id="view", includes=[]),
        "/sections/6/entries/0/levels/1/id", "appears twice, first at /sections/6/entries/0/levels",
    ),
    (
        "a role twice",
        lambda m: role(m, "viewer").update(id="basic"),
        "/roles/6/id", "'basic' appears twice, first at /roles/5/id.",
    ),
    (
        "two roles with one title, in other letters",
        lambda m: role(m, "viewer").update(title="bASIC"),
        "/roles/6/title", "The title 'basic' appears twice, first at /roles/5/title.",
    ),
    (
        "a title that mixes alphabets",
        lambda m: role(m, "viewer").update(title="\u0410dmin"),
        "/roles/6/title", "mixes letters of the alphabets Cyrillic and Latin. Use one alphabet.",
    ),
    (
        "a permission carried twice",
        lambda m: entry(m, "balance")["levels"][0].update(permissions=["member:invite"]),
        "/sections/8/entries/1/levels/1",
        "'member:invite' appears twice: the level 'view' of the entry 'balance' carries it already",
    ),
    (
        "a finer action that is a level already",
        lambda m: entry(m, "instance")["levels"][2].update(actions=["delete"]),
        "/sections/0/entries/0/levels/3",
        "'instance:delete' appears twice: the level 'manage' of the entry 'instance' carries it",
    ),
    (
        "a permission without a type",
        lambda m: entry(m, "balance")["levels"][0].update(permissions=["look"]),
        "/sections/6/entries/0/levels/0/permissions/0", "is not a permission: two names",
    ),
    (
        "an entry without levels",
        lambda m: entry(m, "quota_request").update(levels=[]),
        "/sections/7/entries/1/levels", "Add at least one level",
    ),
    (
        "an included level that is not there",
        lambda m: entry(m, "balance")["levels"][1].update(includes=["see"]),
        "/sections/6/entries/0/levels/1/includes", "Choose one of: view, write",
    ),
    (
        "levels that include each other",
        lambda m: entry(m, "balance")["levels"][0].update(includes=["write"]),
        "/sections/6/entries/0/levels", "circle",
    ),
    (
        "a level that includes itself",
        lambda m: entry(m, "balance")["levels"][0].update(includes=["view"]),
        "/sections/6/entries/0/levels", "circle",
    ),
    (
        "own resources only, over a level for all alone",
        lambda m: entry(m, "budget")["levels"][1].update(offers_self=True)
        or entry(m, "budget")["levels"][0].update(offers_self=False)
        or grant(m, "developer", budget={})
        or grant(m, "basic", budget={}),
        "/sections/6/entries/6/levels/1/includes", "must offer it too",
    ),
    (
        "an unknown entry in a grant",
        lambda m: grant(m, "viewer", spaceship={"view": "all"}),
        "/roles/6/grants/spaceship", "no entry 'spaceship'. Choose one of: instance,",
    ),
    (
        "a mistyped entry in a grant",
        lambda m: grant(m, "viewer", instanse={"view": "all"}),
        "/roles/6/grants/instanse", "Did you mean 'instance'? Choose one of: instance,",
    ),
    (
        "a mistyped level in a grant",
        lambda m: grant(m, "viewer", instance={"veiw": "all"}),
        "/roles/6/grants/instance/veiw", "no level 'veiw'. Did you mean 'view'?",
    ),
    (
        "a mistyped level for every entry",
        lambda m: grant(m, "viewer", **{"*": {"veiw": "all"}}),
        "/roles/6/grants/*/veiw", "Did you mean 'view'?",
    ),
    (
        "a level for own resources that another grant includes for all",
        lambda m: grant(m, "developer", instance={"write": "all", "view": "self"}),
        "/roles/3/grants/instance/view",
        "'write' is granted in scope 'all' and includes 'view', so scope 'self' has no effect",
    ),
    (
        "an unknown level in a grant",
        lambda m: grant(m, "viewer", instance={"fly": "all"}),
        "/roles/6/grants/instance/fly", "This entry has no level 'fly'",
    ),
    (
        "scope self where the level does not offer it",
        lambda m: grant(m, "viewer", balance={"view": "self"}),
        "/roles/6/grants/balance/view", "does not offer scope 'self'",
    ),
    (
        "an owner's role that is not there",
        lambda m: m.update(owner_role="king"),
        "/owner_role", "has no role 'king'. Choose one of: owner, admin",
    ),
    (
        "a former owner's role that is not there",
        lambda m: m.update(role_after_transfer="king"),
        "/role_after_transfer", "has no role 'king'",
    ),
    (
        "a former owner's role that is not assignable",
        lambda m: m.update(role_after_transfer="owner"),
        "/role_after_transfer", "not assignable",
    ),
    (
        "an owner who cannot remove members",
        lambda m: grant(m, "owner", member={"invite": "all", "update": "all"}),
        "/roles/0/grants", "The owner's role 'owner' must hold 'member:remove' in scope 'all'",
    ),
    (
        "an owner without any member permission",
        lambda m: m.update(owner_role="viewer"),
        "/roles/6/grants", "must hold 'member:invite'",
    ),
    (
        "a role that cannot enter the account",
        lambda m: grant(m, "basic", account={}),
        "/roles/5/grants", "must hold 'account:view'",
    ),
    (
        "a role that enters the account for own resources only",
        lambda m: (
            [level.update(offers_self=True) for level in entry(m, "account")["levels"]]
            and grant(m, "basic", account={"view": "self"})
        ),
        "/roles/5/grants",
        "must hold 'account:view' in scope 'all'. Grant the level 'view' of 'account'.",
    ),
    (
        "no role to invite with",
        lambda m: [item.update(assignable=False) for item in m["roles"]],
        "/roles", "No role is assignable",
    ),
    (
        "a control permission without a level",
        lambda m: m["sections"][-1]["entries"].pop(-1) and [
            item["grants"].pop("review", None) for item in m["roles"]
        ],
        "/sections", "'review:manage'",
    ),
    (
        "member permissions inside projects",
        lambda m: entry(m, "member").update(project_scoped=True),
        "/sections/8/entries/1", "cannot be project-scoped",
    ),
    (
        "an own entry without its reason",
        lambda m: entry(m, "webhook").update(why=""),
        "/sections/8/entries/8", "has no `why`",
    ),
    (
        "a lifetime of zero",
        lambda m: m["policies"]["invitations"].update(lifetime_seconds=0),
        "/policies/invitations/lifetime_seconds", "greater than 0",
    ),
    (
        "what happens after an expiry that never comes",
        lambda m: m["policies"]["invitations"].update(lifetime_seconds=None),
        "/policies/invitations/after_expiry", "must be null exactly when",
    ),
    (
        "no way to deliver an invitation",
        lambda m: m["policies"]["invitations"].update(deliveries=[]),
        "/policies/invitations/deliveries", "at least 1",
    ),
    (
        "one way of delivery twice",
        lambda m: m["policies"]["invitations"].update(deliveries=["link", "link"]),
        "/policies/invitations/deliveries/1", "way of delivery 'link' appears twice, first at",
    ),
    (
        "a limit of no members",
        lambda m: m["policies"].update(member_limit=0),
        "/policies/member_limit", "greater than 0",
    ),
    (
        "a text for true or false",
        lambda m: m["policies"]["invitations"].update(resend="true"),
        "/policies/invitations/resend",
        "The value is a text. It must be true or false, without quotes.",
    ),
    (
        "a number for true or false",
        lambda m: role(m, "viewer").update(assignable=1),
        "/roles/6/assignable", "The value must be true or false.",
    ),
    (
        "a text for a number",
        lambda m: m["policies"].update(member_limit="1000"),
        "/policies/member_limit",
        "The value is a text. It must be a whole number, without quotes.",
    ),
    (
        "a fraction for a number",
        lambda m: m["policies"].update(member_limit=1000.0),
        "/policies/member_limit", "The value must be a whole number.",
    ),
    (
        "true for a number",
        lambda m: m["policies"]["invitations"].update(lifetime_seconds=True),
        "/policies/invitations/lifetime_seconds", "The value must be a whole number.",
    ),
    (
        "a text for a list",
        lambda m: entry(m, "balance")["levels"][1].update(includes="view"),
        "/sections/6/entries/0/levels/1/includes",
        "The value is a text. It must be a list, such as [view, write].",
    ),
    (
        "nothing for a list",
        lambda m: entry(m, "balance")["levels"][1].update(includes=None),
        "/sections/6/entries/0/levels/1/includes",
        "The value is empty. It must be a list. Write [] for an empty list.",
    ),
    (
        "nothing for the grants of a role",
        lambda m: role(m, "viewer").update(grants=None),
        "/roles/6/grants",
        "It must be a mapping of keys to values. Write {} for an empty mapping.",
    ),
    (
        "nothing for true or false",
        lambda m: m["policies"]["invitations"].update(resend=None),
        "/policies/invitations/resend", "The value is empty. It must be true or false.",
    ),
    (
        "a number for a text",
        lambda m: m.update(title=5),
        "/title", "The value must be a text. Put it in quotes.",
    ),
    ("a key that is a number", lambda m: m.update({1: "x"}), "/1", "A key must be a text."),
    (
        "a list for a text",
        lambda m: m.update(description=["a", "b"]),
        "/description", "The value must be a text.",
    ),
    (
        "an unknown conversion",
        lambda m: m["policies"].update(conversion="maybe"),
        "/policies/conversion", "reversible",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "spoil", "pointer", "message"), BAD)
def test_a_bad_catalog_is_refused_at_its_place(sentence, spoil, pointer, message):
    mapping = content("standard")
    spoil(mapping)
    with pytest.raises(CatalogError) as refused:
        Catalog.from_mapping(mapping)
    said = [problem.message for problem in refused.value.problems if problem.pointer == pointer]
    assert any(message in text for text in said), (sentence, str(refused.value))


ONE_PROBLEM = [
    ("a mistyped key that is required", lambda m: m.update(polices=m.pop("policies"))),
    ("a section twice", lambda m: m["sections"][1].update(id="compute")),
    ("an entry twice", lambda m: entry(m, "vpc").update(id="instance")),
    ("an action twice", lambda m: entry(m, "budget")["levels"][0].update(actions=["a", "a"])),
    (
        "an unknown level that is included twice",
        lambda m: entry(m, "balance")["levels"][1].update(includes=["see", "see"]),
    ),
    (
        "a mistyped entry that a role needs",
        lambda m: role(m, "basic")["grants"].update(
            acount=role(m, "basic")["grants"].pop("account")
        ),
    ),
]


@pytest.mark.parametrize(("sentence", "spoil"), ONE_PROBLEM)
def test_one_fault_of_a_catalog_is_one_problem(sentence, spoil):
    mapping = content("standard")
    spoil(mapping)
    with pytest.raises(CatalogError) as refused:
        Catalog.from_mapping(mapping)
    assert len(refused.value.problems) == 1, sentence


ACCOUNT_WIDE = [name for name in CONTROL_PERMISSIONS if name not in PROJECT_PERMISSIONS]


def problems_at(mapping, place):
    with pytest.raises(CatalogError) as refused:
        Catalog.from_mapping(mapping)
    return [problem.message for problem in refused.value.problems if problem.pointer == place]


def place_of(mapping, entry_id):
    return next(
        f"/sections/{s}/entries/{e}"
        for s, section in enumerate(mapping["sections"])
        for e, item in enumerate(section["entries"])
        if item["id"] == entry_id
    )


def carrier(mapping, permission):
    """The entry and the level that carry the permission."""
    return next(
        (item["id"], level["id"])
        for section in mapping["sections"]
        for item in section["entries"]
        for level in item["levels"]
        if permission in (f"{item['id']}:{level['id']}", *level["permissions"])
    )


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("permission", PROJECT_PERMISSIONS)
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_a_right_on_one_project_in_an_account_wide_entry_is_refused(name, permission):
    mapping = content(name)
    entry_id, _ = carrier(mapping, permission)
    entry(mapping, entry_id).update(project_scoped=False)
    messages = problems_at(mapping, place_of(mapping, entry_id))
    assert any(f"The permission {permission!r} is a right on one project" in m for m in messages)


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("permission", PROJECT_PERMISSIONS)
def test_an_account_wide_entry_cannot_carry_a_right_on_one_project(permission):
    mapping = content("standard")
    entry_id, level_id = carrier(mapping, permission)
    entry(mapping, entry_id)["levels"] = [
        {**level, "includes": []}
        for level in entry(mapping, entry_id)["levels"]
        if level["id"] != level_id
    ]
    for item in mapping["roles"]:
        item["grants"].pop(entry_id, None)
    entry(mapping, "balance")["levels"][0]["permissions"] = [permission]
    [message] = problems_at(mapping, place_of(mapping, "balance"))
    assert f"The permission {permission!r} is a right on one project" in message
    assert "Set `project_scoped: true`" in message


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
@pytest.mark.parametrize("scoped", ["its own entry", "the entry of projects"])
def test_creating_projects_inside_a_project_is_refused(name, scoped):
    """An override that grants it would let its holder create projects in the whole account."""
    mapping = content(name)
    entry_id = "new_project"
    if scoped == "its own entry":
        entry(mapping, entry_id).update(project_scoped=True)
    else:
        entry(mapping, entry_id)["levels"][0]["permissions"] = []
        entry_id, _ = carrier(mapping, "project:manage")
        entry(mapping, entry_id)["levels"][1]["permissions"] += ["project:create"]
    messages = problems_at(mapping, place_of(mapping, entry_id))
    assert any("The permission 'project:create' applies to the whole" in m for m in messages)


def test_a_catalog_without_the_creation_of_projects_is_refused():
    mapping = content("standard")
    entry(mapping, "new_project")["levels"][0]["permissions"] = []
    [message] = problems_at(mapping, "/sections")
    assert "No level carries the control permission 'project:create'" in message


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("permission", ACCOUNT_WIDE)
def test_an_account_wide_permission_in_a_project_scoped_entry_is_refused(permission):
    mapping = content("standard")
    entry_id, _ = carrier(mapping, permission)
    entry(mapping, entry_id).update(project_scoped=True)
    messages = problems_at(mapping, place_of(mapping, entry_id))
    assert any(f"The permission {permission!r} applies to the whole" in text for text in messages)


@pytest.mark.rule("Ci9")
@pytest.mark.parametrize("permission", ACCOUNT_WIDE)
def test_a_project_scoped_entry_cannot_carry_an_account_wide_permission(permission):
    mapping = content("standard")
    entry_id, level_id = carrier(mapping, permission)
    levels = entry(mapping, entry_id)["levels"]
    moved = next(level for level in levels if level["id"] == level_id)
    moved.update(id="moved", permissions=[])
    for level in levels:
        level["includes"] = [name for name in level["includes"] if name != level_id]
    for item in mapping["roles"]:
        item["grants"].pop(entry_id, None)
    entry(mapping, "instance")["levels"][0]["permissions"] = [permission]
    messages = problems_at(mapping, place_of(mapping, "instance"))
    assert any(f"The permission {permission!r} applies to the whole" in text for text in messages)


@pytest.mark.parametrize(
    ("feature", "entry_id", "names"),
    [("api_tokens", "api_token", {"view", "manage"}), ("custom_roles", "role", {"manage"})],
)
def test_a_feature_that_is_off_needs_no_permissions(feature, entry_id, names):
    mapping = content("standard")
    mapping["policies"]["features"][feature] = False
    levels = entry(mapping, entry_id)["levels"]
    levels[:] = [level for level in levels if level["id"] not in names]
    if not levels:
        entries = mapping["sections"][-1]["entries"]
        entries.remove(entry(mapping, entry_id))
    for item in mapping["roles"]:
        left = {k: v for k, v in item["grants"].pop(entry_id, {}).items() if k not in names}
        if left:
            item["grants"][entry_id] = left
    catalog = Catalog.from_mapping(mapping)
    assert not getattr(catalog.policies.features, feature)
    assert not {f"{entry_id}:{name}" for name in names} & set(CompiledCatalog(catalog).permissions)


@pytest.mark.parametrize(
    ("sentence", "text", "line", "message"),
    [
        ("no YAML", "name: [standard", 1, "not valid YAML"),
        ("forbidden characters", "name: \x07", None, "not valid YAML"),
        ("another object than data", "name: !!python/object:os.system {}", 1, "YAML tags"),
        ("bytes", "name: a\ntitle: !!binary YQ==\n", 2, "YAML tags"),
        ("a set", "name: a\nroles: !!set {b, c}\n", 2, "YAML tags"),
        ("a list", "- name: standard", None, "must be one YAML mapping"),
        ("nothing", "", None, "must be one YAML mapping"),
        ("a key twice", "name: a\ntitle: b\nname: c\n", 3, "appears twice"),
        ("a key twice further down", "name: a\nroles:\n- id: b\n  id: c\n", 4, "appears twice"),
    ],
)
def test_a_text_that_is_not_a_catalog_is_refused_with_its_line(sentence, text, line, message):
    with pytest.raises(CatalogError) as refused:
        parse_catalog(text)
    (problem,) = refused.value.problems
    assert problem.line == line, sentence
    assert message in problem.message


def test_an_alias_of_itself_is_reported():
    with pytest.raises(CatalogError) as refused:
        parse_catalog("name: standard\nsections: &sections\n- *sections\n")
    assert (("sections", 0), 2) in [
        (problem.place[:2], problem.line) for problem in refused.value.problems
    ]


def test_a_fault_that_aliases_repeat_is_reported_once_where_it_is_written():
    source = (resources.files("rolecall.core") / "catalogs" / "standard.yaml").read_text()
    assert source.count("*resource") > 10
    anchored = "levels: &resource\n          - {id: view, title: View, offers_self: "
    wrong = source.replace(f"{anchored}true", f"{anchored}'true'")
    assert wrong != source
    with pytest.raises(CatalogError) as refused:
        parse_catalog(wrong)
    (problem,) = refused.value.problems
    assert line_of(problem, wrong).strip() == "- {id: view, title: View, offers_self: 'true'}"


def test_aliases_that_multiply_are_walked_once():
    nested = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    with pytest.raises(CatalogError) as refused:
        parse_catalog(f"l0: &l0 [x]\n{nested}")
    assert len(refused.value.problems) > 30


def test_a_problem_names_its_line_or_the_nearest_above():
    text = yaml.safe_dump(content("runpod"), sort_keys=False)
    wrong = text.replace("role_after_transfer: admin", "role_after_transfer: king")
    with pytest.raises(CatalogError) as refused:
        parse_catalog(wrong)
    (problem,) = refused.value.problems
    assert line_of(problem, wrong) == "role_after_transfer: king"

    lacking = text.replace("member_limit: 1000", "")
    with pytest.raises(CatalogError) as refused:
        parse_catalog(lacking)
    (problem,) = refused.value.problems
    assert problem.pointer == "/policies/member_limit"
    assert line_of(problem, lacking) == "policies:"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "true"),
        ("Off", "false"),
        ("TRUE", "true"),
        ("010", "8"),
        ("0x1F", "31"),
        ("12:30", "750"),
        ("1_000", "1000"),
        ("1_0.5", "10.5"),
    ],
)
def test_a_word_that_yaml_reads_as_something_else_is_refused(written, meant):
    with pytest.raises(CatalogError) as refused:
        parse_catalog(f"name: small\nroles: [{{when: {{path: context.x, equals: {written}}}}}]\n")
    (problem,) = refused.value.problems
    assert problem.line == 2
    assert problem.message == (
        f"The value {written} is read as {meant}. Write {meant}, or put it in quotes."
    )


@pytest.mark.parametrize("plain", ["true", "-5", "0", "1.5", "1e3", "'yes'", '"010"', "y"])
def test_a_value_that_yaml_reads_as_it_stands_is_taken(plain):
    assert parse(f"equals: {plain}\n")[0].keys() == {"equals"}


def line_of(problem, text):
    assert problem.line is not None
    return text.splitlines()[problem.line - 1]
