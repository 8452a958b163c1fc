"""Mutants of the console's pages of roles, projects and access."""

from tests.mutants.mutant import Kind, Mutant

PAGES = "tests/services/console/test_access_pages.py"
TABLES = ("tests/services/console/test_permission_tables.py",)
DOMAIN = "services/console/domain"
ROUTES = "services/console/routes"

ROWS = (
    Mutant(
        id="access-page-forgets-what-a-level-brings-along",
        kind=Kind.DATA,
        file=f"{DOMAIN}/permission_tables.py",
        old="(level.id, *level.included)",
        new="(level.id,)",
        tests=TABLES,
    ),
    Mutant(
        id="access-page-says-the-highest-level-alone",
        kind=Kind.DATA,
        file=f"{DOMAIN}/grant_texts.py",
        old="for level in reversed(entry.levels)\n            if level.id in texts",
        new="for level in [*reversed(entry.levels)][:1]\n            if level.id in texts",
        tests=TABLES,
    ),
    Mutant(
        id="access-page-says-one-of-two-limits",
        kind=Kind.DATA,
        file=f"{DOMAIN}/grant_unions.py",
        old="parts = {**_parts(one), **_parts(other)}",
        new="parts = _parts(other)",
        tests=TABLES,
    ),
    Mutant(
        id="preview-leaves-out-the-lower-levels",
        kind=Kind.DATA,
        file=f"{DOMAIN}/impacts.py",
        old="            if level.id in levels\n",
        new="            if level.id in list(levels)[:1]\n",
        tests=TABLES,
    ),
    Mutant(
        id="access-page-denied-level-comes-with-a-higher-one",
        kind=Kind.SECURITY,
        file=f"{DOMAIN}/override_choices.py",
        old="grant = limit if level.offers_self else NONE",
        new="pass",
        tests=TABLES,
    ),
    Mutant(
        id="access-page-contradiction-is-not-said",
        kind=Kind.SECURITY,
        file=f"{DOMAIN}/override_choices.py",
        old="faults.append(LevelContradiction(refused=lower, chosen=level))",
        new="pass",
        tests=TABLES,
    ),
    Mutant(
        id="access-page-form-loses-conditions",
        kind=Kind.SECURITY,
        file=f"{DOMAIN}/permission_tables.py",
        old="grant = had if choice == CONDITIONAL else choice",
        new="grant = ALL if choice == CONDITIONAL else choice",
        tests=TABLES,
    ),
    Mutant(
        id="access-page-role-is-saved-over-another-state",
        kind=Kind.DATA,
        file=f"{ROUTES}/role_editor.py",
        old="        body,\n        if_match=shown_state(visit),",
        new="        body,",
        tests=(PAGES, "-k", "after_a_preview_for"),
    ),
    Mutant(
        id="access-page-new-permissions-replace-unseen-ones",
        kind=Kind.DATA,
        file=f"{ROUTES}/account_catalogs.py",
        old="return text if text == NOT_THERE else f'\"{path_step(text)}\"'",
        new='return f\'"{path_step(text)}"\' if text != NOT_THERE else ""',
        tests=(PAGES, "-k", "other_permissions_in_one_project"),
    ),
    Mutant(
        id="access-page-end-moves-with-each-save",
        kind=Kind.DATA,
        file=f"{ROUTES}/overrides.py",
        old="if text and text == here.last_day:",
        new="if False:",
        tests=(PAGES, "-k", "stays_to_the_second"),
    ),
    Mutant(
        id="access-page-copies-a-role-that-is-hidden",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/overrides.py",
        old="allowed and known and ",
        new="allowed and ",
        tests=(PAGES, "-k", "those_who_may_make_them"),
    ),
    Mutant(
        id="access-page-lists-members-to-those-who-may-not-see-them",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/access_explorer.py",
        old="    if not sees_members:\n        return [{",
        new="    if False:\n        return [{",
        tests=(PAGES, "-k", "sees_no_members"),
    ),
    Mutant(
        id="access-page-member-of-an-address-leads-to-another-route",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/account_catalogs.py",
        old="step = path_step(user_id)",
        new="step = user_id",
        tests=(PAGES, "-k", "no_other_route"),
    ),
    Mutant(
        id="page-translates-the-title-of-an-own-role-in-a-list",
        kind=Kind.DATA,
        file="services/console/pages/catalog_words.py",
        old='{"role_title"} if is_own_role',
        new='{"role_title"} if not is_own_role',
        tests=("tests/services/console/test_catalog_words.py", "-k", "people_have_named"),
    ),
    Mutant(
        id="step-translates-the-name-of-an-own-role",
        kind=Kind.DATA,
        file="services/console/pages/step_texts.py",
        old="if is_own_role(role_id) else",
        new="if not role_id else",
        tests=("tests/services/console/test_step_texts.py", "-k", "what_people_named"),
    ),
)
