"""Mutants of introspection, revocation, the keys of access tokens, and token exchange."""

from tests.mutants.mutant import Kind, Mutant

INTROSPECTION = ("tests/services/identity/test_introspection.py",)
REVOCATION = ("tests/services/identity/test_revocation.py",)
ROTATION = ("tests/services/identity/test_key_rotation.py",)
KEY_RULES = ("tests/services/identity/domain/test_signing_keys.py",)

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
    Mutant(
        id="a-key-signs-before-verifiers-know-it",
        kind=Kind.AVAILABILITY,
        file="services/identity/domain/signing_keys.py",
        old="    if left > timedelta(0):\n",
        new="    if left > lead:\n",
        tests=(*KEY_RULES, "-k", "time_to_fetch"),
    ),
    Mutant(
        id="the-next-key-is-not-published",
        kind=Kind.AVAILABILITY,
        file="services/identity/domain/signing_keys.py",
        old="            case KeyState.REVOKED:\n                return False\n",
        new="            case KeyState.REVOKED | KeyState.NEXT:\n                return False\n",
        tests=(*ROTATION, "-k", "under_load"),
    ),
    Mutant(
        id="a-retired-key-is-not-published",
        kind=Kind.AVAILABILITY,
        file="services/identity/domain/signing_keys.py",
        old="                return now < self.since + RETIRED_PUBLISHED\n",
        new="                return now < self.since\n",
        tests=(*KEY_RULES, "-k", "is_published"),
    ),
    Mutant(
        id="a-revoked-key-is-published",
        kind=Kind.SECURITY,
        file="services/identity/domain/signing_keys.py",
        old="            case KeyState.REVOKED:\n                return False\n",
        new="            case KeyState.REVOKED:\n                return True\n",
        tests=(*ROTATION, "-k", "revoked_key_is_refused"),
    ),
    Mutant(
        id="keys-of-the-database-are-published-unopened",
        kind=Kind.SECURITY,
        file="services/identity/adapters/keyring.py",
        old="                    strange.append(key.id)\n",
        new="                    opened[key] = generate_key()\n",
        tests=(*ROTATION, "-k", "others_wrote"),
    ),
    Mutant(
        id="replicas-do-not-follow-the-keys",
        kind=Kind.CONSISTENCY,
        file="services/identity/use_cases/signing_keys.py",
        old="            await rotate_if_due(ctx, await follow_keys(ctx))\n",
        new="            await rotate_if_due(ctx, await ctx.store.signing_keys())\n",
        tests=(*ROTATION, "-k", "replicas_follow"),
    ),
    Mutant(
        id="an-unknown-key-is-refused-while-identity-is-away",
        kind=Kind.AVAILABILITY,
        file="shared/auth/key_sources.py",
        old="or (self._failed and kid not in self._keys)",
        new="",
        tests=("tests/shared/auth/test_key_sources.py", "-k", "whether_a_key"),
    ),
    Mutant(
        id="the-snapshot-leaves-revoked-keys-out",
        kind=Kind.CONSISTENCY,
        file="services/identity/store/snapshot.py",
        old="                if key.state is KeyState.REVOKED\n",
        new="                if key.state is None\n",
        tests=(*ROTATION, "-k", "revoked_key_is_refused"),
    ),
)
