"""The file that an export of the audit log is written to, and gone on with."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rolecall.cli.output import INVALID, OK, UsageError, report

SHOWN_EACH = 10_000
QUERY_NAMES = {"since": "from", "until": "to"}
"""The names of filters in a query, where the head of an export has others."""


class ExportFile:
    """The lines of an export in JSON Lines, as far as they are whole."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.records = 0
        self.whole = False
        self.stopped: str | None = None
        self._sealed = 0
        self._head: Mapping[str, Any] = {}
        self._first: str | None = None
        self._last: str | None = None
        self._resumed = False

    def create(self) -> None:
        """Make the file.

        Raises:
            UsageError: it is there, or cannot be written.
        """
        try:
            Path(self.name).open("xb").close()
        except FileExistsError as error:
            raise UsageError(
                f"{self.name} is there. Choose another name, or go on with it by --resume."
            ) from error
        except OSError as error:
            raise UsageError(f"{self.name} cannot be written: {error.strerror}.") from error

    def read(self, account_id: str) -> None:
        """Read how far the file is, and cut off what is not whole.

        Raises:
            UsageError: it is not an export of this account.
        """
        try:
            with Path(self.name).open("r+b") as file:
                end = 0
                for line in iter(file.readline, b""):
                    if not line.endswith(b"\n") or not self._count(_told(line)):
                        break
                    end = file.tell()
                file.truncate(end)
        except OSError as error:
            raise UsageError(f"{self.name} cannot be read: {error.strerror}.") from error
        if self._head and self._head.get("account_id") != account_id:
            raise UsageError(f"{self.name} is not an export of {account_id}.")
        self.stopped = None

    def rest(self) -> dict[str, str]:
        """The query of what the file lacks."""
        filters = self._head.get("filters", {})
        asked = {QUERY_NAMES.get(name, name): str(value) for name, value in filters.items()}
        size = {"size": str(self._head["size"])} if "size" in self._head else {}
        self._resumed = self._last is not None
        return asked | size | ({} if self._last is None else {"after": self._last})

    def take(self, line: bytes) -> None:
        """Write a whole line of an export, unless it is a head and the file has one."""
        told = _told(line) if line.endswith(b"\n") else None
        if told is None or (told["type"] == "export" and self._head):
            return
        kind = told["type"]
        if kind == "end" and self._lacks():
            self.stopped = "hashes-missing"
            return
        if kind == "end" and self._resumed:
            whole = {"records": self.records, "first": self._first, "last": self._last}
            line = (json.dumps({**told, **whole}, separators=(",", ":")) + "\n").encode()
        if self._count(told):
            self._write(line)

    def summary(self) -> int:
        """Say what the file has."""
        report(
            f"{self.records} records, whole. Complete until"
            f" {self._head.get('complete_until') or 'a moment that is not known'}. Verify it:"
            f" rolecall audit verify {self.name} --key VKEY. Keep the VKEY elsewhere;"
            " `audit-checkpoint` of the account has it in `verifier_keys`."
        )
        return OK

    def _lacks(self) -> bool:
        """Whether a file that was gone on with lacks the hashes of records that are not kept."""
        every = not self._head.get("filters") and self._head.get("after") is None
        return self._resumed and every and self._sealed < int(self._head.get("size", 0))

    def _count(self, told: Mapping[str, Any] | None) -> bool:
        """Count a line; whether it stays in the file."""
        if told is None or self.whole:
            return False
        kind = told["type"]
        if kind == "export":
            self._head = told
        elif kind == "record":
            self.records += 1
            self._sealed += told.get("seal") is not None
            self._first = self._first or told["id"]
            self._last = told["id"]
            if self.records % SHOWN_EACH == 0:
                least = "at least" if self._head.get("estimate_is_minimum") else "about"
                report(f"{self.records} of {least} {self._head.get('estimate')} records")
        elif kind == "hash":
            self._sealed += 1
        elif kind == "end":
            self.whole = True
        else:
            self.stopped = str(told.get("code"))
            return False
        return True

    def _write(self, line: bytes) -> None:
        try:
            with Path(self.name).open("ab") as file:
                file.write(line)
        except OSError as error:
            raise UsageError(f"{self.name} cannot be written: {error.strerror}.") from error


def export_table(file: ExportFile, lines: Iterator[bytes]) -> int:
    """Write an export in CSV, and say whether it is whole."""
    last = b""
    with Path(file.name).open("wb") as written:
        for line in lines:
            written.write(line)
            last = line
    cells = next(csv.reader([last.decode(errors="replace")]), [""])
    if cells[0] == "#end":
        report(f"Whole: {cells[1]}.")
        return OK
    report("The export is not whole: its last row does not begin with #end. Make it anew.")
    return INVALID


def _told(line: bytes) -> Mapping[str, Any] | None:
    """The object of a line; `None` if it is not one of an export."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and isinstance(told.get("type"), str) else None
