"""Operations on custom roles."""

from __future__ import annotations

from tests.state_machine.accounts import Account, CustomRole
from tests.state_machine.catalogs import ROLES, Grants, gained, held
from tests.state_machine.world import ROLE_LIMIT, Answer, Operation, World


class RoleOperations(World):
    """Operations on custom roles."""

    def create_role(self, account_id: str, actor: str, name: str, grants: Grants) -> Operation:
        """Create a custom role."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("role", "manage")) or set()
        if not refusals:
            fit = account.may_give(actor, held(grants), self.now)
            refusals |= set() if fit else {"grants-exceeded"}
            refusals |= self._name_taken(account, name)
            refusals |= {"role-limit"} if len(account.roles) >= ROLE_LIMIT else set()

        def effect(answer: Answer) -> None:
            account.roles[answer["id"]] = CustomRole(name=name, grants=grants)

        body = {"name": name, "grants": grants}
        return self.account_operation(account_id, actor, "POST", "/roles", body, refusals, effect)

    def _name_taken(self, account: Account, name: str, but: str | None = None) -> set[str]:
        others = {role.name.casefold() for key, role in account.roles.items() if key != but}
        return {"role-name-taken"} if name.casefold() in others | set(ROLES) else set()

    def _custom(self, account: Account, role: str) -> set[str]:
        if role in account.roles:
            return set()
        return {"role-built-in"} if role in ROLES else {"not-found"}

    def _concerned(self, account: Account, role: str) -> set[str]:
        """The inviters whose invitations a change of the role may take from them."""
        open_ones = [one for one in account.invitations.values() if one.open(self.now)]
        return {
            one.inviter
            for one in open_ones
            if one.role == role
            or one.inviter not in account.members
            or account.members[one.inviter].role == role
        }

    def edit_role(self, account_id: str, actor: str, role: str, grants: Grants) -> Operation:
        """Change the grants of a custom role."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("role", "manage")) or set()
        if not refusals:
            refusals = self._custom(account, role)
        if not refusals:
            more = gained(account.role_held(role), held(grants))
            fit = account.may_give(actor, more, self.now)
            refusals = set() if fit else {"grants-exceeded"}

        def effect(answer: Answer) -> None:
            if account.roles[role].grants != grants:
                account.roles[role].grants = grants
                account.hand_over(self._concerned(account, role), actor, self.now)

        rest, body = f"/roles/{role}", {"grants": grants}
        return self.account_operation(account_id, actor, "PATCH", rest, body, refusals, effect)

    def delete_role(
        self, account_id: str, actor: str, role: str, replacement: str | None
    ) -> Operation:
        """Delete a custom role, with a replacement or without."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("role", "manage")) or set()
        if not refusals:
            refusals = self._custom(account, role)
        pending = [
            one
            for one in account.invitations.values()
            if (one.status, one.role) == ("pending", role)
        ]
        holders = [member for member in account.members.values() if member.role == role]
        if not refusals and replacement is None:
            refusals = {"role-in-use"} if holders or pending else set()
        elif not refusals and replacement is not None:
            if replacement == role or not account.assignable(replacement):
                refusals = {"role-unknown"}
            elif holders or pending:
                refusals = self.role_refusals(account, actor, replacement)

        def effect(answer: Answer) -> None:
            del account.roles[role]
            if replacement is not None:
                account.replace_role(role, replacement)
                account.hand_over(self._concerned(account, replacement), actor, self.now)

        rest = f"/roles/{role}" + ("" if replacement is None else f"?replacement={replacement}")
        return self.account_operation(account_id, actor, "DELETE", rest, None, refusals, effect)
