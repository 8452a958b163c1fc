"""Mutants of the console's pages about the visitor, and of a company's sign-in."""

from tests.mutants.mutant import Kind, Mutant

ROUTES = "services/console/routes"
COMPANY = ("tests/services/console/test_company_sign_in.py", "-k", "passes_a_fresh_proof")
CATALOG = "tests/services/console/test_catalog_moves.py"
PERSON = "tests/services/console/test_person_pages.py"

ROWS = (
    Mutant(
        id="page-of-a-proof-shows-the-secret",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/company_sign_in.py",
        old='    carried=(*FIELDS, "once"),\n',
        new='    carried=(*FIELDS, "once", SECRET),\n',
        tests=COMPANY,
    ),
    Mutant(
        id="page-takes-the-sealed-secret-of-another-sign-in",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/browser_requests.py",
        old='case {"typed": dict(typed), "of": str(of)} if of == self.form_secret:',
        new='case {"typed": dict(typed), "of": str()}:',
        tests=COMPANY,
    ),
    Mutant(
        id="answer-that-links-signs-in",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/sso_sign_in.py",
        old="    if begun.links:\n",
        new="    if False:\n",
        tests=("tests/services/console/test_identities.py", "-k", "is_linked"),
    ),
    Mutant(
        id="page-moves-an-account-without-its-name",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/catalog_moves.py",
        old='    if visit.typed.get("confirm", "").strip() != ',
        new='    if False and visit.typed.get("confirm", "").strip() != ',
        tests=(CATALOG, "-k", "name_was_typed"),
    ),
    Mutant(
        id="page-moves-to-a-catalog-that-is-not-offered",
        kind=Kind.DATA,
        file=f"{ROUTES}/catalog_moves.py",
        old="    if chosen is None:\n        return await show(visit, Form(",
        new="    if not listed:\n        return await show(visit, Form(",
        tests=(CATALOG, "-k", "not_offered"),
    ),
    Mutant(
        id="page-names-gains-in-the-words-of-the-old-catalog",
        kind=Kind.DATA,
        file="services/console/domain/impacts.py",
        old="shifts(after, place",
        new="shifts(before, place",
        tests=(CATALOG, "-k", "gains_and_loses"),
    ),
    Mutant(
        id="page-translates-the-name-of-an-own-role",
        kind=Kind.DATA,
        file="services/console/pages/catalog_words.py",
        old='    if part.get("built_in") is True:\n',
        new='    if "built_in" in part:\n',
        tests=("tests/services/console/test_catalog_words.py", "-k", "people_have_named"),
    ),
    Mutant(
        id="page-of-a-member-lists-what-is-the-same-in-a-project",
        kind=Kind.DATA,
        file="services/console/domain/grant_texts.py",
        old="        return own == theirs\n",
        new="        return False\n",
        tests=("tests/services/console/test_access_pages.py", "-k", "where_it_differs"),
    ),
    Mutant(
        id="page-of-an-ended-session-forgets-the-language",
        kind=Kind.DATA,
        file=f"{ROUTES}/visits.py",
        old="        self.language = known or preferred_locale(",
        new="        self.language = preferred_locale(",
        tests=("tests/services/console/test_languages.py", "-k", "has_ended"),
    ),
    Mutant(
        id="page-follows-at-once",
        kind=Kind.AVAILABILITY,
        file="services/console/static/live.js",
        old="later = setTimeout(open, pause);",
        new="open();",
        tests=("tests/services/console/test_live_script.py", "-k", "left_soon"),
    ),
    Mutant(
        id="page-after-a-sign-in-is-a-file",
        kind=Kind.SECURITY,
        file="services/console/domain/places.py",
        old="    if _NOT_A_PAGE.fullmatch(path):\n",
        new="    if not path:\n",
        tests=("tests/services/console/test_rules.py", "-k", "visitor_stays"),
    ),
    Mutant(
        id="page-of-a-lost-account-keeps-its-frame",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/account_frame.py",
        old="    await _frame_of_person(visit)\n    words =",
        new="    words =",
        tests=(PERSON, "-k", "gone_leaves"),
    ),
    Mutant(
        id="page-shows-a-password-again",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/outcomes.py",
        old='        "current",\n        "new",\n',
        new="",
        tests=(PERSON, "-k", "never_shown_again"),
    ),
    Mutant(
        id="page-fails-without-the-accounts-of-its-head",
        kind=Kind.AVAILABILITY,
        file=f"{ROUTES}/person_frame.py",
        old='        return {"items": [], "next_cursor": ""}\n',
        new="        raise\n",
        tests=(PERSON, "-k", "does_without"),
    ),
    Mutant(
        id="list-of-members-ignores-the-role",
        kind=Kind.DATA,
        file="services/team/store/member_list.py",
        old='return {} if query.role is None else {"role": query.role}',
        new="return {}",
        tests=("tests/services/team/test_member_list.py", "-k", "by_role"),
    ),
)
