"""The audit record of a request that was refused."""

from shared.contracts.facts import Fact, Outcome, ResourceRef
from shared.contracts.team import RequestRefused
from shared.ids import AccountId
from shared.problems import Refusal


def refused(
    refusal: Refusal,
    *,
    operation: str,
    resource: ResourceRef,
    account_id: AccountId,
    permission: str = "",
    project_id: str | None = None,
) -> Fact:
    """Build the fact that a caller tried an operation that they are not allowed to do.

    `after` names what was tried, and what the refusal itself names, such as the grants missing. If
    a part of the request was refused, the record is about that part.
    """
    after = {"operation": operation, **refusal.members}
    part = refusal.part
    if part is not None:
        permission = str(refusal.members.get("permission", part.permission))
        project_id = part.project_id
        if part.resource_id is not None:
            resource = ResourceRef(type=part.resource_type, id=part.resource_id, name=part.name)
        after |= {"change": part.kind, "name": part.name}
    return Fact(
        payload=RequestRefused(operation=operation, permission=permission, code=refusal.code),
        resource=resource,
        account_id=account_id,
        project_id=project_id,
        outcome=Outcome.DENIED,
        reason=refusal.code,
        after=after,
    )
