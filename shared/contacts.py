"""Contact details in a text: what a reader or a mail program takes for a place to write or call."""

import re
import unicodedata

from shared.shown_text import as_shown

PHONE_NUMBER_DIGITS = 7
"""The fewest digits that are a phone number; shorter ones are house, order and team numbers."""

_LIKE_A_DOT = (
    "\u00b7\u0387\u06d4\u0701\u0702\u1362\u16eb\u1803\u2022\u2027\u2219\u22c5\u25cf"
    "\u2e31\u2e33\u3002\u30fb\ua4f8\ua60e\ua78f\U00010101"
)
_LIKE_A_SLASH = "\\\u1735\u2044\u2215\u2216\u2571\u2572\u27cb\u27cd\u29f5\u29f8\u29f9\u3033\u31d3"
_LIKE_A_COLON = "\u02d0\u02f8\u0589\u05c3\u0703\u0704\u205a\u2236\ua789"
_PLAIN = str.maketrans(
    dict.fromkeys(_LIKE_A_DOT, ".")
    | dict.fromkeys(_LIKE_A_SLASH, "/")
    | dict.fromkeys(_LIKE_A_COLON, ":")
)
"""Characters that look like those of an address and are not the same in NFKC (Unicode, UTS 39)."""

_LETTER = r"[^\W\d_]"
_TOP_LEVEL = rf"(?!(?:[jt]sx?|mjs|css|html|php)\b)(?:xn--[\w-]+|{_LETTER}{{2,}})"
"""The last part of a host; no top-level domain has the name of these kinds of files."""
_HOST = rf"[^\W_][\w.-]*(?:\.|\s?\.\s?(?=[a-z])){_TOP_LEVEL}"
"""A host, also with a space at its dot. After the dot of "Mr. Smith" stands a capital letter."""
_HOSTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i:\bh(?:tt|xx)ps?:)|[^\W_]:?//",
        rf"\S\s?@\s?{_HOST}",
        r"(?<!\w)@\w",
        rf"{_HOST}(?:/|\s/\S|:\d|[?#%]\S|(?i:\s+slash\s+\w))",
        r"(?i:\blocalhost[/:]\w)",
        r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])",
        r"(?i:\w\s*[\[({<]\s*(?:dot|\.|at|@)\s*[\])}>]\s*\w)",
        # In lower case or in capitals "dot" is read out. "Polka Dot Community" is a name.
        rf"\w\s+(?:dot|DOT)\s+{_LETTER}{{2}}|(?i:\w\s+dot\s+{_LETTER}{{2,3}}\b)",
        rf"(?i:\w\s+at\s+\w+\s+dot\s+{_LETTER}{{2}}|\w\s+dot\s+\w+\s+slash\s)",
    )
)
"""A scheme, an address, a handle, a host with a path or port, this host, a numeric host, and the
same in words. A bare host is not there: "Booking.com" is a company's name."""

_SINGLE_LETTER = rf"(?<!{_LETTER})(?![a-fA-F]){_LETTER}(?!{_LETTER})|(?<![^\W_])[a-fA-F](?![^\W_])"
"""Letters beside each other are a word. One of "3f2a9b" is a part of a hexadecimal number."""
_DIGIT_RUN = re.compile(rf"\d(?:(?:[\W_]|{_SINGLE_LETTER})*\d)*")
"""Digits between which stands no word: anything but letters, or single letters such as x."""
_YEAR = r"(?<!\d)(?:19|20)\d\d"
_YEARS = re.compile(rf"({_YEAR})\s?[-\u2010-\u2015/]\s?({_YEAR}|\d\d)(?!\d)")
_DATE = re.compile(rf"{_YEAR}\D(?:0?[1-9]|1[0-2])\D(?:0?[1-9]|[12]\d|3[01])(?!\d)")


def has_contact(text: str) -> bool:
    """Return whether a text without control characters has an address or a phone number.

    A bare host is not counted. A mail shows it without its dot.
    """
    plain = _plain(text)
    return any(pattern.search(plain) for pattern in _HOSTS) or any(
        _is_phone_number(run.group()) for run in _DIGIT_RUN.finditer(plain)
    )


def _plain(text: str) -> str:
    """Return the text as shown, without marks, with ASCII digits, dots, slashes and colons."""
    plain = as_shown(text).translate(_PLAIN)
    if plain.isascii():
        return plain
    return "".join(
        str(unicodedata.digit(character, character))
        for character in plain
        if unicodedata.category(character)[0] != "M"
    )


def _is_phone_number(run: str) -> bool:
    """Return whether a run of digits is long, and is not only a range of years or a date.

    One more digit may stand beside those, as in "Q3 2025/26".
    """
    if _digits(run) < PHONE_NUMBER_DIGITS:
        return False
    rest = _DATE.sub("", run, count=1)
    if rest == run and (years := _YEARS.search(run)):
        first, last = years.groups()
        if first[-len(last) :] < last:
            rest = run[: years.start()] + run[years.end() :]
    return rest == run or _digits(rest) > 1


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
