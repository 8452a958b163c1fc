"""The demand of an account that its members have a second factor (`B1`)."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.informed_members import active_members, pages_of_emails
from services.team.domain.members import Membership
from shared.contracts import team_endings
from shared.contracts.facts import Fact
from shared.ids import UserId
from shared.problems import Refusal, RefusalKind


class OwnSecondFactorMissing(Refusal):
    """A member demands of others what they do not have themselves."""

    kind = RefusalKind.CONFLICT
    code = "own-second-factor-missing"
    detail = (
        "You have no second factor yourself, so you would lose your access. Add an app that makes"
        " codes with POST /v1/me/mfa/totp, or a passkey with POST /v1/me/passkey-challenges. Then"
        " demand a second factor of the members."
    )


class OwnerSecondFactorMissing(Refusal):
    """The owner would be shut out of their own account."""

    kind = RefusalKind.CONFLICT
    code = "owner-second-factor-missing"
    detail = (
        "The owner of the account has no second factor and would lose their access. Ask the owner"
        " to add one, then demand it of the members."
    )


class DemandInPerson(Refusal):
    """An API token does not decide how its members sign in."""

    kind = RefusalKind.DENIED
    code = "demand-in-person"
    detail = (
        "An API token cannot change `require_second_factor`. Change it in a session of a member."
    )


def demand(
    access: AccountAccess, members: Sequence[Membership], *, with_factor: Collection[UserId]
) -> tuple[Account, tuple[Fact, ...]]:
    """Demand a second factor of the members; those who have none are told by mail.

    Raises:
        OwnSecondFactorMissing, OwnerSecondFactorMissing: who demands it, or the owner, would lose
            their access.
    """
    account = access.account
    if access.membership.user_id not in with_factor:
        raise OwnSecondFactorMissing
    if account.owner_user_id not in with_factor:
        raise OwnerSecondFactorMissing
    demanding, fact = _changed(account, required=True)
    shut_out = [one for one in active_members(access, members) if one.user_id not in with_factor]
    told = [
        Fact(
            payload=team_endings.AccountMembersShutOut(account_name=account.name, emails=emails),
            resource=account.ref(),
            after={"members": len(emails)},
        )
        for emails in pages_of_emails(shut_out)
    ]
    return demanding, (fact, *told)


def demand_no_longer(account: Account) -> tuple[Account, Fact]:
    """Let members act without a second factor."""
    return _changed(account, required=False)


def _changed(account: Account, *, required: bool) -> tuple[Account, Fact]:
    changed = replace(account, require_second_factor=required)
    fact = Fact(
        payload=team_endings.AccountSecondFactorDemanded(
            account_name=account.name, required=required
        ),
        resource=account.ref(),
        before={"require_second_factor": account.require_second_factor},
        after={"require_second_factor": required},
        policy_objects=(changed.policy_object(),),
    )
    return changed, fact
