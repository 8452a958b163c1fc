"""Ids: their types, prefixes and form on the wire."""

import os
import re
import time
from collections.abc import Callable
from typing import NewType

UserId = NewType("UserId", str)
SignUpId = NewType("SignUpId", str)
AccountId = NewType("AccountId", str)
MembershipId = NewType("MembershipId", str)
InvitationId = NewType("InvitationId", str)
ProjectId = NewType("ProjectId", str)
RoleId = NewType("RoleId", str)
GuardrailId = NewType("GuardrailId", str)
SessionId = NewType("SessionId", str)
ClientId = NewType("ClientId", str)
TokenId = NewType("TokenId", str)
MessageId = NewType("MessageId", str)
WebhookId = NewType("WebhookId", str)
DeliveryId = NewType("DeliveryId", str)
StreamId = NewType("StreamId", str)
SearchId = NewType("SearchId", str)
KeyId = NewType("KeyId", str)
IdentityId = NewType("IdentityId", str)
ConnectionId = NewType("ConnectionId", str)

# The prefix that a path parameter of this name must have; a malformed id never reaches a store.
PREFIXES = {
    "account_id": "acc",
    "client_id": "cli",
    "connection_id": "sso",
    "delivery_id": "dlv",
    "event_id": "evt",
    "guardrail_id": "grd",
    "identity_id": "idn",
    "invitation_id": "inv",
    "membership_id": "mem",
    "message_id": "msg",
    "passkey_id": "pky",
    "project_id": "prj",
    "search_id": "sch",
    "session_id": "ses",
    "stream_id": "str",
    "token_id": "tok",
    "user_id": "usr",
    "webhook_id": "whk",
}
FORMS = {
    "type": re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII),
    "rid": re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@-]{0,255}", re.ASCII),
}
"""The form of a path parameter that a platform chooses: type and id of a registered resource."""
_ID = re.compile(r"[a-z]{3}_[0-9a-f]{32}", re.ASCII)
_RANDOM_DIGITS = 18
"""Of the id of a request: all but its time, the version 7 and the digit of the variant."""
_IDS_OF_DRAW = 256
"""About 10 µs of work for as many requests."""
_OTHER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:@-]{0,199}", re.ASCII)


def uuid7() -> int:
    """A new UUIDv7 (RFC 9562); it begins with milliseconds, so ids sort by their creation time."""
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    noise = int.from_bytes(os.urandom(10)) >> 6
    version_and_a = 7 << 12 | noise >> 62
    variant_and_b = 2 << 62 | noise & (1 << 62) - 1
    return milliseconds << 80 | version_and_a << 64 | variant_and_b


def new_id(prefix: str) -> str:
    """A new id: `<prefix>_` and the 32 hexadecimal digits of a UUIDv7."""
    return f"{prefix}_{uuid7():032x}"


class RequestIds:
    """Makes the ids of requests: UUIDv7 as others, with random bits that are drawn for many.

    Every caller sees the ids of their requests. A number in them, also a scrambled one, would tell
    how many requests of others there were in between, and so what an answer made happen (`T9`).
    """

    def __init__(self, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._random_bytes = random_bytes
        self._unused: list[str] = []
        self._latest = -1, ""
        """The last millisecond that was asked for, and how its ids begin."""

    def new(self) -> str:
        """A new id of a request."""
        if not self._unused:
            self._unused = self._draw()
        millisecond = time.time_ns() // 1_000_000
        known, beginning = self._latest
        if known != millisecond:
            beginning = f"req_{millisecond:012x}"
            self._latest = millisecond, beginning
        return beginning + self._unused.pop()

    def _draw(self) -> list[str]:
        """What comes after the time in the next ids: random digits, the version, the variant."""
        digits = self._random_bytes(_IDS_OF_DRAW * _RANDOM_DIGITS // 2).hex()
        return [
            f"7{digits[at : at + 3]}8{digits[at + 3 : at + _RANDOM_DIGITS]}"
            for at in range(0, len(digits), _RANDOM_DIGITS)
        ]


def is_id(value: str, prefix: str) -> bool:
    """Return whether `value` has the form of an id with this prefix, in ASCII characters."""
    return value.startswith(f"{prefix}_") and _ID.fullmatch(value) is not None


def id_form(prefix: str) -> str:
    """Return what an id with this prefix must look like, for a caller who sent something else."""
    return f"Must be an id that begins with `{prefix}_`, as an earlier answer gave it."


def fits_path(name: str, value: str) -> bool:
    """Return whether `value` may be the value of the path parameter `name`."""
    prefix = PREFIXES.get(name)
    if prefix is not None:
        return is_id(value, prefix)
    return FORMS.get(name, _OTHER).fullmatch(value) is not None
