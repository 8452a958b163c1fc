"""What a removal takes and answers."""

from pydantic import Field

from services.team.routes.passed_invitations import PassedInvitations, passed_views
from services.team.use_cases.members import RemovedMember
from shared.http.routes import Body


class RemovalQuery(Body):
    """Who gets the resources of the member; without it they keep their owner."""

    reassign_to: str | None = Field(
        default=None,
        pattern=r"^usr_[0-9a-f]{32}$",
        description="The member who gets the resources that the removed one owns: 500 at most",
    )


class RemovedMemberView(PassedInvitations):
    """What a removal leaves behind.

    `owned_resources` are registered with the former member as their owner still. Reassign them with
    `POST …/resources/reassign`.
    """

    owned_resources: int = 0
    reassigned_resources: int = 0


def removed_view(removed: RemovedMember) -> RemovedMemberView | None:
    """The answer of a removal; None if it leaves nothing behind."""
    if not (removed.passed or removed.kept or removed.reassigned):
        return None
    return RemovedMemberView(
        passed_invitations=passed_views(removed.passed),
        owned_resources=removed.kept,
        reassigned_resources=removed.reassigned,
    )
