"""Recovery codes: twelve letters and digits of base 32, which are shown once."""

import base64
import os

from services.identity.domain.mfa import CODE_LENGTH, CODE_NAME_LENGTH, RECOVERY_CODES

_GROUP = 4


def new_recovery_codes() -> list[str]:
    """Make a set of codes that differ in their first characters, each with 50 secret bits."""
    codes: dict[str, str] = {}
    while len(codes) < RECOVERY_CODES:
        code = base64.b32encode(os.urandom(10)).decode()[:CODE_LENGTH]
        codes.setdefault(code[:CODE_NAME_LENGTH], code)
    return list(codes.values())


def shown(code: str) -> str:
    """Write a code in groups, as a person reads it."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))
