"""May this text be the name of an account or a project?"""

import re
import unicodedata

LENGTH = 80
_LINK = re.compile(r"://|\bwww\.|=\?", re.IGNORECASE)
_TURNS_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def parse_name(text: str) -> str:
    """The name in NFC with single spaces.

    Names stand in mails to people who never asked for them, so they carry no link, no encoded
    header and nothing that hides or turns text (`T13`).

    Raises:
        ValueError: it is empty, too long, or holds such a thing.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= LENGTH:
        raise ValueError(f"a name has 1 to {LENGTH} characters")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"} for char in text.strip()):
        raise ValueError("a name has no control characters")
    if any(char in _TURNS_TEXT for char in name):
        raise ValueError("a name has no characters that change the direction of writing")
    if _LINK.search(name):
        raise ValueError("a name has no link in it")
    return name


def name_key(name: str) -> str:
    """The form in which two names are the same name."""
    return unicodedata.normalize("NFKC", name).casefold()
