"""Answers that are written without aiohttp's response, byte for byte as it would write them."""

import http
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from shared import metrics
from shared.http.access_log import AccessLog
from shared.http.error_forms import ErrorForm, error_headers
from shared.http.problem_responses import common_headers, problem_content
from shared.http.routes import Route
from shared.problems import Refusal


class DirectAnswers:
    """Writes, counts and logs the answers of one route, as `mounting` does.

    The lines of answers that succeed are at the level DEBUG, as those of a polled route are.
    """

    def __init__(self, service: str, route: Route) -> None:
        self._service = service
        self._route = route
        self._log = AccessLog()
        headers = {"Content-Type": "application/json"} | common_headers("%s", "%s")
        head = _head(route.status, headers | {"Cache-Control": "no-store"})
        self._before_id, self._between_ids, self._after_ids = head.split("%s")
        labels = service, route.method, route.path
        self._succeeded = metrics.REQUESTS.labels(*labels, route.status)
        self._seconds = metrics.SECONDS.labels(*labels)

    def success(
        self, content: bytes, *, request_id: str, sent_id: str | None, started: float
    ) -> bytes:
        """Return the answer with this JSON text; `started` is of `time.perf_counter`."""
        seconds = time.perf_counter() - started
        self._succeeded.value += 1
        self._seconds.observe(seconds)
        if self._log.has_successes():
            self._write_line(self._route.status, seconds)
        head = f"{self._before_id}{request_id}{self._between_ids}{sent_id or request_id}"
        return _written(head + self._after_ids, content)

    def refusal(
        self, refusal: Refusal, *, request_id: str, sent_id: str | None, started: float
    ) -> bytes:
        """Return the problem document that answers a refusal."""
        form = ErrorForm.PROBLEM
        headers = common_headers(request_id, sent_id) | error_headers(refusal, form)
        headers["Content-Type"] = form.value
        seconds = time.perf_counter() - started
        labels = self._service, self._route.method, self._route.path
        metrics.REQUESTS.labels(*labels, refusal.status).inc()
        metrics.REFUSALS.labels(*labels, refusal.code).inc()
        self._seconds.observe(seconds)
        self._write_line(refusal.status, seconds, problem=refusal.code)
        content = problem_content(refusal, request_id, form=form)
        return _written(_head(refusal.status, headers), content)

    def _write_line(self, status: int, seconds: float, **about: str) -> None:
        method, path, ms = self._route.method, self._route.path, round(seconds * 1000, 2)
        self._log.write(method, path, status, polled=True, ms=ms, **about)


def _head(status: int, headers: Mapping[str, str]) -> str:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n{lines}"


def _written(head: str, content: bytes) -> bytes:
    length, date = len(content), _date(int(time.time()))
    return f"{head}Content-Length: {length}\r\nDate: {date}\r\n\r\n".encode() + content


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
