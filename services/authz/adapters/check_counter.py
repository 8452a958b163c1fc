"""Count the checks that are answered, and log a sample of them with its reasons."""

import logging
from collections.abc import Mapping, Sequence

from rolecall import Decision, Reason
from services.authz.domain.checks import UNNAMED_BECAUSE, PermissionCheck
from services.authz.domain.evaluations import Evaluated
from shared.auth.principals import Principal, actor_of
from shared.loop_metrics import Count
from shared.metrics import CHECKS

ALLOW, DENY = "allow", "deny"

_log = logging.getLogger(__name__)


class CheckCounter:
    """Counts every check, and logs one of `sample` with its reason; 0 logs none."""

    def __init__(self, *, sample: int) -> None:
        denials = {*UNNAMED_BECAUSE, *Reason} - {Reason.ALLOWED}
        self._allowed = CHECKS.labels(ALLOW, Reason.ALLOWED)
        self._denied: Mapping[str, Count] = {
            reason: CHECKS.labels(DENY, reason) for reason in denials
        }
        self._sample = sample
        self._left = sample

    def count(
        self, check: PermissionCheck, *, asked_by: Principal, allowed: bool, reason: str
    ) -> None:
        """Count a check that was answered with this decision."""
        (self._allowed if allowed else self._denied[reason]).value += 1
        self._left -= 1
        if self._left == 0:
            self._log(check, asked_by, allowed=allowed, reason=reason)

    def counted(self, decision: Decision) -> bool:
        """Count a check with this decision; whether the check is to be logged."""
        allowed, reason = decision.allowed, decision.reason
        (self._allowed if allowed else self._denied[reason]).value += 1
        self._left -= 1
        return self._left == 0

    def log(self, check: PermissionCheck, asked_by: Principal, decision: Decision) -> None:
        """Log a check for which `counted` says so."""
        self._log(check, asked_by, allowed=decision.allowed, reason=decision.reason)

    def count_all(self, evaluated: Sequence[Evaluated], *, asked_by: Principal) -> None:
        """Count the checks of a batch."""
        for one in evaluated:
            if self.counted(one.decision):
                self.log(one.check, asked_by, one.decision)

    def _log(
        self, check: PermissionCheck, asked_by: Principal, *, allowed: bool, reason: str
    ) -> None:
        self._left = self._sample
        actor = actor_of(asked_by)
        about = {
            "principal": f"{actor.type}:{actor.id}",
            "decision": ALLOW if allowed else DENY,
            "reason": reason,
            "subject": check.user_id,
            "permission": check.permission,
            "of_account": check.account_id,
            "resource": check.resource.id,
            "one_of": self._sample,
        }
        _log.info("check", extra=about)
