"""Hashes of passwords that another system made: which of them may be imported.

Each is checked when it is imported, so a sign-in never meets one that it cannot compare, or one
that takes the time or the memory of the server. It is replaced by a hash of ours at the first
sign-in.
"""

import base64
import binascii
import re

BCRYPT_COSTS = range(8, 13)
"""A cost of 12 takes about a quarter of a second of one core; each further step doubles it."""
ARGON2_MIN_KIB = 4 * 1024
ARGON2_MAX_KIB = 64 * 1024
ARGON2_MAX_WORK_KIB = 192 * 1024
"""Memory times passes, which the time of a comparison grows with."""
ARGON2_MAX_LANES = 4
COMPARISON_SECONDS = 2.0
"""Refused sign-ins take this long while imported hashes are left: the time would show which
addresses have one (`T9`). The longest comparison takes a third of it on a busy core."""
SALT_BYTES = range(8, 65)
HASH_BYTES = range(16, 65)

_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})", re.ASCII)
_BCRYPT_SALT_ENDS = ".Oeu"
_BCRYPT_HASH_ENDS = ".CGKOSWaeimquy26"
"""The last characters of canonical text, whose bits beyond the last byte are 0. No password matches
another hash."""
_ARGON2 = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]{0,2}),p=([1-9][0-9]?)"
    r"\$([A-Za-z0-9+/]{1,90})\$([A-Za-z0-9+/]{1,90})",
    re.ASCII,
)


def hash_fault(hashed: str) -> str | None:
    """Say why a hash cannot be imported, and what to do; `None` if it can."""
    if (bcrypt := _BCRYPT.fullmatch(hashed)) is not None:
        fits = (
            int(bcrypt[1]) in BCRYPT_COSTS
            and bcrypt[2][-1] in _BCRYPT_SALT_ENDS
            and bcrypt[3][-1] in _BCRYPT_HASH_ENDS
        )
        return None if fits else f"{_BCRYPT_BOUNDS} {_WITHOUT}"
    if (argon2 := _ARGON2.fullmatch(hashed)) is not None:
        memory, passes, lanes = (int(argon2[number]) for number in (1, 2, 3))
        fits = (
            max(ARGON2_MIN_KIB, 8 * lanes) <= memory <= ARGON2_MAX_KIB
            and memory * passes <= ARGON2_MAX_WORK_KIB
            and lanes <= ARGON2_MAX_LANES
            and _bytes_of(argon2[4]) in SALT_BYTES
            and _bytes_of(argon2[5]) in HASH_BYTES
        )
        return None if fits else f"{_ARGON2_BOUNDS} {_WITHOUT}"
    return (
        "Must be a hash of argon2id, version 19 (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), or of"
        f" bcrypt (`$2b$10$…`). {_WITHOUT}"
    )


def _bytes_of(text: str) -> int:
    """The number of bytes that base64 without padding stands for; 0 if it is not canonical."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return 0
    canonical = base64.b64encode(decoded).decode().rstrip("=")
    return len(decoded) if canonical == text else 0


_WITHOUT = "Or leave it out: the user then sets a password by a reset."
_BCRYPT_BOUNDS = (
    f"A bcrypt hash must have a cost from {BCRYPT_COSTS[0]} to {BCRYPT_COSTS[-1]}, a salt that ends"
    f" in one of `{_BCRYPT_SALT_ENDS}`, and a hash that ends in one of `{_BCRYPT_HASH_ENDS}`."
)
_ARGON2_BOUNDS = (
    f"A hash of argon2id must use {ARGON2_MIN_KIB} to {ARGON2_MAX_KIB} KiB of memory, at most"
    f" {ARGON2_MAX_WORK_KIB} KiB times passes and {ARGON2_MAX_LANES} lanes, with a salt of"
    f" {SALT_BYTES[0]} to {SALT_BYTES[-1]} bytes and a hash of {HASH_BYTES[0]} to {HASH_BYTES[-1]}."
)
