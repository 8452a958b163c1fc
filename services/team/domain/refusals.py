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

    `after` names what was tried, and what the refusal itself names, such as the grants missing.
    """
    return Fact(
        payload=RequestRefused(operation=operation, permission=permission, code=refusal.code),
        resource=resource,
        account_id=account_id,
        project_id=project_id,
        outcome=Outcome.DENIED,
        reason=refusal.code,
        after={"operation": operation, **refusal.members},
    )
