"""What is compared after each operation: the lists, the tables and the decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from random import Random
from typing import Any

from tests.state_machine.accounts import Account, Project, Resource, Table, User
from tests.state_machine.catalogs import CELLS, Cell
from tests.state_machine.guardrails import violations
from tests.state_machine.operations import Operations
from tests.state_machine.product import Check, Product
from tests.state_machine.resource_operations import TYPE
from tests.state_machine.targets import STRANGER
from tests.state_machine.world import GUARDRAIL_LIMIT, PROJECT_LIMIT, RESOURCE_LIMIT, ROLE_LIMIT

PERMISSION = {("new_project", "create"): "project:create", ("oversight", "see"): "audit_log:view"}
SAMPLE = 40
"""How many decisions are compared of members whom an operation does not change."""


def changed_users(before: Table, after: Table) -> set[User]:
    """The users who hold something else than before."""
    return {
        user
        for user, place in {**before, **after}
        if before.get((user, place)) != after.get((user, place))
    }


class Comparisons:
    """The product against the model."""

    def __init__(self, product: Product, world: Operations, counted: Counter[str]) -> None:
        self.product = product
        self.world = world
        self.counted = counted
        self.random = Random(0)
        self.steps = 0

    def compare(self, key: str, changed: Collection[User], *, refused: bool = False) -> None:
        """Compare an account after an operation that changes what these users hold.

        After a refusal only decisions are compared: what it should not have changed shows later.
        """
        self.steps += 1
        account = self.world.accounts[key]
        assert len(account.members) - 1 <= account.meaning.member_limit
        assert len(account.projects) <= PROJECT_LIMIT
        assert len(account.roles) <= ROLE_LIMIT
        assert len(account.resources) <= RESOURCE_LIMIT
        assert len(account.guardrails) <= GUARDRAIL_LIMIT
        if account.catalog != "standard":
            self.compare_decisions(key, account, changed)
        if account.catalog != "standard" and account.active and not refused:
            views = (self.compare_members, self.compare_invitations, self.compare_register)
            views[self.steps % len(views)](key, account)
            present = [user for user in self.world.users if user in account.members]
            user = self.random.choice([user for user in present if user in changed] or present)
            self.compare_table(key, account, user)
        if self.steps % 10 == 0:
            self.compare_account(key, account)

    def compare_all(self, key: str) -> None:
        """Compare everything of an account."""
        account = self.world.accounts[key]
        self.compare_decisions(key, account, self.world.users)
        if account.active:
            self.compare_members(key, account)
            self.compare_invitations(key, account)
            self.compare_register(key, account)
            for user in account.members:
                self.compare_table(key, account, user)

    def seen(self, key: str, rest: str) -> Any:
        """What the owner sees."""
        owner = self.world.accounts[key].owner
        return self.product.send(owner, "GET", f"/v1/accounts/{key}{rest}").expect(200)

    def compare_account(self, key: str, account: Account) -> None:
        """Some users see the account as the model says, or nothing of it."""
        for user in self.random.sample(self.world.users, 4):
            answer = self.product.send(user, "GET", f"/v1/accounts/{key}")
            closed = self.world.closed(key, user, deleting_too=True)
            if closed is None and ("account", "view") not in account.held(
                user, None, self.world.now
            ):
                closed = {"permission-missing"}
            if closed is not None:
                assert answer.code in closed, (key, user, closed, answer.body)
                continue
            shown = answer.expect(200)
            assert shown["owner_user_id"] == account.owner
            assert shown["kind"] == account.kind
            assert shown["status"] == ("deleting" if account.deleting else "active")
            assert shown["owner"] is (user == account.owner)
            assert account.name in {"", shown["name"]}

    def compare_members(self, key: str, account: Account) -> None:
        """The list of members: roles, states, and exactly one owner."""
        shown = self.seen(key, "/members?limit=200")["items"]
        rows = {row["user_id"]: row for row in shown if row["user_id"] is not None}
        assert set(rows) == set(account.members)
        assert [user for user, row in rows.items() if row["owner"]] == [account.owner]
        for user, member in account.members.items():
            over = member.ends is not None and member.ends <= self.world.now
            status = "suspended" if member.suspended else "expired" if over else "active"
            assert rows[user]["role"] == member.role, (user, rows[user], member)
            assert rows[user]["status"] == status or (member.suspended and over), rows[user]

    def compare_invitations(self, key: str, account: Account) -> None:
        """The pending and expired invitations, with their inviters."""
        shown = self.seen(key, "/invitations?limit=200")["items"]
        expected = {
            key: (one.role, one.inviter, "invited" if one.open(self.world.now) else "expired")
            for key, one in account.invitations.items()
            if one.status == "pending"
        }
        found = {row["id"]: (row["role"], row["invited_by"], row["status"]) for row in shown}
        assert found == expected
        assert account.seats(self.world.now) <= account.meaning.member_limit

    def compare_register(self, key: str, account: Account) -> None:
        """The registered resources, and the guardrails with what contradicts them now."""
        shown = self.seen(key, "/resources")["items"]
        found = {one["id"]: Resource(one["project_id"], one["owner_id"]) for one in shown}
        assert found == account.resources
        for guardrail, rule in account.guardrails.items():
            one = self.seen(key, f"/guardrails/{guardrail}")
            places = {(each["user_id"], each["project_id"]) for each in one["violations"]}
            assert places == set(violations(rule, account, self.world.now)), (rule, places)

    def compare_table(self, key: str, account: Account, user: User) -> None:
        """The effective table of a member, everywhere, as the owner and the member see it."""
        shown = self.seen(key, f"/members/{user}/access?limit=50")
        table = account.table(self.world.now)
        places = {None: shown["cells"]} | {
            item["project_id"]: item["cells"] for item in shown["items"]
        }
        assert set(places) == {None, *account.projects}
        for place, cells in places.items():
            found = {
                (entry, level): cell["scope"]
                for entry, levels in cells.items()
                for level, cell in levels.items()
                if cell["scope"] is not None
            }
            assert found == table.get((user, place), {}), (user, place)
        held = table.get((user, None), {})
        if ("account", "view") in held and self.random.random() < 0.3:
            self._compare_own(key, account, user)

    def _compare_own(self, key: str, account: Account, user: User) -> None:
        place = self.random.choice([None, *account.projects])
        query = "" if place is None else f"?project={place}"
        path = f"/v1/accounts/{key}/me/permissions{query}"
        own = self.product.send(user, "GET", path).expect(200)
        found = {
            (entry, level): scope
            for entry, levels in own["table"].items()
            for level, scope in levels.items()
            if scope is not None
        }
        assert found == account.table(self.world.now)[user, place], (user, place)

    def compare_decisions(self, key: str, account: Account, changed: Collection[User]) -> None:
        """Authz decides as the model does: all about those who changed, some about the others."""
        users = [user for user in self.world.users if user in account.members or user in changed]
        places = [None, *account.projects]
        cells = [
            (user, place, cell)
            for user in users
            for place in places
            for cell in CELLS
            if place is not None or cell[0] != "project"
        ]
        certain = [one for one in cells if one[0] in changed]
        others = [one for one in cells if one[0] not in changed]
        self._compare_resources(key, account, users)
        self._compare(
            key, account, [*certain, *self.random.sample(others, min(SAMPLE, len(others)))]
        )

    def _compare(
        self, key: str, account: Account, cells: Iterable[tuple[User, Project | None, Cell]]
    ) -> None:
        checks: list[Check] = []
        expected: list[bool] = []
        for user, place, cell in cells:
            for owner in (user, STRANGER):
                permission = PERMISSION.get(cell, ":".join(cell))
                checks.append(Check(key, user, permission, place or "one", place, owner))
                expected.append(account.allowed(user, cell, place, owner, self.world.now))
        self._decide(checks, expected)

    def _compare_resources(self, key: str, account: Account, users: Collection[User]) -> None:
        """What is registered of a resource counts; a request that contradicts it is denied."""
        checks: list[Check] = []
        expected: list[bool] = []
        for name, known in account.resources.items():
            for user in users:
                level = self.random.choice(["view", "manage", "delete"])
                project = self.random.choice([None, known.project, *account.projects])
                owner = self.random.choice([None, known.owner, user])
                right = project in (None, known.project) and owner in (None, known.owner)
                cell = (TYPE, level)
                right = right and account.allowed(
                    user, cell, known.project, known.owner, self.world.now
                )
                checks.append(Check(key, user, f"{TYPE}:{level}", name, project, owner))
                expected.append(right)
        self._decide(checks, expected)

    def _decide(self, checks: list[Check], expected: list[bool]) -> None:
        decided = self.product.decisions(checks)
        self.counted["decisions"] += len(checks)
        wrong = [
            (check, right)
            for check, right, decision in zip(checks, expected, decided, strict=True)
            if decision is not right
        ]
        assert not wrong, f"the model expects {wrong}"
