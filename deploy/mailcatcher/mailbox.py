"""The caught mails, in memory and in a file that survives a restart."""

import errno
import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.mailcatcher.mails import CaughtMail, RawMail, read

MAX_MAILS = 10_000
"""How many mails are kept; the oldest are deleted first."""

WriteBytes = Callable[[int, bytes], int]
"""Write bytes to an open file and return how many were written, as `os.write` does."""


class Mailbox:
    """The newest mails, in memory and, with a `folder`, in a file of one JSON line each.

    A mail is safe when `add` returns: it survives a kill of this process, but not of the machine.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        limit: int = MAX_MAILS,
        write: WriteBytes = os.write,
    ) -> None:
        self._mails: deque[CaughtMail] = deque(maxlen=limit)
        self._last_number = 0
        self._write = write
        self._path = folder and folder / "mails.jsonl"
        self._file: int | None = None
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._load(self._path)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, received: RawMail) -> None:
        """Store a mail.

        Raises:
            OSError: the mail could not be written, and is not stored.
        """
        if self._file is not None:
            self._append(self._file, received.to_line())
        self._keep(received)

    def newest_first(self, *, to: str | None = None) -> Iterator[CaughtMail]:
        """All mails, or those that were sent to one address."""
        for mail in reversed(self._mails):
            if to is None or any(to.casefold() == each.casefold() for each in mail.recipients):
                yield mail

    def get(self, number: int) -> CaughtMail | None:
        """The mail with this number, if it is still stored."""
        return next((mail for mail in self._mails if mail.number == number), None)

    def clear(self) -> None:
        """Delete every mail; numbers are not used again."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
        self._mails.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _keep(self, received: RawMail) -> None:
        self._last_number += 1
        self._mails.append(read(received, number=self._last_number))

    def _load(self, path: Path) -> None:
        """Read the file, and rewrite it without torn lines and without mails above the limit."""
        if not path.exists():
            return
        lines: deque[bytes] = deque(maxlen=self._mails.maxlen)
        with path.open("rb") as file:
            lines.extend(file)
        whole = []
        for line in lines:
            try:
                self._keep(RawMail.from_line(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            whole.append(line)
        rewritten = path.with_suffix(".new")
        rewritten.touch(0o600)
        rewritten.write_bytes(b"".join(whole))
        rewritten.replace(path)

    def _append(self, file: int, line: bytes) -> None:
        """Append the whole line; after a failure the file has its former length.

        Raises:
            OSError: the line could not be written completely.
        """
        length = os.fstat(file).st_size
        written = 0
        try:
            written = self._write(file, line)
        finally:
            if written < len(line):
                os.ftruncate(file, length)
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
