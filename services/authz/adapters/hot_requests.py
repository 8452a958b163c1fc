"""The form of the requests that are answered without aiohttp, recognised in raw bytes.

Pure. A request is recognised only if every reader of HTTP understands it in the same way. All
others are aiohttp's, valid or not.
"""

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

MAX_BYTES = 16_384
"""The longest request, with its head. aiohttp answers longer ones."""
MAX_HEAD_BYTES = 8_000
"""The longest head; aiohttp refuses a single field of more than 8,190 bytes."""
MAX_FIELDS = 64
KEPT_HEADS = 512
MAX_AT_ONCE = 32
"""The requests in one piece of data that are answered before others have their turn."""

_FIELD = re.compile(rb"(?m)^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([!-~](?:[ -~]*[!-~])?)\r\n")
_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]{1,255}")
_LENGTH = re.compile(rb"[1-9][0-9]{0,4}")
_JSON = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)
_OTHERS = frozenset(
    {
        b"content-encoding",
        b"expect",
        b"http2-settings",
        b"proxy-connection",
        b"sec-websocket-key1",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that change how a request is read or answered."""


class Unread(Enum):
    """Why bytes are not requests of this form."""

    UNFINISHED = "unfinished"
    """They may be the beginning of one."""
    OTHER = "other"
    """They have another form, or something else is among them."""


class HotRequest(NamedTuple):
    """One request; `raw` has all its bytes."""

    authorization: str
    made_id: str | None
    sent_id: str | None
    body: bytes
    raw: bytes


class _Head(NamedTuple):
    authorization: str
    made_id: str | None
    sent_id: str | None
    body_bytes: int


class HotRequests:
    """Recognises requests to one path."""

    def __init__(self, path: str, *, own_id_field: str, sent_id_field: str) -> None:
        self._line = f"POST {path} HTTP/1.1\r\n".encode()
        self._own_id_field = own_id_field.lower().encode()
        self._sent_id_field = sent_id_field.lower().encode()
        # Most clients send the same head again and again.
        self._read_head = lru_cache(maxsize=KEPT_HEADS)(self._head)

    def read(self, data: bytes) -> list[HotRequest] | Unread:
        """Return the requests that these bytes are, whole and without anything else.

        Of requests that arrive together with something malformed, aiohttp answers none.
        """
        first = self._first(data)
        if isinstance(first, Unread):
            return first
        requests, size = [first], len(first.raw)
        while size < len(data):
            found = self._first(data[size:])
            if isinstance(found, Unread) or len(requests) == MAX_AT_ONCE:
                return Unread.OTHER
            requests.append(found)
            size += len(found.raw)
        return requests

    def _first(self, data: bytes) -> HotRequest | Unread:
        if not data.startswith(self._line):
            return Unread.UNFINISHED if self._line.startswith(data) else Unread.OTHER
        end = data.find(b"\r\n\r\n", len(self._line))
        if end < 0:
            return Unread.OTHER if len(data) >= MAX_BYTES else Unread.UNFINISHED
        start = end + 4
        head = self._read_head(data[:start]) if start <= MAX_HEAD_BYTES else None
        if head is None or start + head.body_bytes > MAX_BYTES:
            return Unread.OTHER
        raw = data[: start + head.body_bytes]
        if len(raw) < start + head.body_bytes:
            return Unread.UNFINISHED
        return HotRequest(head.authorization, head.made_id, head.sent_id, raw[start:], raw)

    def _head(self, raw: bytes) -> _Head | None:
        fields = _fields(raw[len(self._line) : -2])
        if fields is None:
            return None
        return _Head(
            authorization=fields[b"authorization"].decode("ascii"),
            made_id=_text(fields.get(self._own_id_field)),
            sent_id=_text(fields.get(self._sent_id_field)),
            body_bytes=int(fields[b"content-length"]),
        )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("ascii")


def _fields(head: bytes) -> dict[bytes, bytes] | None:
    """Return the fields of a head by their lower-case names; `None` if one of them is unusual."""
    listed = _FIELD.findall(head)
    fields = {name.lower(): value for name, value in listed}
    # A line that the expression left out, such as a folded one, makes their number another one.
    if not len(fields) == len(listed) == head.count(b"\n") <= MAX_FIELDS:
        return None
    known = (
        b"authorization" in fields
        and fields.get(b"content-type", b"").lower() in _JSON
        and _HOST.fullmatch(fields.get(b"host", b"")) is not None
        and _LENGTH.fullmatch(fields.get(b"content-length", b"")) is not None
        and fields.get(b"connection", b"keep-alive").lower() == b"keep-alive"
        and fields.keys().isdisjoint(_OTHERS)
    )
    return fields if known else None
