"""The text of server-sent events (WHATWG HTML, 9.2)."""

KEEP_ALIVE = b": keep-alive\n\n"
"""A comment: the connection is in use, so nothing on its way closes it."""


def server_event(name: str, data: str, *, event_id: str | None = None) -> bytes:
    """Return the text of one event; `data` is one line."""
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {name}\ndata: {data}\n\n".encode()
