"""Mutants of what audit keeps beside the records: files of checkpoints, marks of erased people."""

from tests.mutants.mutant import Kind, Mutant

SIGNING = "services/audit/use_cases/signing.py"
MARKS_KEY = "services/audit/use_cases/marks_key.py"
INGEST = "services/audit/use_cases/ingest.py"
ERASURE_ROWS = "services/audit/store/erasures.py"
OF_FILES = ("tests/services/audit/test_sealing.py", "-k", "checkpoint_file_that or folder_cannot")
OF_ALARMS = ("tests/services/audit/test_sealing.py", "-k", "with_an_alarm")
OF_MARKS = ("tests/services/audit/test_marks_key.py",)
OF_DOUBLES = ("tests/services/audit/test_ingest.py", "-k", "erased")

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
)
