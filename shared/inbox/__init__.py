"""Facts of other services, applied exactly once in effect."""

from shared.inbox.inbox import (
    AWAY,
    AlreadyApplied,
    AppliedMark,
    Inbox,
    Subscriptions,
    caller_for,
)

__all__ = [
    "AWAY",
    "AlreadyApplied",
    "AppliedMark",
    "Inbox",
    "Subscriptions",
    "caller_for",
]
