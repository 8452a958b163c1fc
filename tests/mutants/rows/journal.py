"""Mutants of the journal: a write waits for its turn only so long."""

from tests.mutants.mutant import Kind, Mutant

ROWS = (
    Mutant(
        id="journal-turn-without-a-timeout",
        kind=Kind.AVAILABILITY,
        file="shared/journal/journal.py",
        old="asyncio.timeout(self._timeouts.shard_turn)",
        new="asyncio.timeout(None)",
        tests=("tests/shared/journal/test_journal.py",),
    ),
)
