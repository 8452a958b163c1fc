"""Attempts on accounts, their ownership and their catalog."""

from __future__ import annotations

from tests.state_machine.catalog_operations import cell_of, used_levels, used_roles
from tests.state_machine.catalogs import CATALOGS
from tests.state_machine.kinds import Attempt, Wait, kind
from tests.state_machine.targets import NAMES, Targets
from tests.state_machine.world import DAY


class AccountAttempts(Targets):
    """One method for each kind; None if there is nothing that it could be tried on."""

    @kind(1)
    def create_team(self) -> Attempt | None:
        catalog = self.one(["free", "strict"])
        return self.world.create_team(self.one(self.world.users), self.one(NAMES), catalog)

    @kind(1)
    def convert(self) -> Attempt | None:
        accounts = self.world.accounts
        personal = [key for key, one in accounts.items() if one.kind == "personal"]
        key = self.one(accounts if self.seldom() or not personal else personal)
        actor, catalog = self.actor(accounts[key]), self.one(["free", "strict"])
        return self.world.convert(key, actor, self.one(NAMES), catalog)

    @kind(1)
    def rename(self) -> Attempt | None:
        key, account = self.team()
        return self.world.rename(key, self.actor(account), self.one(NAMES))

    @kind(1)
    def revert(self) -> Attempt | None:
        key, account = self.team()
        confirm = account.name if self.seldom(0.2) else "Other"
        return self.world.revert(key, self.actor(account), confirm)

    @kind(1)
    def delete(self) -> Attempt | None:
        key, account = self.team()
        confirm = account.name if self.seldom(0.4) else "Other"
        return self.world.delete(key, self.actor(account), confirm)

    @kind(1)
    def restore(self) -> Attempt | None:
        deleting = [key for key in self.teams() if self.world.accounts[key].deleting]
        key = self.one(self.teams() if self.seldom() or not deleting else deleting)
        return self.world.restore(key, self.actor(self.world.accounts[key]))

    @kind(1)
    def suspend_account(self) -> Attempt | None:
        key, account = self.team()
        return None if account.deleting else self.world.suspend_account(key)

    @kind(1)
    def resume_account(self) -> Attempt | None:
        suspended = [key for key in self.teams() if self.world.accounts[key].suspended]
        return self.world.resume_account(self.one(suspended)) if suspended else None

    @kind(4)
    def move_catalog(self) -> Attempt | None:
        key, account = self.team()
        actor = account.owner if not self.seldom(0.2) else self.actor(account)
        target = self.one([name for name in CATALOGS if name != account.catalog])
        new, same = CATALOGS[target], account.meaning.name == CATALOGS[target].name
        roles: dict[str, str] = {}
        levels: dict[str, str | None] = {}
        for role in used_roles(account):
            stays = role in account.roles or (same and new.assignable(role))
            if self.seldom(0.2 if stays else 0.9):
                roles[role] = role if new.assignable(role) else self.one(["lead", "viewer"])
        for level in used_levels(account, self.world.now):
            has = new.has(cell_of(level))
            if not (same and has) and not self.seldom(0.02):
                levels[level] = level if has else self.one(["storage:view", None])
        return self.world.move_catalog(key, actor, target, roles, levels)

    @kind()
    def offer(self) -> Attempt | None:
        key, account = self.team()
        actor = account.owner if not self.seldom(0.2) else self.actor(account)
        return self.world.offer(key, actor, self.user(account))

    @kind(1)
    def cancel_offer(self) -> Attempt | None:
        key, account = self.team()
        return self.world.cancel_offer(key, self.actor(account))

    @kind()
    def answer_offer(self) -> Attempt | None:
        offered = [key for key in self.teams() if self.world.accounts[key].offer is not None]
        key = self.one(self.teams() if self.seldom() or not offered else offered)
        account = self.world.accounts[key]
        actor = self.actor(account)
        if account.offer is not None and not self.seldom():
            actor = account.offer[0]
        return self.world.answer_offer(key, actor, accept=not self.seldom(0.2))

    @kind(8)
    def wait(self) -> Attempt | None:
        return Wait(self.one([60, 3_600, 3_600, DAY, 2 * DAY]))
