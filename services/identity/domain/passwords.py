"""Passwords: which ones may be chosen, and what a new one changes."""

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from zxcvbn_rs_py import zxcvbn

from services.identity.domain.personal_words import beside_words, personal_words
from services.identity.domain.users import User, payload_fields, user_fact
from shared.contracts.facts import Fact
from shared.contracts.identity import UserPasswordChanged, UserVerified
from shared.contracts.identity_access import AccessBesidePassword
from shared.problems import Invalid, Refusal, RefusalKind

PASSWORD_MIN_LENGTH = 10
PASSWORD_MAX_LENGTH = 128
MIN_SCORE = 3
"""Of zxcvbn, from 0 to 4: an attacker needs at least 10^8 guesses."""
MIN_GUESSES = 10**6
"""For what is left without personal words, which an attacker tries in about a hundred orders."""
EXAMINED_LENGTH = 48
"""The strength of a longer password is that of its beginning: the time grows faster than it."""
MAX_EXAMINED_WORK = 40_000
"""The most squared characters, times readings of signs as letters; about 8 ms of one core."""
SIGNS_AS_LETTERS = ("4@", "({[<", "69", "1!|", "1|7", "$5", "+7")
"""Signs that zxcvbn reads as one letter; it tries each combination of those that occur."""
KNOWN_PASSWORDS = ("admin@1234", "correcthorsebatterystaple", "counterstrike", "harleydavidson")
"""Common passwords that the lists of zxcvbn lack."""
NOTHING = AccessBesidePassword()


class HashingBusy(Refusal):
    """Too many passwords wait for the threads that hash them."""

    kind = RefusalKind.RATE_LIMITED
    code = "busy"
    detail = "The server is checking too many passwords at the moment. Try again in a second."


class WrongPassword(Refusal):
    """The current password of a signed-in user is wrong."""

    kind = RefusalKind.DENIED
    code = "wrong-password"
    detail = "The current password is wrong. Enter the one that you sign in with, or reset it."


def check_password(
    password: str, *, field: str, names: Iterable[str], email: str, product: str
) -> None:
    """Check that a password may be chosen; `field` is its place in the body.

    Raises:
        Invalid: with the reason and a suggestion.
    """
    if fault := password_fault(password, names=names, email=email, product=product):
        raise Invalid(errors=[(f"/{field}", fault)])


def password_fault(password: str, *, names: Iterable[str], email: str, product: str) -> str | None:
    """Say why this password may not be chosen, and what to do; `None` if it may.

    There are no rules of composition (NIST SP 800-63B, 5.1.1). A password needs a length, and must
    be hard to guess for an attacker who knows its user's names and address, and the product.
    """
    if len(password) < PASSWORD_MIN_LENGTH:
        return (
            f"A password must have at least {PASSWORD_MIN_LENGTH} characters. "
            "Use a few words that do not belong together."
        )
    if len(password) > PASSWORD_MAX_LENGTH:
        return f"A password must have at most {PASSWORD_MAX_LENGTH} characters."
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        return "A password must not contain control characters."
    words = personal_words(names=names, email=email, product=product)
    known = [*words, *KNOWN_PASSWORDS]
    plain = _plain(password)
    strength = zxcvbn(_examined(plain), known)
    rest = beside_words(plain, words)
    personal = rest is not None and zxcvbn(_examined(rest), known).guesses < MIN_GUESSES
    if int(strength.score) >= MIN_SCORE and not personal:
        return None
    feedback = strength.feedback
    suggestions = [str(one) for one in feedback.suggestions] if feedback else []
    if personal or int(zxcvbn(_examined(plain)).score) >= MIN_SCORE:
        reason = "It contains your name, your e-mail address or the name of this product."
    else:
        reason = str(feedback.warning) if feedback and feedback.warning else ""
    advice = suggestions or ["Use a few words that have nothing to do with you."]
    return " ".join(filter(None, ["This password is easy to guess.", reason, *advice]))


def change(
    user: User,
    password_hash: str,
    *,
    by_reset: bool,
    now: datetime,
    ended: AccessBesidePassword = NOTHING,
    left: AccessBesidePassword = NOTHING,
) -> tuple[User, tuple[Fact, ...]]:
    """Replace the password; a link that resets it does not work any more.

    A reset also proves the address. It is the way back after a theft: it takes a change of the
    address back that waits for its proof, and each device that signs in after it is mailed.
    """
    proves = by_reset and user.verified_at is None
    if by_reset:
        user = replace(
            user, new_email=None, new_email_key=None, new_email_made_at=None, known_devices=()
        )
    changed = replace(
        user,
        password_hash=password_hash,
        password_imported=False,
        password_taken=False,
        verified_at=now if proves else user.verified_at,
        reset_link_made_at=None,
        reset_used_at=now if by_reset else None,
    )
    payload = UserPasswordChanged(**payload_fields(user), by_reset=by_reset, ended=ended, left=left)
    fact = user_fact(changed, payload)
    if not proves:
        return changed, (fact,)
    return changed, (user_fact(changed, UserVerified(**payload_fields(user))), fact)


def _examined(password: str) -> str:
    """Give the beginning of a password whose strength is found in bounded time."""
    examined = password[:EXAMINED_LENGTH]
    while _readings(examined) * len(examined) ** 2 > MAX_EXAMINED_WORK:
        examined = examined[:-1]
    return examined


def _readings(text: str) -> int:
    used = set(text)
    return math.prod(max(1, len(used & set(signs))) for signs in SIGNS_AS_LETTERS)


def _plain(text: str) -> str:
    """Give the text as an attacker would try it: in one form, and without accents."""
    split = unicodedata.normalize("NFKD", text)
    return "".join(character for character in split if not unicodedata.combining(character))
