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
_PARTS = re.compile(r"[;\t\r\n]")
"""What may end a cell: German spreadsheets split a line at `;`, others at tabs. Cells within quotes
are for them no cells, so a line ends within one, too."""


def safe_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; a number stays one.

    A spreadsheet that splits at another sign than the comma makes several cells of one. So each
    part that may become a cell gets its own apostrophe.
    """
    if _NUMBER.fullmatch(text):
        return text
    begins = [0, *(sign.end() for sign in _PARTS.finditer(text))]
    ends = [*begins[1:], len(text)]
    parts = [text[begin:end] for begin, end in zip(begins, ends, strict=True)]
    whole = f"'{parts[0]}" if text[:1].isspace() or _runs(parts[0]) else parts[0]
    return whole + "".join(f"'{part}" if _runs(part) else part for part in parts[1:])


def _runs(part: str) -> bool:
    """Whether a formula begins here, also behind a quote or what is not seen."""
    shown = (one for one in as_shown(part) if unicodedata.category(one)[0] not in "CZ")
    return next((one for one in shown if one != '"'), "") in _RUN


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Write rows as RFC 4180 has it."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(map(safe_cell, row) for row in rows)
    return written.getvalue()
