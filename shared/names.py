"""The rule for the names of people, accounts and projects."""

import re
import unicodedata
from itertools import pairwise

NAME_LENGTH = 100
"""The most characters of a name, after white space is folded and in NFC."""

_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\W\d_]{2}")
_PATH = re.compile(r"[^\W_][\w-]*\.[^\W\d_]{2,}(?::\d|[/?#][^\s])")
"""A host with a path, a query or a port, as mail programs make links of it without a scheme."""
_NUMERIC_HOST = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_SPELLED_HOST = re.compile(
    r"\w\s*[\[({]\s*(?:dot|\.)\s*[\])}]\s*\w|\w\s+dot\s+(?:com|net|org|info|biz|io|app|dev)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_PHONE_NUMBER = re.compile(r"\d(?:[\s().\-\u2010-\u2015/\u00b7\u20e3]*\d){6}")
"""Seven digits, with what people write between the digits of a phone number."""
_DOTS = str.maketrans(dict.fromkeys("\u2024\u3002\ufe52\uff0e\uff61\u00b7\u2022\u0701", "."))
"""What address bars, mail programs and readers take for a dot."""
_ENCODED_WORD = "=?"
_JOINERS = frozenset("\u200c\u200d")
"""Zero-width non-joiner and joiner: Persian and Indic words and composed emoji need them."""
_EMOJI_STYLE = frozenset("\ufe0e\ufe0f")
"""Variation selectors 15 and 16: a symbol as text, or as emoji."""
_SYMBOLS = frozenset({"So", "Sm", "Sk", "Po", "Pd", "Nd"})
"""Categories of the characters that have an emoji style; the letter U+2139 has one, too."""
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unassigned (Cn) is allowed: it depends on the interpreter's Unicode which letters that is."""
_NONCHARACTERS = frozenset(range(0xFDD0, 0xFDF0))
_INVISIBLE = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0d\u2065\ufff0-\ufff8\U000e0000-\U000e0fff"
    "\u115f\u1160\u2800\u3164\uffa0\ufffc\U00016fe4\U0001d159]"
)
"""Default-ignorable code points (Unicode, UAX 44) outside of the format characters, then letters
and symbols that print nothing: fillers, the blank Braille pattern, the null notehead."""
_IGNORED = re.compile(f"{_INVISIBLE.pattern[:-1]}\u200c\u200d\ufe0e\ufe0f]")


def parse_name(text: str) -> str:
    """Return the name as it is stored: in NFC, with single spaces.

    A name stands in mails to people who did not ask for them. It therefore carries no link, no
    encoded word of a mail header (RFC 2047), no address or phone number, and no character that
    hides or turns text (`T13`).

    Raises:
        ValueError: the text is empty, too long or holds such a part. Its message is a sentence.
    """
    trimmed = text.strip()
    if any(_refused(character) for character in trimmed):
        raise ValueError("A name cannot contain control or formatting characters. Remove them.")
    if _INVISIBLE.search(trimmed) or not _styles_follow_symbols(trimmed):
        raise ValueError("A name cannot contain invisible characters. Remove them.")
    name = unicodedata.normalize("NFC", " ".join(trimmed.split()))
    if not 1 <= len(name) <= NAME_LENGTH:
        raise ValueError(f"A name must have 1 to {NAME_LENGTH} characters.")
    if not any(_prints(character) for character in name):
        raise ValueError("A name needs at least one visible character.")
    if not _joiners_join(name):
        raise ValueError("A zero-width joiner or non-joiner must stand between visible characters.")
    shown = _as_shown(name)
    if _LINK.search(shown):
        raise ValueError('A name cannot contain a link ("://" or "www."). Remove it.')
    if _ENCODED_WORD in shown:
        raise ValueError('A name cannot contain "=?". Remove it.')
    if has_contact(name):
        raise ValueError(
            "A name cannot contain an e-mail address, a web address or a phone number. Remove it."
        )
    return name


def has_contact(name: str) -> bool:
    """Return whether a reader or a mail program finds an address or a phone number in the name.

    A bare host is not counted: "Booking.com" is a company's name. A mail shows it without its dot.
    """
    shown = _as_shown(name).translate(_DOTS)
    hosts = (_ADDRESS, _PATH, _NUMERIC_HOST, _SPELLED_HOST)
    return any(pattern.search(shown) for pattern in hosts) or bool(
        _PHONE_NUMBER.search(_YEAR.sub(" - ", shown))
    )


def name_key(name: str) -> str:
    """Return the form in which two equal names are equal: as shown, with case folding.

    Full-width letters, ligatures, joiners and variation selectors make no difference.
    """
    return unicodedata.normalize("NFKC", _as_shown(name).casefold())


def _as_shown(name: str) -> str:
    return unicodedata.normalize("NFKC", _IGNORED.sub("", name))


def _refused(character: str) -> bool:
    category, point = unicodedata.category(character), ord(character)
    if category == "Cn":
        return point in _NONCHARACTERS or point & 0xFFFE == 0xFFFE
    return category in _REFUSED_CATEGORIES and character not in _JOINERS


def _prints(character: str) -> bool:
    """Return whether a character shows by itself: not a space, a mark or a joiner."""
    category = unicodedata.category(character)
    return category == "Cn" or category[0] not in "CMZ"


def _styles_follow_symbols(text: str) -> bool:
    """Return whether each variation selector 15 or 16 stands after a character that has styles."""
    return all(
        unicodedata.category(before) in _SYMBOLS or before == "\u2139"
        for before, character in pairwise(f" {text}")
        if character in _EMOJI_STYLE
    )


def _joiners_join(name: str) -> bool:
    """Return whether each joiner stands between visible characters; the first may have marks."""
    visible = False
    """Whether the latest character is visible, or a mark on one."""
    open_joiner = False
    for character in name:
        if character in _JOINERS:
            if not visible:
                return False
            visible, open_joiner = False, True
        elif _prints(character):
            visible, open_joiner = True, False
        elif unicodedata.category(character)[0] != "M" or open_joiner:
            if open_joiner:
                return False
            visible = False
    return not open_joiner
