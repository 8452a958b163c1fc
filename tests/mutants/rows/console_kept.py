"""Mutants of forms that are kept during a sign-in, of lists that change, and of verified files."""

from tests.mutants.mutant import Kind, Mutant

KEPT = "tests/services/console/test_kept_forms.py"
LIVE = "tests/services/console/test_live.py"
LOG = "tests/services/console/test_log.py"
ACCESS = "tests/services/console/test_access_pages.py"
SCRIPT = ("tests/services/console/test_proof_script.py", "-k", "verifies_a_file")
ROUTES = "services/console/routes"
PROOF_JS = "services/console/static/proof.js"

ROWS = (
    Mutant(
        id="kept-form-is-given-to-another-user",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/kept_forms.py",
        old="    if not visit.is_reader(kept.reader):\n",
        new="    if not kept.reader:\n",
        tests=(KEPT, "-k", "another_person"),
    ),
    Mutant(
        id="kept-form-of-a-former-user-is-shown-to-the-next-one",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/kept_forms.py",
        old="if visit.session is not None and visit.form_reader and not visit.is_reader",
        new="if visit.session is None and visit.form_reader and not visit.is_reader",
        tests=(KEPT, "-k", "former_user"),
    ),
    Mutant(
        id="kept-form-signs-in-without-the-mark-of-the-browser",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/kept_forms.py",
        old="    if not visit.form_fits():\n",
        new='    if "form" not in visit.typed:\n',
        tests=(KEPT, "-k", "needs_the_mark"),
    ),
    Mutant(
        id="kept-form-opens-on-any-page",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/kept_forms.py",
        old='case {"path": visit.path, "reader"',
        new='case {"path": str(), "reader"',
        tests=(KEPT, "-k", "not_the_form_of_the_page"),
    ),
    Mutant(
        id="kept-form-opens-for-ever",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/kept_forms.py",
        old="now=visit.now, seconds=KEPT_SECONDS",
        new="now=visit.now, seconds=KEPT_SECONDS * 24",
        tests=(KEPT, "-k", "not_the_form_of_the_page"),
    ),
    Mutant(
        id="kept-form-has-secrets",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/kept_forms.py",
        old="in kept_values(visit).items()",
        new="in visit.typed.items()",
        tests=(KEPT, "-k", "no_secret"),
    ),
    Mutant(
        id="kept-form-overwrites-what-has-changed-meanwhile",
        kind=Kind.DATA,
        file=f"{ROUTES}/kept_forms.py",
        old='state = typed.get("state", "")',
        new='state = ""',
        tests=(KEPT, "-k", "overwrites_nothing"),
    ),
    Mutant(
        id="kept-form-is-lost-by-a-wrong-password",
        kind=Kind.DATA,
        file=f"{ROUTES}/kept_forms.py",
        old="return ask_again(visit, kept, refused_form(visit, refusal))",
        new="raise",
        tests=(KEPT, "-k", "wrong_password"),
    ),
    Mutant(
        id="open-list-changes-when-a-member-is-active",
        kind=Kind.AVAILABILITY,
        file="services/console/domain/list_states.py",
        old='frozenset({"last_active_at"})',
        new="frozenset[str]()",
        tests=(LIVE, "-k", "another_state"),
    ),
    Mutant(
        id="open-list-does-not-see-a-change-of-a-role",
        kind=Kind.DATA,
        file="services/console/domain/list_states.py",
        old='frozenset({"last_active_at"})',
        new='frozenset({"last_active_at", "role"})',
        tests=(LIVE, "-k", "another_state"),
    ),
    Mutant(
        id="usual-time-forgets-the-filters-beside-it",
        kind=Kind.DATA,
        file="services/console/domain/log_filters.py",
        old="    return others | usual\n",
        new="    return usual\n",
        tests=(LOG, "-k", "usual_time"),
    ),
    Mutant(
        id="last-week-begins-on-sunday",
        kind=Kind.DATA,
        file="services/console/domain/log_filters.py",
        old="timedelta(days=today.weekday())",
        new="timedelta(days=today.isoweekday())",
        tests=(LOG, "-k", "usual_time"),
    ),
    Mutant(
        id="denial-offers-what-the-visitor-does-not-hold",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/overrides.py",
        old="if level is None or here.inside.get(level.names[0]) != ALL or not _may_change(here):",
        new="if level is None:",
        tests=(ACCESS, "-k", "denial_leads"),
    ),
    Mutant(
        id="browser-takes-a-file-with-a-member-twice",
        kind=Kind.SECURITY,
        file=PROOF_JS,
        old=" || hasTwice(text)",
        new="",
        tests=SCRIPT,
    ),
    Mutant(
        id="browser-takes-a-file-whose-records-are-fewer-than-it-says",
        kind=Kind.SECURITY,
        file=PROOF_JS,
        old="return record.records === found.records + found.newer;",
        new="return true;",
        tests=SCRIPT,
    ),
    Mutant(
        id="browser-takes-a-file-that-lacks-records",
        kind=Kind.SECURITY,
        file=PROOF_JS,
        old="return complete && !isWhole(found, head) ? bad(number) : found;",
        new="return found;",
        tests=SCRIPT,
    ),
    Mutant(
        id="browser-takes-a-file-in-another-order",
        kind=Kind.SECURITY,
        file=PROOF_JS,
        old="if (found.last && isBefore(place, found.last)) return false;",
        new="",
        tests=SCRIPT,
    ),
    Mutant(
        id="browser-takes-a-file-whose-seal-another-key-made",
        kind=Kind.SECURITY,
        file=PROOF_JS,
        old=" || !signed.includes(true)) return bad(1);",
        new=") return bad(1);",
        tests=SCRIPT,
    ),
)
