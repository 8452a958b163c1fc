"""The names and shapes of secrets, which no log line and no audit record may hold (T15)."""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

REDACTED = "[redacted]"
REMOVED = "[removed]"

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

_CATALOG_NAMES_BELOW = frozenset({"grants"})
_ONLY_WHOLE = frozenset({"code", "key", "link", "mac", "url"})
"""Secret only as a whole name: `status_code` and `url_template` hold no secret."""

_WITHIN = tuple(name.replace("_", "") for name in sorted(SECRET_NAMES - _ONLY_WHOLE))

_JWT = re.compile(r"eyJ[\w-]{8,}+(\.[\w-]+\.[\w-]*)?", re.IGNORECASE)
"""A JWT, or a run of such characters that is none: no part of the run is looked at again."""
_SHAPES = re.compile(
    r"\brc[ts]_[\w-]{8,}"  # an API token or a client's secret of ours
    r"|\$argon2\S+"
    r"|\$2[abxy]\$\d\d\$\S+"
    r"|\b(?:usr|inv|ses)_[0-9a-f]{32}\.\d+\.[\w-]+"  # the token of a mailed link, of a refresh
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",  # a password in an address
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"""(\bauthorization(?:["'],|["']?[ \t]*[:=])[ \t]*b?["']?"""
    r"""(?:bearer|basic|token|dpop|digest)[ \t]+)[^\s"',;]+""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(\b(?:bearer|(basic))[ \t]+)([\w.~+/-]{4,}=*)", re.IGNORECASE)
_PARAMETER = re.compile(
    r"(?<=[?&#])(?:token|code|refresh_token|password)=[^\s&#\"']+", re.IGNORECASE
)
_RANDOM_LENGTH = 20
_RUN = re.compile(r"[A-Za-z0-9]{2,}")
_HEX_DIGITS = re.compile(r"[0-9a-f-]{32,}", re.IGNORECASE)
_TURNS = 4
"""So often a random word changes between lower case, upper case and digits."""


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
    """Replace every part of a log line that is a credential, and every secret parameter of a path.

    Every value of such a parameter is replaced, because programs wrote the text.
    """
    return _PARAMETER.sub(replacement, redact_credentials(text, replacement=replacement))


def redact_credentials(text: str, *, replacement: str = REDACTED) -> str:
    """Replace the credentials in a text that a person wrote, and leave plain language alone.

    A word after `Bearer` or `Basic` counts if it has the shape of a credential, or if the header's
    name stands before it. A parameter counts inside a whole address, which no name can contain.
    """
    text = _JWT.sub(lambda found: replacement if found[1] else found[0], text)
    text = _SHAPES.sub(replacement, text)
    text = _HEADER.sub(lambda found: found[1] + replacement, text)
    text = _SCHEME.sub(lambda found: _after_scheme(found, replacement), text)
    if "://" not in text:
        return text
    return re.sub(
        r"\S+",
        lambda word: _PARAMETER.sub(replacement, word[0]) if "://" in word[0] else word[0],
        text,
    )


def redact_values(
    value: Any,
    *,
    is_secret: Callable[[str], bool],
    replacement: str = REDACTED,
    redact_text: Callable[..., str] = redact,
    names_of_catalog: frozenset[str] = frozenset(),
) -> Any:
    """Replace secrets at every depth of mappings, sequences and sets: by name and by shape.

    Below a member in `names_of_catalog` the names are a catalog's entries, such as `api_key`, and
    say nothing about the value.
    """

    def redacted(value: Any, is_secret: Callable[[str], bool]) -> Any:
        if isinstance(value, str):
            return redact_text(value, replacement=replacement)
        if isinstance(value, Mapping):
            return {
                str(key): replacement
                if is_secret(str(key))
                else redacted(item, _never if key in names_of_catalog else is_secret)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [redacted(item, is_secret) for item in value]
        return value

    return redacted(value, is_secret)


def without_secrets(value: Any) -> Any:
    """Replace what an audit record or an event of a webhook must not hold by `[removed]` (T15).

    Names of users and projects stay, even with such words: a record must show what changed.
    Below `grants` each name is an entry or a level of a catalog, and the record shows the grant.
    """
    return redact_values(
        value,
        is_secret=is_secret_name,
        replacement=REMOVED,
        redact_text=redact_credentials,
        names_of_catalog=_CATALOG_NAMES_BELOW,
    )


def _never(_: str) -> bool:
    return False


def _after_scheme(found: re.Match[str], replacement: str) -> str:
    prefix, basic, word = found.groups()
    is_credential = _is_pair(word) if basic else _is_random(word)
    return prefix + replacement if is_credential else found[0]


def _is_pair(word: str) -> bool:
    """Tell whether the word is a user and a password in base64 (RFC 7617)."""
    unpadded = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        pair = b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True).decode()
    except ValueError:
        return False
    return ":" in pair and pair.isprintable()


def _is_random(word: str) -> bool:
    """Tell whether the word looks generated: hexadecimal digits, or a mix of classes.

    A capital at the start of a part (`Zone-North`) does not make it a mix.
    """
    if (digits := _HEX_DIGITS.search(word)) and any(c.isdigit() for c in digits[0]):
        return True
    turns = sum(
        _class(one) != _class(other)
        for run in _RUN.findall(word)
        for one, other in pairwise(run[1:])
    )
    return len(word) >= _RANDOM_LENGTH and turns >= _TURNS


def _class(character: str) -> tuple[bool, bool]:
    return character.isdigit(), character.isupper()


def _snake(name: str) -> str:
    return name.lower().replace("-", "_")
