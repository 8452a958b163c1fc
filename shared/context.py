"""The request, actor and service that the running code belongs to.

The log and calls to other services read it. No decision depends on it.
"""

from contextvars import ContextVar

from shared.contracts.facts import Actor

service: ContextVar[str | None] = ContextVar("service", default=None)
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
account_id: ContextVar[str | None] = ContextVar("account_id", default=None)
