"""Mutants of the console's pages of members, invitations and accounts."""

from tests.mutants.mutant import Kind, Mutant

TESTS = "tests/services/console/test_member_pages.py"
NOTES = ("tests/services/console/test_notes.py",)
TYPED = ("tests/services/console/test_typed_script.py",)
STATIC = "services/console/static"
ROUTES = "services/console/routes"

ROWS = (
    Mutant(
        id="loading-a-preview-anew-sends-it-again",
        kind=Kind.DATA,
        file=f"{STATIC}/typed.js",
        old='history.replaceState(null, "", location.href);',
        new="",
        tests=TYPED,
    ),
    Mutant(
        id="what-was-typed-is-filled-in-for-another-reader",
        kind=Kind.SECURITY,
        file=f"{STATIC}/typed.js",
        old=" || draft.mark !== mark(form)",
        new="",
        tests=(*TYPED, "-k", "another_reader"),
    ),
    Mutant(
        id="password-is-kept-in-the-tab",
        kind=Kind.SECURITY,
        file=f"{STATIC}/typed.js",
        old='!SECRETS.has(field.name) && !["password", ',
        new="![",
        tests=(*TYPED, "-k", "no_secret"),
    ),
    Mutant(
        id="typed-text-comes-without-the-state-of-its-page",
        kind=Kind.CONSISTENCY,
        file=f"{STATIC}/typed.js",
        old=' || field.name === "state") && texts',
        new=") && texts",
        tests=(*TYPED, "-k", "preview"),
    ),
    Mutant(
        id="page-says-what-any-link-says",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/browser_requests.py",
        old="if said == asked:",
        new="if said is not asked:",
        tests=NOTES,
    ),
    Mutant(
        id="page-says-what-another-page-would-say",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/browser_requests.py",
        old='case {"path": self.path, "said"',
        new='case {"path": str(_), "said"',
        tests=NOTES,
    ),
    Mutant(
        id="page-says-to-the-next-user-what-the-former-did",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/visits.py",
        old="        self.forget_note()\n",
        new="",
        tests=NOTES,
    ),
    Mutant(
        id="first-section-says-what-any-link-says",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/accounts.py",
        old='done=visit.said("done")',
        new='done=visit.query.get("done")',
        tests=("tests/services/console/test_accounts.py", "-k", "first_section"),
    ),
    Mutant(
        id="member-page-changes-a-role-of-any-state",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/member_changes.py",
        old='        {"role": asked_role(visit)},\n        if_match=shown_state(visit),\n',
        new='        {"role": asked_role(visit)},\n',
        tests=(TESTS, "-k", "role_changes"),
    ),
    Mutant(
        id="member-page-asks-the-api-for-any-receipt",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/receipts.py",
        old="if _REVISION.fullmatch(revision) is None:",
        new="if not revision:",
        tests=(TESTS, "-k", "receipt"),
    ),
    Mutant(
        id="member-page-invites-again-at-a-second-press",
        kind=Kind.DATA,
        file=f"{ROUTES}/invite.py",
        old="""return f"{visit.typed.get('once', '')[:64]}.{digest}\"""",
        new="return visit.ctx.new_text() + digest",
        tests=(TESTS, "-k", "each_once"),
    ),
    Mutant(
        id="member-page-forgets-who-was-not-invited",
        kind=Kind.DATA,
        file=f"{ROUTES}/invite.py",
        old="invited.refused += [(one, said) for one in addresses[number:]]",
        new="invited.refused.append((address, said))",
        tests=(TESTS, "-k", "limit_ends"),
    ),
    Mutant(
        id="member-page-ends-a-membership-in-another-zone",
        kind=Kind.DATA,
        file="services/console/domain/moments.py",
        old="time(23, 59, 59), zone_of(time_zone))",
        new='time(23, 59, 59), zone_of("UTC"))',
        tests=(TESTS, "-k", "last_day"),
    ),
    Mutant(
        id="member-page-has-a-button-that-a-rule-refuses",
        kind=Kind.DATA,
        file="services/console/pages/account/member_remove.html",
        old="possible=not impact.violations",
        new="possible=true",
        tests=(TESTS, "-k", "rule_refuses_has_no_button"),
    ),
    Mutant(
        id="member-page-of-a-former-member-fails",
        kind=Kind.AVAILABILITY,
        file=f"{ROUTES}/pages.py",
        old="        except AccountGone:\n            return await gone_page(visit)\n",
        new="",
        tests=(TESTS, "-k", "removed_members_press"),
    ),
    Mutant(
        id="second-press-invites-what-was-never-doubted",
        kind=Kind.SECURITY,
        file=f"{ROUTES}/invite.py",
        old='"check_address": address not in meant,',
        new='"check_address": not meant,',
        tests=(TESTS, "-k", "doubted_addresses_alone"),
    ),
)
