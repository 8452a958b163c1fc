"""Operations on whole accounts."""

from __future__ import annotations

from tests.state_machine.accounts import Account
from tests.state_machine.world import ACCOUNT_LIMIT, PLATFORM, Answer, Operation, World


class AccountOperations(World):
    """Operations on whole accounts."""

    def create_team(self, actor: str, name: str, catalog: str) -> Operation:
        """Create a further team."""

        def opens(answer: Answer) -> None:
            self.open_account(answer["id"], actor, name, catalog, "team")

        refusals = {"account-limit"} if self.owned(actor) >= ACCOUNT_LIMIT else set()
        body = {"name": name, "catalog": self.catalog_ids[catalog]}
        return Operation(actor, "POST", "/v1/accounts", body, refusals, opens=opens)

    def rename(self, account_id: str, actor: str, name: str) -> Operation:
        """Give the account another name."""
        refusals = self.authorized(account_id, actor, ("account", "update")) or set()

        def effect(account: Account, answer: Answer) -> None:
            account.name = name

        return self.account_operation(
            account_id, actor, "PATCH", "", {"name": name}, refusals, effect
        )

    def revert(self, account_id: str, actor: str, confirm: str) -> Operation:
        """Make a personal account of a team."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("account", "update")) or set()
        if not refusals:
            refusals |= {"owner-only"} if actor != account.owner else set()
            refusals |= {"confirmation-wrong"} if confirm != account.name else set()
            if account.kind == "personal":
                refusals |= {"already-personal"}
            elif not account.meaning.reversible:
                refusals |= {"conversion-irreversible"}
            if any(
                role in account.roles for one in account.guardrails.values() for role in one.roles
            ):
                refusals |= {"role-in-guardrail"}

        def effect(account: Account, answer: Answer) -> None:
            account.kind, account.offer = "personal", None
            account.members = {account.owner: account.members[account.owner]}
            account.roles, account.overrides = {}, {}
            for invitation in account.invitations.values():
                if invitation.status == "pending":
                    invitation.status = "revoked"

        body = {"confirm": confirm}
        return self.account_operation(
            account_id,
            actor,
            "POST",
            "/revert",
            body,
            refusals,
            effect,
            preview={"type": "revert", **body},
        )

    def delete(self, account_id: str, actor: str, confirm: str) -> Operation:
        """Delete the account; it can be restored."""
        account = self.accounts[account_id]
        refusals = (
            self.authorized(account_id, actor, ("account", "update"), deleting_too=True) or set()
        )
        if not refusals:
            refusals |= {"owner-only"} if actor != account.owner else set()
            refusals |= {"confirmation-wrong"} if confirm != account.name else set()
            if (
                not account.deleting
                and self.needs_home(account.owner, without=account_id)
                and self.owned(account.owner) >= ACCOUNT_LIMIT
            ):
                refusals |= {"account-limit"}

        def effect(account: Account, answer: Answer) -> None:
            account.deleting, account.offer = True, None

        rest = f"?confirm={confirm}"
        return self.account_operation(account_id, actor, "DELETE", rest, None, refusals, effect)

    def restore(self, account_id: str, actor: str) -> Operation:
        """Undo the deletion."""
        account = self.accounts[account_id]
        refusals = (
            self.authorized(account_id, actor, ("account", "update"), deleting_too=True) or set()
        )
        if not refusals and actor != account.owner:
            refusals = {"owner-only"}

        def effect(account: Account, answer: Answer) -> None:
            account.deleting = False

        return self.account_operation(
            account_id, actor, "POST", "/restore", None, refusals, effect, gives_freely=True
        )

    def suspend_account(self, account_id: str) -> Operation:
        """Suspend the account, as the platform does."""

        def effect(account: Account, answer: Answer) -> None:
            account.suspended, account.offer = True, None

        path = f"/internal/admin/accounts/{account_id}/suspend"
        body = {"reason": "Unpaid"}
        return Operation(PLATFORM, "POST", path, body, set(), effect, account_id)

    def resume_account(self, account_id: str) -> Operation:
        """Resume the account, as the platform does."""

        def effect(account: Account, answer: Answer) -> None:
            account.suspended, account.offer = False, None

        path = f"/internal/admin/accounts/{account_id}/resume"
        return Operation(PLATFORM, "POST", path, None, set(), effect, account_id, gives_freely=True)
