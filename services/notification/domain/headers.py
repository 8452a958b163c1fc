"""The check of mail headers: a value can only ever be one header's value."""

import unicodedata
from email.header import Header

MAX_HEADER_LENGTH = 400
JOINERS = "\u200c\u200d"
"""Zero-width joiners, which some scripts and emoji need; the one kind of `Cf` that is allowed."""
_UNSAFE_CATEGORIES = frozenset({"Cc", "Zl", "Zp", "Cs", "Cf"})


class UnsafeHeader(Exception):  # noqa: N818 - it names what was found
    """A header's value could become more than one header, or be read as another value."""


def safe_header(value: str) -> str:
    """Return the value unchanged if it can only be one header's value (T13).

    The standard library decodes encoded words in a value and lets a line break inside one become a
    header of its own (seen with CPython 3.11.7), so both are refused here.

    Raises:
        UnsafeHeader: the value holds a control, separator or direction character or `=?`, or is
            longer than 400 characters.
    """
    if (
        len(value) > MAX_HEADER_LENGTH
        or "=?" in value
        or any(unicodedata.category(c) in _UNSAFE_CATEGORIES and c not in JOINERS for c in value)
    ):
        raise UnsafeHeader(repr(value))
    return value


def subject_header(subject: str) -> bytes:
    """The header of a subject.

    The library's own folding loses the space between an encoded word and the next one (seen with
    CPython 3.11.7). Here all words of a subject that is not ASCII are encoded, their spaces too.

    Raises:
        UnsafeHeader: it could be more than one header.
    """
    charset = "us-ascii" if subject.isascii() else "utf-8"
    folded = Header(safe_header(subject), charset, header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {folded}\r\n".encode("ascii")
