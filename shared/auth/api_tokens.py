"""The form of API tokens: `rct_`, 30 characters of a secret, and a check sum of 6.

The id of a token is `tok_` and the first 32 digits of its SHA-256. So it is known from the token
alone, without an index by the hash. The secret is drawn until the hash begins with the number of
the shard that has the token's document.
"""

import re
import secrets
import string
import zlib
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256

from rolecall import Restriction
from shared.contracts.facts import SHARDS
from shared.ids import TokenId

API_TOKEN_PREFIX = "rct_"  # noqa: S105 - a scanner recognises a leaked token by it
SECRET_CHARACTERS = 30
CHECK_CHARACTERS = 6
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(
    rf"{API_TOKEN_PREFIX}[0-9A-Za-z]{{{SECRET_CHARACTERS + CHECK_CHARACTERS}}}", re.ASCII
)


def new_api_token(shard: int, choose: Callable[[str], str] = secrets.choice) -> str:
    """Return a new token whose id belongs to this shard."""
    while True:
        secret = API_TOKEN_PREFIX + "".join(choose(_ALPHABET) for _ in range(SECRET_CHARACTERS))
        token = secret + _check_sum(secret)
        if shard_of_token(token_id_of(digest_of(token))) == shard:
            return token


def looks_like_api_token(text: str) -> bool:
    """Return whether the text is meant as an API token."""
    return text.startswith(API_TOKEN_PREFIX)


def is_api_token(text: str) -> bool:
    """Return whether the text has the form of an API token, with the right check sum."""
    return (
        _FORM.fullmatch(text) is not None
        and _check_sum(text[:-CHECK_CHARACTERS]) == text[-CHECK_CHARACTERS:]
    )


def digest_of(token: str) -> str:
    """Return what is stored of a token; 178 random bits need no slow hash."""
    return sha256(token.encode()).hexdigest()


def token_id_of(digest: str) -> TokenId:
    """Return the id of the token with this SHA-256."""
    return TokenId(f"tok_{digest[:32]}")


def shard_of_token(token_id: TokenId) -> int:
    """Return the shard that has a token: that of its user."""
    return int(token_id[4:6], 16) % SHARDS


def restriction_of(
    projects: Collection[str] | None,
    grants: Mapping[str, Collection[str]] | None,
    *,
    read_only: bool,
) -> Restriction | None:
    """Return the limits of a token as the decision core takes them; `None`: there are none."""
    levels = None
    if grants is not None:
        levels = frozenset((entry, level) for entry, names in grants.items() for level in names)
    found = Restriction(
        projects=None if projects is None else frozenset(projects),
        levels=levels,
        read_only=read_only,
    )
    return None if found == Restriction() else found


def _check_sum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECK_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
