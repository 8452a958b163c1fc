"""Mutants of audit: what is recorded, and the record of each reading."""

from tests.mutants.mutant import Kind, Mutant

MARKS = "services/audit/store/marks.py"
SEARCH = "services/audit/use_cases/search.py"
RECORD_TESTS = ("tests/services/audit/domain/test_records.py",)
REDACTION_TESTS = ("tests/shared/test_redaction.py",)
READING_TESTS = ("tests/services/audit/test_reading.py",)
INGEST = "services/audit/use_cases/ingest.py"
INGEST_TESTS = ("tests/services/audit/test_ingest.py", "-k", "together or follow")

ROWS = (
    Mutant(
        id="audit-marks-outside-of-the-transaction",
        kind=Kind.CONSISTENCY,
        file=INGEST,
        old="[waiting.applied_mark for waiting in batch[1:]]",
        new="[]",
        tests=INGEST_TESTS,
    ),
    Mutant(
        id="audit-rows-that-come-slowly-do-not-share-a-transaction",
        kind=Kind.LIMIT,
        file=INGEST,
        old="most = self._transactions if full else 1",
        new="most = self._transactions",
        tests=INGEST_TESTS,
    ),
    Mutant(
        id="audit-next-rows-wait-until-the-last-are-told",
        kind=Kind.AVAILABILITY,
        file=INGEST,
        old='        self._ended(cast("asyncio.Task[None]", asyncio.current_task()))\n',
        new="",
        tests=(INGEST_TESTS[0], "-k", "told_when"),
    ),
    Mutant(
        id="audit-rows-in-any-number-of-transactions",
        kind=Kind.LIMIT,
        file=INGEST,
        old="most = self._transactions if full else 1",
        new="most = 100 if full else 1",
        tests=INGEST_TESTS,
    ),
    Mutant(
        id="audit-rows-never-gathered",
        kind=Kind.LIMIT,
        file=INGEST,
        old="            await self._gather()\n",
        new="",
        tests=INGEST_TESTS,
    ),
    Mutant(
        id="audit-row-waits-for-others-without-end",
        kind=Kind.AVAILABILITY,
        file=INGEST,
        old="loop.time() + self._gather_seconds",
        new="loop.time() + 3600",
        tests=(*INGEST_TESTS[:2], "no_other_follows"),
    ),
    Mutant(
        id="audit-row-waits-where-no-other-comes",
        kind=Kind.AVAILABILITY,
        file=INGEST,
        old="waiting.reschedule(min(end, loop.time() + self._quiet_seconds))",
        new="waiting.reschedule(end)",
        tests=(*INGEST_TESTS[:2], "no_other_follows"),
    ),
    Mutant(
        id="audit-row-that-comes-alone-waits",
        kind=Kind.AVAILABILITY,
        file=INGEST,
        old="            self._expected = len(batch)\n",
        new="            self._expected = len(batch) + 1\n",
        tests=(*INGEST_TESTS[:2], "follow_each_other"),
    ),
    Mutant(
        id="audit-one-record-read-unrecorded",
        kind=Kind.SECURITY,
        file=SEARCH,
        old="    await record_reading(ctx, caller, account_id, filters=Filters())\n",
        new="",
        tests=READING_TESTS,
    ),
    Mutant(
        id="audit-search-unrecorded",
        kind=Kind.SECURITY,
        file=SEARCH,
        old="    await record_reading(ctx, caller, account_id, filters=filters)\n",
        new="",
        tests=READING_TESTS,
    ),
    Mutant(
        id="audit-shown-before-recorded",
        kind=Kind.SECURITY,
        file=SEARCH,
        old="    await record_reading(ctx, caller, account_id, filters=Filters())\n"
        "    found = await ctx.store.find(account_id, event_id)\n",
        new="    found = await ctx.store.find(account_id, event_id)\n"
        "    await record_reading(ctx, caller, account_id, filters=Filters())\n",
        tests=READING_TESTS,
    ),
    Mutant(
        id="audit-reading-ignores-account",
        kind=Kind.SECURITY,
        file=MARKS,
        old='f"{account_id}.{reader_id}.{minute}"',
        new='f"{reader_id}.{minute}"',
        tests=READING_TESTS,
    ),
    Mutant(
        id="audit-grants-of-secret-names-lost",
        kind=Kind.DATA,
        file="shared/redaction.py",
        old='_CATALOG_NAMES_BELOW = frozenset({"grants"})\n',
        new="_CATALOG_NAMES_BELOW: frozenset[str] = frozenset()\n",
        tests=RECORD_TESTS,
    ),
    Mutant(
        id="audit-names-hidden-as-parameters",
        kind=Kind.SECURITY,
        file="shared/redaction.py",
        old="        redact_text=redact_credentials,\n",
        new="",
        tests=RECORD_TESTS,
    ),
    Mutant(
        id="redaction-takes-words-for-credentials",
        kind=Kind.SECURITY,
        file="shared/redaction.py",
        old="    return prefix + replacement if is_credential else found[0]\n",
        new="    return prefix + replacement\n",
        tests=REDACTION_TESTS,
    ),
    Mutant(
        id="redaction-keeps-pairs",
        kind=Kind.SECURITY,
        file="shared/redaction.py",
        old="    is_credential = _is_pair(word) if basic else _is_random(word)\n",
        new="    is_credential = _is_random(word)\n",
        tests=REDACTION_TESTS,
    ),
    Mutant(
        id="audit-promises-what-arrives-in-between",
        kind=Kind.CONSISTENCY,
        file=SEARCH,
        old="    page = found[:limit]\n",
        new="    page, complete_until = found[:limit], ctx.complete_until()\n",
        tests=READING_TESTS,
    ),
    Mutant(
        id="audit-second-reader-of-a-minute-unrecorded",
        kind=Kind.SECURITY,
        file=MARKS,
        old='"_id": f"{account_id}.{reader_id}.{minute}"',
        new='"_id": f"{account_id}.{minute}"',
        tests=READING_TESTS,
    ),
)
