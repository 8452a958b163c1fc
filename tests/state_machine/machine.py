"""The state machine: operations against the product, each compared with the model."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.services.team.running import Person
from tests.state_machine.accounts import Account, Project, User
from tests.state_machine.catalogs import (
    CELLS,
    INSIDE,
    MEMBER_LIMIT,
    OWNER,
    ROLES,
    Grants,
    Held,
    covers,
    gained,
)
from tests.state_machine.operations import Operations
from tests.state_machine.product import Check, Product
from tests.state_machine.world import DAY, PROJECT_LIMIT, ROLE_LIMIT, STATUS, Operation

PEOPLE = 7
STRANGER = "usr_" + "f" * 32
CHECKS_AFTER_A_STEP = 3
PERMISSION = {("new_project", "create"): "project:create", ("oversight", "see"): "audit_log:view"}

VIEW: Grants = {"account": {"view": "all"}}
ROLE_GRANTS: tuple[Grants, ...] = (
    VIEW,
    {**VIEW, "instance": {"view": "all", "manage": "self"}},
    {**VIEW, "instance": {"manage": "all"}, "storage": {"write": "all"}},
    {**VIEW, "role": {"manage": "all"}, "member": {"*": "all"}, "storage": {"view": "all"}},
    {**VIEW, "member": {"invite": "all", "update": "all"}, "project": {"*": "all"}},
    {**VIEW, "invoice": {"write": "all"}},
)
OVERRIDE_GRANTS: tuple[Grants, ...] = (
    {},
    {"instance": {"view": "all"}},
    {"instance": {"manage": "self"}},
    {"instance": {"manage": "all", "delete": "all"}, "storage": {"write": "all"}},
    {"project": {"manage": "all"}},
    {"project": {"view": "all"}, "storage": {"view": "all"}},
    {"*": {"*": "all"}},
)
numbers = st.integers(0, 11)
names = st.sampled_from(["Red", "red", "Blue", "Green", "Admin"])
ends = st.sampled_from([None, None, -60, 3_600, 2 * DAY, 10 * DAY])

Method = TypeVar("Method", bound=Callable[..., None])
TRIED: dict[str, st.SearchStrategy[dict[str, Any]]] = {}
"""The operations by name, with what is chosen for each."""
MORE_OFTEN = ("invite", "accept", "set_override", "change_role", "create_role")


def tried(**chosen: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
    """Make an operation of a method.

    Hypothesis leaves some of the rules out of each run. The operations are one rule, so that a
    short run has all of them.
    """

    def add(method: Method) -> Method:
        TRIED[method.__name__] = st.fixed_dictionaries(chosen)
        return method

    return add


def _with_choice(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(name), TRIED[name])


class TeamMachine(RuleBasedStateMachine):
    """Seven users, their accounts, and everything that they try in them."""

    product: Product
    counted: Counter[str]
    """Operations by name and outcome, over all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, Person] = {}
        self.world = Operations([], {}, {})
        self.random = random.Random(0)
        self.steps = 0
        self.agreed = False
        """Whether the last comparison found no difference."""
        self.first = ""
        """The team that most operations are about."""

    @initialize(catalog=st.sampled_from(["free", "free", "strict"]))
    def begin(self, catalog: str) -> None:
        """Some users, one of whom has a team."""
        people = self.product.people(PEOPLE)
        self.people = {person.user_id: person for person in people}
        homes = {person.user_id: person.account_id for person in people}
        emails = {person.user_id: person.email for person in people}
        self.world = Operations(list(self.people), homes, emails)
        for user, home in homes.items():
            self.world.open_account(home, user, "", "standard", "personal")
        first = self.world.users[0]
        self.run(self.world.create_team(first, "Engines", catalog))
        [team] = self.teams()
        self.first = team
        for user, role in zip(self.world.users[1:4], ("admin", "lead", "worker"), strict=True):
            self.run(self.world.invite(team, first, user, role, None))
            [*_, invitation] = self.world.accounts[team].invitations
            self.run(self.world.accept(team, user, invitation, -1))
        self.run(self.world.create_project(team, first, "One"))

    # What is chosen

    def teams(self) -> list[str]:
        """The accounts that have one of the small catalogs."""
        return [key for key, one in self.world.accounts.items() if one.catalog != "standard"]

    def team(self, number: int) -> tuple[str, Account]:
        """An account: the first team more often than the others, and mostly an active one."""
        teams = self.teams()
        key = self.first if number % 2 else teams[number // 2 % len(teams)]
        account = self.world.accounts[key]
        if number > 1 and account.suspended:
            self._operate(key, "resume")
        if number > 1 and account.deleting:
            self.run(self.world.restore(key, account.owner))
        return key, account

    def actor(self, account: Account, number: int) -> User:
        """The owner, a member, or seldom another user."""
        if number < 3:
            return account.owner
        if number == 11:
            return self.world.users[-1]
        members = sorted(account.members, key=self.world.users.index)
        return members[number % len(members)]

    def user(self, account: Account, number: int) -> User:
        """A member, or seldom another user."""
        if number >= 10:
            return self.world.users[number % PEOPLE]
        members = sorted(account.members, key=self.world.users.index)
        return members[number % len(members)]

    def role(self, account: Account, number: int) -> str:
        """A role of the account, or an unknown one."""
        roles = [*(role for role in ROLES if role != OWNER), *account.roles, *account.roles]
        return "owner" if number == 11 else roles[number % len(roles)]

    def end(self, seconds: int | None) -> int | None:
        """The moment after these seconds; None stays without an end."""
        return None if seconds is None else self.world.now + seconds

    # How an operation is compared

    def run(self, operation: Operation) -> None:
        """Send the request and compare the answer, then the state after it."""
        self.steps += 1
        self.agreed = False
        world = self.world
        before = {key: one.table(world.now) for key, one in world.accounts.items()}
        answer = self.product.send(
            self.people[operation.actor], operation.method, operation.path, operation.body
        )
        told = (operation.method, operation.path, operation.body, answer.status, answer.body)
        if answer.status >= 400 and operation.may_be_over and answer.code == "not-found":
            operation.effect(None)
        elif operation.refusals:
            assert answer.status >= 400, ("must be refused", operation.refusals, told)
            assert answer.code in operation.refusals, (operation.refusals, told)
            assert answer.status == STATUS[answer.code], told
        else:
            assert answer.status < 300, ("must succeed", told)
            operation.effect(answer.body)
            self.require_held_by_giver(operation, before)
        self.counted[answer.code if operation.refusals else "made"] += 1
        if operation.account is not None:
            self.compare(operation.account)
        self.agreed = True

    def require_held_by_giver(
        self,
        operation: Operation,
        before: dict[str, dict[tuple[User, Project | None], Held]],
    ) -> None:
        """No member gains what the giver did not hold in that place (`B5`)."""
        if operation.account is None or operation.gives_freely:
            return
        was = before[operation.account]
        account = self.world.accounts[operation.account]
        givers = operation.givers or {operation.actor}
        for (user, project), found in account.table(self.world.now).items():
            if project is not None and project not in {place for _, place in was}:
                continue  # a new project: what the role gives
            more = gained(was.get((user, project), {}), found)
            assert any(covers(was.get((giver, project), {}), more) for giver in givers), (
                "gained what no giver held",
                user,
                project,
                more,
            )

    def compare(self, key: str) -> None:
        """Compare one view of the account, some decisions, and what an outsider sees."""
        account = self.world.accounts[key]
        views = (self.compare_members, self.compare_invitations, self.compare_tables)
        if account.catalog != "standard" and account.active:
            views[self.steps % len(views)](key, account)
            self.compare_decisions(key, self.sample(key, account, CHECKS_AFTER_A_STEP))
        assert len(account.members) - 1 <= MEMBER_LIMIT
        assert len(account.projects) <= PROJECT_LIMIT
        assert len(account.roles) <= ROLE_LIMIT
        if self.steps % 5 == 0:
            self.compare_account(key, account)

    def seen(self, key: str, rest: str) -> Any:
        """What the owner sees."""
        owner = self.people[self.world.accounts[key].owner]
        return self.product.send(owner, "GET", f"/v1/accounts/{key}{rest}").expect(200)

    def compare_account(self, key: str, account: Account) -> None:
        """Each user sees the account as the model says, or nothing of it."""
        for user, person in self.people.items():
            answer = self.product.send(person, "GET", f"/v1/accounts/{key}")
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
        assert {row["id"]: (row["role"], row["invited_by"], row["status"]) for row in shown} == (
            expected
        )
        assert account.seats(self.world.now) <= MEMBER_LIMIT

    def compare_tables(self, key: str, account: Account) -> None:
        """The effective table of one member, everywhere."""
        user = self.random.choice(sorted(account.members))
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
        member = account.members[user]
        if member.in_force(self.world.now) and ("account", "view") in table[user, None]:
            self.compare_own(key, user, table)

    def compare_own(
        self, key: str, user: User, table: dict[tuple[User, Project | None], Held]
    ) -> None:
        """What a member sees of their own permissions."""
        place = self.random.choice([place for whose, place in table if whose == user])
        query = "" if place is None else f"?project={place}"
        path = f"/v1/accounts/{key}/me/permissions{query}"
        own = self.product.send(self.people[user], "GET", path).expect(200)
        found = {
            (entry, level): scope
            for entry, levels in own["table"].items()
            for level, scope in levels.items()
            if scope is not None
        }
        assert found == table[user, place], (user, place)

    def sample(self, key: str, account: Account, number: int) -> list[tuple[Check, bool]]:
        """Some decisions with the model's answers; half of them about what has an override."""
        users = [*account.members, self.world.users[-1]]
        checks = []
        for _ in range(number):
            user, cell = self.random.choice(users), self.random.choice(CELLS)
            place = self.random.choice([None, *account.projects])
            if account.overrides and self.random.random() < 0.5:
                place, user = self.random.choice(sorted(account.overrides))
                cell = self.random.choice(sorted(INSIDE))
            owner = self.random.choice([user, STRANGER])
            if place is not None or cell[0] != "project":
                checks.append(self._check(key, account, user, cell, place, owner))
        return checks

    def _check(
        self,
        key: str,
        account: Account,
        user: User,
        cell: tuple[str, str],
        place: Project | None,
        owner: User,
    ) -> tuple[Check, bool]:
        permission = PERMISSION.get(cell, ":".join(cell))
        expected = account.allowed(user, cell, place, owner, self.world.now)
        return (key, user, permission, place, owner), expected

    def compare_decisions(self, key: str, checks: list[tuple[Check, bool]]) -> None:
        """Authz decides as the model does."""
        decided = self.product.decisions([check for check, _ in checks])
        self.counted["decisions"] += len(checks)
        wrong = [
            (check, expected)
            for (check, expected), decision in zip(checks, decided, strict=True)
            if decision is not expected
        ]
        assert not wrong, f"{key}: the model expects {wrong}"

    def teardown(self) -> None:
        """Compare everything of the first team once more."""
        if not self.agreed:
            return
        key, account = self.first, self.world.accounts[self.first]
        self.compare_decisions(
            key,
            [
                self._check(key, account, user, cell, place, owner)
                for user in account.members
                for place in (None, *account.projects)
                for cell in CELLS
                for owner in (user, STRANGER)
                if place is not None or cell[0] != "project"
            ],
        )
        if account.active:
            for compare in (self.compare_members, self.compare_invitations, self.compare_tables):
                compare(key, account)

    # Operations

    @tried(number=numbers, name=names, catalog=st.sampled_from(["free", "strict"]))
    def create_team(self, number: int, name: str, catalog: str) -> None:
        self.run(self.world.create_team(self.world.users[number % PEOPLE], name, catalog))

    @tried(number=numbers, who=numbers, name=names, catalog=st.sampled_from(["free", "strict"]))
    def convert(self, number: int, who: int, name: str, catalog: str) -> None:
        keys = list(self.world.accounts)
        key = keys[number % len(keys)]
        actor = self.actor(self.world.accounts[key], who)
        self.run(self.world.convert(key, actor, name, catalog))

    @tried(number=numbers, who=numbers, name=names)
    def rename(self, number: int, who: int, name: str) -> None:
        key, account = self.team(number)
        self.run(self.world.rename(key, self.actor(account, who), name))

    @tried(number=numbers, who=numbers, typed=st.sampled_from([True, False, False]))
    def revert(self, number: int, who: int, *, typed: bool) -> None:
        key, account = self.team(number)
        confirm = account.name if typed else "Other"
        self.run(self.world.revert(key, self.actor(account, who), confirm))

    @tried(number=numbers, who=numbers, typed=st.booleans())
    def delete(self, number: int, who: int, *, typed: bool) -> None:
        key, account = self.team(number)
        confirm = account.name if typed else "Other"
        self.run(self.world.delete(key, self.actor(account, who), confirm))

    @tried(number=numbers, who=numbers)
    def restore(self, number: int, who: int) -> None:
        key, account = self._where(number, lambda one: one.deleting)
        self.run(self.world.restore(key, self.actor(account, who)))

    @tried(number=numbers)
    def suspend_account(self, number: int) -> None:
        key, account = self.team(number)
        if account.suspended:
            self._operate(key, "resume")
        elif not account.deleting:
            self._operate(key, "suspend", {"reason": "Unpaid"})

    def _operate(self, key: str, what: str, body: Any = None) -> None:
        """Suspend or resume an account as the operator."""
        account = self.world.accounts[key]
        self.product.operate(f"/internal/admin/accounts/{key}/{what}", body).expect(200)
        account.suspended, account.offer = what == "suspend", None
        self.counted[f"account {what}"] += 1
        self.compare_account(key, account)

    def _where(self, number: int, chosen: Callable[[Account], bool]) -> tuple[str, Account]:
        """An account that needs the operation, if there is one."""
        fit = [key for key in self.teams() if chosen(self.world.accounts[key])]
        key = fit[0] if fit else self.team(number)[0]
        return key, self.world.accounts[key]

    @tried(number=numbers, who=numbers, whom=numbers, role=numbers, lasts=ends)
    def invite(self, number: int, who: int, whom: int, role: int, lasts: int | None) -> None:
        key, account = self.team(number)
        invited = self.world.users[whom % PEOPLE]
        operation = self.world.invite(
            key, self.actor(account, who), invited, self.role(account, role), self.end(lasts)
        )
        self.run(operation)

    def _invitation(self, number: int, which: int) -> tuple[str, str] | None:
        found = [
            (key, invitation_id)
            for key in self.teams()
            for invitation_id in self.world.accounts[key].invitations
        ]
        if not found:
            return None
        pending = [
            (key, each)
            for key, each in found
            if self.world.accounts[key].invitations[each].status == "pending"
        ]
        chosen = pending if pending and number < 9 else found
        return chosen[which % len(chosen)]

    @tried(number=numbers, which=numbers, who=numbers)
    def resend(self, number: int, which: int, who: int) -> None:
        found = self._invitation(number, which)
        if found is not None:
            key, invitation = found
            self.run(self.world.resend(key, self.actor(self.world.accounts[key], who), invitation))

    @tried(number=numbers, which=numbers, who=numbers)
    def revoke(self, number: int, which: int, who: int) -> None:
        found = self._invitation(number, which)
        if found is not None:
            key, invitation = found
            self.run(self.world.revoke(key, self.actor(self.world.accounts[key], who), invitation))

    @tried(number=numbers, which=numbers, who=numbers, link=st.sampled_from([-1, -1, -1, 0]))
    def accept(self, number: int, which: int, who: int, link: int) -> None:
        found = self._invitation(number, which)
        if found is not None:
            key, invitation = found
            invited = self.world.accounts[key].invitations[invitation].invited
            actor = self.world.users[who % PEOPLE] if who > 9 else invited
            self.run(self.world.accept(key, actor, invitation, link))

    @tried(number=numbers, which=numbers)
    def decline(self, number: int, which: int) -> None:
        found = self._invitation(number, which)
        if found is not None:
            key, invitation = found
            invited = self.world.accounts[key].invitations[invitation].invited
            self.run(self.world.decline(key, invited, invitation))

    @tried(number=numbers, who=numbers, whom=numbers, role=numbers)
    def change_role(self, number: int, who: int, whom: int, role: int) -> None:
        key, account = self.team(number)
        operation = self.world.change_role(
            key, self.actor(account, who), self.user(account, whom), self.role(account, role)
        )
        self.run(operation)

    @tried(number=numbers, who=numbers, whom=numbers, lasts=ends)
    def set_end(self, number: int, who: int, whom: int, lasts: int | None) -> None:
        key, account = self.team(number)
        actor, user = self.actor(account, who), self.user(account, whom)
        self.run(self.world.set_end(key, actor, user, self.end(lasts)))

    @tried(number=numbers, who=numbers, whom=numbers)
    def suspend(self, number: int, who: int, whom: int) -> None:
        key, account = self.team(number)
        self.run(self.world.suspend(key, self.actor(account, who), self.user(account, whom)))

    @tried(number=numbers, who=numbers, whom=numbers)
    def resume(self, number: int, who: int, whom: int) -> None:
        key, account = self.team(number)
        suspended = [user for user, one in account.members.items() if one.suspended]
        user = suspended[0] if suspended else self.user(account, whom)
        self.run(self.world.resume(key, self.actor(account, who), user))

    @tried(number=numbers, who=numbers, whom=numbers)
    def remove(self, number: int, who: int, whom: int) -> None:
        key, account = self.team(number)
        self.run(self.world.remove(key, self.actor(account, who), self.user(account, whom)))

    @tried(number=numbers, who=numbers)
    def leave(self, number: int, who: int) -> None:
        key, account = self.team(number)
        self.run(self.world.leave(key, self.actor(account, who)))

    @tried(number=numbers, who=numbers, name=names, grants=st.sampled_from(ROLE_GRANTS))
    def create_role(self, number: int, who: int, name: str, grants: Grants) -> None:
        key, account = self.team(number)
        self.run(self.world.create_role(key, self.actor(account, who), name, grants))

    @tried(number=numbers, who=numbers, which=numbers, grants=st.sampled_from(ROLE_GRANTS))
    def edit_role(self, number: int, who: int, which: int, grants: Grants) -> None:
        key, account = self.team(number)
        role = self._custom_role(account, which)
        self.run(self.world.edit_role(key, self.actor(account, who), role, grants))

    @tried(number=numbers, who=numbers, which=numbers, other=numbers)
    def delete_role(self, number: int, who: int, which: int, other: int) -> None:
        key, account = self.team(number)
        replacement = None if other % 3 == 0 else self.role(account, other)
        role = self._custom_role(account, which)
        self.run(self.world.delete_role(key, self.actor(account, who), role, replacement))

    def _custom_role(self, account: Account, number: int) -> str:
        roles = list(account.roles)
        return roles[number % len(roles)] if roles and number < 11 else "worker"

    @tried(number=numbers, who=numbers, name=names)
    def create_project(self, number: int, who: int, name: str) -> None:
        key, account = self.team(number)
        self.run(self.world.create_project(key, self.actor(account, who), name))

    def _project(self, account: Account, number: int) -> str:
        projects = list(account.projects)
        gone = "prj_" + "0" * 32
        return projects[number % len(projects)] if projects and number < 11 else gone

    @tried(number=numbers, who=numbers, which=numbers, name=names)
    def rename_project(self, number: int, who: int, which: int, name: str) -> None:
        key, account = self.team(number)
        project = self._project(account, which)
        self.run(self.world.rename_project(key, self.actor(account, who), project, name))

    @tried(number=numbers, who=numbers, which=numbers)
    def delete_project(self, number: int, who: int, which: int) -> None:
        key, account = self.team(number)
        project = self._project(account, which)
        self.run(self.world.delete_project(key, self.actor(account, who), project))

    @tried(
        number=numbers,
        who=numbers,
        which=numbers,
        whom=numbers,
        grants=st.sampled_from(OVERRIDE_GRANTS),
        lasts=ends,
    )
    def set_override(
        self, number: int, who: int, which: int, whom: int, grants: Grants, lasts: int | None
    ) -> None:
        key, account = self.team(number)
        actor, user = self.actor(account, who), self.user(account, whom)
        project = self._project(account, which)
        self.run(self.world.set_override(key, actor, project, user, grants, self.end(lasts)))

    @tried(number=numbers, who=numbers, which=numbers, whom=numbers)
    def remove_override(self, number: int, who: int, which: int, whom: int) -> None:
        key, account = self.team(number)
        project, user = self._project(account, which), self.user(account, whom)
        if account.overrides and which < 9:
            project, user = list(account.overrides)[which % len(account.overrides)]
        self.run(self.world.remove_override(key, self.actor(account, who), project, user))

    @tried(number=numbers, who=numbers, whom=numbers)
    def offer(self, number: int, who: int, whom: int) -> None:
        key, account = self.team(number)
        self.run(self.world.offer(key, self.actor(account, who), self.user(account, whom)))

    @tried(number=numbers, who=numbers)
    def cancel_offer(self, number: int, who: int) -> None:
        key, account = self.team(number)
        self.run(self.world.cancel_offer(key, self.actor(account, who)))

    @tried(number=numbers, who=numbers, accept=st.sampled_from([True, True, False]))
    def answer_offer(self, number: int, who: int, *, accept: bool) -> None:
        key, account = self._where(number, lambda one: one.offer is not None)
        actor = self.actor(account, who)
        if account.offer is not None and who < 9:
            actor = account.offer[0]
        former = account.owner
        self.run(self.world.answer_offer(key, actor, accept=accept))
        if account.owner != former:
            self._learn_accounts_of(former)

    def _learn_accounts_of(self, user: User) -> None:
        """A former owner of nothing else has a new personal account."""
        shown = self.product.send(self.people[user], "GET", "/v1/me/accounts").expect(200)
        mine = {row["id"]: row for row in shown["items"] if row["owner"]}
        new = set(mine) - set(self.world.accounts)
        assert len(new) == (0 if self.world.owned(user) else 1)
        for key in new:
            self.world.open_account(key, user, mine[key]["name"], "standard", "personal")

    @tried(seconds=st.sampled_from([60, 3_600, DAY, 2 * DAY, 3 * DAY]))
    def wait(self, seconds: int) -> None:
        self.product.move(seconds)
        self.world.now += seconds
        self.compare(self.first)

    @rule(operation=st.sampled_from([*TRIED, *MORE_OFTEN]).flatmap(_with_choice))
    def operate(self, operation: tuple[str, dict[str, Any]]) -> None:
        """Try one operation."""
        name, chosen = operation
        self.counted[f"tried {name}"] += 1
        getattr(self, name)(**chosen)
