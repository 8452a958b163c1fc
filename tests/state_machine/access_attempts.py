"""Attempts on roles, projects, overrides and guardrails."""

from __future__ import annotations

from tests.state_machine.accounts import Guardrail
from tests.state_machine.catalogs import CELLS, INSIDE
from tests.state_machine.kinds import Attempt, kind
from tests.state_machine.targets import NAMES, OVERRIDE_GRANTS, ROLE_GRANTS, Targets


class AccessAttempts(Targets):
    """One method for each kind; None if there is nothing that it could be tried on."""

    @kind(6)
    def create_role(self) -> Attempt | None:
        key, account = self.team()
        name, grants = self.one(NAMES), self.one(ROLE_GRANTS)
        return self.world.create_role(key, self.actor(account), name, grants)

    @kind(6)
    def edit_role(self) -> Attempt | None:
        key, account = self.team()
        role, grants = self.custom_role(account), self.one(ROLE_GRANTS)
        return self.world.edit_role(key, self.actor(account), role, grants)

    @kind(2)
    def delete_role(self) -> Attempt | None:
        key, account = self.team()
        role = self.custom_role(account)
        replacement = None if self.seldom(0.3) else self.role(account)
        return self.world.delete_role(key, self.actor(account), role, replacement)

    @kind()
    def create_project(self) -> Attempt | None:
        key, account = self.team()
        return self.world.create_project(key, self.actor(account), self.one(NAMES))

    @kind(1)
    def rename_project(self) -> Attempt | None:
        key, account = self.team()
        project = self.project(account)
        return self.world.rename_project(key, self.actor(account), project, self.one(NAMES))

    @kind(1)
    def delete_project(self) -> Attempt | None:
        key, account = self.team()
        return self.world.delete_project(key, self.actor(account), self.project(account))

    @kind(10)
    def set_override(self) -> Attempt | None:
        key, account = self.team()
        project, user = self.project(account), self.user(account)
        if account.overrides and self.seldom(0.4):
            project, user = self.one(account.overrides)
        actor, grants = self.actor(account), self.one(OVERRIDE_GRANTS)
        return self.world.set_override(key, actor, project, user, grants, self.end())

    @kind(6)
    def remove_override(self) -> Attempt | None:
        key, account = self.team()
        project, user = self.project(account), self.user(account)
        if account.overrides and not self.seldom():
            project, user = self.one(account.overrides)
        return self.world.remove_override(key, self.actor(account), project, user)

    @kind(4)
    def create_guardrail(self) -> Attempt | None:
        key, account = self.team()
        roles = [*account.meaning.roles, *account.roles]
        cell = self.one([cell for cell in CELLS if account.meaning.has(cell)])
        project = None
        if account.projects and cell in INSIDE and self.seldom(0.5):
            project = self.one(account.projects)
        kind_of = self.one(["minimum_holders", "only_roles", "never"])
        if kind_of == "minimum_holders" and self.seldom(0.5):
            rule = Guardrail(kind_of, roles=(self.one(roles),), minimum=self.one([1, 2]))
        elif kind_of == "minimum_holders":
            rule = Guardrail(kind_of, cell=cell, project=project, minimum=self.one([1, 2, 3]))
        else:
            few = self.random.sample(roles, 1 if kind_of == "never" else 3)
            rule = Guardrail(kind_of, roles=tuple(few), cell=cell, project=project)
        return self.world.create_guardrail(key, self.actor(account), rule)

    @kind(1)
    def delete_guardrail(self) -> Attempt | None:
        key, account = self.team()
        if not account.guardrails:
            return None
        return self.world.delete_guardrail(key, self.actor(account), self.one(account.guardrails))
