"""Facts of other services, each applied exactly once in effect.

The bus makes a fact arrive soon; the reconciler makes it arrive for certain. The mark of a fact is
saved in the transaction of its effect, so a second delivery changes nothing.
"""

from shared.inbox.inbox import Inbox, Subscriptions, caller_for
from shared.inbox.marks import EARLIER_INDEXES, INDEXES, AlreadyApplied, AppliedMark
from shared.inbox.reconciler import AWAY

__all__ = [
    "AWAY",
    "EARLIER_INDEXES",
    "INDEXES",
    "AlreadyApplied",
    "AppliedMark",
    "Inbox",
    "Subscriptions",
    "caller_for",
]
