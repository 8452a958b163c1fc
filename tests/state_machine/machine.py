"""The state machine: operations against the product, each compared with the model."""

from __future__ import annotations

import copy
from collections import Counter
from random import Random

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.state_machine.accounts import Account, Guardrail, Table, User
from tests.state_machine.attempts import Attempts
from tests.state_machine.catalogs import covers, gained
from tests.state_machine.comparisons import Comparisons, changed_users
from tests.state_machine.kinds import Attempt, Wait
from tests.state_machine.novelty import Novelty
from tests.state_machine.operations import Operations
from tests.state_machine.previews import compare_preview
from tests.state_machine.product import Product
from tests.state_machine.targets import VIEW
from tests.state_machine.world import DAY, HOUR, STATUS, Operation
from tests.support.service import Answered

PEOPLE = 8
FIRST_RULES = (
    Guardrail("only_roles", roles=("owner", "admin"), cell=("instance", "delete")),
    Guardrail("never", roles=("lead",), cell=("storage", "write")),
    Guardrail("minimum_holders", roles=("admin",), minimum=1),
)
"""A run begins with one of these; each is kept at first."""
REHEARSED = 0.3
"""How often a change is previewed before it is made."""
numbers = st.integers(0, 2**32 - 1)
"""What a step tries comes from one number, in which every choice is as likely as another.

Hypothesis repeats the same numbers for the same example, and leaves out steps of one that fails.
"""


