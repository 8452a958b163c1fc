"""Spans of requests, calls and messages, as a collector receives them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from deploy.programs.program import free_port
from shared import context, tracing
from shared.bus.local import LocalBus
from shared.contracts.topology import AUDIT
from shared.trace_export import SpanExport
from shared.tracing import SpanKind
from tests.shared.bus.listener import Listener, message
from tests.support.trace_collector import Collector, collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SENDER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_, TRACE, SENDERS_SPAN, _ = SENDER.split("-")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Collector]:
    with collector() as received:
        yield received


@contextmanager
def exported(
    url: str, *, ratio: float = 1.0, seconds: float = 5.0, chance: Callable[[], float] = lambda: 0.0
) -> Iterator[None]:
    """Export the spans of the block; all are sent at its end."""
    export = SpanExport("team", url=url, ratio=ratio, seconds=seconds, chance=chance)
    tracing.use(export)
    try:
        yield
    finally:
        tracing.use(None)
        export.close()


@pytest.fixture
def spans(receiver: Collector) -> Collector:
    receiver.spans.clear()
    return receiver


def test_spans_of_spans_are_one_trace_below_that_of_the_sender(spans):
    with exported(spans.url):
        with tracing.span(SpanKind.SERVER, "request", parent=SENDER, number=7):
            inside = context.traceparent.get()
            with tracing.span(SpanKind.CLIENT, "call"):
                pass
        assert context.traceparent.get() is None
    request, call = spans.named("request"), spans.named("call")
    assert (request.service, request.trace, request.parent) == ("team", TRACE, SENDERS_SPAN)
    assert (call.trace, call.parent) == (TRACE, request.id)
    assert inside == f"00-{TRACE}-{request.id}-01"
    assert request.attributes == {"number": "7"}


def test_what_ends_in_an_error_is_a_failed_span(spans):
    failing = tracing.span(SpanKind.SERVER, "request")
    with exported(spans.url), pytest.raises(ValueError, match="x"), failing:
        raise ValueError("x")
    assert spans.named("request").failed


def test_a_span_that_tells_nothing_is_left_out_and_the_trace_goes_on(spans):
    with exported(spans.url), tracing.span(SpanKind.SERVER, "poll", parent=SENDER) as poll:
        poll.dropped = True
        with tracing.span(SpanKind.CLIENT, "call"):
            pass
    assert [(span.name, span.trace) for span in spans.spans] == [("call", TRACE)]


def test_a_process_without_an_export_makes_no_span():
    token = context.traceparent.set(SENDER)
    try:
        with tracing.span(SpanKind.SERVER, "request"):
            assert context.traceparent.get() == SENDER
    finally:
        context.traceparent.reset(token)


ALWAYS_CHOSEN_BY_ID = SENDER.replace(TRACE, "0" * 31 + "1")


@pytest.mark.parametrize("sent", [SENDER, ALWAYS_CHOSEN_BY_ID, SENDER[:-2] + "00"])
@pytest.mark.parametrize(("number", "exports"), [(0.49, 1), (0.51, 0)])
def test_a_sender_outside_cannot_choose_what_is_exported(spans, sent, number, exports):
    with exported(spans.url, ratio=0.5, chance=lambda: number):
        parent = tracing.of_stranger(sent)
        with tracing.span(SpanKind.SERVER, "request", parent=parent):
            inside = context.traceparent.get()
            with tracing.span(SpanKind.CLIENT, "call"):
                pass
    assert len(spans.spans) == 2 * exports
    assert inside is not None
    assert inside.split("-")[1] == sent.split("-")[1]
    assert inside.endswith(f"-0{exports}")


@pytest.mark.parametrize(("flags", "exports"), [("01", 1), ("00", 0)])
def test_a_service_follows_what_the_first_one_chose(spans, flags, exports):
    with (
        exported(spans.url, ratio=1.0 - exports),
        tracing.span(SpanKind.SERVER, "request", parent=SENDER[:-2] + flags),
    ):
        pass
    assert len(spans.spans) == exports


def test_a_process_without_an_export_chooses_nothing_for_others():
    assert tracing.of_stranger(SENDER) == SENDER[:-2] + "00"
    assert tracing.of_stranger(None) is None


def test_an_absent_collector_is_one_line(caplog):
    with exported(f"http://127.0.0.1:{free_port()}/v1/traces", seconds=0.1):
        for _ in range(5):
            with tracing.span(SpanKind.SERVER, "request"):
                pass
    assert [record.message for record in caplog.records] == ["The collector of traces is away."]


@pytest.mark.parametrize(
    "sent",
    [
        *("", "x", SENDER + "-00", SENDER.upper(), SENDER.replace(TRACE, "0" * 32)),
        *(SENDER.replace(SENDERS_SPAN, "0" * 16), "ff" + SENDER[2:], SENDER + "\n"),
    ],
)
def test_a_malformed_trace_context_is_not_taken(sent):
    assert tracing.well_formed(sent) is None
    assert tracing.well_formed(SENDER) == SENDER


async def test_the_trace_of_a_message_goes_on_in_its_subscriber(spans):
    sent = message(1)
    seen: list[str | None] = []

    class Noting(Listener):
        async def __call__(self, given):
            seen.append(context.traceparent.get())
            return await super().__call__(given)

    with exported(spans.url):
        bus, listener = LocalBus(), Noting()
        await bus.subscribe(AUDIT, listener, on_resync=listener.on_resync)
        await bus.publish([sent])
        await bus.close()
    handled = spans.named("rolecall.audit process")
    assert f"00-{handled.trace}-{handled.parent}-01" == sent.traceparent
    assert seen == [f"00-{handled.trace}-{handled.id}-01"]
    assert handled.attributes["rolecall.fact"] == sent.type


async def test_spans_of_messages_side_by_side_do_not_mix(spans):
    both = [message(1, shard=1), message(2, shard=2)]
    arrived = asyncio.Barrier(2)

    class Meeting(Listener):
        async def __call__(self, given):
            before = context.traceparent.get()
            await arrived.wait()
            assert context.traceparent.get() == before
            return await super().__call__(given)

    with exported(spans.url):
        bus, listener = LocalBus(), Meeting()
        await bus.subscribe(AUDIT, listener, on_resync=listener.on_resync)
        await bus.publish(both)
        await bus.close()
    assert {f"00-{span.trace}-{span.parent}-01" for span in spans.spans} == {
        each.traceparent for each in both
    }
    assert len(listener.seen) == 2
