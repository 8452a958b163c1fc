"""Passwords: which ones may be chosen."""

import unicodedata
from importlib.resources import files

from shared.problems import Refusal, RefusalKind

PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_LENGTH = 128
COMMON_PASSWORDS = frozenset(
    files(__package__).joinpath("common_passwords.txt").read_text("utf-8").split()
)


class HashingBusy(Refusal):
    """Too many passwords wait for the threads that hash them."""

    kind = RefusalKind.RATE_LIMITED
    code = "busy"
    detail = "The server is checking too many passwords at the moment. Try again in a second."


def password_fault(password: str, *, name: str, email: str) -> str | None:
    """Say why this password may not be chosen; `None` if it may.

    There are no rules of composition (NIST SP 800-63B, 5.1.1). A password needs a length, must not
    be a common one, and must not be the user's own name or address with digits around it.
    """
    if len(password) < PASSWORD_MIN_LENGTH:
        return f"A password must have at least {PASSWORD_MIN_LENGTH} characters."
    if len(password) > PASSWORD_MAX_LENGTH:
        return f"A password must have at most {PASSWORD_MAX_LENGTH} characters."
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        return "A password must not contain control characters."
    folded = _fold(password)
    guesses = {folded, _letters(folded)}
    if len(set(folded)) < 3 or guesses & COMMON_PASSWORDS:
        return "This password is too common. Choose another one."
    if guesses & _own_words(name=name, email=email):
        return "This password is your own name or e-mail address. Choose another one."
    return None


def _own_words(*, name: str, email: str) -> set[str]:
    local, _, domain = _fold(email).partition("@")
    words = {_fold(email), local, domain, domain.partition(".")[0], *_fold(name).split()}
    words.add("".join(_fold(name).split()))
    return words | {_letters(word) for word in words if len(_letters(word)) > 2}


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _letters(word: str) -> str:
    """Return the word without the digits and signs around it."""
    letters = [index for index, character in enumerate(word) if character.isalpha()]
    return word[letters[0] : letters[-1] + 1] if letters else word
