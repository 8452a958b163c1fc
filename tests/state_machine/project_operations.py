"""Operations on projects, and on overrides in them."""

from __future__ import annotations

from tests.state_machine.accounts import Account, Override, earlier_end, later
from tests.state_machine.catalogs import INSIDE, Cell, Grants, gained
from tests.state_machine.world import PROJECT_LIMIT, Answer, Operation, World, moment


class ProjectOperations(World):
    """Operations on projects, and on overrides in them."""

    def create_project(self, account_id: str, actor: str, name: str) -> Operation:
        """Create a project."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("new_project", "create")) or set()
        if not refusals:
            refusals |= self._project_taken(account, name)
            refusals |= {"project-limit"} if len(account.projects) >= PROJECT_LIMIT else set()

        def effect(account: Account, answer: Answer) -> None:
            account.projects[answer["id"]] = name

        body = {"name": name}
        return self.account_operation(
            account_id,
            actor,
            "POST",
            "/projects",
            body,
            refusals,
            effect,
            preview={"type": "project_create", **body},
        )

    def _project_taken(self, account: Account, name: str, but: str | None = None) -> set[str]:
        others = {other.casefold() for key, other in account.projects.items() if key != but}
        return {"project-name-taken"} if name.casefold() in others else set()

    def rename_project(self, account_id: str, actor: str, project: str, name: str) -> Operation:
        """Give a project another name."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("project", "manage"), project=project)
        if refusals is None:
            refusals = self._project_taken(account, name, project)

        def effect(account: Account, answer: Answer) -> None:
            account.projects[project] = name

        rest, body = f"/projects/{project}", {"name": name}
        return self.account_operation(account_id, actor, "PATCH", rest, body, refusals, effect)

    def delete_project(self, account_id: str, actor: str, project: str) -> Operation:
        """Delete a project with its overrides."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("project", "delete"), project=project)
        inside = [one for one in account.resources.values() if one.project == project]
        if refusals is None and inside:
            refusals = {"project-has-resources"}

        def effect(account: Account, answer: Answer) -> None:
            del account.projects[project]
            account.overrides = {
                key: one for key, one in account.overrides.items() if key[0] != project
            }

        rest = f"/projects/{project}"
        return self.account_operation(
            account_id,
            actor,
            "DELETE",
            rest,
            None,
            refusals or set(),
            effect,
            preview={"type": "project_delete", "project_id": project},
        )

    def set_override(
        self,
        account_id: str,
        actor: str,
        project: str,
        user: str,
        grants: Grants,
        ends: int | None,
    ) -> Operation:
        """Replace a member's grants inside a project."""
        account = self.accounts[account_id]
        refusals = self._override_refusals(account_id, actor, project)
        written = account.meaning.written_out(grants, inside=True)
        member, replaced = account.members.get(user), account.overrides.get((project, user))
        if not refusals and member is None:
            refusals = {"not-found"}
        elif not refusals and member is not None:
            given = account.meaning.held(written)
            refusals |= {"owner-protected"} if user == account.owner else set()
            refusals |= {"invalid"} if ends is not None and ends <= self.now else set()
            if not account.may_grant(actor, project, given, self.now, until=ends):
                refusals |= {"grants-exceeded"}
            before = self._inside(account.held(user, project, self.now))
            longer = replaced is not None and later(ends, replaced.ends)
            until = earlier_end(ends, member.ends)
            if (gained(before, given) or longer) and not account.lasts(actor, until):
                refusals |= {"end-exceeded"}
            if replaced is not None and later(replaced.ends, ends):
                refusals |= self._lifting(account, actor, project, user)

        def effect(account: Account, answer: Answer) -> None:
            new = Override(grants=written, ends=ends)
            if replaced != new or not replaced.in_force(self.now):
                account.overrides[project, user] = new
                account.hand_over({user}, actor, self.now)

        rest = f"/projects/{project}/overrides/{user}"
        body = {"grants": grants, "expires_at": moment(ends)}
        return self.account_operation(
            account_id,
            actor,
            "PUT",
            rest,
            body,
            refusals,
            effect,
            user,
            preview={"type": "override_set", "project_id": project, "user_id": user, **body},
        )

    def _override_refusals(self, account_id: str, actor: str, project: str) -> set[str]:
        needed = (("member", "update"), ("project", "manage"))
        return self.authorized(account_id, actor, *needed, project=project) or set()

    def _inside(self, found: dict[Cell, str]) -> dict[Cell, str]:
        return {cell: scope for cell, scope in found.items() if cell in INSIDE}

    def _lifting(self, account: Account, actor: str, project: str, user: str) -> set[str]:
        """Why the actor may not end an override early."""
        override, member = account.overrides[project, user], account.members[user]
        before = account.held(user, project, self.now)
        more = self._inside(gained(before, account.role_held(member.role)))
        refusals = set()
        if not account.may_grant(actor, project, more, self.now, until=override.ends):
            refusals |= {"grants-exceeded"}
        if more and not account.lasts(actor, earlier_end(override.ends, member.ends)):
            refusals |= {"end-exceeded"}
        return refusals

    def remove_override(self, account_id: str, actor: str, project: str, user: str) -> Operation:
        """Let the role count in the project again."""
        account = self.accounts[account_id]
        refusals = self._override_refusals(account_id, actor, project)
        if not refusals and (project, user) not in account.overrides:
            refusals = {"not-found"}
        elif not refusals:
            refusals = self._lifting(account, actor, project, user)

        def effect(account: Account, answer: Answer) -> None:
            del account.overrides[project, user]

        rest = f"/projects/{project}/overrides/{user}"
        return self.account_operation(
            account_id,
            actor,
            "DELETE",
            rest,
            None,
            refusals,
            effect,
            user,
            preview={"type": "override_removal", "project_id": project, "user_id": user},
        )
