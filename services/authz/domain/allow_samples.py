"""Allowed decisions: which of them are counted for the audit log."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime

from services.authz.domain.checks import PermissionCheck
from services.authz.domain.decision_counts import Allowed, DecisionCounts

EVERY = "*"
"""Stands for every permission that is not named."""


class AllowSamples:
    """Draws checks by their permission, and counts those that were drawn.

    `one_of` has for a permission the number of checks of which one is drawn. A permission without
    a number is never drawn. `chance` gives numbers from 0 to 1.
    """

    def __init__(
        self, one_of: Mapping[str, int], *, chance: Callable[[], float] = random.random
    ) -> None:
        self.counts: DecisionCounts[Allowed] = DecisionCounts()
        self.any = bool(one_of)
        """Whether anything may be drawn."""
        self._one_of = one_of
        self._of_others = one_of.get(EVERY)
        self._chance = chance

    def note(
        self, account_id: str, check: PermissionCheck, project_id: str | None, now: datetime
    ) -> None:
        """Count this allowed check if it is drawn; `project_id` is one of the account."""
        one_of = self._one_of.get(check.permission, self._of_others)
        if one_of is None or self._chance() * one_of >= 1:
            return
        allowed = Allowed(
            account_id=account_id,
            user_id=check.user_id,
            permission=check.permission,
            resource_id=check.resource.id,
            project_id=project_id,
            one_of=one_of,
            token_id=check.token_id,
        )
        self.counts.note(allowed, now)


NO_SAMPLES = AllowSamples({})
