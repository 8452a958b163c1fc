"""The collections of notification in MongoDB."""

from services.notification.store.deliveries import Deliveries
from services.notification.store.digests import Digests
from services.notification.store.entries import Entries, ListState
from services.notification.store.messages import Messages
from services.notification.store.paces import Pace, Paces
from services.notification.store.people import People
from services.notification.store.preferences import PreferenceRows
from services.notification.store.webhooks import Webhooks

__all__ = [
    "Deliveries",
    "Digests",
    "Entries",
    "ListState",
    "Messages",
    "Pace",
    "Paces",
    "People",
    "PreferenceRows",
    "Webhooks",
]
