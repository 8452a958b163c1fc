"""The bounds of a batch, and its semantics (AuthZEN Authorization API 1.0, 7.1.2.1)."""

from enum import StrEnum

MOST_EVALUATIONS = 1_000
"""The evaluations of one request."""
MOST_REVISIONS = 20
"""The different revisions that the evaluations of one request may wait for."""

STEPS_OF_TURN = 10_000
"""The steps for which one answer keeps the loop, about as long as 400 evaluations.

They are those of conditions (`ConditionWork.steps`), about 0.6 µs each.
"""
STEPS_OF_EVALUATION = 25
"""As how many steps an evaluation counts, apart from its conditions."""


class Semantic(StrEnum):
    """How far a batch is evaluated; an evaluation that fails counts as denied."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"

    def ends_after(self, *, allowed: bool) -> bool:
        """Return whether the answer ends with this decision."""
        if self is Semantic.EXECUTE_ALL:
            return False
        return allowed is (self is Semantic.PERMIT_ON_FIRST_PERMIT)
