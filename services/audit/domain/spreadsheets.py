"""Cells of CSV files that no spreadsheet takes for a formula."""

import csv
from collections.abc import Iterable
from io import StringIO

BYTE_ORDER_MARK = "\ufeff"
"""At the beginning of a file it tells some spreadsheets that the text is UTF-8."""
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""The last four are the full-width forms of the first four."""


def csv_row(cells: Iterable[object]) -> str:
    """Return a row of a CSV file (RFC 4180).

    A text that a spreadsheet would run has an apostrophe in front. A missing value is an empty
    cell.
    """
    line = StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
