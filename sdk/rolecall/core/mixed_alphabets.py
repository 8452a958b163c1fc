"""Words that mix alphabets with letters of the same form."""

import re
import unicodedata

_ALPHABETS = frozenset({"LATIN", "GREEK", "CYRILLIC", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU"})
"""Those with letters that look like letters of another one. In Unicode the name of a letter begins
with its alphabet."""
_WORD = re.compile(r"[^\W\d_]+")


def mixed_word(text: str) -> str | None:
    """Say in a sentence which word mixes such alphabets; `None` if no word does.

    Full-width letters and ligatures count as the letters that they stand for. Accents and joiners
    do not end a word.
    """
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", text)
        if unicodedata.category(character)[0] not in "CM"
    )
    for word in _WORD.findall(plain):
        found = {unicodedata.name(letter, "").partition(" ")[0] for letter in word} & _ALPHABETS
        if len(found) > 1:
            names = " and ".join(sorted(alphabet.title() for alphabet in found))
            return f"The word {word!r} mixes letters of the alphabets {names}. Use one alphabet."
    return None
