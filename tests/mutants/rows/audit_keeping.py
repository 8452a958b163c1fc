"""Mutants of the edges of checkpoints, erasure, retention, tails, streams and exports."""

from tests.mutants.mutant import Kind, Mutant

SIGNING = "services/audit/use_cases/signing.py"
MARKS_KEY = "services/audit/use_cases/marks_key.py"
INGEST = "services/audit/use_cases/ingest.py"
ERASURE_ROWS = "services/audit/store/erasures.py"
OF_FILES = ("tests/services/audit/test_sealing.py", "-k", "checkpoint_file_that or folder_cannot")
OF_ALARMS = ("tests/services/audit/test_sealing.py", "-k", "with_an_alarm")
OF_MARKS = ("tests/services/audit/test_marks_key.py",)
OF_DOUBLES = ("tests/services/audit/test_ingest.py", "-k", "erased")
OF_SIGNING = ("tests/services/audit/test_sealing.py", "-k", "was_full or grows_while")
OF_ENDS = (
    "tests/services/audit/test_retention.py",
    "-k",
    "say_since or another_record or too_small",
)
OF_TRACES = ("tests/services/audit/test_erasures.py", "-k", "marks")
OF_TAILS = ("tests/services/audit/test_tails.py", "-k", "far_behind or of_an_address")
OF_STREAMS = ("tests/services/audit/test_streams.py", "-k", "meanwhile or as_its_hash or counted")
OF_EXPORTS = ("tests/services/audit/test_exports.py", "-k", "first_moment")

ROWS = (
    Mutant(
        id="one-file-of-checkpoints-stops-every-log",
        kind=Kind.CONSISTENCY,
        file=SIGNING,
        old="            await self._files.require_folder()\n",
        new="            raise\n",
        tests=OF_FILES,
    ),
    Mutant(
        id="a-damaged-file-of-checkpoints-counts-as-none",
        kind=Kind.SECURITY,
        file="services/audit/adapters/checkpoint_files.py",
        old="if not found and (lines or size > TAIL_BYTES):",
        new="if not found and size < 0:",
        tests=("tests/services/audit/test_checkpoint_files.py",),
    ),
    Mutant(
        id="a-folder-that-is-away-is-told-as-one-file",
        kind=Kind.CONSISTENCY,
        file=SIGNING,
        old="            await self._files.require_folder()\n",
        new="",
        tests=OF_FILES,
    ),
    Mutant(
        id="a-checkpoint-without-its-file",
        kind=Kind.SECURITY,
        file=SIGNING,
        old="            self._without_file.add(head.tree)\n        self._passed_over",
        new="            return await found\n        self._passed_over",
        tests=OF_FILES,
    ),
    Mutant(
        id="a-file-that-is-used-again-is-not-told",
        kind=Kind.CONSISTENCY,
        file=SIGNING,
        old="                    self._without_file.discard(each.head.tree)\n",
        new="",
        tests=OF_FILES,
    ),
    Mutant(
        id="the-alarm-of-a-repaired-tree-stays",
        kind=Kind.CONSISTENCY,
        file=SIGNING,
        old="                    self._alarmed.discard(each.head.tree)\n",
        new="",
        tests=OF_ALARMS,
    ),
    Mutant(
        id="marks-of-the-key-of-today",
        kind=Kind.SECURITY,
        file=MARKS_KEY,
        old="secrets.open(kept, about=MARKS_KEY)",
        new="secrets.open(own, about=MARKS_KEY)",
        tests=OF_MARKS,
    ),
    Mutant(
        id="the-key-of-marks-is-replaced-at-each-start",
        kind=Kind.SECURITY,
        file=ERASURE_ROWS,
        old='{"$setOnInsert": {"sealed_key": sealed}}',
        new='{"$set": {"sealed_key": sealed}}',
        tests=OF_MARKS,
    ),
    Mutant(
        id="alarm-for-a-record-without-its-digest",
        kind=Kind.CONSISTENCY,
        file=INGEST,
        old="        if not recorded or recorded == received:\n",
        new="        if recorded == received:\n",
        tests=OF_DOUBLES,
    ),
    Mutant(
        id="a-checkpoint-in-its-file-is-not-stored",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/signing.py",
        old="(kept, now=self._clock.now())\n            raise\n",
        new="([], now=self._clock.now())\n            raise\n",
        tests=OF_SIGNING,
    ),
    Mutant(
        id="a-log-that-grew-counts-as-signed",
        kind=Kind.CONSISTENCY,
        file="services/audit/store/trees.py",
        old='({"_id": head.tree, "size": head.size}, stored)',
        new='({"_id": head.tree}, stored)',
        tests=OF_SIGNING,
    ),
    Mutant(
        id="an-end-that-another-record-tells",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/record_endings.py",
        old="record is None or not tells_end(record, endings)",
        new="record is None",
        tests=OF_ENDS,
    ),
    Mutant(
        id="the-moment-of-kept-records-goes-back",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/record_endings.py",
        old="max(filter(None, (endings.last, *happened)), default=None)",
        new="max(happened, default=None)",
        tests=OF_ENDS,
    ),
    Mutant(
        id="marks-of-erased-people-are-kept-for-good",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/erasures.py",
        old="        await self._store.forget_traces(before=self._clock.now() - MARKS_KEPT)\n",
        new="",
        tests=OF_TRACES,
    ),
    Mutant(
        id="a-tail-that-begins-far-behind-is-too-slow",
        kind=Kind.AVAILABILITY,
        file="services/audit/use_cases/tails.py",
        old="if self.caught_up and behind > MAX_BEHIND",
        new="if behind > MAX_BEHIND",
        tests=OF_TAILS,
    ),
    Mutant(
        id="a-tail-of-an-address-passes-its-records",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/tails.py",
        old='if filters.text is None and "@" not in (filters.user or ""):',
        new="if filters.text is None:",
        tests=OF_TAILS,
    ),
    Mutant(
        id="a-hash-in-a-stream-counts-as-a-record",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/stream_batches.py",
        old="place=place, is_record=False",
        new="place=place, is_record=True",
        tests=OF_STREAMS,
    ),
    Mutant(
        id="a-stream-is-paused-over-a-change",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/stream_sender.py",
        old=" or stream.changes != found.changes",
        new="",
        tests=OF_STREAMS,
    ),
    Mutant(
        id="streams-that-are-behind-are-not-counted",
        kind=Kind.AVAILABILITY,
        file="services/audit/use_cases/stream_sender.py",
        old="self._behind += stream.enabled and stream.size < size",
        new="self._behind += 0",
        tests=OF_STREAMS,
    ),
    Mutant(
        id="an-export-that-does-not-tell-its-end",
        kind=Kind.SECURITY,
        file="services/audit/use_cases/exports.py",
        old="        await require_told_end(ctx, account_id, size)\n",
        new="        pass\n",
        tests=OF_ENDS,
    ),
    Mutant(
        id="an-export-that-goes-on-before-its-first-moment",
        kind=Kind.CONSISTENCY,
        file="services/audit/use_cases/exports.py",
        old="first=max(span.first, await _behind(ctx, account_id, after))",
        new="first=await _behind(ctx, account_id, after)",
        tests=OF_EXPORTS,
    ),
)
