"""Mutants of the change of address."""

from tests.mutants.mutant import Kind, Mutant

DOMAIN = "services/identity/domain/address_change.py"
USE_CASE = "services/identity/use_cases/address_change.py"
TABLES = ("tests/services/identity/domain/test_address_change.py",)
TESTS = ("tests/services/identity/test_address_change.py",)

ROWS = (
    Mutant(
        id="address-link-works-in-any-session",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="    if link is None or link.id != principal.user_id:\n",
        new="    if link is None:\n",
        tests=(*TESTS, "-k", "session_of_another"),
    ),
    Mutant(
        id="a-changed-address-keeps-other-sessions",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="        if not await end_sessions_of(ctx, write, current.id, keep=own.id):\n"
        "            return None\n",
        new="",
        tests=(*TESTS, "-k", "changes_the_address"),
    ),
    Mutant(
        id="a-restored-address-keeps-the-sessions",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="        if not await end_sessions_of(ctx, write, current.id, keep=None):\n"
        "            return None\n",
        new="",
        tests=(*TESTS, "-k", "thief_out"),
    ),
    Mutant(
        id="a-restored-address-keeps-the-password-of-a-thief",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="        password_hash=None,\n",
        new="",
        tests=TABLES,
    ),
    Mutant(
        id="a-restored-address-keeps-the-issuers-of-a-thief",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="        await ctx.store.delete_identities_of(user_id, write.session)\n",
        new="",
        tests=(*TESTS, "-k", "thief_out"),
    ),
    Mutant(
        id="a-second-change-takes-the-undo-away",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="    if not open_undo:\n",
        new="    if True:\n",
        tests=TABLES,
    ),
    Mutant(
        id="an-address-link-works-for-another-address",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="        user.new_email_made_at if again else None,\n",
        new="        user.new_email_made_at,\n",
        tests=TABLES,
    ),
    Mutant(
        id="a-reset-link-outlives-a-change-of-address",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="        reset_link_made_at=None,\n        reset_used_at=None,\n",
        new="",
        tests=(*TABLES, "-k", "mailed_before"),
    ),
    Mutant(
        id="the-owner-learns-who-wanted-their-address",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old=', reason="address-taken", actor=stranger)',
        new=', reason="address-taken")',
        tests=(*TESTS, "-k", "has_a_user"),
    ),
    Mutant(
        id="the-log-of-an-account-shows-a-free-address",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="    return replace(user_fact(user, payload), account_id=None)\n",
        new="    return user_fact(user, payload)\n",
        tests=(*TESTS, "-k", "has_a_user"),
    ),
    Mutant(
        id="a-former-address-stays-taken",
        kind=Kind.LIMIT,
        file="services/identity/store/users.py",
        old="        await self._addresses.delete_one(former, session=session)\n",
        new="",
        tests=(*TESTS, "-k", "is_free"),
    ),
    Mutant(
        id="requests-for-another-address-are-not-bounded",
        kind=Kind.LIMIT,
        file=DOMAIN,
        old="limit=CHANGES_AN_HOUR,",
        new="limit=CHANGES_AN_HOUR * 1000,",
        tests=(*TESTS, "-k", "bounded"),
    ),
)