class TeamMachine(RuleBasedStateMachine):
    """Eight users, their accounts, and everything that they try in them."""

    product: Product
    counted: Counter[str]
    """Operations by name and outcome, over all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Operations([], {}, {}, {})
        self.first = ""
        self.agreed = False
        """Whether the last comparison found no difference."""
        self.random = Random(0)

    @initialize(number=numbers)
    def begin(self, number: int) -> None:
        """A team with members of several roles, and the kinds of operation of this run."""
        assume(number != 0)  # hypothesis begins with it, and with 0 for every step
        random = Random(number)
        people = self.product.people(PEOPLE)
        homes = {person.user_id: person.account_id for person in people}
        emails = {person.user_id: person.email for person in people}
        self.world = Operations(list(homes), homes, emails, self.product.catalog_ids)
        self.world.now = self.product.now
        for user, home in homes.items():
            self.world.open_account(home, user, "", "standard", "personal")
        self.comparisons = Comparisons(self.product, self.world, self.counted)
        self._prepare(random)
        attempts = Attempts(self.world, self.first, enough=random.choice([3, 4, 6]))
        self.novelty = Novelty(self.world, attempts, number)

    def _prepare(self, random: Random) -> None:
        """A team with a role of its own, a project, an override and two invitations."""
        world = self.world
        owner, admin, lead, own, first, second, *_ = world.users
        self.run(world.create_team(owner, "Engines", random.choice(["free", "free", "strict"])))
        team = self.first = [*world.accounts][-1]
        account = world.accounts[team]
        self.run(world.create_project(team, owner, "One"))
        grants = {
            **VIEW,
            "member": {"*": "all"},
            "role": {"manage": "all"},
            "project": {"*": "all"},
        }
        grants |= {"instance": {"view": "all", "manage": "self"}}
        self.run(world.create_role(team, owner, "Helper", grants))
        [helper], [project] = account.roles, account.projects
        for user, role in ((admin, "admin"), (lead, "lead"), (own, helper)):
            self.run(world.invite(team, owner, user, role, None))
            self.run(world.accept(team, user, [*account.invitations][-1], -1))
        self.run(world.suspend(team, owner, lead))
        self.run(world.resume(team, owner, lead))
        role, soon = random.choice(["admin", "lead", helper]), world.now + HOUR
        self.run(world.invite(team, admin, first, role, random.choice([None, soon])))
        role = random.choice(["worker", "viewer"])
        self.run(world.invite(team, lead, second, role, random.choice([None, soon])))
        self.run(world.create_guardrail(team, owner, random.choice(FIRST_RULES)))
        whom = random.choice([admin, lead, own])
        end = random.choice([None, world.now + DAY])
        self.run(world.set_override(team, owner, project, whom, {"project": {"view": "all"}}, end))

    def run(self, attempt: Attempt) -> None:
        """Try it, and compare the answer and then the state with the model."""
        self.agreed = False
        if isinstance(attempt, Wait):
            self.product.move(attempt.seconds)
            self.world.now = self.product.now
            self.comparisons.compare(self.first, set(self.world.users))
        else:
            self._send(attempt)
        self.agreed = True

    def _send(self, operation: Operation) -> None:
        world, key = self.world, operation.account
        if key is None:
            answer = self._answer(operation)
            if not operation.refusals and operation.opens is not None:
                operation.opens(answer.body)
            return
        account = world.accounts[key]
        before = copy.deepcopy(account)
        if operation.foreseen is None:
            world.foresee(operation)
        if self.random.random() < REHEARSED:
            self._rehearse(operation, before, operation.foreseen)
        answer = self._answer(operation)
        if operation.may_be_over and answer.status == 404:
            operation.effect(account, None)
        elif not operation.refusals:
            operation.effect(account, answer.body)
            if operation.check is not None:
                operation.check(answer.body)
            self._require_held_by_giver(operation, before.table(world.now), account)
        changed = changed_users(before.table(world.now), account.table(world.now))
        self.comparisons.compare(key, changed, refused=bool(operation.refusals))
        if world.needs_home(before.owner, without=key if account.owner != before.owner else ""):
            self._learn_home(before.owner)

    def _answer(self, operation: Operation) -> Answered:
        """The answer, which has to be as the model says."""
        answer = self.product.send(
            operation.actor, operation.method, operation.path, operation.body
        )
        told = (operation.method, operation.path, operation.body, answer.status, answer.body)
        if operation.may_be_over and answer.status == 404:
            return answer
        self.counted[answer.code if answer.status >= 400 else "made"] += 1
        if operation.refusals:
            assert answer.status >= 400, ("must be refused", operation.refusals, told)
            assert answer.code in operation.refusals, (operation.refusals, told)
            assert answer.status == STATUS[answer.code], told
        else:
            assert answer.status < 300, ("must succeed", told)
        return answer

    def _rehearse(self, operation: Operation, before: Account, after: Account | None) -> None:
        """Ask what the operation would do: it is what the model says, and changes nothing."""
        if operation.rehearsal is not None:
            answer = self.product.send(
                operation.actor, operation.method, operation.path, operation.rehearsal
            )
            if not operation.refusals and operation.check is not None:
                operation.check(answer.expect(200))
            self.counted["rehearsed"] += 1
        elif operation.preview is not None:
            path = f"/v1/accounts/{operation.account}/changes/preview?limit=200"
            answer = self.product.send(operation.actor, "POST", path, {"change": operation.preview})
            told = (operation.preview, answer.body)
            if operation.refusals - {"guardrail-violated"}:
                assert answer.status >= 400, ("must be refused", operation.refusals, told)
                assert answer.code in operation.refusals, (operation.refusals, told)
            elif after is not None:
                assert answer.status == 200, told
                compare_preview(answer.body, before, after, self.world.now)
            self.counted["rehearsed"] += 1

    def _require_held_by_giver(
        self,
        operation: Operation,
        before: Table,
        account: Account,
    ) -> None:
        """No member gains what the giver did not hold in that place (`B5`)."""
        if operation.gives_freely or operation.actor not in self.world.users:
            return
        givers = operation.givers or {operation.actor}
        for (user, project), found in account.table(self.world.now).items():
            if project is not None and project not in {place for _, place in before}:
                continue  # a new project: what the role gives
            more = gained(before.get((user, project), {}), found)
            assert any(covers(before.get((giver, project), {}), more) for giver in givers), (
                "gained what no giver held",
                user,
                project,
                more,
            )

    def _learn_home(self, user: User) -> None:
        """A user who has lost the account in which sessions begin has a new one."""
        shown = self.product.send(user, "GET", "/v1/me/accounts").expect(200)
        mine = {row["id"]: row for row in shown["items"] if row["owner"]}
        [home] = set(mine) - set(self.world.accounts)
        self.world.open_account(home, user, mine[home]["name"], "standard", "personal")
        self.world.homes[user] = home

    @rule(number=numbers)
    def operate(self, number: int) -> None:
        """Try one operation."""
        name, attempt = self.novelty.choose(number)
        self.counted[f"tried {name}"] += 1
        self.run(attempt)

    def teardown(self) -> None:
        """Compare everything of the first team once more."""
        if self.agreed:
            self.comparisons.compare_all(self.first)
