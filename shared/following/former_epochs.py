"""Telling a former epoch of a source from one that this replica has not learned of yet.

Epochs are random and have no order. Only the source knows which one is present.
"""

MAX_NAMED = 64
"""Callers may name any epoch, so only the last ones are kept."""


class FormerEpochs:
    """The epochs that checks named, and the epoch that the source told last.

    `asked` and `number` count the lease requests of a replica. An epoch that was named before a
    request was sent existed then. If the answer tells another one, the named one is over.
    """

    def __init__(self) -> None:
        self._named: dict[str, int] = {}
        self._told: tuple[int, str | None] = (0, None)

    def told(self, number: int, epoch: str) -> None:
        """Take the epoch that the source told in its answer to request `number`."""
        if number > self._told[0]:
            self._told = number, epoch

    def over(self, named: str, *, present: str | None, asked: int) -> bool:
        """Return whether the epoch `named` has ended, and `present` has followed it.

        `asked` is the number of the last request that was sent before the check.
        """
        while named not in self._named and len(self._named) >= MAX_NAMED:
            del self._named[next(iter(self._named))]
        first = self._named.setdefault(named, asked)
        number, epoch = self._told
        return number > first and epoch == present != named
