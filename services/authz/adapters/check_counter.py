"""Count the checks that are answered, and log a sample of them with its reasons."""

import logging
from functools import cache

from prometheus_client import Counter

from rolecall import Reason
from services.authz.domain.checks import SUBJECT_UNKNOWN, PermissionCheck
from shared.auth.principals import Principal, actor_of
from shared.metrics import CHECKS, start_at_zero

ALLOW, DENY = "allow", "deny"

_log = logging.getLogger(__name__)


class CheckCounter:
    """Counts every check, and logs one of `sample` with its reason; 0 logs none."""

    def __init__(self, *, sample: int) -> None:
        start_at_zero(CHECKS, [ALLOW], [Reason.ALLOWED])
        start_at_zero(CHECKS, [DENY], {SUBJECT_UNKNOWN, *Reason} - {Reason.ALLOWED})
        self._sample = sample
        self._left = sample

    def count(
        self, check: PermissionCheck, *, asked_by: Principal, allowed: bool, reason: str
    ) -> None:
        """Count a check that was answered with this decision."""
        decision = ALLOW if allowed else DENY
        _counted(decision, reason).inc()
        self._left -= 1
        if self._left == 0:
            self._left = self._sample
            actor = actor_of(asked_by)
            about = {
                "principal": f"{actor.type}:{actor.id}",
                "decision": decision,
                "reason": reason,
                "subject": check.user_id,
                "permission": check.permission,
                "of_account": check.account_id,
                "resource": check.resource.id,
                "one_of": self._sample,
            }
            _log.info("check", extra=about)


@cache
def _counted(decision: str, reason: str) -> Counter:
    return CHECKS.labels(decision, reason)
