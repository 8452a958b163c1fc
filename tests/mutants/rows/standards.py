"""Mutants of introspection, revocation, the keys of access tokens, and token exchange."""

from tests.mutants.mutant import Kind, Mutant

INTROSPECTION = ("tests/services/identity/test_introspection.py",)
REVOCATION = ("tests/services/identity/test_revocation.py",)

ROWS = (
    Mutant(
        id="introspection-does-not-ask-authz",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/introspection.py",
        old="if isinstance(principal, Member) and account_id is not None:",
        new="if isinstance(principal, str) and account_id is not None:",
        tests=(*INTROSPECTION, "-k", "removed_member"),
    ),
    Mutant(
        id="introspection-does-not-look-at-the-session",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/introspection.py",
        old="        await check_live(ctx, principal)\n",
        new="",
        tests=(*INTROSPECTION, "-k", "ended_session"),
    ),
    Mutant(
        id="a-bound-client-learns-of-unbound-tokens",
        kind=Kind.SECURITY,
        file="services/identity/domain/introspection.py",
        old="    return accounts is not None and set(accounts)",
        new="    return accounts is None or set(accounts)",
        tests=(*INTROSPECTION, "-k", "bound_client"),
    ),
    Mutant(
        id="every-client-may-introspect",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/introspection.py",
        old="    require_asker(client)\n",
        new="",
        tests=(*INTROSPECTION, "-k", "without_the_scope"),
    ),
    Mutant(
        id="identity-takes-revoked-tokens-of-clients",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/live_callers.py",
        old="access_token is None or not await",
        new="True or not await",
        tests=(*REVOCATION, "-k", "ends_alone"),
    ),
    Mutant(
        id="replicas-take-refused-access-tokens",
        kind=Kind.SECURITY,
        file="shared/following/live_callers.py",
        old="            and (access_token is None or not",
        new="            and (True or not",
        tests=("tests/shared/following/test_live_callers.py", "-k", "revoked_key"),
    ),
    Mutant(
        id="the-snapshot-leaves-revoked-tokens-out",
        kind=Kind.CONSISTENCY,
        file="services/identity/store/snapshot.py",
        old="            *map(revocation.policy_object, revoked),\n",
        new="",
        tests=(*REVOCATION, "-k", "ends_alone"),
    ),
)
