"""Mutants of API tokens."""

from tests.mutants.mutant import Kind, Mutant

DECIDE = "sdk/rolecall/core/decide.py"
HELD = "shared/following/api_tokens.py"
OF_TEAM = "services/team/domain/account_access.py"
OF_IDENTITY = "services/identity/use_cases/api_tokens.py"
OF_AUTHZ = "services/authz/domain/new_tokens.py"
CORE_TESTS = ("tests/sdk/test_restrictions.py",)
HELD_TESTS = ("tests/shared/following/test_api_tokens.py",)
EXPLAIN_TESTS = ("tests/sdk/test_explain_tokens.py",)
AUTHZ_TESTS = ("tests/services/authz/test_tokens.py",)
TESTS = ("tests/e2e/test_api_tokens.py",)

EXPIRY = "services/identity/use_cases/token_expiry.py"
EXPIRY_RULES = "services/identity/domain/token_expiry.py"
MEMBERSHIPS = "services/identity/use_cases/token_memberships.py"
EXPIRY_TESTS = ("tests/services/identity/test_token_expiry.py",)

ROWS = (
    Mutant(
        id="the-end-of-a-token-is-told-again",
        kind=Kind.DATA,
        file=EXPIRY,
        old="        if token is None or not is_due(token, write.now):\n",
        new="        if token is None:\n",
        tests=EXPIRY_TESTS,
    ),
    Mutant(
        id="the-end-of-a-token-is-told-to-former-members",
        kind=Kind.SECURITY,
        file=MEMBERSHIPS,
        old="found.membership_id in {None, token.membership_id}",
        new="found.membership_id",
        tests=EXPIRY_TESTS,
    ),
    Mutant(
        id="a-membership-of-a-suspended-account-is-said-to-give-access",
        kind=Kind.DATA,
        file="services/team/routes/internal.py",
        old="account.status is AccountStatus.ACTIVE and membership.in_force(now)",
        new="membership.in_force(now)",
        tests=("tests/services/team/test_internal.py",),
    ),
    Mutant(
        id="the-end-of-a-token-is-told-without-access",
        kind=Kind.DATA,
        file=MEMBERSHIPS,
        old="if found is None or not found.gives_access:",
        new="if found is None:",
        tests=EXPIRY_TESTS,
    ),
    Mutant(
        id="the-end-of-a-token-is-told-to-disabled-users",
        kind=Kind.SECURITY,
        file=EXPIRY_RULES,
        old=" and creator.disabled_at is None",
        new="",
        tests=EXPIRY_TESTS,
    ),
    Mutant(
        id="the-end-of-a-revoked-token-is-told",
        kind=Kind.DATA,
        file="services/identity/domain/api_tokens.py",
        old="revoked_at=now, notice_at=None, rev=rev",
        new="notice_at=now, rev=rev",
        tests=EXPIRY_TESTS,
    ),
    Mutant(
        id="tokens-that-are-over-count-as-live",
        kind=Kind.LIMIT,
        file="services/identity/store/api_tokens.py",
        old='            "expires_at": {"$gt": now},\n',
        new="",
        tests=("tests/services/identity/test_api_tokens.py",),
    ),
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
        old="    earlier = member.membership_id != token.membership_id\n",
        new="    earlier = not token.membership_id\n",
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
    Mutant(
        id="token-decides-under-a-catalog-without-tokens",
        kind=Kind.SECURITY,
        file=DECIDE,
        old="if earlier or not has_api_tokens(account.catalog):\n",
        new="if earlier:\n",
        tests=EXPLAIN_TESTS,
    ),
    Mutant(
        id="token-acts-in-team-under-a-catalog-without-tokens",
        kind=Kind.SECURITY,
        file=OF_TEAM,
        old="        if not has_api_tokens(rows.catalog):\n",
        new="        if not rows.catalog:\n",
        tests=("tests/services/team/domain/test_token_access.py",),
    ),
    Mutant(
        id="member-learns-of-a-restriction-what-they-do-not-hold",
        kind=Kind.SECURITY,
        file=OF_TEAM,
        old="            require(unrestricted, subject, needed, now=now, project_id=project_id)\n"
        "            raise TokenRestricted",
        new="            raise TokenRestricted",
        tests=("tests/services/team/domain/test_token_access.py",),
    ),
    Mutant(
        id="denial-does-not-name-the-token",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/decisions.py",
        old="        reason,\n        check.token_id,\n",
        new="        reason,\n",
        tests=AUTHZ_TESTS,
    ),
    Mutant(
        id="token-routes-under-a-catalog-without-tokens",
        kind=Kind.SECURITY,
        file="services/authz/domain/checks.py",
        old="decision = decision if has_api_tokens(account.catalog) else _LEFT_OUT\n",
        new="decision = decision if has_api_tokens(account.catalog) else decision\n",
        tests=AUTHZ_TESTS,
    ),
    Mutant(
        id="explanation-forgets-the-token",
        kind=Kind.SECURITY,
        file="services/authz/domain/explaining.py",
        old="subject_of(check.user_id, sign_in_denial, check.token)\n",
        new="subject_of(check.user_id, sign_in_denial, None)\n",
        tests=AUTHZ_TESTS,
    ),
    Mutant(
        id="remedy-forgets-the-token",
        kind=Kind.SECURITY,
        file="sdk/rolecall/core/remedies.py",
        old="    if denial.subject.token is not None:\n",
        new="    if denial.subject.token is None:\n",
        tests=EXPLAIN_TESTS,
    ),
    Mutant(
        id="token-is-asked-about-as-a-user",
        kind=Kind.SECURITY,
        file="sdk/rolecall/client/evaluations.py",
        old='is None else "api_token"\n',
        new='is None else "user"\n',
        tests=("tests/sdk/test_client.py",),
    ),
    Mutant(
        id="restriction-of-a-token-is-told-as-a-missing-permission",
        kind=Kind.SECURITY,
        file="shared/http/checker.py",
        old="        raise TokenRestricted(permission)\n",
        new="        raise PermissionMissing(permission)\n",
        tests=("tests/shared/http/test_internal.py",),
    ),
    Mutant(
        id="cut-token-is-told-to-sign-in-again",
        kind=Kind.SECURITY,
        file="shared/auth/authenticator.py",
        old="raise ApiTokenIncomplete from",
        new="raise TokenInvalid from",
        tests=("tests/services/authz/test_forward_auth.py",),
    ),
    Mutant(
        id="a-user-revokes-the-tokens-of-others",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/own_tokens.py",
        old="if token is None or token.user_id != principal.user_id:",
        new="if token is None:",
        tests=("tests/services/identity/test_api_tokens.py", "-k", "their_creator"),
    ),
)
