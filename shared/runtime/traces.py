"""The export of spans by a process, from its start to its end."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from shared import tracing
from shared.runtime.settings import StatelessSettings


@contextmanager
def exported_spans(service: str, settings: StatelessSettings) -> Iterator[None]:
    """Export spans in the block, if the settings name where to."""
    if not settings.traces_url:
        yield
        return
    # Its packages take memory and time to load.
    from shared.trace_export import SpanExport  # noqa: PLC0415

    export = SpanExport(
        service,
        url=settings.traces_url,
        ratio=settings.traces_ratio,
        instance=f"{socket.gethostname()}:{os.getpid()}",
    )
    tracing.use(export)
    try:
        yield
    finally:
        tracing.use(None)
        export.close()
