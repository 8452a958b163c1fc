"""Which facts does notification listen to?"""

from services.notification.domain import TOLD
from services.notification.use_cases import enqueue
from shared.inbox import Subscriptions

SUBSCRIPTIONS: Subscriptions = dict.fromkeys(TOLD, enqueue)
"""Every fact that somebody is told of; who and how stands in `domain.TOLD`."""
