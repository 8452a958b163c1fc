"""The form of the requests that are answered without aiohttp, recognised in raw bytes.

Pure. A request is recognised only if every reader of HTTP understands it in the same way. All
others are aiohttp's, valid or not.
"""

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from shared.http.access import Access
from shared.http.admission import Sender

MAX_BYTES = 16_384
"""The longest request for one decision, with its head. aiohttp answers longer ones."""
MAX_HEAD_BYTES = 8_000
"""The longest head; aiohttp refuses a single field of more than 8,190 bytes."""
MAX_FIELDS = 64
"""The most fields of a head, without those of `TRACE_FIELD` and of ids."""
KEPT_HEADS = 512
MAX_AT_ONCE = 32
"""The requests in one piece of data that are answered before others have their turn."""

_VALUE = rb"([!-~](?:[ -~]*[!-~])?)"
_FIELD = re.compile(rb"(?m)^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?" + _VALUE + rb"\r\n")
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
TRACE_FIELD = "traceparent"
"""It is not read here, and differs in each request of a sender."""


class Unread(Enum):
    """Why bytes are not requests of this form."""

    UNFINISHED = "unfinished"
    """They may be the beginning of one."""
    OTHER = "other"
    """They have another form, or something else is among them."""


class HotRoute(NamedTuple):
    """A route whose requests are recognised.

    `max_bytes` has the longest one, with its head. `alone`: each may take a whole turn of the loop,
    so those that arrive with others are left to aiohttp, which lets others go between them.
    """

    path: str
    access: Access
    max_bytes: int
    alone: bool = False


class HotHead(NamedTuple):
    """What the head of a request says, besides the ids of the request."""

    route: HotRoute
    sender: Sender
    body_bytes: int


class HotRequest(Struct, gc=False):
    """One request; `raw` has all its bytes."""

    head: HotHead
    body: bytes
    raw: bytes
    made_id: str | None = None
    sent_id: str | None = None


class HotRequests:
    """Recognises requests to some routes."""

    def __init__(
        self, routes: Sequence[HotRoute], *, own_id_field: str, sent_id_field: str
    ) -> None:
        self._lines = [(f"POST {route.path} HTTP/1.1\r\n".encode(), route) for route in routes]
        self._own_id_field = own_id_field.lower().encode()
        self._sent_id_field = sent_id_field.lower().encode()
        differing = b"|".join((self._own_id_field, self._sent_id_field, TRACE_FIELD.encode()))
        self._differing = re.compile(rb"\r\n((?i:" + differing + rb")): ?" + _VALUE + rb"(?=\r\n)")
        # Most clients send the same head again and again, apart from the fields that differ.
        self._heads: dict[bytes, HotHead] = {}

    def known(self, data: bytes) -> HotRequest | None:
        """Return the request that these bytes are if its whole head is known; `read` finds more."""
        # A head without ids that is known has no brace: it is all that comes before the first one.
        start = data.find(b"{")
        head = self._heads.get(data[:start]) if start > 0 else None
        if head is not None and len(data) == start + head.body_bytes:
            return HotRequest(head, data[start:], data)
        return None

    def read(self, data: bytes) -> Sequence[HotRequest] | Unread:
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
        if len(requests) > 1 and any(request.head.route.alone for request in requests):
            return Unread.OTHER
        return requests

    def _first(self, data: bytes) -> HotRequest | Unread:
        for line, route in self._lines:
            if data.startswith(line):
                return self._whole(data, line, route)
        begun = any(line.startswith(data) for line, _ in self._lines)
        return Unread.UNFINISHED if begun else Unread.OTHER

    def _whole(self, data: bytes, line: bytes, route: HotRoute) -> HotRequest | Unread:
        end = data.find(b"\r\n\r\n", len(line) - 2)
        if end < 0:
            return Unread.OTHER if len(data) >= MAX_HEAD_BYTES else Unread.UNFINISHED
        start = end + 4
        if start > MAX_HEAD_BYTES:
            return Unread.OTHER
        sent = data[:start]
        known = self._heads.get(sent)
        read = self._parted(sent, line, route) if known is None else (known, None, None)
        if read is None:
            return Unread.OTHER
        head, made_id, sent_id = read
        size = start + head.body_bytes
        if size > route.max_bytes:
            return Unread.OTHER
        raw = data[:size]
        if len(raw) < size:
            return Unread.UNFINISHED
        return HotRequest(head, raw[start:], raw, made_id, sent_id)

    def _parted(
        self, raw: bytes, line: bytes, route: HotRoute
    ) -> tuple[HotHead, str | None, str | None] | None:
        """What a head says without the lines that differ, and the ids in these: made, and sent."""
        # The head up to such a line, then the name and the value there, and so on.
        pieces = self._differing.split(raw)
        names = [name.lower() for name in pieces[1::3]]
        differing = dict(zip(names, pieces[2::3], strict=True))
        head = self._head(b"".join(pieces[::3]), line, route)
        if head is None or len(differing) < len(names):
            return None
        made_id = _text(differing.get(self._own_id_field))
        sent_id = _text(differing.get(self._sent_id_field))
        return head, made_id, sent_id

    def _head(self, raw: bytes, line: bytes, route: HotRoute) -> HotHead | None:
        """What a head says that has none of the lines that differ."""
        known = self._heads.get(raw)
        if known is not None:
            return known
        fields = _fields(raw[len(line) : -2])
        if fields is None:
            return None
        head = HotHead(
            route=route,
            sender=Sender(fields[b"authorization"].decode("ascii"), route.access),
            body_bytes=int(fields[b"content-length"]),
        )
        if len(raw) + head.body_bytes <= route.max_bytes:
            if len(self._heads) >= KEPT_HEADS:
                del self._heads[next(iter(self._heads))]
            self._heads[raw] = head
        return head


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
