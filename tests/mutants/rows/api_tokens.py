"""Mutants of API tokens."""

from tests.mutants.mutant import Kind, Mutant

DECIDE = "sdk/rolecall/core/decide.py"
HELD = "shared/following/api_tokens.py"
OF_TEAM = "services/team/domain/account_access.py"
OF_IDENTITY = "services/identity/use_cases/api_tokens.py"
OF_AUTHZ = "services/authz/domain/new_tokens.py"
CORE_TESTS = ("tests/sdk/test_restrictions.py",)
HELD_TESTS = ("tests/shared/following/test_api_tokens.py",)
TESTS = ("tests/e2e/test_api_tokens.py",)

ROWS = (
    Mutant(
        id="token-restriction-is-ignored",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/restrictions.py",
        old="    if restriction is None or not decision.allowed:\n",
        new="    if restriction is not None or not decision.allowed:\n",
        tests=CORE_TESTS,
    ),
    Mutant(
        id="token-of-a-former-membership-counts-in-authz",
        kind=Kind.SECURITY,
        file=DECIDE,
        old="member.membership_id != token.membership_id:\n",
        new="not token.membership_id:\n",
        tests=TESTS,
    ),
    Mutant(
        id="token-of-a-former-membership-counts-in-team",
        kind=Kind.SECURITY,
        file=OF_TEAM,
        old="        if rows.membership.membership_id != token.membership_id:\n",
        new="        if not token.membership_id:\n",
        tests=TESTS,
    ),
    Mutant(
        id="token-gives-more-than-it-reaches",
        kind=Kind.SECURITY,
        file=OF_TEAM,
        old="narrowed(rows.catalog, member, token.restriction, now=milliseconds(now))",
        new="narrowed(rows.catalog, member, None, now=milliseconds(now))",
        tests=TESTS,
    ),
    Mutant(
        id="token-makes-a-wider-one",
        kind=Kind.SECURITY,
        file=OF_AUTHZ,
        old="        wider=outer is not None and not within(account.catalog, asked, outer),\n",
        new="        wider=False,\n",
        tests=TESTS,
    ),
    Mutant(
        id="token-revoked-before-each-replica-knows",
        kind=Kind.CONSISTENCY,
        file=OF_IDENTITY,
        old="journal.write(found.user_id, change, caller=actor, effective_everywhere=True)\n",
        new="journal.write(found.user_id, change, caller=actor, effective_everywhere=False)\n",
        tests=TESTS,
    ),
    Mutant(
        id="token-is-remembered-after-its-end",
        kind=Kind.SECURITY,
        file=HELD,
        old="            self._tokens.pop(key, None)\n            return\n",
        new="            return\n",
        tests=HELD_TESTS,
    ),
    Mutant(
        id="token-never-expires",
        kind=Kind.SECURITY,
        file=HELD,
        old="        if token.expires_at <= milliseconds(now):\n",
        new="        if token.expires_at < 0:\n",
        tests=HELD_TESTS,
    ),
    Mutant(
        id="token-is-known-by-half-of-its-hash",
        kind=Kind.SECURITY,
        file=HELD,
        old="_token(packed).rest, bytes.fromhex(digest[32:])\n",
        new="_token(packed).rest, _token(packed).rest\n",
        tests=HELD_TESTS,
    ),
)
