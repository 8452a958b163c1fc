"""Mutants of the trimming of journals: rows that someone needs, and places that are not told."""

from tests.mutants.mutant import Kind, Mutant

RULES = "shared/journal/trim_rules.py"
TRIMMER = "shared/journal/trimmer.py"
ROWS_FILE = "shared/journal/trim_rows.py"
FORGETTING = "shared/journal/forgetting.py"
RULE_TESTS = ("tests/shared/journal/test_trim_rules.py",)
TRIMMER_TESTS = ("tests/shared/journal/test_trimmer.py",)
SOURCE_TESTS = ("tests/shared/inbox/test_trimmed_sources.py",)
AUDIT_TESTS = ("tests/services/audit/test_confirmed_rows.py",)

ROWS = (
    Mutant(
        id="trim-one-consumer-forgotten",
        kind=Kind.DATA,
        file=TRIMMER,
        old="for name in consumers_of(source)}",
        new="for name in consumers_of(source)[:-1]}",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-the-fastest-consumer-counts",
        kind=Kind.DATA,
        file=TRIMMER,
        old="min(found.places(size).values(), default=size.head)",
        new="max(found.places(size).values(), default=size.head)",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-any-service-confirms",
        kind=Kind.DATA,
        file="shared/contracts/topology.py",
        old="if queue.kind is QueueKind.SERVICE and source in queue.sources",
        new="if source in queue.sources",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-retention-ignored",
        kind=Kind.DATA,
        file=RULES,
        old="row.occurred_at < before and following.occurred_at < before",
        new="row.occurred_at < before or following.seq > 0",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-the-former-head-goes",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="row.occurred_at < before and following.occurred_at < before",
        new="row.occurred_at < before",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-unsent-rows-go",
        kind=Kind.DATA,
        file=RULES,
        old="and old and row.sent and",
        new="and old and",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-passes-a-hole",
        kind=Kind.CONSISTENCY,
        file=RULES,
        old="row.seq == place + 1 and following.seq == row.seq + 1",
        new="True",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-old-confirmations-count",
        kind=Kind.DATA,
        file=RULES,
        old="if said is None or not said.counts(now) or said.epoch",
        new="if said is None or said.epoch",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-confirmations-of-another-epoch-count",
        kind=Kind.DATA,
        file=RULES,
        old="or said.epoch != epoch or epoch in said.holds",
        new="or epoch in said.holds",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-a-former-epoch-that-is-followed",
        kind=Kind.DATA,
        file=RULES,
        old="{None, *former[: former.index(epoch) + 1]}",
        new="{None, *former[: former.index(epoch)]}",
        tests=RULE_TESTS,
    ),
    Mutant(
        id="trim-place-stored-after-the-deletion",
        kind=Kind.CONSISTENCY,
        file=TRIMMER,
        old="""            if not await self._rows.note_trimmed(found.epoch, size.shard, until):
                break
            await self._delete(found, size.shard, until)
""",
        new="""            await self._delete(found, size.shard, until)
            if not await self._rows.note_trimmed(found.epoch, size.shard, until):
                break
""",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-interrupted-rows-stay",
        kind=Kind.CONSISTENCY,
        file=TRIMMER,
        old="            await self._delete(found, size.shard, size.trimmed)\n",
        new="",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-another-epoch",
        kind=Kind.CONSISTENCY,
        file=ROWS_FILE,
        old='if present is None or present["epoch"] != epoch:',
        new="if present is None:",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-without-the-archive",
        kind=Kind.DATA,
        file="shared/journal/history.py",
        old="[row for row in found if _keys_of(row)]",
        new="[row for row in found[1:] if _keys_of(row)]",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-the-last-state-is-forgotten",
        kind=Kind.DATA,
        file=FORGETTING,
        old='"place": {"$lt": entry["place"]}}',
        new='"place": {"$lte": entry["place"]}}',
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-an-earlier-time-is-answered",
        kind=Kind.SECURITY,
        file="shared/journal/history.py",
        old="(await self._mark(mark.shard) or mark).told > until",
        new="not until",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-younger-states-are-forgotten",
        kind=Kind.DATA,
        file=FORGETTING,
        old='if entry["place"] < before]',
        new='if entry["place"]]',
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-a-named-row-is-forgotten",
        kind=Kind.DATA,
        file=FORGETTING,
        old="limit=2) == 1:",
        new="limit=2):",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-a-running-audit-confirms-at-once",
        kind=Kind.SECURITY,
        file="services/audit/app.py",
        old=", narrow=partial(sealed_rows, store)",
        new="",
        tests=AUDIT_TESTS,
    ),
    Mutant(
        id="trim-a-running-team-has-no-archive",
        kind=Kind.DATA,
        file="services/team/app.py",
        old="        archive=history,\n",
        new="",
        tests=("tests/services/team/test_trimming.py",),
    ),
    Mutant(
        id="trim-receipts-are-forgotten",
        kind=Kind.DATA,
        file="shared/wiring.py",
        old="max(timedelta(days=self._journal_retention_days), least)",
        new="timedelta(days=self._journal_retention_days)",
        tests=("tests/services/team/test_trimming.py",),
    ),
    Mutant(
        id="trim-a-long-round-goes-on",
        kind=Kind.DATA,
        file=TRIMMER,
        old="while self._clock.now() - found.now <= LONGEST_ROUND:",
        new="while self._clock.now() - found.now <= 9 * LONGEST_ROUND:",
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-restores-forget-the-place",
        kind=Kind.CONSISTENCY,
        file="shared/journal/restores.py",
        old='str(head["_id"]): head[TRIMMED]',
        new='str(head["_id"]): 0',
        tests=TRIMMER_TESTS,
    ),
    Mutant(
        id="trim-missed-rows-are-silent",
        kind=Kind.SECURITY,
        file="shared/inbox/missed_rows.py",
        old="        _tell(source, epoch, missed)\n",
        new="",
        tests=SOURCE_TESTS,
    ),
    Mutant(
        id="trim-missed-rows-are-forgotten",
        kind=Kind.SECURITY,
        file="shared/inbox/missed_rows.py",
        old="        await progress.save_missed(source, missed)\n",
        new="",
        tests=SOURCE_TESTS,
    ),
    Mutant(
        id="trim-applied-rows-count-as-missed",
        kind=Kind.CONSISTENCY,
        file="shared/inbox/missed_rows.py",
        old="    await progress.reload(source)\n",
        new="",
        tests=SOURCE_TESTS,
    ),
    Mutant(
        id="trim-audit-confirms-unsealed-records",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/confirmed_rows.py",
        old="min(seq, sealed.get(shard, 0))",
        new="seq",
        tests=AUDIT_TESTS,
    ),
    Mutant(
        id="trim-audit-confirms-late-records",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/confirmed_rows.py",
        old="                places[gap.shard] = min(places[gap.shard], gap.first - 1)\n",
        new="                pass\n",
        tests=AUDIT_TESTS,
    ),
    Mutant(
        id="trim-what-a-consumer-claims-beyond-the-head",
        kind=Kind.SECURITY,
        file="shared/journal/trim_rules.py",
        old="return place if place <= head else 0",
        new="return place",
        tests=("tests/shared/journal/test_trim_rules.py",),
    ),
)
