"""A mail as bytes and as a page shows it; malformed mails are decoded as far as possible."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class RawMail:
    """A mail as it arrived: the envelope and the bytes after DATA."""

    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def to_line(self) -> bytes:
        """The mail as one line of JSON."""
        fields = asdict(self) | {
            "received_at": self.received_at.isoformat(),
            "content": self.content.decode("latin-1"),
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Read a line that `to_line` wrote.

        Raises:
            ValueError, KeyError, TypeError: the line is torn or has another form.
        """
        fields = json.loads(line)
        return cls(
            received_at=datetime.fromisoformat(fields["received_at"]),
            sender=str(fields["sender"]),
            recipients=tuple(map(str, fields["recipients"])),
            content=fields["content"].encode("latin-1"),
        )


@dataclass(frozen=True, kw_only=True)
class CaughtMail:
    """A decoded mail; `recipients` are those of the envelope, not of the headers."""

    number: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    message_id: str | None

    def to_json(self) -> dict[str, Any]:
        """The mail as an item of `GET /api/messages`."""
        moment = self.received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "id": self.number,
            "from": self.sender,
            "to": ", ".join(self.recipients),
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "received_at": moment,
            "message_id": self.message_id,
        }


def read(received: RawMail, *, number: int) -> CaughtMail:
    """Decode headers and bodies; undecodable bytes become replacement characters."""
    message = message_from_bytes(received.content)
    return CaughtMail(
        number=number,
        received_at=received.received_at,
        sender=_header(message, "from") or received.sender,
        recipients=received.recipients,
        subject=_header(message, "subject") or "",
        text=_body(message, "text/plain"),
        html=_body(message, "text/html"),
        message_id=_header(message, "message-id"),
    )


def _header(message: Message, name: str) -> str | None:
    values = (value for each, value in message.raw_items() if each.lower() == name)
    raw = next(values, None)
    if raw is None:
        return None
    # The parser stores bytes beyond ASCII as surrogates. Newlines only fold a header.
    folded = " ".join(_decoded(str(raw).encode("ascii", "surrogateescape"), "utf-8").split())
    try:
        return "".join(
            part if isinstance(part, str) else _decoded(part, charset)
            for part, charset in decode_header(folded)
        )
    except (HeaderParseError, ValueError):
        return folded


def _body(message: Message, content_type: str) -> str | None:
    """The first part of this type that is not an attachment."""
    for part in message.walk():
        if part.get_content_type() == content_type and not part.get_filename():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return _decoded(payload, part.get_content_charset()).replace("\r\n", "\n")
    return None


def _decoded(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8", errors="replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", errors="replace")
