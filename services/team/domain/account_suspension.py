"""Suspension of an account by the platform: every check denies, and nothing is lost."""

from dataclasses import replace
from datetime import datetime

from rolecall import AccountStatus
from services.team.domain.account_deletion import DeletionBegan, owned_fields
from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from shared.contracts import team_endings
from shared.contracts.facts import Fact


def suspend(
    account: Account, owner: Membership, *, explanation: str, now: datetime
) -> tuple[Account, Fact | None]:
    """Suspend the account; the owner is told the explanation.

    A suspended account takes another explanation. A request that would change nothing has no fact.

    Raises:
        DeletionBegan: the rows of the account are being deleted.
    """
    if account.purging:
        raise DeletionBegan
    suspended = replace(
        account,
        status=AccountStatus.SUSPENDED,
        suspended_at=account.suspended_at or now,
        suspension=explanation,
    )
    if suspended == account:
        return account, None
    fact = Fact(
        payload=team_endings.AccountSuspended(
            **owned_fields(account, owner), explanation=explanation
        ),
        resource=account.ref(),
        before={"status": account.status.value},
        after={"status": suspended.status.value, "explanation": explanation},
        policy_objects=(suspended.policy_object(),),
    )
    return suspended, fact


def resume(account: Account, owner: Membership, *, now: datetime) -> tuple[Account, Fact | None]:
    """End the suspension; everything is as it was.

    The time of the suspension does not count for a deletion that the owner asked for before it.
    """
    if account.suspended_at is None:
        return account, None
    deletes_at = account.deletes_at
    if deletes_at is not None:
        deletes_at += now - account.suspended_at
    resumed = replace(
        account,
        status=AccountStatus.ACTIVE if deletes_at is None else AccountStatus.DELETING,
        suspended_at=None,
        suspension=None,
        deletes_at=deletes_at,
    )
    fact = Fact(
        payload=team_endings.AccountResumed(**owned_fields(account, owner)),
        resource=account.ref(),
        before={"status": account.status.value, "explanation": account.suspension},
        after={"status": resumed.status.value},
        policy_objects=(resumed.policy_object(),),
    )
    return resumed, fact
