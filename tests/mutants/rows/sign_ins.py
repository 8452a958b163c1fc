"""Mutants of sign-ins: an ended session and a missing service client open nothing."""

from tests.mutants.mutant import Kind, Mutant

TEAM_TESTS = ("tests/services/team/test_ended_sessions.py",)
SESSION_TESTS = ("tests/services/identity/test_sessions.py",)

ROWS = (
    Mutant(
        id="team-does-not-look-again-before-a-commit",
        kind=Kind.SECURITY,
        file="services/team/use_cases/context.py",
        old="before_commit=lambda: self.callers.check_actor(request.caller.actor, factor_of)",
        new="before_commit=None",
        tests=(*TEAM_TESTS, "-k", "during_a_request"),
    ),
    Mutant(
        id="team-admits-every-token",
        kind=Kind.SECURITY,
        file="services/team/app.py",
        old="parts.authenticator(live=live.check, ",
        new="parts.authenticator(",
        tests=TEAM_TESTS,
    ),
    Mutant(
        id="live-callers-without-a-lease",
        kind=Kind.CONSISTENCY,
        file="shared/following/live_callers.py",
        old="            raise Stale\n        return live\n",
        new="            pass\n        return live\n",
        tests=(*TEAM_TESTS, "-k", "lease"),
    ),
    Mutant(
        id="audit-does-not-ask-for-live-callers",
        kind=Kind.SECURITY,
        file="services/audit/app.py",
        old="parts.authenticator(live=checker.check_live, ",
        new="parts.authenticator(",
        tests=("tests/services/audit/test_search.py", "-k", "before_its_path"),
    ),
    Mutant(
        id="identity-admits-every-token",
        kind=Kind.SECURITY,
        file="services/identity/app.py",
        old="keys=keyring.public, live=live, api_tokens",
        new="keys=keyring.public, api_tokens",
        tests=("tests/services/identity/test_users.py", "-k", "before_its_input"),
    ),
    Mutant(
        id="a-rename-does-not-read-its-session-again",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/users.py",
        old="        if session is None or not session.active(write.now):\n"
        "            raise TokenRevoked\n",
        new="",
        tests=("tests/services/identity/test_users.py", "-k", "during_a_change"),
    ),
    Mutant(
        id="a-stolen-token-is-refused-before-its-end-is-in-force",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/ending_sessions.py",
        old="    if not written.effective:\n        raise Unavailable\n",
        new="",
        tests=(*SESSION_TESTS, "-k", "ended_everywhere"),
    ),
    Mutant(
        id="an-ended-session-is-refused-before-its-end-is-in-force",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/sessions.py",
        old="            await end_reused(ctx, caller, session.id, user)\n"
        "            raise RefreshTokenInvalid\n",
        new="            raise RefreshTokenInvalid\n",
        tests=(*SESSION_TESTS, "-k", "ended_everywhere"),
    ),
    Mutant(
        id="deleted-client-is-live",
        kind=Kind.SECURITY,
        file="shared/following/live_callers.py",
        old="client_id is None or self._sign_ins.client(client_id) is not None",
        new="client_id is None or True",
        tests=("tests/shared/following/test_live_callers.py",),
    ),
    Mutant(
        id="a-caller-that-is-gone-is-told-what-the-route-needs",
        kind=Kind.SECURITY,
        file="shared/http/admission.py",
        old="        await authenticator.require_live(principal)\n"
        "    if refusal is not None:\n"
        "        raise refusal\n",
        new="        if refusal is not None:\n"
        "            raise refusal\n"
        "        await authenticator.require_live(principal)\n",
        tests=("tests/shared/http/test_answers.py", "-k", "is_gone"),
    ),
    Mutant(
        id="keys-wait-for-a-request",
        kind=Kind.AVAILABILITY,
        file="shared/auth/key_sources.py",
        old="            if self._age() > REFRESH_AFTER_SECONDS:\n                await",
        new="            if not self.known():\n                await",
        tests=("tests/shared/auth/test_key_sources.py",),
    ),
    Mutant(
        id="attempt-that-lost-a-race-counts-against-the-wide-limit",
        kind=Kind.LIMIT,
        file="services/identity/store/rate_limits.py",
        old="            for counted in passed:\n"
        "                await self.uncount(counted.limit, counted.window)\n",
        new="",
        tests=("tests/services/identity/test_rate_limits.py", "-k", "race"),
    ),
)
