"""Mutants of questions about the past, and of denied decisions on their way to audit."""

from tests.mutants.mutant import Kind, Mutant

HISTORY = "shared/journal/history.py"
TRAVEL = "services/authz/use_cases/time_travel.py"
PAST = "services/authz/adapters/past_policies.py"
DENIALS = "services/authz/domain/decision_counts.py"
HISTORY_TESTS = ("tests/shared/journal/test_history.py",)
TRAVEL_TESTS = ("tests/services/authz/test_time_travel.py",)
PAST_TESTS = ("tests/services/authz/test_past_policies.py",)
DENIAL_TESTS = ("tests/services/authz/domain/test_denials.py",)
REPORT_TESTS = ("tests/services/authz/test_denial_reports.py",)
AUDIT_TESTS = ("tests/services/audit/test_denials.py",)

ROWS = (
    Mutant(
        id="past-takes-the-newest-row",
        kind=Kind.CONSISTENCY,
        file=HISTORY,
        old='"key": key, "place": {"$lte": until}}',
        new='"key": key}',
        tests=HISTORY_TESTS,
    ),
    Mutant(
        id="past-ignores-the-order-of-rows",
        kind=Kind.CONSISTENCY,
        file=HISTORY,
        old="since = max(since, milliseconds(row.occurred_at))",
        new="since = milliseconds(row.occurred_at)",
        tests=HISTORY_TESTS,
    ),
    Mutant(
        id="past-keeps-what-was-deleted",
        kind=Kind.SECURITY,
        file=HISTORY,
        old="for each in row.policy_objects if (key := _key_of(each)) is not None]",
        new="for each in row.policy_objects if each.state and (key := _key_of(each))]",
        tests=HISTORY_TESTS,
    ),
    Mutant(
        id="past-takes-lost-rows-for-no-object",
        kind=Kind.CONSISTENCY,
        file=HISTORY,
        old="        return mark.first_seq == 1 and await",
        new="        return mark.first_seq >= 1 or await",
        tests=HISTORY_TESTS,
    ),
    Mutant(
        id="past-forgets-a-restore",
        kind=Kind.CONSISTENCY,
        file="shared/journal/restores.py",
        old="    await begin_history(database, at=at)\n",
        new="",
        tests=HISTORY_TESTS,
    ),
    Mutant(
        id="past-ends-are-judged-now",
        kind=Kind.SECURITY,
        file=TRAVEL,
        old="now=milliseconds(at))",
        new="now=milliseconds(datetime.now(at.tzinfo)))",
        tests=TRAVEL_TESTS,
    ),
    Mutant(
        id="past-is-answered-as-the-present",
        kind=Kind.CONSISTENCY,
        file="services/authz/routes/hot_evaluation.py",
        old=" or check.at is not None:",
        new=":",
        tests=TRAVEL_TESTS,
    ),
    Mutant(
        id="past-explanation-is-of-the-present",
        kind=Kind.CONSISTENCY,
        file="services/authz/routes/explain.py",
        old="    if request.at is not None:\n",
        new="    if request.at is not None and request.point:\n",
        tests=TRAVEL_TESTS,
    ),
    Mutant(
        id="past-explanation-tells-of-sessions-now",
        kind=Kind.DATA,
        file=TRAVEL,
        old="    steps = steps_of_past(found.steps)\n",
        new="    steps = found.steps\n",
        tests=TRAVEL_TESTS,
    ),
    Mutant(
        id="past-explanation-names-projects-to-readers-of-the-log",
        kind=Kind.SECURITY,
        file=TRAVEL,
        old="        asker=asker_of(principal),\n",
        new="        asker=type(asker_of(principal))(user_id=None),\n",
        tests=TRAVEL_TESTS,
    ),
    Mutant(
        id="past-search-is-answered-as-the-present",
        kind=Kind.CONSISTENCY,
        file="services/authz/use_cases/search.py",
        old="    if request.at is not None:\n",
        new="    if request.at is not None and request.point:\n",
        tests=TRAVEL_TESTS,
    ),
    Mutant(
        id="past-is-decided-by-local-mode",
        kind=Kind.CONSISTENCY,
        file="sdk/rolecall/aio/rolecall.py",
        old="        if check.at is not None:\n",
        new='        if check.at == "":\n',
        tests=("tests/sdk/test_questions.py",),
    ),
    Mutant(
        id="allows-are-all-recorded",
        kind=Kind.LIMIT,
        file="services/authz/domain/allow_samples.py",
        old="self._chance() * one_of >= 1:",
        new="self._chance() >= 1:",
        tests=("tests/services/authz/domain/test_allow_samples.py",),
    ),
    Mutant(
        id="allows-of-a-batch-are-not-drawn",
        kind=Kind.DATA,
        file="services/authz/use_cases/evaluations.py",
        old="            note_allow(ctx, check, reason, now)\n",
        new="            pass\n",
        tests=REPORT_TESTS,
    ),
    Mutant(
        id="denials-are-drawn-as-allows",
        kind=Kind.DATA,
        file="services/authz/use_cases/decisions.py",
        old=" or reason != Reason.ALLOWED or check.account_id is None:\n    ",
        new=" or check.account_id is None:\n    ",
        tests=REPORT_TESTS,
    ),
    Mutant(
        id="past-of-others-is-for-everyone",
        kind=Kind.SECURITY,
        file=TRAVEL,
        old="        if not answer(ctx, reading, decide_for_user).allowed:\n            raise\n",
        new="",
        tests=TRAVEL_TESTS,
    ),
    Mutant(
        id="past-leaves-out-the-registered-project",
        kind=Kind.SECURITY,
        file=PAST,
        old="            if registered is None or registered in projects:\n",
        new="            if registered is None or registered:\n",
        tests=PAST_TESTS,
    ),
    Mutant(
        id="past-remembers-what-may-change",
        kind=Kind.CONSISTENCY,
        file=PAST,
        old="        if question.at < self._clock.now() - SETTLED:\n            answers.keep",
        new="        if question.at:\n            answers.keep",
        tests=PAST_TESTS,
    ),
    Mutant(
        id="past-questions-without-a-limit",
        kind=Kind.SECURITY,
        file=PAST,
        old="        if self._running >= QUESTIONS_AT_ONCE:\n            raise Overloaded\n",
        new="",
        tests=PAST_TESTS,
    ),
    Mutant(
        id="denials-without-a-bound",
        kind=Kind.SECURITY,
        file=DENIALS,
        old=" or len(self) >= self._max_counts:",
        new=":",
        tests=DENIAL_TESTS,
    ),
    Mutant(
        id="denials-of-an-account-without-a-bound",
        kind=Kind.SECURITY,
        file=DENIALS,
        old="        if of_account >= self._max_of_account or len(self)",
        new="        if len(self)",
        tests=DENIAL_TESTS,
    ),
    Mutant(
        id="denials-of-strangers-are-recorded",
        kind=Kind.SECURITY,
        file="services/authz/use_cases/decisions.py",
        old="    if account is None or check.user_id not in account.members:\n",
        new="    if account is None:\n",
        tests=REPORT_TESTS,
    ),
    Mutant(
        id="denials-get-a-new-number-with-each-attempt",
        kind=Kind.CONSISTENCY,
        file="services/authz/adapters/decision_reports.py",
        old="            self._report = report\n",
        new="",
        tests=REPORT_TESTS,
    ),
    Mutant(
        id="denials-are-recorded-with-each-attempt",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/decisions.py",
        old='partial(_mark, ctx, f"{report.life}.{report.number}.{shard}")',
        new="None",
        tests=AUDIT_TESTS,
    ),
)
