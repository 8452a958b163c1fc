"""Mutants of identity: sessions, users, their expiry dates, rate limits and the snapshot."""

from tests.mutants.mutant import Kind, Mutant

STORE_SESSIONS = "services/identity/store/sessions.py"
SNAPSHOT = "services/identity/use_cases/snapshot.py"
STORED_TESTS = ("tests/services/test_stored.py",)
SNAPSHOT_TESTS = ("tests/services/identity/test_internal.py",)

ROWS = (
    Mutant(
        id="identity-any-old-token-repeated-for-a-day",
        kind=Kind.SECURITY,
        file="services/identity/domain/sessions.py",
        old="if generation == session.generation - 1 and may_repeat:",
        new="if may_repeat:",
        tests=("tests/services/identity/domain/test_sessions.py",),
    ),
    Mutant(
        id="identity-lost-answer-repeated-without-end",
        kind=Kind.SECURITY,
        file="services/identity/domain/sessions.py",
        old="if generation == session.generation - 1 and may_repeat:",
        new="if generation == session.generation - 1:",
        tests=("tests/services/identity/domain/test_sessions.py",),
    ),
    Mutant(
        id="identity-verified-user-lapses",
        kind=Kind.DATA,
        file="services/identity/store/users.py",
        old="        lapses_at=None,\n",
        new="        lapses_at=user.created_at,\n",
        tests=STORED_TESTS,
    ),
    Mutant(
        id="identity-live-session-deleted-at-its-start",
        kind=Kind.DATA,
        file=STORE_SESSIONS,
        old='"delete_at": row.expires_at}',
        new='"delete_at": row.started_at}',
        tests=STORED_TESTS,
    ),
    Mutant(
        id="identity-refreshed-session-keeps-its-first-date",
        kind=Kind.DATA,
        file=STORE_SESSIONS,
        old="changes(after, **_ending(after))",
        new="changes(after, **_ending(after) | {'delete_at': before.expires_at})",
        tests=(*STORED_TESTS, "-k", "refreshed"),
    ),
    Mutant(
        id="identity-counter-forgotten-at-once",
        kind=Kind.LIMIT,
        file="services/identity/store/rate_limits.py",
        old='            "ends_at": after.ends_at,\n            "about"',
        new='            "ends_at": now,\n            "about"',
        tests=(*STORED_TESTS, "-k", "attempt_counted"),
    ),
    Mutant(
        id="identity-mail-counter-forgotten-at-once",
        kind=Kind.LIMIT,
        file="services/identity/store/rate_limits.py",
        old='change = {"count": after.count, "ends_at": after.ends_at}',
        new='change = {"count": after.count, "ends_at": now}',
        tests=(*STORED_TESTS, "-k", "mails_counted"),
    ),
    Mutant(
        id="identity-superseded-link-answers-after-verification",
        kind=Kind.SECURITY,
        file="services/identity/domain/verification.py",
        old="    if pending is None or pending.generation != generation:\n",
        new="    superseded = pending is not None and pending.generation != generation\n"
        "    if pending is None or (superseded and pending.used_at is None):\n",
        tests=("tests/services/identity/domain/test_verification.py",),
    ),
    Mutant(
        id="identity-two-reuses-end-a-session-twice",
        kind=Kind.CONSISTENCY,
        file="services/identity/use_cases/ending_sessions.py",
        old="        if session is None or session.ended_at is not None:\n"
        "            return  # the write",
        new="        if session is None:\n            return  # the write",
        tests=("tests/services/identity/test_sessions.py", "-k", "same_moment"),
    ),
    Mutant(
        id="identity-passwords-compose-without-compatibility",
        kind=Kind.AVAILABILITY,
        file="services/identity/adapters/argon2.py",
        old='unicodedata.normalize("NFKC", password)',
        new='unicodedata.normalize("NFC", password)',
        tests=("tests/services/identity/adapters/test_argon2.py",),
    ),
    Mutant(
        id="identity-ended-session-deleted-at-once",
        kind=Kind.SECURITY,
        file=STORE_SESSIONS,
        old="delete_at = row.ended_at + ENDED_SESSION_RETENTION",
        new="delete_at = row.ended_at",
        tests=STORED_TESTS,
    ),
    Mutant(
        id="identity-refresh-revives-an-ended-session",
        kind=Kind.SECURITY,
        file=STORE_SESSIONS,
        old='            "ended": before.ended_at is not None,\n        }\n',
        new="        }\n",
        tests=("tests/services/identity/test_sessions.py",),
    ),
    Mutant(
        id="identity-snapshot-forgets-too-early",
        kind=Kind.SECURITY,
        file="shared/auth/lifetimes.py",
        old="timedelta(seconds=2 * ACCESS_SECONDS)",
        new="timedelta(seconds=ACCESS_SECONDS / 2)",
        tests=SNAPSHOT_TESTS,
    ),
    Mutant(
        id="identity-attempts-counted-while-busy",
        kind=Kind.AVAILABILITY,
        file="services/identity/use_cases/rate_limits.py",
        old="        keep = isinstance(ended, counted)\n",
        new="        keep = True\n",
        tests=("tests/services/identity/test_rate_limits.py",),
    ),
    Mutant(
        id="identity-client-of-no-account-gets-all",
        kind=Kind.SECURITY,
        file="services/identity/domain/service_clients.py",
        old="account_ids=None if account_ids is None else frozenset(",
        new="account_ids=None if not account_ids else frozenset(",
        tests=("tests/services/identity/domain/test_oidc.py",),
    ),
    Mutant(
        id="identity-sign-up-shows-who-has-a-user",
        kind=Kind.SECURITY,
        file="services/identity/use_cases/mail_budgets.py",
        old="                await ctx.pad_response_time(began)\n",
        new="",
        tests=("tests/services/identity/test_sign_in.py",),
    ),
    Mutant(
        id="identity-a-wrong-sealing-key-is-tried-again",
        kind=Kind.AVAILABILITY,
        file="services/identity/app.py",
        old="        except UnsealError as fault:\n            raise StartRefused(\n",
        new="        except UnsealError as fault:\n            raise RuntimeError(\n",
        tests=("tests/services/identity/test_signing_keys.py", "-k", "sealing_key"),
    ),
)
