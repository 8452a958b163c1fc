"""Server-sent events, read from the bytes of an answer."""

from dataclasses import dataclass

MAX_EVENT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name, its data, and its id if it has one."""

    name: str
    data: str
    id: str | None


class EventReader:
    """Splits what arrives into events (WHATWG HTML, 9.2.6); lines end with a line feed."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}
        self._size = 0

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """Take a piece; return the events that are whole now.

        Raises:
            ValueError: an event is too large, or not text.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self._size += len(piece)
        if self._size > MAX_EVENT_BYTES:
            raise ValueError("an event of the policy stream is too large")
        found = []
        for line in lines:
            if line:
                name, _, value = line.decode().partition(":")
                self._fields[name] = value.removeprefix(" ")
            else:
                if "data" in self._fields:
                    found.append(
                        ServerEvent(
                            self._fields.get("event", "message"),
                            self._fields["data"],
                            self._fields.get("id"),
                        )
                    )
                self._fields = {}
                self._size = len(self._rest)
        return found
