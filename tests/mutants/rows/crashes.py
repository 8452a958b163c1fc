"""Mutants of journal, relay and inbox that a crash between a write and its effect shows."""

from tests.mutants.mutant import Kind, Mutant

JOURNAL = "shared/journal/journal.py"
RELAY = "shared/journal/relay.py"
MARKS = "shared/inbox/marks.py"
CRASH_POINTS = ("tests/faults/test_crash_points.py",)

ROWS = (
    Mutant(
        id="crash-rows-outside-transaction",
        kind=Kind.DATA,
        file="shared/journal/shard_rows.py",
        old="await self._rows.insert_many(documents, session=session)",
        new="await self._rows.insert_many(documents)",
        tests=CRASH_POINTS,
    ),
    Mutant(
        id="crash-unsent-rows-stay",
        kind=Kind.DATA,
        file=RELAY,
        old='        due = self._rows.find({"sent": False, ',
        new='        due = self._rows.find({"sent": None, ',
        tests=CRASH_POINTS,
    ),
    Mutant(
        id="crash-receipt-before-effect",
        kind=Kind.DATA,
        file=MARKS,
        old="await insert_once(self._marks, _mark(position, digest, at), session)",
        new="await insert_once(self._marks, _mark(position, digest, at))",
        tests=CRASH_POINTS,
    ),
    Mutant(
        id="crash-effect-repeated",
        kind=Kind.DATA,
        file=MARKS,
        old="            await self._marks.insert(*place, self._at, session)\n"
        "        except AlreadyThere as there:\n"
        "            raise AlreadyApplied from there\n",
        new="            await self._marks.insert(*place, self._at, session)\n"
        "        except AlreadyThere:\n"
        "            return\n",
        tests=("tests/shared/inbox",),
    ),
)
