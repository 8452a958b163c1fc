"""Operations on custom roles."""

from __future__ import annotations

from tests.state_machine.accounts import Account, CustomRole
from tests.state_machine.catalogs import Grants, gained
from tests.state_machine.world import ROLE_LIMIT, Answer, Operation, World


class RoleOperations(World):
    """Operations on custom roles."""

    def create_role(self, account_id: str, actor: str, name: str, grants: Grants) -> Operation:
        """Create a custom role."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("role", "manage")) or set()
        if not refusals:
            fit = account.may_give(actor, account.meaning.held(grants), self.now)
            refusals |= set() if fit else {"grants-exceeded"}
            refusals |= self._name_taken(account, name)
            refusals |= {"role-limit"} if len(account.roles) >= ROLE_LIMIT else set()

        def effect(account: Account, answer: Answer) -> None:
            account.roles[answer["id"]] = CustomRole(
                name=name, grants=account.meaning.written_out(grants)
            )

        body = {"name": name, "grants": grants}
        return self.account_operation(account_id, actor, "POST", "/roles", body, refusals, effect)

    def _name_taken(self, account: Account, name: str, but: str | None = None) -> set[str]:
        others = {role.name.casefold() for key, role in account.roles.items() if key != but}
        return (
            {"role-name-taken"} if name.casefold() in others | set(account.meaning.roles) else set()
        )

    def _custom(self, account: Account, role: str) -> set[str]:
        if role in account.roles:
            return set()
        return {"role-built-in"} if role in account.meaning.roles else {"not-found"}

    def _lasts(self, account: Account, actor: str, role: str) -> bool:
        """Whether no membership with the role, or invitation to one, outlasts the actor's."""
        ends = [member.ends for member in account.members.values() if member.role == role]
        ends += [
            one.membership_ends
            for one in account.invitations.values()
            if (one.status, one.role) == ("pending", role)
        ]
        return all(account.lasts(actor, end) for end in ends)

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
        written = account.meaning.written_out(grants)
        if not refusals:
            more = gained(account.role_held(role), account.meaning.held(grants))
            fit = account.may_give(actor, more, self.now)
            refusals = set() if fit else {"grants-exceeded"}
            if more and not self._lasts(account, actor, role):
                refusals |= {"end-exceeded"}

        def effect(account: Account, answer: Answer) -> None:
            if account.roles[role].grants != written:
                account.roles[role].grants = written
                account.hand_over(self._concerned(account, role), actor, self.now)

        rest, body = f"/roles/{role}", {"grants": grants}
        holders = account.holders(role)
        return self.account_operation(
            account_id,
            actor,
            "PATCH",
            rest,
            body,
            refusals,
            effect,
            *holders,
            preview={"type": "role_edit", "role_id": role, **body},
        )

    def _deletion_refusals(
        self, account: Account, actor: str, role: str, replacement: str | None
    ) -> set[str]:
        """Why a custom role cannot be deleted by a member who manages roles."""
        named = any(role in rule.roles for rule in account.guardrails.values())
        refusals = {"role-in-guardrail"} if named else set()
        pending = [
            one
            for one in account.invitations.values()
            if (one.status, one.role) == ("pending", role)
        ]
        used = bool(account.holders(role) or pending)
        if replacement is None:
            return refusals | ({"role-in-use"} if used else set())
        if replacement == role or not account.assignable(replacement):
            return refusals | {"role-unknown"}
        if used:
            refusals |= self.role_refusals(account, actor, replacement)
            more = gained(account.role_held(role), account.role_held(replacement))
            if more and not self._lasts(account, actor, role):
                refusals |= {"end-exceeded"}
        return refusals

    def delete_role(
        self, account_id: str, actor: str, role: str, replacement: str | None
    ) -> Operation:
        """Delete a custom role, with a replacement or without."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("role", "manage")) or set()
        if not refusals:
            refusals = self._custom(account, role)
        if not refusals:
            refusals = self._deletion_refusals(account, actor, role, replacement)

        def effect(account: Account, answer: Answer) -> None:
            del account.roles[role]
            if replacement is not None:
                account.replace_role(role, replacement)
                account.hand_over(self._concerned(account, replacement), actor, self.now)

        preview = {"type": "role_delete", "role_id": role}
        if replacement is not None:
            preview["replacement"] = replacement
        rest = f"/roles/{role}" + ("" if replacement is None else f"?replacement={replacement}")
        return self.account_operation(
            account_id,
            actor,
            "DELETE",
            rest,
            None,
            refusals,
            effect,
            *account.holders(role),
            preview=preview,
        )
