"""Operations on members."""

from __future__ import annotations

from tests.state_machine.accounts import Account, later
from tests.state_machine.catalogs import gained
from tests.state_machine.world import Answer, Operation, World, moment


class MemberOperations(World):
    """Operations on members."""

    def change_role(self, account_id: str, actor: str, user: str, role: str) -> Operation:
        """Give a member another role."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("member", "update")) or set()
        member = account.members.get(user)
        if not refusals and member is None:
            refusals = {"not-found"}
        elif not refusals and member is not None:
            if user == account.owner:
                refusals |= {"owner-protected"}
            if not account.assignable(role):
                refusals |= {"role-unknown"}
            elif role != member.role:
                given = account.role_held(role)
                refusals |= self.role_refusals(account, actor, role)
                more = gained(account.role_held(member.role), given)
                if more and not account.lasts(actor, member.ends):
                    refusals |= {"end-exceeded"}

        def effect(account: Account, answer: Answer) -> None:
            account.members[user].role = role
            account.hand_over({user}, actor, self.now)

        rest = f"/members/{user}"
        return self.account_operation(
            account_id,
            actor,
            "PATCH",
            rest,
            {"role": role},
            refusals,
            effect,
            user,
            preview={"type": "member_change", "user_id": user, "role": role},
        )

    def set_end(self, account_id: str, actor: str, user: str, ends: int | None) -> Operation:
        """Set the end of a membership, or take it away."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("member", "update")) or set()
        member = account.members.get(user)
        if not refusals and member is None:
            refusals = {"not-found"}
        elif not refusals and member is not None and ends != member.ends:
            refusals |= {"owner-protected"} if user == account.owner else set()
            refusals |= {"invalid"} if ends is not None and ends <= self.now else set()
            if later(ends, member.ends):
                refusals |= self._restoring(account, actor, user, ends)

        def effect(account: Account, answer: Answer) -> None:
            if account.members[user].ends != ends:
                account.members[user].ends = ends
                account.hand_over({user}, actor, self.now)

        rest, body = f"/members/{user}", {"expires_at": moment(ends)}
        return self.account_operation(
            account_id,
            actor,
            "PATCH",
            rest,
            body,
            refusals,
            effect,
            user,
            preview={"type": "member_change", "user_id": user, **body},
        )

    def _restoring(self, account: Account, actor: str, user: str, ends: int | None) -> set[str]:
        """Why the actor may not give back all that a membership gives."""
        refusals = self.role_refusals(account, actor, account.members[user].role)
        if user == account.owner:
            refusals = set()
        if not account.lasts(actor, ends):
            refusals |= {"end-exceeded"}
        for (project, whose), override in account.overrides.items():
            given = account.meaning.held(override.grants)
            if (
                whose == user
                and override.in_force(self.now)
                and not account.may_grant(actor, project, given, self.now, until=override.ends)
            ):
                refusals |= {"grants-exceeded"}
        return refusals

    def suspend(self, account_id: str, actor: str, user: str) -> Operation:
        """Suspend a member."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("member", "update")) or set()
        if not refusals and user not in account.members:
            refusals = {"not-found"}
        elif not refusals:
            refusals |= {"owner-protected"} if user == account.owner else set()
            refusals |= {"not-yourself"} if user == actor else set()

        def effect(account: Account, answer: Answer) -> None:
            if not account.members[user].suspended:
                account.members[user].suspended = True
                account.end_offer(user)
                account.hand_over({user}, actor, self.now)

        rest = f"/members/{user}/suspend"
        return self.account_operation(
            account_id,
            actor,
            "POST",
            rest,
            None,
            refusals,
            effect,
            user,
            preview={"type": "member_suspension", "user_id": user},
        )

    def resume(self, account_id: str, actor: str, user: str) -> Operation:
        """Resume a suspended member."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("member", "update")) or set()
        member = account.members.get(user)
        if not refusals and member is None:
            refusals = {"not-found"}
        elif not refusals and member is not None and member.suspended:
            refusals = self._restoring(account, actor, user, member.ends)

        def effect(account: Account, answer: Answer) -> None:
            account.members[user].suspended = False

        rest = f"/members/{user}/resume"
        return self.account_operation(
            account_id,
            actor,
            "POST",
            rest,
            None,
            refusals,
            effect,
            user,
            preview={"type": "member_resumption", "user_id": user},
        )

    def remove(self, account_id: str, actor: str, user: str) -> Operation:
        """Remove a member."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("member", "remove")) or set()
        if not refusals and user not in account.members:
            refusals = {"not-found"}
        elif not refusals and user == account.owner:
            refusals = {"owner-protected"}

        def effect(account: Account, answer: Answer) -> None:
            self._ended(account, actor, user)

        rest = f"/members/{user}"
        return self.account_operation(
            account_id,
            actor,
            "DELETE",
            rest,
            None,
            refusals,
            effect,
            user,
            preview={"type": "member_removal", "user_id": user},
        )

    def leave(self, account_id: str, actor: str) -> Operation:
        """End one's own membership."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("account", "view")) or set()
        if not refusals and actor == account.owner:
            refusals = {"owner-cannot-leave"}

        def effect(account: Account, answer: Answer) -> None:
            self._ended(account, actor, actor)

        return self.account_operation(
            account_id, actor, "POST", "/leave", None, refusals, effect, preview={"type": "leave"}
        )

    def _ended(self, account: Account, actor: str, user: str) -> None:
        account.end_membership(user)
        account.hand_over({user}, actor, self.now)
