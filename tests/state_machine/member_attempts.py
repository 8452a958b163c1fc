"""Attempts on members, invitations and resources."""

from __future__ import annotations

from tests.state_machine.accounts import Account, Resource, User
from tests.state_machine.kinds import Attempt, kind
from tests.state_machine.provisioning_operations import Entry
from tests.state_machine.targets import RESOURCES, Targets


class MemberAttempts(Targets):
    """One method for each kind; None if there is nothing that it could be tried on."""

    @kind(6)
    def invite(self) -> Attempt | None:
        key, account = self.team()
        actor, role = self.actor(account), self.role(account)
        return self.world.invite(key, actor, self.outsider(account), role, self.end())

    @kind()
    def resend(self) -> Attempt | None:
        found = self.invitation()
        if found is None:
            return None
        return self.world.resend(found[0], self.actor(self.world.accounts[found[0]]), found[1])

    @kind(2)
    def revoke(self) -> Attempt | None:
        found = self.invitation()
        if found is None:
            return None
        return self.world.revoke(found[0], self.actor(self.world.accounts[found[0]]), found[1])

    @kind(3)
    def accept(self) -> Attempt | None:
        found = self.invitation()
        if found is None:
            return None
        key, invitation = found
        invited = self.world.accounts[key].invitations[invitation].invited
        actor = self.one(self.world.users) if self.seldom() else invited
        return self.world.accept(key, actor, invitation, 0 if self.seldom() else -1)

    @kind(1)
    def decline(self) -> Attempt | None:
        found = self.invitation()
        if found is None:
            return None
        key, invitation = found
        invited = self.world.accounts[key].invitations[invitation].invited
        return self.world.decline(key, invited, invitation)

    @kind(6)
    def change_role(self) -> Attempt | None:
        key, account = self.team()
        actor, user = self.actor(account), self.user(account)
        return self.world.change_role(key, actor, user, self.role(account))

    @kind()
    def set_end(self) -> Attempt | None:
        key, account = self.team()
        return self.world.set_end(key, self.actor(account), self.user(account), self.end())

    @kind(3)
    def suspend(self) -> Attempt | None:
        key, account = self.team()
        return self.world.suspend(key, self.actor(account), self.user(account))

    @kind()
    def resume(self) -> Attempt | None:
        key, account = self.team()
        suspended = [user for user in self.members(account) if account.members[user].suspended]
        user = self.one(suspended) if suspended else self.user(account)
        return self.world.resume(key, self.actor(account), user)

    @kind(2)
    def remove(self) -> Attempt | None:
        key, account = self.team()
        return self.world.remove(key, self.actor(account), self.user(account))

    @kind(1)
    def leave(self) -> Attempt | None:
        key, account = self.team()
        return self.world.leave(key, self.actor(account))

    @kind(5)
    def provision(self) -> Attempt | None:
        key, account = self.team()
        count = 1 if account.guardrails else self.one([1, 1, 2, 3])
        users = self.random.sample(self.world.users, count)
        pending = [one for one in account.invitations.values() if one.status == "pending"]
        if pending and self.seldom(0.3):
            users = [self.one(pending).invited]
        return self.world.provision(key, [self._entry(account, user) for user in users])

    def _entry(self, account: Account, user: User) -> Entry:
        if self.seldom(0.2):
            return Entry(user, remove=True)
        ends = 0 if self.seldom(0.6) else self.end()
        member = account.members.get(user)
        role = None if member is not None and self.seldom(0.3) else self.role(account)
        return Entry(user, role=role, ends=ends)

    @kind(4)
    def register(self) -> Attempt | None:
        key, account = self.team()
        name = self.one(RESOURCES)
        project = None if self.seldom(0.2) else self.project(account)
        owner = None if self.seldom(0.2) else self.user(account)
        return self.world.register(key, name, Resource(project, owner))

    @kind(1)
    def unregister(self) -> Attempt | None:
        key, _ = self.team()
        return self.world.unregister(key, self.one(RESOURCES))

    @kind(3)
    def reassign(self) -> Attempt | None:
        key, account = self.team()
        giver = self.user(account)
        owners = [one.owner for one in account.resources.values() if one.owner is not None]
        if owners and not self.seldom():
            giver = self.one(owners)
        return self.world.reassign(key, self.actor(account), giver, self.user(account))
