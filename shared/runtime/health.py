"""The health routes of a process, and its metrics."""

from collections.abc import Callable, Mapping

from pydantic import BaseModel

from shared import metrics
from shared.http.access import Public
from shared.http.api import Api
from shared.http.routes import Call, Reply, Route

Checks = Callable[[], Mapping[str, bool]]


class Live(BaseModel):
    """The process answers."""

    status: str = "live"


class Ready(BaseModel):
    """Whether requests may be sent here, and the result of each check."""

    ready: bool
    checks: Mapping[str, bool]


async def live(checks: Checks, call: Call[None, None]) -> Live:
    """Answer always: a process that cannot is to be restarted."""
    return Live()


async def ready(checks: Checks, call: Call[None, None]) -> Reply:
    """Answer 200 when each check holds, otherwise 503."""
    results = dict(checks())
    good = all(results.values())
    return Reply(body=Ready(ready=good, checks=results), status=200 if good else 503)


async def exposed(checks: Checks, call: Call[None, None]) -> Reply:
    """Answer with the metrics in Prometheus' text format."""
    return Reply(body=metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def health_api(name: str, checks: Checks) -> Api:
    """The routes for monitoring; they belong on the internal port."""
    return Api(name, ROUTES, checks)


ROUTES = (
    Route(
        method="GET",
        path="/health/live",
        handler=live,
        operation_id="healthLive",
        summary="Whether the process is alive",
        tag="health",
        access=Public(),
        polled=True,
        gives=Live,
    ),
    Route(
        method="GET",
        path="/health/ready",
        handler=ready,
        operation_id="healthReady",
        summary="Whether requests may be sent here",
        tag="health",
        access=Public(),
        polled=True,
        gives=Ready,
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=exposed,
        operation_id="metrics",
        summary="Metrics for Prometheus",
        tag="health",
        access=Public(),
        polled=True,
    ),
)
