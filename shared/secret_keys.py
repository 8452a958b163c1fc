"""Settings that hold secret keys: one, or several while a key is being changed."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from rolecall.client.jwk import KEY_BYTES, decode

MIN_ADMIN_KEY_LENGTH = 32
MAX_KEYS = 8


def split_keys(secret: SecretStr) -> tuple[str, ...]:
    """The texts of a setting with several keys, which commas or white space separate.

    Raises:
        ValueError: there is none, there are too many, or one is there twice.
    """
    texts = tuple(filter(None, re.split(r"[\s,]+", secret.get_secret_value())))
    if not 1 <= len(texts) <= MAX_KEYS:
        raise ValueError(f"must have 1 to {MAX_KEYS} keys, separated by commas")
    if len(set(texts)) < len(texts):
        raise ValueError("must not have a key twice")
    return texts


def secret_bytes(secret: SecretStr) -> bytes:
    """Return the 32 bytes of a secret.

    Raises:
        ValueError: the secret has another length, another alphabet, or is not random.
    """
    return _key_bytes(secret.get_secret_value())


def secret_keys(secret: SecretStr) -> tuple[bytes, ...]:
    """Return the keys of a secret, 32 bytes each: the first makes, and all are accepted.

    Raises:
        ValueError: one of them has another length, another alphabet, or is not random.
    """
    return tuple(_key_bytes(text) for text in split_keys(secret))


def _key_bytes(text: str) -> bytes:
    try:
        data = decode(text)
    except ValueError:
        data = b""
    if len(data) != KEY_BYTES or len(set(data)) < KEY_BYTES // 4:
        raise ValueError(f"must be {KEY_BYTES} random bytes in base64url without padding")
    return data


def _checked_secret(secret: SecretStr) -> SecretStr:
    secret_bytes(secret)
    return secret


def _checked_keys(secret: SecretStr) -> SecretStr:
    secret_keys(secret)
    return secret


def _checked_admin_keys(secret: SecretStr) -> SecretStr:
    """Refuse keys that could be guessed."""
    for key in split_keys(secret):
        if len(key) < MIN_ADMIN_KEY_LENGTH or len(set(key)) < MIN_ADMIN_KEY_LENGTH // 4:
            raise ValueError(f"must be random and have at least {MIN_ADMIN_KEY_LENGTH} characters")
    return secret


Secret32 = Annotated[SecretStr, AfterValidator(_checked_secret)]
"""A setting with 32 random bytes in base64url."""
Secret32s = Annotated[SecretStr, AfterValidator(_checked_keys)]
"""A setting with one or several keys of 32 random bytes in base64url."""
AdminKeys = Annotated[SecretStr, AfterValidator(_checked_admin_keys)]
"""A setting with one or several keys of operators."""
