"""Where are the caught mails kept, so that a restart still has them?"""

import errno
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from deploy.mailcatcher.mails import Mail, Received, read

LIMIT = 10_000
"""The mails that are kept; the oldest go first."""


class Mailbox:
    """The newest mails, in memory and, with a `folder`, in a file of one JSON line each.

    A mail that `add` returned from survives a kill of this process, not one of the machine.
    """

    def __init__(self, folder: Path | None = None, *, limit: int = LIMIT) -> None:
        self._mails: deque[Mail] = deque(maxlen=limit)
        self._last = 0
        self._path = folder and folder / "mails.jsonl"
        self._file: int | None = None
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._load(self._path)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, received: Received) -> None:
        """Keep a mail; raises `OSError` when it could not be written, and then it is not kept."""
        if self._file is not None:
            _write(self._file, received.to_line())
        self._keep(received)

    def newest_first(self, *, to: str | None = None) -> Iterator[Mail]:
        """Give the mails, or those that went to one address."""
        for mail in reversed(self._mails):
            if to is None or any(to.casefold() == each.casefold() for each in mail.recipients):
                yield mail

    def get(self, number: int) -> Mail | None:
        """Give one mail by its number."""
        return next((mail for mail in self._mails if mail.number == number), None)

    def clear(self) -> None:
        """Forget every mail. Numbers are not used again."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
        self._mails.clear()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _keep(self, received: Received) -> None:
        self._last += 1
        self._mails.append(read(received, number=self._last))

    def _load(self, path: Path) -> None:
        """Read the file and leave in it just what was kept: no torn line, nothing too old."""
        if not path.exists():
            return
        lines: deque[bytes] = deque(maxlen=self._mails.maxlen)
        with path.open("rb") as file:
            lines.extend(file)
        whole = []
        for line in lines:
            try:
                self._keep(Received.from_line(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            whole.append(line)
        rewritten = path.with_suffix(".new")
        rewritten.touch(0o600)
        rewritten.write_bytes(b"".join(whole))
        rewritten.replace(path)


def _write(file: int, line: bytes) -> None:
    """Append the whole line or nothing of it."""
    before = os.fstat(file).st_size
    written = 0
    try:
        written = os.write(file, line)
    finally:
        if written < len(line):
            os.ftruncate(file, before)
    if written < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
