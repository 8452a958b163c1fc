"""One request of HTTP/2 as raw frames (RFC 9113), for bytes that no client library sends."""

import asyncio
import struct
from collections.abc import Iterable
from contextlib import suppress

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4
ANSWERED = "answered"
"""What `end_of_stream` says of a request with a whole answer."""


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def _length(number: int) -> bytes:
    """An integer with a prefix of seven bits (RFC 7541, 5.1), below 255."""
    return bytes([number]) if number < 127 else bytes([127, number - 127])


def header_block(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Literal fields that no table keeps (RFC 7541, 6.2.2)."""
    return b"".join(
        b"\0" + _length(len(name)) + name + _length(len(value)) + value for name, value in headers
    )


def request_frames(block: bytes, body: bytes) -> bytes:
    """The beginning of a connection, and one request on it."""
    end = 0 if body else END_STREAM
    frames = PREFACE + _frame(SETTINGS, 0, 0, b"") + _frame(HEADERS, END_HEADERS | end, 1, block)
    return frames + (_frame(DATA, END_STREAM, 1, body) if body else b"")


async def end_of_stream(reader: asyncio.StreamReader) -> str:
    """How the request ends: answered, or refused by the frame that says so."""
    status = ""
    with suppress(asyncio.IncompleteReadError, OSError):
        async with asyncio.timeout(15):
            while True:
                head = await reader.readexactly(9)
                kind, flags = head[3], head[4]
                payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
                if kind in {RST_STREAM, GOAWAY}:
                    return "reset"
                if kind == HEADERS:
                    # nginx writes the status first: 0x88 is 200, others begin with 0x08 0x03.
                    status = ANSWERED if payload[:1] == b"\x88" else payload[:6].hex()
                if kind in {HEADERS, DATA} and flags & END_STREAM:
                    return status
    return status or "closed"
