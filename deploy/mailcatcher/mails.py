"""What does a mail say, however badly it is made?"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Received:
    """A mail as it came in: the envelope and the bytes after DATA."""

    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def to_line(self) -> bytes:
        """Write the mail as one line of JSON."""
        fields = asdict(self) | {
            "received_at": self.received_at.isoformat(),
            "content": self.content.decode("latin-1"),
        }
        return json.dumps(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Read what `to_line` wrote; raises `ValueError`, `KeyError` or `TypeError`."""
        fields = json.loads(line)
        return cls(
            received_at=datetime.fromisoformat(fields["received_at"]),
            sender=str(fields["sender"]),
            recipients=tuple(map(str, fields["recipients"])),
            content=fields["content"].encode("latin-1"),
        )


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail for reading. `recipients` are the envelope's: whom it really went to."""

    number: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    message_id: str | None

    def to_json(self) -> dict[str, Any]:
        """Give the mail as an item of `GET /api/messages`."""
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


def read(received: Received, *, number: int) -> Mail:
    """Decode headers and bodies; what cannot be decoded is shown as well as it can be."""
    message = message_from_bytes(received.content)
    return Mail(
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
    # The parser hides bytes beyond ASCII in surrogates; newlines only fold a header.
    folded = " ".join(_decoded(str(raw).encode("ascii", "surrogateescape"), "utf-8").split())
    try:
        return "".join(
            part if isinstance(part, str) else _decoded(part, charset)
            for part, charset in decode_header(folded)
        )
    except (HeaderParseError, ValueError):
        return folded


def _body(message: Message, content_type: str) -> str | None:
    """Give the first part of that type that is no attachment."""
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
