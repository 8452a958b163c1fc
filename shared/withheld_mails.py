"""The count and the log line of a mail that a budget holds back."""

import logging

from shared.contracts.topology import Service
from shared.metrics import MAILS_WITHHELD

logger = logging.getLogger(__name__)


def note_withheld_mail(service: Service, *, kind: str, reason: str, **named: str) -> None:
    """Count a mail that is held back, and log it without its address."""
    MAILS_WITHHELD.labels(service, kind, reason).inc()
    logger.info("A mail of the kind %s is held back: %s.", kind, reason, extra=named)
