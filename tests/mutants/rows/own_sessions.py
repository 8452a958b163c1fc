"""Mutants of the user's own sessions and of the devices that sign in."""

from tests.mutants.mutant import Kind, Mutant

USE_CASE = "services/identity/use_cases/own_sessions.py"
DOMAIN = "services/identity/domain/sessions.py"
DEVICES = "services/identity/domain/devices.py"
TESTS = ("tests/services/identity/test_own_sessions.py",)
SESSION_TABLES = ("tests/services/identity/domain/test_sessions.py",)
DEVICE_TABLES = ("tests/services/identity/domain/test_devices.py",)

ROWS = (
    Mutant(
        id="ending-all-sessions-keeps-some",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="        if written.result:\n",
        new="        if written.revision is None or not written.result:\n",
        tests=(*TESTS, "-k", "all_other"),
    ),
    Mutant(
        id="ending-all-sessions-keeps-the-current-one",
        kind=Kind.SECURITY,
        file=USE_CASE,
        old="        if done and current:\n",
        new="        if done and not current:\n",
        tests=(*TESTS, "-k", "all_other"),
    ),
    Mutant(
        id="expired-sessions-are-listed",
        kind=Kind.LIMIT,
        file="services/identity/store/sessions.py",
        old=', "expires_at": {"$gt": now}}\n        if before',
        new="}\n        if before",
        tests=(*TESTS, "-k", "expired"),
    ),
    Mutant(
        id="a-refresh-extends-a-session-without-end",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="return min(now + self.idle, started_at + self.longest)",
        new="return now + self.idle",
        tests=SESSION_TABLES,
    ),
    Mutant(
        id="the-longest-life-is-not-asked-at-a-refresh",
        kind=Kind.SECURITY,
        file=DOMAIN,
        old="    if expires_at <= now:\n",
        new="    if False:\n",
        tests=SESSION_TABLES,
    ),
    Mutant(
        id="every-sign-in-is-of-a-known-device",
        kind=Kind.SECURITY,
        file=DEVICES,
        old="    return replace(user, known_devices=kept), bool(known)\n",
        new="    return replace(user, known_devices=kept), False\n",
        tests=DEVICE_TABLES,
    ),
    Mutant(
        id="a-device-in-another-network-is-known",
        kind=Kind.SECURITY,
        file=DEVICES,
        old='f"{self.device}\\0{self.network}"',
        new='f"{self.device}"',
        tests=DEVICE_TABLES,
    ),
    Mutant(
        id="known-devices-grow-without-end",
        kind=Kind.LIMIT,
        file=DEVICES,
        old="[-MAX_KNOWN_DEVICES:]",
        new="",
        tests=DEVICE_TABLES,
    ),
    Mutant(
        id="text-of-a-proxy-is-shown-as-a-network",
        kind=Kind.SECURITY,
        file=DEVICES,
        old="if ip is None or read_address(ip) is None:",
        new="if ip is None:",
        tests=DEVICE_TABLES,
    ),
    Mutant(
        id="mails-about-new-devices-are-not-bounded",
        kind=Kind.LIMIT,
        file="services/identity/use_cases/devices.py",
        old="    if first_reached(limits, windows, now=write.now) is not None:\n",
        new="    if False:\n",
        tests=(*TESTS, "-k", "bounded"),
    ),
    Mutant(
        id="token-is-revoked-in-a-session-that-has-ended",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/own_tokens.py",
        old="        await require_session(ctx, write, principal)\n",
        new="",
        tests=("tests/services/identity/test_session_writes.py", "-k", "ends_before"),
    ),
    Mutant(
        id="own-session-ends-before-very-many-others",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/own_sessions.py",
        old="        if done and current:\n",
        new="        if current:\n",
        tests=("tests/services/identity/test_session_writes.py", "-k", "very_many"),
    ),
    Mutant(
        id="one-of-very-many-sessions-is-left",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/ending_sessions.py",
        old="limit=SESSIONS_PER_WRITE + 2",
        new="limit=SESSIONS_PER_WRITE + 1",
        tests=("tests/services/identity/test_session_writes.py", "-k", "very_many"),
    ),
    Mutant(
        id="sessions-beyond-a-hundred-are-left",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/ending_sessions.py",
        old="return len(others) <= SESSIONS_PER_WRITE",
        new="return bool(found)",
        tests=("tests/services/identity/test_session_writes.py", "-k", "very_many"),
    ),
    Mutant(
        id="session-that-expired-before-a-write-acts",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/sessions.py",
        old=(
            "    session = await ctx.store.session(principal.user_id, "
            "principal.session_id, write.session)\n"
            "    if session is None or not session.active(write.now):\n"
        ),
        new=(
            "    session = await ctx.store.session(principal.user_id, "
            "principal.session_id, write.session)\n"
            "    if session is None or session.ended_at is not None:\n"
        ),
        tests=("tests/services/identity/test_session_writes.py", "-k", "ends_before"),
    ),
)
