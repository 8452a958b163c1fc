"""The request, actor and service that the running code belongs to, and the quotas that it used.

The log, calls to other services and the headers of the answer read it. No decision depends on it.
"""

from contextvars import ContextVar

from shared.contracts.facts import Actor
from shared.quotas import Quota

service: ContextVar[str | None] = ContextVar("service", default=None)
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
quotas: ContextVar[tuple[Quota, ...]] = ContextVar("quotas", default=())
"""The quotas that this request counted against, as the answer tells them."""
account_id: ContextVar[str | None] = ContextVar("account_id", default=None)
