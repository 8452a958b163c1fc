"""The health routes of a process, and its metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import Gauge
from pydantic import BaseModel

from rolecall.version import VERSION
from shared import metrics
from shared.http.access import Public
from shared.http.api import Api
from shared.http.routes import Call, Reply, Route

Checks = Callable[[], Mapping[str, bool]]

HEALTH_CHECK = Gauge(
    "rolecall_health_check",
    "Whether a check of /health/ready holds, also those that do not count (1 or 0).",
    ("service", "check"),
    registry=metrics.REGISTRY,
)
BUILD_INFO = Gauge(
    "rolecall_build_info",
    "Always 1; its labels say which version of Rolecall a service has.",
    ("service", "version"),
    registry=metrics.REGISTRY,
)


class Live(BaseModel):
    """The process answers, and has this version of Rolecall."""

    status: str = "live"
    version: str = VERSION


class Ready(BaseModel):
    """Whether requests may be sent here, and the result of each check.

    The `informational` checks do not count: requests are answered without what they check.
    """

    ready: bool
    checks: Mapping[str, bool]
    informational: Mapping[str, bool]


@dataclass(frozen=True, kw_only=True)
class Health:
    """The checks of one service: those that it needs to answer a request, and the others."""

    service: str
    checks: Checks
    informational: Checks


async def live(health: Health, call: Call[None, None]) -> Live:
    """Answer always: a process that cannot is to be restarted."""
    return Live()


async def ready(health: Health, call: Call[None, None]) -> Reply:
    """Answer 200 when each check that counts holds, otherwise 503."""
    checks = dict(health.checks())
    good = all(checks.values())
    body = Ready(ready=good, checks=checks, informational=dict(health.informational()))
    return Reply(body=body, status=200 if good else 503)


async def exposed(health: Health, call: Call[None, None]) -> Reply:
    """Answer with the metrics in Prometheus' text format."""
    for name, holds in {**health.checks(), **health.informational()}.items():
        HEALTH_CHECK.labels(health.service, name).set(holds)
    return Reply(body=metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def health_api(health: Health) -> Api:
    """The routes for monitoring; they belong on the internal port."""
    BUILD_INFO.labels(health.service, VERSION).set(1)
    return Api(health.service, ROUTES, health)


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
