"""Why a member may not set the rule of a connection; team decides it (B5, B16)."""

from collections.abc import Sequence

from shared.contracts.calls.connections import RuleProblem
from shared.problems import PermissionMissing, Refusal, RefusalKind


class JoinsNoTeam(Refusal):
    """The account is a personal one, which has no further members."""

    kind = RefusalKind.CONFLICT
    code = "joins-no-team"
    detail = "A personal account has no further members. Make a team, and connect the team."


class JoinRoleUnknown(Refusal):
    """The account has no such role, or the role belongs to the owner alone."""

    kind = RefusalKind.INVALID
    code = "role-unknown"
    detail = "The role cannot be assigned. Choose one of: {assignable}."

    def __init__(self, assignable: Sequence[str] = ()) -> None:
        choice = f"Choose one of: {', '.join(assignable)}."
        super().__init__(errors=[("/join_role", choice)], assignable=list(assignable))


class JoinRoleNotHeld(Refusal):
    """Who joins gets no more than the member who sets the rule holds (`B5`)."""

    kind = RefusalKind.DENIED
    code = "grants-exceeded"
    detail = (
        "You can give only permissions that you hold yourself. You do not hold: {missing}. Choose"
        " another `join_role`, or send `null` to end the rule."
    )


class JoinRoleOutlasts(Refusal):
    """Memberships by a rule have no end, and the membership of the member who sets it has one."""

    kind = RefusalKind.DENIED
    code = "end-exceeded"
    detail = (
        "Your own membership has an end, and memberships by this rule have none. Ask a member"
        " without an end to set it."
    )


def require_rule(
    problem: RuleProblem | None, *, missing: Sequence[str], assignable: Sequence[str]
) -> None:
    """Check team's answer about a rule.

    Raises:
        JoinsNoTeam, JoinRoleUnknown, JoinRoleNotHeld, JoinRoleOutlasts: as team says.
        PermissionMissing: the member may not invite.
    """
    match problem:
        case RuleProblem.NOT_A_TEAM:
            raise JoinsNoTeam
        case RuleProblem.ROLE_UNKNOWN:
            raise JoinRoleUnknown(assignable)
        case RuleProblem.NOT_ALLOWED:
            raise PermissionMissing("member:invite")
        case RuleProblem.NOT_HELD:
            raise JoinRoleNotHeld(missing=list(missing))
        case RuleProblem.ENDS:
            raise JoinRoleOutlasts
        case None:
            return
