"""Probes on the lines and branches of the product, each of which ends when it is first met."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from types import CodeType
from uuid import uuid4

from slipcover import FileMatcher, ImportManager, Slipcover

from tests.coverage_report import EXCLUDED, PROBES, RESULTS, SOURCES

if sys.version_info < (3, 12):
    from slipcover.bytecode import Editor, op_NOP
    from slipcover.probe import set_immediate

VARIABLE = "ROLECALL_TEST_PROBES"
"""Set where the processes that tests start shall be measured."""
START = b"SlipCover knows places by their distance from a text."


class Probes(Slipcover):  # type: ignore[misc] # SlipCover has no types
    """What this process has met since it began, or since the process that it was forked from did.

    Python 3.12 ends what was met by itself. Before, SlipCover looks for it in all that is imported,
    again and again. Its own option for probes that end at once is made for Python 3.10: it changes
    a copy of the code. Here a probe changes the code that runs.
    """

    def __init__(self) -> None:
        """Measure what is imported from now on."""
        super().__init__(branch=True, exclude_also=EXCLUDED)
        self._finder = ImportManager(self, FileMatcher(sources=SOURCES))
        self._finder.__enter__()

    def stop(self) -> None:
        """Measure nothing more that is imported."""
        self._finder.__exit__()

    def instrument(self, code: CodeType, parent: CodeType | None = None) -> CodeType:
        """Put probes into the code of a module."""
        measured: CodeType = super().instrument(code, parent)
        if sys.version_info < (3, 12):
            # The code is at the end of its object, which lives as long as this one.
            begin = id(measured) + CodeType.__basicsize__
            editor = Editor(measured)
            for offset, _ in self.code2index.pop(measured):
                assert ctypes.string_at(begin + offset, 1)[0] == op_NOP
                _, probe = editor.get_inserted_function(offset)
                set_immediate(measured.co_consts[probe], START, begin + offset - _address(START))
        return measured

    def write(self) -> None:
        """Write what was met."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        met = {file: list(places) for file, places in self.newly_seen.copy().items()}
        (RESULTS / PROBES.format(f"{os.getpid()}-{uuid4().hex}")).write_text(json.dumps(met))


def _address(text: bytes) -> int:
    found = ctypes.cast(ctypes.c_char_p(text), ctypes.c_void_p).value
    assert found is not None
    return found
