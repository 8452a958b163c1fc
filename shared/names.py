"""The rule for the names of people, accounts and projects."""

import re
import unicodedata
from itertools import pairwise

from shared.contacts import has_contact
from shared.shown_text import INVISIBLE, as_shown

NAME_LENGTH = 100
"""The most characters of a name, after white space is folded and in NFC."""
TYPED_LENGTH = 10 * NAME_LENGTH
"""The most characters before that: to compose marks takes the square of their number."""

_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)
_LENGTH = f"A name must have 1 to {NAME_LENGTH} characters."
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


def parse_line(text: str) -> str:
    """Return one line of text as it is stored: in NFC, with single spaces; it may be empty.

    Raises:
        ValueError: a character hides or turns text, or ends the line. Its message is a sentence.
    """
    trimmed = text.strip()
    if any(_refused(character) for character in trimmed):
        raise ValueError("A name cannot contain control or formatting characters. Remove them.")
    if INVISIBLE.search(trimmed) or not _styles_follow_symbols(trimmed):
        raise ValueError("A name cannot contain invisible characters. Remove them.")
    return unicodedata.normalize("NFC", " ".join(trimmed.split()))


def parse_optional_name(text: str) -> str:
    """Return the name as `parse_name` does, or an empty text for none.

    Raises:
        ValueError: the text is not a name. Its message is a sentence.
    """
    return parse_name(text) if text.strip() else ""


def parse_name(text: str) -> str:
    """Return the name as it is stored: in NFC, with single spaces.

    A name stands in mails to people who did not ask for them. It therefore carries no link, no
    encoded word of a mail header (RFC 2047), no address or phone number, and no character that
    hides or turns text (`T13`).

    Raises:
        ValueError: the text is empty, too long or holds such a part. Its message is a sentence.
    """
    if len(text.strip()) > TYPED_LENGTH:
        raise ValueError(_LENGTH)
    name = parse_line(text)
    if not 1 <= len(name) <= NAME_LENGTH:
        raise ValueError(_LENGTH)
    if not any(_prints(character) for character in name):
        raise ValueError("A name needs at least one visible character.")
    if not _joiners_join(name):
        raise ValueError("A zero-width joiner or non-joiner must stand between visible characters.")
    shown = as_shown(name)
    if _LINK.search(shown):
        raise ValueError('A name cannot contain a link ("://" or "www."). Remove it.')
    if _ENCODED_WORD in shown:
        raise ValueError('A name cannot contain "=?". Remove it.')
    if has_contact(name):
        raise ValueError(
            "A name cannot contain an e-mail address, a web address or a phone number. Remove it."
        )
    return name


def name_key(name: str) -> str:
    """Return the form in which two equal names are equal: as shown, with case folding.

    Full-width letters, ligatures, joiners and variation selectors make no difference.
    """
    return unicodedata.normalize("NFKC", as_shown(name).casefold())


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
