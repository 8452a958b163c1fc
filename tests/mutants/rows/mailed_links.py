"""Mutants of the looks at mailed links, and of their second use."""

from tests.mutants.mutant import Kind, Mutant

RULES = "services/identity/domain/address_change.py"
LOOKS = "services/identity/use_cases/mailed_links.py"
PAGES = "services/console/routes/link_pages.py"
TABLES = ("tests/services/identity/domain/test_address_change.py",)
TESTS = ("tests/services/identity/test_mailed_links.py",)
PAGE_TESTS = ("tests/services/console/test_links.py",)

ROWS = (
    Mutant(
        id="an-undo-is-done-for-an-address-that-was-changed-again",
        kind=Kind.SECURITY,
        file=RULES,
        old="        and done.email_key == user.email_key\n",
        new="",
        tests=(*TABLES, "-k", "undo_is_done"),
    ),
    Mutant(
        id="a-link-that-did-its-work-lives-without-an-end",
        kind=Kind.SECURITY,
        file=RULES,
        old="link.id == _address_id(user.email_key) and now < _end(link)",
        new="link.id == _address_id(user.email_key)",
        tests=(*TABLES, "-k", "done_its_work"),
    ),
    Mutant(
        id="a-second-undo-takes-the-new-password-away",
        kind=Kind.SECURITY,
        file=RULES,
        old="one for one in user.former_addresses if one.generation < former.generation\n",
        new="one for one in user.former_addresses if one.generation <= former.generation\n",
        tests=(*TABLES, "-k", "newer_ones"),
    ),
    Mutant(
        id="a-second-click-of-an-undo-is-refused",
        kind=Kind.DATA,
        file="services/identity/use_cases/address_change.py",
        old="    if not address_change.restored_by(user, generation=link.generation,"
        " now=ctx.clock.now()):\n        address_change",
        new="    if user is not None:\n        address_change",
        tests=("tests/services/identity/test_address_change.py", "-k", "same_moment or thief_out"),
    ),
    Mutant(
        id="a-link-is-shown-with-a-wrong-code",
        kind=Kind.SECURITY,
        file=LOOKS,
        old="    if link is None or (code is not None and not links.fits(link, code)):\n",
        new="    if link is None:\n",
        tests=(*TESTS, "-k", "wrong_code"),
    ),
    Mutant(
        id="a-link-of-one-kind-is-shown-as-another",
        kind=Kind.SECURITY,
        file=LOOKS,
        old="            return ctx.undo_links\n",
        new="            return ctx.reset_links\n",
        tests=(*TESTS, "-k", "over_nothing"),
    ),
    Mutant(
        id="a-link-that-is-over-shows-the-user-of-today",
        kind=Kind.SECURITY,
        file=LOOKS,
        old="        found = password_reset.check_repeat("
        "user, generation=link.generation, now=now)\n",
        new="        if user is None:\n            raise\n        found = user\n",
        tests=(*TESTS, "-k", "address_of_today"),
    ),
    Mutant(
        id="a-new-address-that-has-a-user-is-offered",
        kind=Kind.DATA,
        file=LOOKS,
        old="    if await ctx.store.user_of(address.key) is not None:\n        raise LinkInvalid\n",
        new="",
        tests=(*TESTS, "-k", "its_user_alone"),
    ),
    Mutant(
        id="a-page-tells-a-forged-link-from-one-that-is-over",
        kind=Kind.SECURITY,
        file=PAGES,
        old="OVER = 410, 422\n",
        new="OVER = (410,)\n",
        tests=(*PAGE_TESTS, "-k", "asks_for_anything"),
    ),
    Mutant(
        id="another-user-who-is-signed-in-is-not-named",
        kind=Kind.DATA,
        file="services/console/routes/verification.py",
        old='"user": await visit.user()}',
        new='"user": None}',
        tests=(*PAGE_TESTS, "-k", "is_named"),
    ),
)
