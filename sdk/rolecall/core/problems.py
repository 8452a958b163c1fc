"""The problems of a catalog: what is wrong, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

# Keys and list positions, from the top of the document down.
Place = tuple[str | int, ...]
MAX_SHOWN = 256
"""How many characters of a wrong value a message shows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to repair: its place, what is wrong and what to do."""

    place: Place
    message: str
    line: int | None = None

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901)."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.place)

    def __str__(self) -> str:
        """Line if known, place and message, as a terminal shows them."""
        where = self.pointer or "/"
        return (
            f"{where}: {self.message}"
            if self.line is None
            else f"{self.line}: {where}: {self.message}"
        )


def choices(word: str, known: Iterable[str]) -> str:
    """What can be written instead of an unknown word, the nearest spelling first."""
    listed = list(known)
    return f"{did_you_mean(word, listed)}Choose one of: {', '.join(listed)}."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The known word that is spelt like this one, as a sentence; empty if there is none."""
    nearest = nearest_to(word, known)
    return f"Did you mean {nearest!r}? " if nearest else ""


def nearest_to(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelt like this one, if there is one."""
    return next(iter(get_close_matches(word, list(known), n=1)), None)


def shortened(written: object) -> str:
    """What was written, as a message shows it."""
    text = repr(written)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


class CatalogError(ValueError):
    """Content that is not a valid catalog, or grants that the catalog does not have."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))
