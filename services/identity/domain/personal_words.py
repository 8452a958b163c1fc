"""Personal words: what an attacker knows of a user, and what a password has beside it."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import permutations

MIN_WORD_LENGTH = 4
"""A shorter word of ASCII letters counts only where it stands alone: "ana" is in "bananas"."""
MAX_JOINED_WORDS = 8
"""The most words of names, product and local part that are joined in pairs."""
_WORD = re.compile(r"[^\W_]+")
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d_]+|\d+")
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_UNDIVIDED = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)
"""Letters that Unicode does not divide into a letter and a mark."""
_SIGNS = str.maketrans("48@({[<3691!|l0$57+2", "abacccceggiiiiossttz")
"""Signs that people write for letters; letters that share a sign are one here."""


def personal_words(*, names: Iterable[str], email: str, product: str) -> list[str]:
    """Return the words of names, address and product, each without accents and spelled out.

    The words of one phrase are also joined, and those of all in pairs of either order.
    """
    local, _, domain = email.partition("@")
    phrases = [*names, product, *local.split("+"), domain]
    forms = [form for phrase in phrases for form in dict.fromkeys(_forms(phrase))]
    phrase_words = [_WORD.findall(form) for form in forms]
    words = list(dict.fromkeys(word for each in phrase_words for word in each))
    joined = ["".join(order) for each in phrase_words for order in (each, each[::-1])]
    own = [word for word in words if word not in _WORD.findall(bare(domain))]
    pairs = ["".join(pair) for pair in permutations(own[:MAX_JOINED_WORDS], 2)]
    parts = [part for word in words for part in _LETTERS_OR_DIGITS.findall(word)]
    found = [bare(email), *forms, *joined, *words, *parts, *pairs]
    return list(dict.fromkeys(word for word in found if word))


def beside_words(text: str, words: Iterable[str]) -> str | None:
    """Return the letters and digits of a text beside the words; `None` if it has none of the words.

    Words are found reversed, with signs for letters, and with anything but letters between their
    letters; the longest ones first.
    """
    plain = bare(text)
    places = [place for place, sign in enumerate(plain) if sign.translate(_SIGNS).isalnum()]
    folded = "".join(plain[place] for place in places).translate(_SIGNS)
    taken: set[int] = set()
    whole = {_compact(word) for word in words}
    for word in sorted(whole | {word[::-1] for word in whole}, key=lambda each: (-len(each), each)):
        if len(word) < (MIN_WORD_LENGTH if word.isascii() else 2):
            continue
        while (start := folded.find(word)) >= 0:
            end = start + len(word)
            taken.update(range(places[start], places[end - 1] + 1))
            folded = f"{folded[:start]}{' ' * len(word)}{folded[end:]}"
    for token in _LETTERS_OR_DIGITS.finditer(plain):
        if not {_compact(token.group()), _compact(token.group()[::-1])}.isdisjoint(whole):
            taken.update(range(*token.span()))
    rest = (sign for place, sign in enumerate(plain) if place not in taken)
    return "".join(filter(str.isalnum, rest)) if taken else None


def bare(text: str) -> str:
    """Return the text in one form, in lower case and without accents."""
    split = unicodedata.normalize("NFKD", text.casefold())
    unmarked = "".join(each for each in split if not unicodedata.combining(each))
    return unmarked.translate(_UNDIVIDED)


def _forms(phrase: str) -> tuple[str, str]:
    composed = unicodedata.normalize("NFKC", phrase).casefold()
    return bare(phrase), bare(composed.translate(_SPELLED_OUT))


def _compact(word: str) -> str:
    return "".join(each for each in word.translate(_SIGNS) if each.isalnum())
