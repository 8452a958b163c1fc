"""The collections of notification in MongoDB."""

from services.notification.store.messages import Messages
from services.notification.store.paces import Pace, Paces
from services.notification.store.people import People

__all__ = ["Messages", "Pace", "Paces", "People"]
