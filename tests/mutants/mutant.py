"""One planted defect: an exact text of one file, its replacement, and the tests that must fail."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a defect breaks."""

    SECURITY = "security"
    CONSISTENCY = "consistency"
    LIMIT = "limit"
    AVAILABILITY = "availability"
    DATA = "data"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A row of the table; `old` occurs exactly once in `file`."""

    id: str
    kind: Kind
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    """Arguments of pytest: the nearest paths, and `-k` with an expression where that is quicker."""
    seconds: float = 240
    """The tests must fail within this time; a run that takes longer does not count as a catch."""

    def fault(self, root: Path) -> str | None:
        """Say why the row cannot be used below `root`: a stale row, or a test that is gone."""
        path = root / self.file
        if not path.is_file():
            return f"{self.id}: there is no file {self.file}"
        if (found := path.read_text().count(self.old)) != 1:
            return f"{self.id}: the old text occurs {found} times in {self.file}, not once"
        if self.old == self.new:
            return f"{self.id}: the new text is the old one"
        missing = [name for name in self.tests if "/" in name and not (root / _file(name)).exists()]
        return f"{self.id}: there is no {missing[0]}" if missing else None

    def plant(self, root: Path) -> str:
        """Write the file with the defect; the text before it."""
        path = root / self.file
        before = path.read_text()
        path.write_text(before.replace(self.old, self.new))
        return before


def _file(test: str) -> str:
    return test.partition("::")[0]
