"""The rule for the names of people, accounts and projects."""

import re
import unicodedata

NAME_LENGTH = 100
"""The most characters of a name, after white space is folded and in NFC."""

_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)
_ENCODED_WORD = "=?"
_JOINERS = frozenset("\u200c\u200d")
"""Zero-width non-joiner and joiner: Persian and Indic words and composed emoji need them."""
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Hangul fillers and the blank Braille pattern: letters and symbols that print nothing."""


def parse_name(text: str) -> str:
    """Return the name as it is stored: in NFC, with single spaces.

    A name stands in mails to people who did not ask for them. It therefore carries no link, no
    encoded word of a mail header (RFC 2047) and no character that hides or turns text (`T13`).

    Raises:
        ValueError: the text is empty, too long or holds such a part. Its message is a sentence.
    """
    trimmed = text.strip()
    if any(_refused(character) for character in trimmed):
        raise ValueError("A name cannot contain control or formatting characters. Remove them.")
    name = unicodedata.normalize("NFC", " ".join(trimmed.split()))
    if not 1 <= len(name) <= NAME_LENGTH:
        raise ValueError(f"A name must have 1 to {NAME_LENGTH} characters.")
    if not any(_prints(character) for character in name):
        raise ValueError("A name needs at least one visible character.")
    if not _joiners_join(name):
        raise ValueError("A zero-width joiner or non-joiner must stand between visible characters.")
    if _LINK.search(name):
        raise ValueError('A name cannot contain a link ("://" or "www."). Remove it.')
    if _ENCODED_WORD in name:
        raise ValueError('A name cannot contain "=?". Remove it.')
    return name


def name_key(name: str) -> str:
    """Return the form in which two equal names are equal: NFKC with case folding."""
    return unicodedata.normalize("NFKC", name).casefold()


def _refused(character: str) -> bool:
    return unicodedata.category(character) in _REFUSED_CATEGORIES and character not in _JOINERS


def _prints(character: str) -> bool:
    """Return whether a character shows by itself: not a space, a mark, a joiner or a blank."""
    return unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK_LETTERS


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
