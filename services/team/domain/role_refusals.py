"""The refusals of changes of custom roles."""

from collections.abc import Sequence

from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from shared.problems import Refusal, RefusalKind

SHOWN_HOLDERS = 5
"""How many holders a refusal names."""


class RoleNameTaken(Refusal):
    """Two roles of one account have different names; the case of letters does not count."""

    kind = RefusalKind.CONFLICT
    code = "role-name-taken"
    detail = "Another role of this account has that name. Choose another name."


class RoleLimit(Refusal):
    """Every replica of authz holds every role, so their number is bounded."""

    kind = RefusalKind.CONFLICT
    code = "role-limit"
    detail = "An account may have {limit} custom roles at most. Delete one first."


class RolesTooLarge(Refusal):
    """The roles are a part of the account's row, which every change of one writes again."""

    kind = RefusalKind.CONFLICT
    code = "roles-too-large"
    detail = (
        "The custom roles of an account may have {limit} bytes together, and one of them {one}."
        " Shorten descriptions, name fewer entries, or delete a role first."
    )


class RoleBuiltIn(Refusal):
    """The roles of the catalog are the same in every account."""

    kind = RefusalKind.CONFLICT
    code = "role-built-in"
    detail = (
        "The role `{role}` belongs to the catalog and cannot be changed or deleted. Create a custom"
        " role instead."
    )


class RoleInUse(Refusal):
    """A role that someone has, or is invited with, is deleted only with a replacement."""

    kind = RefusalKind.CONFLICT
    code = "role-in-use"
    detail = (
        "The role is in use. Members who have it: {members}{holders}; pending invitations:"
        " {invitations}. Name the role that takes its place in the parameter `replacement`."
    )

    def __init__(
        self, members: Sequence[Membership], invitations: Sequence[Invitation], *, named: bool
    ) -> None:
        """Count the holders, and name some; `named` for a caller who may see members."""
        names = [member.name for member in members[:SHOWN_HOLDERS]] if named else []
        more = f" and {len(members) - len(names)} more" if len(members) > len(names) else ""
        holders = f" ({', '.join(names)}{more})" if names else ""
        super().__init__(members=len(members), holders=holders, invitations=len(invitations))
        self.members = {**self.members, "holders": names}
