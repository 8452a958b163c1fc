"""The facts that notification acts on."""

from services.notification.domain.people import PEOPLE
from services.notification.domain.public_events import BY_FACT_TYPE
from services.notification.domain.recipients import RECIPIENTS
from services.notification.use_cases.enqueue import enqueue, learn
from services.notification.use_cases.webhook_events import disable_webhooks, end_webhooks
from shared.contracts.team_endings import AccountDeleted, AccountReverted
from shared.inbox import Subscriptions

SUBSCRIPTIONS: Subscriptions = {
    **dict.fromkeys(sorted(PEOPLE), learn),
    **dict.fromkeys((*RECIPIENTS, *BY_FACT_TYPE), enqueue),
    AccountDeleted.type: end_webhooks,
    AccountReverted.type: disable_webhooks,
}
"""Every fact that causes a mail, for which `RECIPIENTS` says to whom and which; those that are
events for webhooks (`PUBLIC_EVENTS`); and those from which people are known. `enqueue` does all."""
