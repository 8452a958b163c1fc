"""A text as a reader sees it: compatible forms are one, and what prints nothing is gone."""

import re
import unicodedata

INVISIBLE = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0d\u2065\ufff0-\ufff8\U000e0000-\U000e0fff"
    "\u115f\u1160\u2800\u3164\uffa0\ufffc\U00016fe4\U0001d159]"
)
"""Default-ignorable code points (Unicode, UAX 44) outside of the format characters, then letters
and symbols that print nothing: fillers, the blank Braille pattern, the null notehead."""
_IGNORED = re.compile(f"{INVISIBLE.pattern[:-1]}\u200c\u200d\ufe0e\ufe0f]")
"""These, joiners and variation selectors, which some scripts and emoji need."""


def as_shown(text: str) -> str:
    """Return the text in NFKC without characters that print nothing."""
    return unicodedata.normalize("NFKC", _IGNORED.sub("", text))
