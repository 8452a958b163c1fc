"""Checkpoints in files, away from the database: one file for each tree, which only grows."""

import asyncio
import contextlib
import errno
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

TAIL_BYTES = 16 * 1024
"""More than the last lines of a file have together."""
TRIAL = "trial"
"""The file that only shows whether the folder takes anything."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,100}")


class CheckpointFiles:
    """Appends checkpoints to files, and reads the last one of a tree.

    A line is a note as JSON text, or an object that accepts that the log does not continue the note
    before it. A crash may leave the last line incomplete; it is passed over. A file that
    has lines, and none at its end that can be read, is damaged: it does not count as empty.
    """

    def __init__(self, folder: Path | None) -> None:
        """Keep the files in the folder; with `None` nothing is kept."""
        self._folder = folder

    async def last(self, tree: str) -> str | None:
        """The last note of a tree that is whole, or `None`.

        Raises:
            OSError: the file cannot be read.
        """
        if self._folder is None:
            return None
        return await asyncio.to_thread(_last, self._file(self._folder, tree))

    async def accepted(self, tree: str) -> bool:
        """Whether an operator accepts that the tree does not continue its last note.

        Raises:
            OSError: the file cannot be read.
        """
        if self._folder is None:
            return False
        file = self._file(self._folder, tree)
        return isinstance(next(iter(await asyncio.to_thread(_newest, file)), None), dict)

    async def accept(self, tree: str, *, operator: str) -> None:
        """Note that an operator accepts it, and return when the disk has it.

        Raises:
            OSError: the file cannot be written.
        """
        if self._folder is not None:
            await asyncio.to_thread(
                _append, self._file(self._folder, tree), {"accepted_by": operator}
            )

    async def append(self, tree: str, note: str) -> None:
        """Append a note, and return when the disk has it.

        Raises:
            OSError: the file cannot be written.
        """
        if self._folder is not None:
            await asyncio.to_thread(_append, self._file(self._folder, tree), note)

    async def require_folder(self) -> None:
        """Write to the folder, without touching the file of a tree.

        Raises:
            OSError: the folder takes nothing.
        """
        if self._folder is not None:
            await asyncio.to_thread(_append, self._folder / TRIAL, None)

    @staticmethod
    def _file(folder: Path, tree: str) -> Path:
        name = tree if _PLAIN.fullmatch(tree) else hashlib.sha256(tree.encode()).hexdigest()
        return folder / hashlib.sha256(tree.encode()).hexdigest()[:2] / f"{name}.jsonl"


def _last(file: Path) -> str | None:
    return next((line for line in _newest(file) if isinstance(line, str)), None)


def _newest(file: Path) -> list[Any]:
    """The lines at the end of a file, the newest first.

    Raises:
        OSError: the file cannot be read, or has lines and none at its end can be read.
    """
    try:
        with file.open("rb") as stored:
            size = stored.seek(0, os.SEEK_END)
            stored.seek(max(0, size - TAIL_BYTES))
            *lines, _ = stored.read().split(b"\n")
    except FileNotFoundError:
        return []
    found = []
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    if not found and (lines or size > TAIL_BYTES):
        raise OSError(errno.EIO, "No line at the end of the file can be read", str(file))
    return found


def _append(file: Path, line: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+", buffering=0) as kept:
        size = kept.seek(0, os.SEEK_END)
        begins = b""
        if size:
            kept.seek(size - 1)
            begins = b"" if kept.read(1) == b"\n" else b"\n"
        kept.write(begins + json.dumps(line).encode() + b"\n")
        os.fsync(kept.fileno())
