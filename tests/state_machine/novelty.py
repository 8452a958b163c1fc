"""Which attempt is worth a request: the one that tries most of what was not tried before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from tests.state_machine.accounts import Account, User
from tests.state_machine.attempts import Attempts
from tests.state_machine.kinds import KINDS, Attempt, Wait
from tests.state_machine.operations import Operations
from tests.state_machine.world import Operation

CANDIDATES = 50
BY_WEIGHT = 0.2
"""How often the kind is taken by its weight alone."""
MENDED = 0.25
"""How often a first team that can do little is mended, at each step."""
HARD = {
    "account-limit",
    "catalog-too-small",
    "end-exceeded",
    "grants-exceeded",
    "guardrail-limit",
    "guardrail-violated",
    "member-limit",
    "project-limit",
    "resource-limit",
    "role-in-guardrail",
    "role-in-use",
    "role-limit",
}
"""Refusals that depend on what is there; the others tell a request that is wrong by itself."""
OF_MANY_ROUTES = {"not-found", "permission-missing", "account-suspended", "account-deleting"}
"""Refusals that most kinds have, in every state."""
Feature = tuple[object, ...]


class Novelty:
    """Chooses attempts, and remembers what the chosen ones had.

    An attempt that several rules refuse shows little: where one of them is missing, the others
    still refuse it. One that a single rule refuses, or none, shows that rule.
    """

    def __init__(self, world: Operations, attempts: Attempts, number: int) -> None:
        self._world = world
        self._attempts = attempts
        self._number = number
        self._kinds = swarm(Random(number))
        self._likings: dict[str, float] = {}
        self._seen: Counter[Feature] = Counter()

    def choose(self, number: int) -> tuple[str, Attempt]:
        """The most novel of some attempts that the number makes, with its kind."""
        random = Random(number)
        self._attempts.random = random
        mended = self._attempts.mend()
        if mended is not None and not mended.refusals and random.random() < MENDED:
            return "mend", mended
        names = random.choices(list(self._kinds), list(self._kinds.values()), k=CANDIDATES)
        if random.random() < BY_WEIGHT:
            names = [names[0]] * (CANDIDATES // 4)
        found: list[tuple[float, str, Attempt, list[Feature]]] = []
        for name in names:
            attempt: Attempt | None = getattr(self._attempts, name)()
            if attempt is not None:
                features = list(self._features(name, attempt))
                found.append((self._worth(name, attempt, features), name, attempt, features))
        if not found:
            return "wait", Wait(60)
        _, name, attempt, features = max(found, key=lambda one: one[0])
        self._seen.update(features)
        return name, attempt

    def _worth(self, name: str, attempt: Attempt, features: list[Feature]) -> float:
        if isinstance(attempt, Wait):
            return sum(map(self._new, features))
        outcome, *others = features
        changed = sum(self._new(one) for one in others if "changes" in one)
        traits_ = sum(self._new(one) for one in others if "changes" not in one)
        worth = 3 * self._new(outcome) + 2 * changed + traits_ / (1 + len(others))
        if attempt.refusals <= OF_MANY_ROUTES and attempt.refusals:
            worth /= 4
        elif attempt.refusals and attempt.refusals <= HARD:
            worth *= 3
        worth *= self._liking(name, attempt.refusals)
        return worth / max(1, len(attempt.refusals)) ** 2

    def _new(self, feature: Feature) -> float:
        return 1.0 / float((1 + self._seen[feature]) ** 2)

    def _liking(self, name: str, refusals: set[str]) -> float:
        """How much this run likes an outcome: another one than the other runs."""
        key = f"{self._number} {name} {sorted(refusals)}"
        if key not in self._likings:
            self._likings[key] = Random(key).uniform(0.3, 2)
        return self._likings[key]

    def _over(self, wait: Wait) -> Iterator[Feature]:
        """What is over after a wait, and whose it is."""
        now = self._world.now
        for account in self._world.accounts.values():
            ends: list[tuple[str, User, int | None]] = [
                ("membership", user, member.ends) for user, member in account.members.items()
            ]
            ends += [("override", user, one.ends) for (_, user), one in account.overrides.items()]
            ends += [
                ("invitation", one.inviter, one.ends)
                for one in account.invitations.values()
                if one.open(now)
            ]
            ends += [] if account.offer is None else [("offer", *account.offer)]
            for what, user, end in ends:
                if end is not None and now < end <= now + wait.seconds:
                    for trait in (*traits(account, user, now), "anyone"):
                        yield "wait", what, trait

    def _features(self, name: str, attempt: Attempt) -> Iterator[Feature]:
        if isinstance(attempt, Wait):
            yield from self._over(attempt)
            return
        self._world.foresee(attempt)
        refusals = frozenset(attempt.refusals)
        yield name, refusals
        if attempt.account is None or not refusals <= HARD:
            return
        account, now = self._world.accounts[attempt.account], self._world.now
        acting = [*traits(account, attempt.actor, now), "anyone"]
        for user in (*attempt.about, None):
            about = [] if user is None else traits(account, user, now)
            for trait in (*about, "anyone"):
                for other in acting:
                    yield name, refusals, other, trait
        if attempt.foreseen is not None:
            for change in changes(account, attempt.foreseen, attempt, now):
                yield name, refusals, "changes", change
                for trait in acting:
                    yield name, refusals, "changes", change, trait


def traits(account: Account, user: User, now: int) -> Iterator[str]:
    """What is special about a user in an account."""
    member = account.members.get(user)
    if member is None:
        yield "outside"
        return
    if user == account.owner:
        yield "owner"
    if member.role in account.roles:
        yield "role of its own"
    if member.suspended:
        yield "suspended"
    if member.ends is not None:
        yield "ends" if member.ends > now else "over"
    for (_, whose), override in account.overrides.items():
        if whose == user:
            yield "overridden" if override.in_force(now) else "override over"
    if any(one.inviter == user and one.open(now) for one in account.invitations.values()):
        yield "inviter"
    if account.offer is not None and account.offer[0] == user:
        yield "offered"


def changes(before: Account, after: Account, operation: Operation, now: int) -> Iterator[str]:
    """What is special about a change."""
    for key, invitation in before.invitations.items():
        is_ = after.invitations[key]
        if (invitation.inviter, invitation.status) != (is_.inviter, "pending"):
            if invitation.inviter != is_.inviter:
                yield "to the owner" if is_.inviter == after.owner else "to another inviter"
            if invitation.status != is_.status:
                yield f"invitation {is_.status}"
        if invitation.role != is_.role:
            yield "invitation with another role"
    if before.offer is not None and after.offer is None:
        yield "offer ends"
    if len(after.overrides) < len(before.overrides):
        yield "override ends"
    was, is_now = before.table(now), after.table(now)
    for (user, project), held in is_now.items():
        if held != was.get((user, project)):
            who = "actor" if user == operation.actor else "about" if user in operation.about else ""
            yield f"{who or 'another'} {'outside' if project is None else 'inside'}"


def swarm(random: Random) -> dict[str, int]:
    """Some of the kinds: without the others a run goes deeper into these."""
    left_out = random.sample(sorted(KINDS), random.randrange(len(KINDS) // 3))
    return {name: weight for name, weight in KINDS.items() if name not in left_out}
