"""Operations on registered resources."""

from __future__ import annotations

from tests.state_machine.accounts import Account, Resource, User
from tests.state_machine.catalogs import INSIDE, Held
from tests.state_machine.world import REGISTRAR, RESOURCE_LIMIT, Answer, Operation, World

TYPE = "instance"


class ResourceOperations(World):
    """Operations on registered resources."""

    def register(self, account_id: str, name: str, wanted: Resource) -> Operation:
        """Register a resource, or replace what is registered of it."""
        account = self.accounts[account_id]
        refusals = self._closed_to_clients(account)
        present = account.resources.get(name)
        if not refusals:
            if wanted.project is not None and wanted.project not in account.projects:
                refusals |= {"project-unknown"}
            kept = None if present is None else present.owner
            if wanted.owner not in (None, kept) and wanted.owner not in account.members:
                refusals |= {"owner-not-a-member"}
            if present is None and len(account.resources) >= RESOURCE_LIMIT:
                refusals |= {"resource-limit"}

        def effect(account: Account, answer: Answer) -> None:
            account.resources[name] = wanted

        path = f"/v1/accounts/{account_id}/resources/{TYPE}/{name}"
        body = {"project_id": wanted.project, "owner_id": wanted.owner}
        return Operation(REGISTRAR, "PUT", path, body, refusals, effect, account_id)

    def unregister(self, account_id: str, name: str) -> Operation:
        """Delete a resource from the register."""
        account = self.accounts[account_id]
        refusals = self._closed_to_clients(account)
        if not refusals and name not in account.resources:
            refusals = {"not-found"}

        def effect(account: Account, answer: Answer) -> None:
            del account.resources[name]

        path = f"/v1/accounts/{account_id}/resources/{TYPE}/{name}"
        return Operation(REGISTRAR, "DELETE", path, None, refusals, effect, account_id)

    def _closed_to_clients(self, account: Account) -> set[str]:
        if account.suspended:
            return {"account-suspended"}
        return {"account-deleting"} if account.deleting else set()

    def reassign(self, account_id: str, actor: str, giver: User, receiver: User) -> Operation:
        """Give the resources of one user to a member."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("member", "remove")) or set()
        owned = [one for one in account.resources.values() if one.owner == giver]
        if not refusals:
            if giver == account.owner and actor != account.owner:
                refusals |= {"owner-only"}
            if receiver not in account.members:
                refusals |= {"owner-not-a-member"}
            elif any(not self._may_give(account, actor, receiver, one) for one in owned):
                refusals |= {"grants-exceeded"}

        refusals |= {"invalid"} if giver == receiver else set()

        def effect(account: Account, answer: Answer) -> None:
            for name, one in account.resources.items():
                if one.owner == giver:
                    account.resources[name] = Resource(project=one.project, owner=receiver)

        body = {"from_user_id": giver, "to_user_id": receiver}
        rest = "/resources/reassign"
        return self.account_operation(
            account_id, actor, "POST", rest, body, refusals, effect, giver, receiver
        )

    def _may_give(self, account: Account, actor: User, receiver: User, one: Resource) -> bool:
        """Whether the actor holds what the receiver gains by owning it."""
        reached = dict(account.held(receiver, one.project, self.now))
        override = None if one.project is None else account.overrides.get((one.project, receiver))
        cells = {cell for cell, scope in reached.items() if scope == "self"}
        if override is not None and override.ends is not None:
            of_role = account.role_held(account.members[receiver].role)
            cells |= {cell for cell, scope in of_role.items() if scope == "self"}
        scope = "self" if one.owner == actor else "all"
        given: Held = {cell: scope for cell in cells & INSIDE if cell[0] == TYPE}
        if one.project is not None:
            return account.may_grant(actor, one.project, given, self.now, until=None)
        held = account.role_held(account.members[actor].role)
        return all(held.get(cell) in {"all", scope} for cell in given)
