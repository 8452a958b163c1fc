"""Within which request, by whom and in which service does this code run?

Read by the log, by calls to other services and by nothing that decides.
"""

from contextvars import ContextVar

from shared.contracts.facts import Actor

service: ContextVar[str | None] = ContextVar("service", default=None)
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
account_id: ContextVar[str | None] = ContextVar("account_id", default=None)
