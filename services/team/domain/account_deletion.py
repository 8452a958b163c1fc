"""Deletion of an account by its owner: a time to undo it, then the end of its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from rolecall import AccountStatus
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account, OwnerOnly
from services.team.domain.informed_members import active_members, pages_of_emails
from services.team.domain.members import Membership
from services.team.domain.reverting import require_confirmation
from shared.contracts import team_endings
from shared.contracts.facts import Fact
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.ids import AccountId
from shared.problems import Refusal, RefusalKind


class DeletionBegan(Refusal):
    """The time to restore the account is over."""

    kind = RefusalKind.CONFLICT
    code = "deletion-began"
    detail = "The time to restore this account is over: its data are being deleted."


def require_owner(access: AccountAccess, *, confirm: str) -> None:
    """Check that the owner asks for the deletion, and names the account.

    Raises:
        OwnerOnly: another member asks.
        ConfirmationWrong: `confirm` is not the account's name.
    """
    if not access.is_owner(access.membership):
        raise OwnerOnly
    require_confirmation(access.account, confirm, pointer="/query/confirm")


def request(
    access: AccountAccess,
    members: Sequence[Membership],
    *,
    grace: timedelta,
    personal_account_id: AccountId | None,
) -> tuple[Account, tuple[Fact, ...]]:
    """Begin the deletion of the account; its owner can restore it within `grace`.

    `personal_account_id` is the owner's new personal account, if they get one.
    """
    account = access.account
    deletes_at = access.now + grace
    deleting = replace(account, status=AccountStatus.DELETING, deletes_at=deletes_at)
    informed = active_members(access, members)
    fact = Fact(
        payload=team_endings.AccountDeletionRequested(
            **owned_fields(account, access.membership),
            deletes_at=deletes_at,
            members=len(informed),
            personal_account_id=personal_account_id,
        ),
        resource=account.ref(),
        before={"status": account.status.value},
        after={"status": deleting.status.value, "deletes_at": deletes_at},
        policy_objects=(deleting.policy_object(),),
    )
    return deleting, (fact, *_informed(account, informed, about="deletion"))


def end_with_owner(
    access: AccountAccess, members: Sequence[Membership]
) -> tuple[Account, tuple[Fact, ...]]:
    """Begin the deletion of the account of an owner who is erased; it cannot be restored.

    It is due at once, and so is a deletion that had begun. If that is due already, there are no
    facts. Members who joined at the same moment are told.
    """
    account = access.account
    begun = account.status is AccountStatus.DELETING
    if account.purging or (begun and (account.deletes_at or access.now) <= access.now):
        return account, ()
    deleting, (requested, *informed) = request(
        access, members, grace=timedelta(), personal_account_id=None
    )
    payload = requested.payload.model_copy(update={"by_erasure": True})
    return deleting, (replace(requested, payload=payload), *([] if begun else informed))


def restore(
    access: AccountAccess, members: Sequence[Membership]
) -> tuple[Account, tuple[Fact, ...]]:
    """Undo the deletion; everything is as it was. An account that is not deleted has no facts.

    Raises:
        OwnerOnly: another member asks.
        DeletionBegan: the rows of the account are being deleted.
    """
    account = access.account
    if not access.is_owner(access.membership):
        raise OwnerOnly
    if account.status is not AccountStatus.DELETING:
        return account, ()
    if account.purging:
        raise DeletionBegan
    restored = replace(account, status=AccountStatus.ACTIVE, deletes_at=None)
    informed = active_members(access, members)
    fact = Fact(
        payload=team_endings.AccountRestored(
            **owned_fields(account, access.membership), members=len(informed)
        ),
        resource=account.ref(),
        before={"status": account.status.value},
        after={"status": restored.status.value},
        policy_objects=(restored.policy_object(),),
    )
    return restored, (fact, *_informed(account, informed, about="restoration"))


def deleted(account: Account) -> Fact:
    """The last fact about an account: no rows of it are left."""
    return Fact(
        payload=team_endings.AccountDeleted(
            account_name=account.name, owner_user_id=account.owner_user_id
        ),
        resource=account.ref(),
        before={"kind": account.kind.value, "name": account.name, "catalog": account.catalog},
        policy_objects=(
            PolicyObject(
                kind=PolicyObjectKind.ACCOUNT,
                id=account.account_id,
                account_id=account.account_id,
                state=None,
            ),
        ),
    )


def owned_fields(account: Account, owner: Membership) -> dict[str, str]:
    """What every fact says that leads to a mail to the owner."""
    return {
        "account_name": account.name,
        "owner_user_id": owner.user_id,
        "owner_email": owner.email,
        "owner_name": owner.name,
    }


def _informed(
    account: Account, members: Sequence[Membership], *, about: Literal["deletion", "restoration"]
) -> Iterator[Fact]:
    for emails in pages_of_emails(members):
        yield Fact(
            payload=team_endings.AccountMembersInformed(
                account_name=account.name, about=about, emails=emails
            ),
            resource=account.ref(),
            after={"members": len(emails)},
        )
