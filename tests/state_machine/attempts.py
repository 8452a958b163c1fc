"""All kinds of attempt, and what keeps a run from becoming idle."""

from __future__ import annotations

from tests.state_machine.access_attempts import AccessAttempts
from tests.state_machine.account_attempts import AccountAttempts
from tests.state_machine.member_attempts import MemberAttempts
from tests.state_machine.operations import Operations
from tests.state_machine.provisioning_operations import Entry
from tests.state_machine.targets import NAMES
from tests.state_machine.world import HOUR, Operation


class Attempts(AccountAttempts, MemberAttempts, AccessAttempts):
    """Every kind, as a method."""

    def __init__(self, world: Operations, first: str, *, enough: int) -> None:
        super().__init__(world, first)
        self.enough = enough
        """The members who can act, of whom the first team has enough."""

    def mend(self) -> Operation | None:
        """Make the first team able to do something again, if it is closed or almost empty."""
        key, account = self.first, self.world.accounts[self.first]
        if account.suspended:
            return self.world.resume_account(key)
        if account.deleting:
            return self.world.restore(key, account.owner)
        if account.kind == "personal":
            return self.world.convert(key, account.owner, self.one(NAMES), "free")
        acting = [user for user in account.members if account.acts(user, self.world.now)]
        inviters = [user for user in acting if user != account.owner]
        invited = [one for one in account.invitations.values() if one.open(self.world.now)]
        if inviters and not any(one.inviter in inviters for one in invited):
            role, ends = self.role(account), self.one([None, self.world.now + HOUR])
            return self.world.invite(key, self.one(inviters), self.outsider(account), role, ends)
        if len(acting) >= self.enough:
            return None
        return self.world.provision(key, [Entry(self.outsider(account), role=self.role(account))])
