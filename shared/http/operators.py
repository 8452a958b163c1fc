"""The name that an operator gives with a request, for the audit log."""

from collections.abc import Sequence
from urllib.parse import unquote

from shared.problems import Invalid

OPERATOR_HEADER = "Rolecall-Operator"
NAME_LENGTH = 100
_MESSAGE = f"Send the operator's name once: 1 to {NAME_LENGTH} characters, percent-encoded UTF-8."


def operator_name(values: Sequence[str]) -> str | None:
    """Return the name of the header's values; `None` without one.

    Raises:
        Invalid: there are several, or it is not a name.
    """
    if not values:
        return None
    try:
        [text] = values
        name = " ".join(unquote(text, errors="strict").split())
    except ValueError:
        name = ""
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise Invalid(errors=[(f"/headers/{OPERATOR_HEADER}", _MESSAGE)])
    return name
