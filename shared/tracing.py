"""Spans of OpenTelemetry, in a process that exports them; in others nothing is made.

A span belongs to a request, a call to another service, or the handling of a message. Its id goes
on in `traceparent` with calls and messages: one trace leads from the gateway to each consumer.
Spans have names of routes, calls and facts, and ids of requests and events. They have no paths,
addresses or words of people.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from shared import context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)

Attributes = dict[str, str | int]


class SpanKind(StrEnum):
    """What a span is about."""

    SERVER = "server"
    CLIENT = "client"
    CONSUMER = "consumer"


class OpenSpan(Protocol):
    """A span that has begun."""

    traceparent: str

    def end(self, *, name: str, attributes: Mapping[str, str | int], failed: bool) -> None:
        """End it and have it exported; a span that is never ended is not exported."""


class SpanMaker(Protocol):
    """Makes the spans of this process."""

    def begin(self, kind: SpanKind, *, parent: str | None) -> OpenSpan:
        """Begin a span below the one that `parent` names, or the first one of a trace."""

    def chosen(self) -> bool:
        """Whether the next trace of a sender outside is exported."""


class TraceSpan:
    """What is known of a span so far; it is told at its end."""

    def __init__(self) -> None:
        self.name = ""
        self.attributes: Attributes = {}
        self.failed = False
        self.dropped = False
        """A span that tells nothing, such as one of a route that is polled."""


def well_formed(traceparent: str | None) -> str | None:
    """The trace context of a sender (W3C), if it is well formed."""
    fits = traceparent is not None and _TRACEPARENT.fullmatch(traceparent)
    return traceparent if fits else None


_maker: SpanMaker | None = None


def use(maker: SpanMaker | None) -> None:
    """Have spans of this process made by `maker` from now on, or none."""
    global _maker  # noqa: PLW0603 - one for each process, as the registry of metrics
    _maker = maker


def of_stranger(traceparent: str | None) -> str | None:
    """The trace context of a sender outside, with this process's own choice of what is exported.

    The sender names the trace. Whether it is exported is neither in its flags nor in its id.
    """
    if traceparent is None:
        return None
    chosen = _maker is not None and _maker.chosen()
    return f"{traceparent[:-2]}{chosen:02x}"


@contextmanager
def span(
    kind: SpanKind, name: str = "", *, parent: str | None = None, **attributes: str | int
) -> Iterator[TraceSpan]:
    """Make a span of what happens in the block, if this process exports any.

    Without `parent` it belongs to what is running: `context.traceparent`. In the block that names
    the new span.
    """
    told = TraceSpan()
    if _maker is None:
        yield told
        return
    told.name, told.attributes = name, dict(attributes)
    begun = _maker.begin(kind, parent=parent or context.traceparent.get())
    token = context.traceparent.set(begun.traceparent)
    try:
        yield told
    except BaseException:
        told.failed = True
        raise
    finally:
        context.traceparent.reset(token)
        if not told.dropped:
            begun.end(name=told.name, attributes=told.attributes, failed=told.failed)
