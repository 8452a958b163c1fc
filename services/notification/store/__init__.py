"""The collections of notification in MongoDB."""

from services.notification.store.messages import Messages
from services.notification.store.paces import Pace, Paces

__all__ = ["Messages", "Pace", "Paces"]
