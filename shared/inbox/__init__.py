"""Facts of other services, applied exactly once in effect."""

from shared.inbox.inbox import (
    AWAY,
    INDEXES,
    AlreadyApplied,
    AppliedMark,
    Inbox,
    Subscriptions,
    caller_for,
)

__all__ = [
    "AWAY",
    "INDEXES",
    "AlreadyApplied",
    "AppliedMark",
    "Inbox",
    "Subscriptions",
    "caller_for",
]
