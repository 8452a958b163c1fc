"""How long a replica waits for one answer of its source."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.problems import Unavailable


class CallTime:
    """The time of a call to a source: twice as long after each call that had no answer in it.

    A source that is busy answers late, as all are when everything starts. A call that is given up
    there is made again, and adds to its work.
    """

    def __init__(self, usual: float, *, longest: float) -> None:
        self._usual = self._seconds = usual
        self._longest = max(usual, longest)

    @contextmanager
    def of_call(self, *, hurry: bool = False) -> Iterator[float]:
        """The seconds of a call, which is made within the block; in a hurry the usual ones."""
        try:
            yield self._usual if hurry else self._seconds
        except Unavailable:
            self._seconds = min(self._seconds * 2, self._longest)
            raise
        self._seconds = self._usual
