"""The count and the log line of a mail that a budget holds back."""

import logging

from prometheus_client import Counter

from shared.contracts.topology import Service
from shared.metrics import REGISTRY

MAILS_WITHHELD = Counter(
    "rolecall_mails_withheld",
    "Mails that a budget held back; one that waits is counted at each attempt.",
    ("service", "kind", "reason"),
    registry=REGISTRY,
)
logger = logging.getLogger(__name__)


def note_withheld_mail(service: Service, *, kind: str, reason: str, **named: str) -> None:
    """Count a mail that is held back, and log it without its address."""
    MAILS_WITHHELD.labels(service, kind, reason).inc()
    logger.info("A mail of the kind %s is held back: %s.", kind, reason, extra=named)
