"""Entries of a provisioning request with the users that they name, and which are refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.team.domain.guardrail_violations import GuardrailViolated
from services.team.domain.provisioning import JoiningUser, MemberEntry
from shared.ids import UserId
from shared.problems import Refusal


@dataclass(frozen=True, kw_only=True)
class NamedEntry:
    """An entry, and the user that it names; with `refusal` it changes nothing."""

    entry: MemberEntry
    user: JoiningUser | None = None
    refusal: Refusal | None = None

    @property
    def user_id(self) -> UserId | None:
        """The user, also one whom identity does not know."""
        return self.user.user_id if self.user is not None else self.entry.user_id


def without_blamed(
    named: Sequence[NamedEntry], violated: GuardrailViolated
) -> list[NamedEntry] | None:
    """The entries, with those refused whose users the violations name, or the only one.

    An entry changes its own user only, so it alone is to blame for what that user holds. `None`
    means that no entry is: the violations name no user, such as too few members.
    """
    if len(named) == 1:
        return [replace(named[0], refusal=violated)]
    refusals = {
        violation.user_id: GuardrailViolated(violation)
        for violation in reversed(violated.violations)
        if violation.user_id is not None
    }
    entries = [
        replace(one, refusal=refusals[one.user_id])
        if one.refusal is None and one.user_id in refusals
        else one
        for one in named
    ]
    return None if entries == list(named) else entries
