"""Mutants of streams and saved searches: places, order, secrets, addresses, and rights."""

from tests.mutants.mutant import Kind, Mutant

SENDER = "services/audit/use_cases/stream_sender.py"
BATCHES = "services/audit/use_cases/stream_batches.py"
USE_CASES = "services/audit/use_cases/streams.py"
STORE = "services/audit/store/streams.py"
RULES = "services/audit/domain/streams.py"
ATTEMPTS = "services/audit/domain/stream_attempts.py"
ENDINGS = "services/audit/use_cases/account_endings.py"
ROUTES = "services/audit/routes/streams.py"
TESTS = "tests/services/audit/test_streams.py"

SEARCHES = "services/audit/use_cases/saved_searches.py"
SEARCH_TESTS = "tests/services/audit/test_saved_searches.py"

ROWS = (
    Mutant(
        id="saved-search-of-another-member-is-seen",
        kind=Kind.SECURITY,
        file="services/audit/domain/saved_searches.py",
        old="        return self.shared or self.created_by == user_id\n",
        new="        return True\n",
        tests=(SEARCH_TESTS, "-k", "that_member_alone"),
    ),
    Mutant(
        id="saved-search-of-others-is-changed-by-every-reader",
        kind=Kind.SECURITY,
        file=SEARCHES,
        old="    if found.created_by != user_id:\n",
        new="    if False:\n",
        tests=(SEARCH_TESTS, "-k", "that_member_alone"),
    ),
    Mutant(
        id="saved-search-outlives-the-membership",
        kind=Kind.SECURITY,
        file="services/audit/subscriptions.py",
        old="    MemberLeft.type: end_membership,\n",
        new="",
        tests=(SEARCH_TESTS, "-k", "membership"),
    ),
    Mutant(
        id="stream-place-is-saved-before-the-answer",
        kind=Kind.DATA,
        file=SENDER,
        old="    attempt = await _post(ctx, stream, batch.body)\n    STREAM",
        new="    taken = stream_attempts.taken(stream, batch.place, now=now)\n"
        "    await ctx.store.note_sent(stream, taken)\n"
        "    attempt = await _post(ctx, stream, batch.body)\n    STREAM",
        tests=(TESTS, "-k", "restarts or lost"),
    ),
    Mutant(
        id="stream-goes-on-after-a-refusal",
        kind=Kind.DATA,
        file=SENDER,
        old="    if attempt.succeeded:\n",
        new="    if attempt.status is not None:\n",
        tests=(TESTS, "-k", "restarts"),
    ),
    Mutant(
        id="stream-place-is-set-back-by-a-replaced-sender",
        kind=Kind.DATA,
        file=STORE,
        old='            "size": before.size,\n            "last": before.last,\n',
        new="",
        tests=(TESTS, "-k", "sets_no_place_back"),
    ),
    Mutant(
        id="stream-result-undoes-a-change",
        kind=Kind.DATA,
        file=STORE,
        old='            "changes": before.changes,\n            "size"',
        new='            "size"',
        tests=(TESTS, "-k", "not_undone"),
    ),
    Mutant(
        id="stream-in-another-order",
        kind=Kind.DATA,
        file=BATCHES,
        old="    for index in indexes:\n",
        new="    for index in reversed(indexes):\n",
        tests=(TESTS, "-k", "in_order"),
    ),
    Mutant(
        id="stream-of-another-log",
        kind=Kind.DATA,
        file=BATCHES,
        old=" or (before and stream.last and before != stream.last)",
        new="",
        tests=(TESTS, "-k", "does_not_have"),
    ),
    Mutant(
        id="stream-secret-is-stored-as-it-is",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="sealed_secret=ctx.streams.secrets.seal(secret, about=stream_id)",
        new="sealed_secret=secret.encode()",
        tests=(TESTS, "-k", "stored_sealed"),
    ),
    Mutant(
        id="stream-secret-goes-to-a-new-address",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="    if moved and wanted.secret is None:\n",
        new="    if False:\n",
        tests=(TESTS, "-k", "chosen_without_it"),
    ),
    Mutant(
        id="stream-address-inside-is-taken",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="            check_receiver_url(wanted.url, networks=ctx.streams.networks)\n",
        new="            pass\n",
        tests=(TESTS, "-k", "address_inside"),
    ),
    Mutant(
        id="stream-address-in-the-audit-log",
        kind=Kind.SECURITY,
        file=RULES,
        old='            "host": self.host,\n            "header"',
        new='            "host": self.url,\n            "header"',
        tests=(TESTS, "-k", "stored_sealed"),
    ),
    Mutant(
        id="stream-of-a-reverted-team-goes-on",
        kind=Kind.SECURITY,
        file="services/audit/subscriptions.py",
        old="    AccountReverted.type: pause_streams,\n",
        new="",
        tests=(TESTS, "-k", "reverts"),
    ),
    Mutant(
        id="stream-is-paused-by-a-fact-that-comes-again",
        kind=Kind.DATA,
        file=ENDINGS,
        old="        await ctx.ingest.save_within(row, applied_mark, write.session)\n",
        new="",
        tests=(TESTS, "-k", "reverts"),
    ),
    Mutant(
        id="stream-made-without-the-right-to-read",
        kind=Kind.SECURITY,
        file=ROUTES,
        old='    """Create a stream."""\n    await _require_reader(ctx, call)\n',
        new='    """Create a stream."""\n',
        tests=(TESTS, "-k", "only_a_reader"),
    ),
    Mutant(
        id="stream-changed-without-the-right-to-read",
        kind=Kind.SECURITY,
        file=ROUTES,
        old='    """Change a stream."""\n    await _require_reader(ctx, call)\n',
        new='    """Change a stream."""\n',
        tests=(TESTS, "-k", "only_a_reader"),
    ),
    Mutant(
        id="stream-header-of-the-sender-is-replaced",
        kind=Kind.SECURITY,
        file=USE_CASES,
        old="            check_header(wanted.header)\n",
        new="            pass\n",
        tests=(TESTS, "-k", "made_once"),
    ),
    Mutant(
        id="stream-fails-for-ever",
        kind=Kind.AVAILABILITY,
        file=ATTEMPTS,
        old="        return PausedBecause.FAILING\n",
        new="        return None\n",
        tests=(TESTS, "-k", "fails_for_days"),
    ),
    Mutant(
        id="stream-is-tried-again-without-a-pause",
        kind=Kind.AVAILABILITY,
        file=ATTEMPTS,
        old="        due_at=now + max(pause, asked_pause(attempt)),\n",
        new="        due_at=now,\n",
        tests=(TESTS, "-k", "restarts or fails_for_days"),
    ),
    Mutant(
        id="stream-shows-the-secret-that-its-receiver-repeats",
        kind=Kind.SECURITY,
        file="services/audit/domain/stream_attempts.py",
        old="    length = min(len(secret), SECRET_PART)\n",
        new="    length = len(secret)\n",
        tests=("tests/services/audit/test_streams.py", "-k", "repeats_the_secret"),
    ),
    Mutant(
        id="stream-of-a-slow-receiver-keeps-its-place",
        kind=Kind.AVAILABILITY,
        file="services/audit/use_cases/stream_sender.py",
        old="                if seconds > SLOW_SECONDS:\n",
        new="                if seconds < 0:\n",
        tests=("tests/services/audit/test_streams.py", "-k", "no_further_batch"),
    ),
    Mutant(
        id="mail-about-a-paused-stream-has-no-pace",
        kind=Kind.AVAILABILITY,
        file="services/notification/domain/pace.py",
        old="    MessageKind.LOG_STREAM_PAUSED: Topic.RECEIVERS,\n",
        new="",
        tests=("tests/services/notification/domain/test_pace.py",),
    ),
)
