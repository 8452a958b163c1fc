"""What an operation is about: mostly something that is there, seldom something that is not."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import TypeVar

from tests.state_machine.accounts import Account, Project, User
from tests.state_machine.catalogs import OWNER, Grants
from tests.state_machine.operations import Operations
from tests.state_machine.world import DAY

T = TypeVar("T")

STRANGER = "usr_" + "f" * 32
NO_PROJECT = "prj_" + "0" * 32
NAMES = ("Red", "red", "Blue", "Green", "Admin")
RESOURCES = ("r1", "r2", "r3", "r4")
VIEW: Grants = {"account": {"view": "all"}}
ROLE_GRANTS: tuple[Grants, ...] = (
    VIEW,
    {**VIEW, "instance": {"view": "all", "manage": "self"}},
    {**VIEW, "instance": {"manage": "all"}, "storage": {"view": "all"}},
    {**VIEW, "role": {"manage": "all"}, "member": {"*": "all"}, "storage": {"view": "all"}},
    {**VIEW, "member": {"invite": "all", "update": "all"}, "project": {"*": "all"}},
    {**VIEW, "member": {"*": "all"}, "role": {"manage": "all"}, "instance": {"*": "all"}},
    {**VIEW, "invoice": {"write": "all"}},
)
OVERRIDE_GRANTS: tuple[Grants, ...] = (
    {},
    {"instance": {"view": "all"}},
    {"instance": {"manage": "self"}},
    {"instance": {"manage": "all", "delete": "all"}, "storage": {"view": "all"}},
    {"project": {"manage": "all"}, "instance": {"view": "self"}},
    {"project": {"view": "all"}, "storage": {"view": "all"}},
    {"*": {"*": "all"}},
)
ENDS = (None, None, None, None, None, -60, 3_600, 3_600, 2 * DAY, 10 * DAY)


class Targets:
    """Picks from the world; equal numbers in an equal world pick the same."""

    def __init__(self, world: Operations, first: str) -> None:
        self.world = world
        self.first = first
        """The team that most operations are about."""
        self.random = random.Random(0)

    def one(self, choices: Collection[T]) -> T:
        """One of these."""
        return self.random.choice(list(choices))

    def seldom(self, part: float = 0.1) -> bool:
        """Whether the rare choice is taken this time."""
        return self.random.random() < part

    def teams(self) -> list[str]:
        """The accounts that have one of the small catalogs."""
        return [key for key, one in self.world.accounts.items() if one.catalog != "standard"]

    def team(self) -> tuple[str, Account]:
        """An account: mostly the first team, and mostly an active one."""
        teams = self.teams()
        if not self.seldom():
            teams = [key for key in teams if self.world.accounts[key].active] or teams
        key = self.first if self.first in teams and not self.seldom(0.25) else self.one(teams)
        return key, self.world.accounts[key]

    def members(self, account: Account) -> Sequence[User]:
        """The members, in the same order each time."""
        return [user for user in self.world.users if user in account.members]

    def actor(self, account: Account) -> User:
        """A member, often the owner, or seldom another user."""
        if self.seldom(0.05):
            return self.one(self.world.users)
        if self.seldom(0.3):
            return account.owner
        acting = [user for user in self.members(account) if account.acts(user, self.world.now)]
        return self.one(acting or [account.owner])

    def user(self, account: Account) -> User:
        """A member, often one with an invitation, an override or an offer, seldom another user."""
        if self.seldom(0.05):
            return self.one(self.world.users)
        marked = [user for user in self.members(account) if account.marked(user, self.world.now)]
        if marked and self.seldom(0.5):
            return self.one(marked)
        others = [user for user in self.members(account) if user != account.owner]
        return self.one(others or [account.owner])

    def outsider(self, account: Account) -> User:
        """A user who is not a member, or seldom any user."""
        outside = [user for user in self.world.users if user not in account.members]
        return self.one(self.world.users if self.seldom() or not outside else outside)

    def role(self, account: Account) -> str:
        """A role of the account, often one of its own, or seldom the owner's."""
        if self.seldom(0.05):
            return OWNER
        if account.roles and self.seldom(0.5):
            return self.one(account.roles)
        return self.one([role for role in account.meaning.roles if role != OWNER])

    def custom_role(self, account: Account) -> str:
        """A role of the account's own, or seldom another one."""
        return "worker" if self.seldom(0.05) or not account.roles else self.one(account.roles)

    def project(self, account: Account) -> Project:
        """A project of the account, or seldom another one."""
        if self.seldom(0.05) or not account.projects:
            others = [
                project
                for other in self.world.accounts.values()
                if other is not account
                for project in other.projects
            ]
            return self.one([NO_PROJECT, *others])
        return self.one(account.projects)

    def invitation(self) -> tuple[str, str] | None:
        """A pending invitation, or seldom an old one."""
        found = [
            (key, each, invitation.status == "pending")
            for key in self.teams()
            for each, invitation in self.world.accounts[key].invitations.items()
        ]
        pending = [one for one in found if one[2]]
        chosen = found if self.seldom() else pending or found
        return self.one(chosen)[:2] if chosen else None

    def end(self) -> int | None:
        """A moment, mostly in the future, or None."""
        seconds = self.one(ENDS)
        return None if seconds is None else self.world.now + seconds
