"""The export of spans by OTLP over HTTP; it is imported only in a process that exports any."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from shared.outage_log import OutageLog
from shared.tracing import OpenSpan, SpanKind

_log = logging.getLogger(__name__)

KINDS = {
    SpanKind.SERVER: trace.SpanKind.SERVER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
}
EXPORT_SECONDS = 5.0
"""The longest wait for the collector, in a thread of its own."""
MAX_WAITING = 2048
"""The spans that wait for the collector at most; further ones are dropped."""


class ExportedSpan:
    """A span of the library."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        known = span.get_span_context()
        self.traceparent = f"00-{known.trace_id:032x}-{known.span_id:016x}-{known.trace_flags:02x}"

    def end(self, *, name: str, attributes: Mapping[str, str | int], failed: bool) -> None:
        """End it and have it exported."""
        self._span.update_name(name)
        self._span.set_attributes(attributes)
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class SpanExport:
    """Makes spans, and sends them to a collector.

    A part of the traces is exported. The process in which a trace begins, or in which a request
    from outside arrives, chooses by chance; the others follow what it says in `traceparent`.
    """

    def __init__(
        self,
        service: str,
        *,
        url: str,
        ratio: float = 1.0,
        instance: str = "",
        seconds: float = EXPORT_SECONDS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Export to `url` from now on, in a thread; `chance` gives numbers from 0 to 1."""
        self._ratio, self._chance = ratio, chance
        self._provider = TracerProvider(
            resource=Resource.create(
                {
                    "service.namespace": "rolecall",
                    "service.name": service,
                    "service.instance.id": instance,
                }
            ),
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            shutdown_on_exit=False,
        )
        exporter = _ToldExporter(OTLPSpanExporter(endpoint=url, timeout=seconds))
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MAX_WAITING))
        self._tracer = self._provider.get_tracer("rolecall")

    def begin(self, kind: SpanKind, *, parent: str | None) -> OpenSpan:
        """Begin a span below the one that `parent` names, or the first one of a trace."""
        around = trace.set_span_in_context(NonRecordingSpan(_known(parent))) if parent else None
        return ExportedSpan(self._tracer.start_span(kind, context=around, kind=KINDS[kind]))

    def chosen(self) -> bool:
        """Whether to export the next trace of a sender outside; its id does not count."""
        return self._chance() < self._ratio

    def close(self) -> None:
        """Send what waits, for some seconds, and end."""
        self._provider.shutdown()


class _ToldExporter(SpanExporter):
    """An exporter whose outages are few lines; the library would log each failed batch."""

    def __init__(self, exporter: SpanExporter) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = exporter
        self._outage = OutageLog(_log, "The collector of traces", effect="Spans are dropped.")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._outage.back()
        else:
            self._outage.away("it did not take a batch")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _known(parent: str) -> SpanContext:
    _, trace_id, span_id, flags = parent.split("-")
    return SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(flags, 16)),
    )
