"""How a team becomes a personal account again, and what ends with that (`Rp3`, `Nv2`)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rolecall import AccountKind, Conversion
from services.team.domain import invitations, members
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account, OwnerOnly
from services.team.domain.custom_roles import CustomRole
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from shared.contracts import team, team_endings
from shared.contracts.facts import Fact
from shared.ids import ProjectId, UserId
from shared.problems import Refusal, RefusalKind

REASON = "reverted"
"""What the audit log gives as the reason of all that ends with the team."""


class NoConversion(Refusal):
    """The catalog knows no step between personal accounts and teams."""

    kind = RefusalKind.CONFLICT
    code = "no-conversion"
    detail = (
        "The catalog {catalog} has no step between personal accounts and teams, so there is no step"
        " back. Remove the members or delete the account instead."
    )


class ConversionIrreversible(Refusal):
    """Under the catalog a team account stays one (`Nv2`)."""

    kind = RefusalKind.CONFLICT
    code = "conversion-irreversible"
    detail = (
        "Under the catalog {catalog} a team stays a team. Remove the members or delete the account"
        " instead."
    )


class AlreadyPersonal(Refusal):
    """Only a team reverts."""

    kind = RefusalKind.CONFLICT
    code = "already-personal"
    detail = "This is a personal account already."


class ConfirmationWrong(Refusal):
    """What cannot be undone at once is confirmed with the account's name."""

    kind = RefusalKind.INVALID
    code = "confirmation-wrong"
    detail = "`confirm` is not the name of this account. Send the name exactly as it is shown."


@dataclass(frozen=True, kw_only=True)
class OthersRows:
    """All that an account has beside its owner's membership, its projects and its log."""

    members: Sequence[Membership]
    overrides: Sequence[ProjectOverride]
    invitations: Sequence[Invitation]
    """Pending and expired ones."""


def require_confirmation(account: Account, confirm: str, *, pointer: str) -> None:
    """Check that the caller has typed the account's name; `pointer` is where it stands.

    Raises:
        ConfirmationWrong: it is another text.
    """
    if confirm != account.name:
        raise ConfirmationWrong(errors=[(pointer, "Must be the name of the account.")])


def require_revertible(access: AccountAccess, *, confirm: str) -> None:
    """Check that the owner may turn the account back, and has typed its name.

    Raises:
        OwnerOnly: another member asks.
        NoConversion, ConversionIrreversible: the catalog does not allow it.
        AlreadyPersonal: the account is not a team.
        ConfirmationWrong: `confirm` is not the account's name.
    """
    if not access.is_owner(access.membership):
        raise OwnerOnly
    catalog = access.catalog.catalog
    if catalog.policies.conversion is Conversion.NONE:
        raise NoConversion(catalog=catalog.title)
    if access.account.kind is AccountKind.PERSONAL:
        raise AlreadyPersonal
    if catalog.policies.conversion is Conversion.IRREVERSIBLE:
        raise ConversionIrreversible(catalog=catalog.title)
    require_confirmation(access.account, confirm, pointer="/confirm")


def revert(access: AccountAccess, others: OthersRows) -> tuple[Account, tuple[Fact, ...]]:
    """Turn the team into a personal account; `others` end, projects and audit log stay.

    Each membership, open invitation and custom role ends with a fact of its own, as if it had ended
    alone: the mails, the sessions and the audit log need no second way.
    """
    account = access.account
    open_ones = [one for one in others.invitations if one.open(access.now)]
    leaving = [member for member in others.members if not access.is_owner(member)]
    overridden: defaultdict[UserId, list[ProjectId]] = defaultdict(list)
    for override in others.overrides:
        overridden[override.user_id].append(override.project_id)
    personal = replace(account, kind=AccountKind.PERSONAL, roles=())
    reverted = Fact(
        payload=team_endings.AccountReverted(
            account_name=account.name,
            owner_user_id=account.owner_user_id,
            catalog=account.catalog,
        ),
        resource=account.ref(),
        before={
            "kind": account.kind.value,
            "members": len(leaving),
            "invitations": len(open_ones),
            "roles": len(account.roles),
            "overrides": len(others.overrides),
        },
        after={"kind": personal.kind.value},
        policy_objects=(personal.policy_object(),),
    )
    facts = (
        *(invitations.revoke(one, account=account, reason=REASON)[1] for one in open_ones),
        *(_ended(account, member, overridden[member.user_id]) for member in leaving),
        *(_role_ended(role) for role in account.roles),
        reverted,
    )
    return personal, facts


def _ended(account: Account, member: Membership, overridden: Sequence[ProjectId]) -> Fact:
    fact = members.remove(member, is_owner=False, overridden=overridden, account_name=account.name)
    told = fact.payload.model_copy(update={"reverted": True})
    return replace(fact, payload=told, reason=REASON)


def _role_ended(role: CustomRole) -> Fact:
    return Fact(
        payload=team.RoleDeleted(role_id=role.role_id, name=role.name, replacement=None),
        resource=role.ref(),
        reason=REASON,
        before=role.shown(),
    )
