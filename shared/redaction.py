"""The names and shapes of secrets, which no log line and no audit record may hold (T15)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

REDACTED = "[redacted]"

SECRET_NAMES = frozenset(
    {
        "access_token",
        "admin_key",
        "api_key",
        "authorization",
        "client_secret",
        "code",
        "cookie",
        "id_token",
        "internal_key",
        "key",
        "link",
        "mac",
        "otp",
        "passphrase",
        "passwd",
        "password",
        "password_hash",
        "private_key",
        "recovery_codes",
        "refresh_token",
        "secret",
        "token",
        "totp_secret",
        "url",
    }
)
"""Members whose value is a secret, in lower case with underscores."""

_ONLY_WHOLE = frozenset({"code", "key", "link", "mac", "url"})
"""Secret only as a whole name: `status_code` and `url_template` hold no secret."""

_WITHIN = tuple(name.replace("_", "") for name in sorted(SECRET_NAMES - _ONLY_WHOLE))

_SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JWT
    r"|\brc[ts]_[\w-]{8,}"  # an API token or a client's secret of ours
    r"|\$argon2\S+"
    r"|\b(?:usr|inv|ses)_[0-9a-f]{32}\.\d+\.[\w-]+"  # the token of a mailed link, of a refresh
    r"|(?<=\bBearer )\S+|(?<=\bBasic )\S+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # a password in an address
    r"|(?<=[?&#])(?:token|code|refresh_token|password)=[^\s&#\"']+",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Return whether a member of this name holds a secret.

    The whole name is compared. A catalog's entries are named by customers: `api_tokens` is the
    name of a permission, not of a token.
    """
    return _snake(name) in SECRET_NAMES


def contains_secret_name(name: str) -> bool:
    """Return whether any part of the name suggests a secret (`new_password`, `Set-Cookie`).

    For names that only our own code and libraries choose, where one redaction too many is harmless.
    """
    folded = _snake(name).replace("_", "")
    return is_secret_name(name) or any(part in folded for part in _WITHIN)


def redact(text: str, *, replacement: str = REDACTED) -> str:
    """Replace every part of the text that looks like a credential."""
    return _SHAPES.sub(replacement, text)


def redact_values(
    value: Any, *, is_secret: Callable[[str], bool], replacement: str = REDACTED
) -> Any:
    """Replace secrets at every depth of mappings, sequences and sets: by name and by shape."""
    if isinstance(value, str):
        return redact(value, replacement=replacement)
    if isinstance(value, Mapping):
        return {
            str(key): replacement
            if is_secret(str(key))
            else redact_values(item, is_secret=is_secret, replacement=replacement)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_values(item, is_secret=is_secret, replacement=replacement) for item in value]
    return value


def _snake(name: str) -> str:
    return name.lower().replace("-", "_")
