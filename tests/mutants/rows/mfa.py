"""Mutants of second factors and of the fresh proof."""

from tests.mutants.mutant import Kind, Mutant

DOMAIN = "services/identity/domain/mfa.py"
PROOFS = "services/identity/use_cases/second_factors.py"
USE_CASES = "services/identity/use_cases/mfa.py"
TESTS = ("tests/services/identity/test_mfa.py",)

ROWS = (
    Mutant(
        id="code-of-an-app-counts-again",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="totp.sealed != sealed or step <= totp.last_step:",
        new="totp.sealed != sealed or step < totp.last_step:",
        tests=(*TESTS, "-k", "same_moment"),
    ),
    Mutant(
        id="version-of-the-factors-is-not-compared",
        kind=Kind.SECURITY,
        file="services/identity/store/factors.py",
        old=', "version": before.version}',
        new="}",
        tests=(*TESTS, "-k", "expects_the_version"),
    ),
    Mutant(
        id="enrolment-does-not-count-its-code",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="added_at=now, last_step=proof.step)",
        new="added_at=now, last_step=0)",
        tests=(*TESTS, "-k", "enrolment_counts"),
    ),
    Mutant(
        id="work-of-a-wrong-code-names-the-others",
        kind=Kind.SECURITY,
        file=PROOFS,
        old="compared = code or next(iter(factors.codes), None)",
        new="compared = code",
        tests=(*TESTS, "-k", "names_none"),
    ),
    Mutant(
        id="code-fits-under-another-name",
        kind=Kind.SECURITY,
        file=PROOFS,
        old="return RecoveryProof(code) if fits and code is not None else None",
        new="return RecoveryProof(compared) if fits and compared is not None else None",
        tests=(*TESTS, "-k", "names_none"),
    ),
    Mutant(
        id="recovery-code-stays",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="codes=tuple(code for code in factors.codes if code != used)",
        new="codes=factors.codes",
        tests=(*TESTS, "-k", "recovery_code_counts"),
    ),
    Mutant(
        id="factor-that-came-meanwhile-is-not-asked-for",
        kind=Kind.SECURITY,
        file=PROOFS,
        old="        if factors.exist:\n            raise OtpRequired\n        return\n",
        new="        return\n",
        tests=(*TESTS, "-k", "meanwhile"),
    ),
    Mutant(
        id="wrong-codes-have-no-limit-of-their-own",
        kind=Kind.LIMIT,
        file=PROOFS,
        old="    async with rate_limited(ctx, *limits_of(user), counted=(WrongOtp,)):\n"
        "        proof = await",
        new="    async with rate_limited(ctx, counted=(WrongOtp,)):\n        proof = await",
        tests=(*TESTS, "-k", "limited_from_everywhere"),
    ),
    Mutant(
        id="wrong-code-is-no-failed-sign-in",
        kind=Kind.LIMIT,
        file="services/identity/use_cases/sign_in.py",
        old="counted=(WrongCredentials, WrongOtp)",
        new="counted=(WrongCredentials,)",
        tests=(*TESTS, "-k", "counts_as_a_failed_sign_in"),
    ),
    Mutant(
        id="first-factor-leaves-other-sessions",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="            first = not acting.factors.exist\n",
        new="            first = False\n",
        tests=(*TESTS, "-k", "ends_the_other_sessions"),
    ),
    Mutant(
        id="proof-of-the-session-is-not-read",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="    if proved:\n",
        new="    if not user:\n",
        tests=(*TESTS, "-k", "no_token_is_fresher"),
    ),
    Mutant(
        id="route-takes-an-old-proof",
        kind=Kind.SECURITY,
        file="shared/http/admission.py",
        old="        authenticator.require_fresh(principal)\n",
        new="        pass\n",
        tests=("tests/services/team/test_fresh_proofs.py",),
    ),
    Mutant(
        id="connection-is-made-with-an-old-proof",
        kind=Kind.SECURITY,
        file="services/identity/routes/account_connections.py",
        old="_CHANGE = Permission(MANAGE, in_session=True, fresh_proof=True)\n",
        new="_CHANGE = Permission(MANAGE, in_session=True)\n",
        tests=("tests/services/identity/test_fresh_proofs.py",),
    ),
    Mutant(
        id="proof-of-the-future-counts",
        kind=Kind.SECURITY,
        file="shared/auth/step_up.py",
        old="proved_at - MAX_CLOCK_SKEW <= now < proved_at",
        new="now < proved_at",
        tests=("tests/shared/auth/test_step_up.py",),
    ),
    Mutant(
        id="refresh-makes-a-proof-fresh",
        kind=Kind.SECURITY,
        file="services/identity/domain/sessions.py",
        old="        rotated_at=now,\n",
        new="        rotated_at=now,\n        proved_at=now,\n",
        tests=(*TESTS, "-k", "needs_a_fresh_proof"),
    ),
    Mutant(
        id="issuer-stands-for-a-second-factor",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/sso_sign_in.py",
        old="    proof = None if new else await find_proof(ctx, user, otp)\n",
        new="    proof = None\n",
        tests=("tests/services/identity/test_sso_sign_in.py", "-k", "no_second_factor"),
    ),
    Mutant(
        id="sealed-secret-opens-for-every-user",
        kind=Kind.SECURITY,
        file="services/identity/adapters/sealing.py",
        old="secret, bound_to.encode())",
        new='secret, b"")',
        tests=("tests/services/identity/adapters/test_sealing.py",),
    ),
    Mutant(
        id="recovery-codes-outlive-the-last-passkey",
        kind=Kind.SECURITY,
        file="services/identity/domain/mfa.py",
        old=(
            "passkey_rules.without(factors.passkeys, passkey_id))\n"
            "    return left if left.exist else replace(left, codes=())"
        ),
        new="passkey_rules.without(factors.passkeys, passkey_id))\n    return left",
        tests=("tests/services/identity/domain/test_second_factors.py",),
    ),
    Mutant(
        id="app-that-waits-outlives-the-removal",
        kind=Kind.SECURITY,
        file="services/identity/domain/mfa.py",
        old="left = replace(factors, totp=None, pending=None)",
        new="left = replace(factors, totp=None)",
        tests=("tests/services/identity/domain/test_second_factors.py",),
    ),
    Mutant(
        id="app-that-waits-outlives-a-reset-by-an-operator",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/mfa.py",
        old="if factors.exist or factors.pending is not None:",
        new="if factors.exist:",
        tests=("tests/services/identity/test_mfa.py", "-k", "operator_removes"),
    ),
)
