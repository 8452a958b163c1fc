"""The facts that notification acts on."""

from services.notification.domain.recipients import RECIPIENTS
from services.notification.use_cases.enqueue import enqueue
from shared.inbox import Subscriptions

SUBSCRIPTIONS: Subscriptions = dict.fromkeys(RECIPIENTS, enqueue)
"""Every fact that causes a mail; `RECIPIENTS` says to whom and which."""
