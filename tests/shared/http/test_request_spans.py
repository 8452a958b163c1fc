"""The spans of requests and of calls to other services, as a collector receives them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shared import context, tracing
from shared.contracts.calls.identity import VERIFICATION_LINK
from shared.contracts.calls.journal import HEADS
from shared.http.request_spans import call_span
from shared.trace_export import SpanExport
from tests.shared.http.sample import ACCOUNT
from tests.support.trace_collector import Collector, collector

if TYPE_CHECKING:
    from collections.abc import Iterator

SENDER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_, TRACE, SENDERS_SPAN, _ = SENDER.split("-")


@contextmanager
def collected(*, ratio: float = 1.0) -> Iterator[Collector]:
    """A collector that has all spans of the block at its end."""
    with collector() as received:
        export = SpanExport("team", url=received.url, ratio=ratio)
        tracing.use(export)
        try:
            yield received
        finally:
            tracing.use(None)
            export.close()


async def test_a_request_is_a_span_with_its_route_and_no_words_of_its_own(site):
    with collected() as spans:
        sent = {"traceparent": SENDER, "Cookie": "secret=1"}
        async with site.ask("GET", f"/v1/accounts/{ACCOUNT}?q=word", headers=sent) as answer:
            assert answer.status == 401
            request_id = answer.headers["Rolecall-Request-Id"]
    [span] = spans.spans
    assert span.name == "GET /v1/accounts/{account_id}"
    assert (span.trace, span.parent, span.failed) == (TRACE, SENDERS_SPAN, False)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/accounts/{account_id}",
        "http.response.status_code": "401",
        "rolecall.request_id": request_id,
    }


async def test_a_sender_outside_does_not_choose_what_is_exported(site):
    with collected(ratio=0.0) as spans:
        sent = {"traceparent": SENDER}
        async with site.ask("GET", f"/v1/accounts/{ACCOUNT}", headers=sent) as answer:
            assert answer.status == 401
    assert spans.spans == []


async def test_a_request_without_a_route_makes_no_span(site):
    with collected() as spans:
        async with site.ask("GET", "/v1/nothing/here", headers={"traceparent": SENDER}) as answer:
            assert answer.status == 404
    assert spans.spans == []


def test_a_call_is_a_span_that_its_callee_continues():
    with collected() as spans, call_span(VERIFICATION_LINK, "identity"):
        inside = context.traceparent.get()
    [span] = spans.spans
    assert span.name == f"identity {VERIFICATION_LINK.name}"
    assert inside is not None
    assert inside.startswith(f"00-{span.trace}-{span.id}-")


def test_a_call_that_is_polled_makes_no_span():
    with collected() as spans, call_span(HEADS, "team"):
        pass
    assert HEADS.polled
    assert spans.spans == []
