"""What random faults did to changes and checks, as tables."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.faults.pipelined_checks import NO_ANSWER
from tests.faults.replicated_product import LEASE_SECONDS

BOUND_SECONDS = LEASE_SECONDS + 0.3
"""The design's bound for a change under faults, beyond the database's own time."""
DECISIONS = frozenset({"allow", "deny"})
HEADS = (
    *("changes", "repeated", "202", "p50 s", "longest s", "over bound"),
    *("checks", "deny", "503", "503 %", NO_ANSWER),
)
"""The columns of the second table; `deny` includes the 401 of a session that has ended."""


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """One change: its seconds from the request to the answer that it is in force."""

    kind: str
    faults: tuple[str, ...]
    seconds: float
    late: bool
    """It was answered with 202 first: made, and not yet in force."""
    repeated: bool
    """It had to be sent again, because an answer was 503 or did not come."""
    prompt: bool
    """All checks on every replica were sent within 5 ms after the answer."""


@dataclass
class FaultCounts:
    """The changes and the answers of a run."""

    changes: list[Acknowledged] = field(default_factory=list)
    answers: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Fault → answers to checks after a change."""
    checks: int = 0
    wrong: list[str] = field(default_factory=list)
    """Checks that were answered as before the change."""
    unexpected: Counter[str] = field(default_factory=Counter)
    """Answers that are neither a decision nor a refusal for lack of news."""
    rounds: int = 0

    @property
    def prompt(self) -> int:
        """The changes whose checks were all sent in time."""
        return sum(change.prompt for change in self.changes)

    def add_answers(
        self,
        answers: Counter[str],
        *,
        kind: str,
        faults: Sequence[str],
        refusals: frozenset[str],
        where: str,
    ) -> None:
        """Count the answers of one replica to checks after one change."""
        self.checks += answers.total()
        for fault in faults:
            self.answers[fault] += answers
        for answer, count in answers.items():
            if answer in refusals or answer == NO_ANSWER:
                continue
            if answer in DECISIONS:
                place = f"round {self.rounds}, {kind}, {' + '.join(faults)}, {where}"
                self.wrong.append(f"{place}: {count} of {answers.total()}")
            else:
                self.unexpected[answer] += count

    def tables(self, seed: int) -> str:
        """The counts as text: first the changes by kind and fault, then the faults."""
        faults = sorted(self.answers)
        summary = (
            f"seed {seed}, {self.rounds} rounds: {len(self.changes)} changes, {self.prompt} of them"
            f" with all first checks within 5 ms; {self.checks} checks;"
            f" wrong allows {len(self.wrong)}; other answers {dict(self.unexpected)}"
        )
        lines = [
            summary,
            *self.wrong[:20],
            "",
            "".join([f"{'changes':<22}", *(f"{fault:>11}" for fault in faults), f"{'all':>8}"]),
        ]
        for kind in sorted({change.kind for change in self.changes}):
            of_kind = [change for change in self.changes if change.kind == kind]
            by_fault = (sum(fault in one.faults for one in of_kind) for fault in faults)
            cells = "".join(f"{count:>11}" for count in by_fault)
            lines.append(f"{kind:<22}{cells}{len(of_kind):>8}")
        lines += ["", "".join([f"{'fault':<13}", *(f"{head:>11}" for head in HEADS)])]
        lines += [self._row(fault) for fault in faults]
        lines.append(
            f"A change counts under each fault of its round. Bound: {BOUND_SECONDS:.1f} s."
        )
        return "\n".join(lines)

    def _row(self, fault: str) -> str:
        changes = [change for change in self.changes if fault in change.faults]
        answers = self.answers[fault]
        straight = sorted(one.seconds for one in changes if not (one.late or one.repeated))
        cells = (
            len(changes),
            sum(one.repeated for one in changes),
            sum(one.late for one in changes),
            f"{median(straight):.3f}" if straight else "-",
            f"{straight[-1]:.3f}" if straight else "-",
            sum(seconds > BOUND_SECONDS for seconds in straight),
            answers.total(),
            answers["deny"] + answers["401"],
            answers["503"],
            f"{100 * answers['503'] / max(1, answers.total()):.1f}",
            answers[NO_ANSWER],
        )
        return "".join([f"{fault:<13}", *(f"{cell!s:>11}" for cell in cells)])
