"""Who may give resources to whom (`B5`), and what stands in the way of other changes."""

from collections.abc import Sequence

from rolecall import Matrix, Member, effective_matrix, milliseconds
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import require_owner
from services.team.domain.authority import require_to_grant
from services.team.domain.resources import RegisteredResource
from shared.ids import ProjectId, UserId
from shared.problems import Invalid, Refusal, RefusalKind

MAX_REASSIGNED = 500
"""Of one request: one change is bounded."""


class TooManyToReassign(Refusal):
    """A removal is one change, which is bounded."""

    kind = RefusalKind.CONFLICT
    code = "too-many-to-reassign"
    detail = (
        "The member owns {owned} resources, and a removal reassigns {limit} at most. Reassign them"
        " first with POST …/resources/reassign, as often as its answer says that some remain."
    )


class ProjectHasResources(Refusal):
    """Resources without their project would be decided by other grants than before."""

    kind = RefusalKind.CONFLICT
    code = "project-has-resources"
    detail = (
        "The {project} has {count} registered resources. Delete them, or move them to another"
        " {project}, before you delete it."
    )

    def __init__(self, *, project: str, count: int) -> None:
        super().__init__(project=project, count=count)
        self.members = {"count": count}


def require_two_users(from_user_id: UserId, to_user_id: UserId, *, pointer: str) -> None:
    """Check that resources are given to another user.

    Raises:
        Invalid: the two are one.
    """
    if from_user_id == to_user_id:
        raise Invalid(errors=[(pointer, "This user has the resources already. Name another one.")])


def require_to_take_from(access: AccountAccess, from_user_id: UserId) -> None:
    """Check that only the owner of the account gives away what they own.

    Raises:
        OwnerOnly: another member would take it from them.
    """
    if from_user_id == access.account.owner_user_id:
        require_owner(access.account, access.membership)


def require_few_to_reassign(owned: int) -> None:
    """Check that one change can give all of a member's resources to another.

    Raises:
        TooManyToReassign: they are too many for one change.
    """
    if owned > MAX_REASSIGNED:
        raise TooManyToReassign(owned=owned, limit=MAX_REASSIGNED)


def require_to_reassign(
    access: AccountAccess, receiver: Member, resources: Sequence[RegisteredResource]
) -> None:
    """Check that the caller holds what the receiver gains by owning these resources.

    A grant for own resources reaches them from then on. The caller must hold it for all of them,
    or own them. Otherwise a member who may remove others would take over what they cannot touch.

    Raises:
        GrantsExceeded: with the grants that the caller does not hold.
    """
    groups = {(resource.type, resource.project_id, resource.owner_id) for resource in resources}
    bits = {resource_type: _bits_of(access, resource_type) for resource_type, _, _ in groups}
    for resource_type, project_id, owner_id in sorted(groups, key=str):
        gained = _gained(access, receiver, project_id).within(bits[resource_type])
        given = gained.by_owning(everyones=owner_id != access.membership.user_id)
        require_to_grant(access.state, access.member, project_id, given, now=access.now, until=None)


def _gained(access: AccountAccess, receiver: Member, project_id: ProjectId | None) -> Matrix:
    """The receiver's grants for own resources, with those that come when an override ends."""
    inside = effective_matrix(access.state, receiver, project_id, now=milliseconds(access.now))
    override = None if project_id is None else receiver.overrides.get(project_id)
    ends = override is not None and override.expires_at is not None
    found = inside.by_owning()
    return found.together_with(receiver.role.by_owning()) if ends else found


def _bits_of(access: AccountAccess, resource_type: str) -> int:
    mask = 0
    for permission in access.catalog.permissions.values():
        if permission.resource_type == resource_type:
            mask |= permission.bit
    return mask
