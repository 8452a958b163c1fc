"""Cells of CSV files that people open in a spreadsheet."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

from shared.shown_text import as_shown

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_RUN = frozenset("=+-@")
"""What a spreadsheet takes for the beginning of a formula."""


def safe_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; a number stays one."""
    if _NUMBER.fullmatch(text):
        return text
    shown = (one for one in as_shown(text) if unicodedata.category(one)[0] not in "CZ")
    return f"'{text}" if text[:1].isspace() or next(shown, "") in _RUN else text


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Write rows as RFC 4180 has it."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(map(safe_cell, row) for row in rows)
    return written.getvalue()
