"""The facts that notification acts on."""

from services.notification.domain.people import PEOPLE
from services.notification.domain.recipients import RECIPIENTS
from services.notification.use_cases.enqueue import enqueue, learn
from shared.inbox import Subscriptions

SUBSCRIPTIONS: Subscriptions = {
    **dict.fromkeys(sorted(PEOPLE), learn),
    **dict.fromkeys(RECIPIENTS, enqueue),
}
"""Every fact that causes a mail, for which `RECIPIENTS` says to whom and which; and those from
which people are known. `enqueue` does both."""
