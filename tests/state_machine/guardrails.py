"""What contradicts a guardrail: a measure at each place, as `B10` has it."""

from __future__ import annotations

from tests.state_machine.accounts import Account, Guardrail, Project, Table, User
from tests.state_machine.catalogs import INSIDE

Place = tuple[User | None, Project | None]
"""A member and a project; no member stands for the members who are missing."""
OWN, ALL = 1, 2


def violations(rule: Guardrail, account: Account, now: int) -> dict[Place, int]:
    """How much contradicts the rule at each place; a closed account is looked at as an open one."""
    if rule.project is not None and rule.project not in account.projects:
        return {}
    table = account.table(now, closed_too=True)
    if rule.kind == "minimum_holders":
        missing = rule.minimum - _holders(rule, account, table)
        return {(None, rule.project): missing} if missing > 0 else {}
    never = rule.kind == "never"
    bound = [
        (user, place)
        for user, place in table
        if (account.members[user].role in rule.roles) is never
        and (place == rule.project if rule.project else _special(account, user, place, now))
    ]
    reached = {(user, place): _reach(rule, table, user, place) for user, place in bound}
    return {place: reach for place, reach in reached.items() if reach}


def worse(before: Account, after: Account, now: int) -> bool:
    """Whether a change contradicts a guardrail more than the account did."""
    for rule in after.guardrails.values():
        was, is_ = violations(rule, before, now), violations(rule, after, now)
        for place, measure in is_.items():
            if measure > was.get(place, _before(rule, before, place, now)):
                return True
    return False


def _before(rule: Guardrail, account: Account, place: Place, now: int) -> int:
    """The measure at a place without an override: that outside of all projects."""
    user, project = place
    overridden = user is not None and (project, user) in account.overrides
    if user is None or project is None or rule.project is not None or overridden:
        return 0
    return violations(rule, account, now).get((user, None), 0)


def _special(account: Account, user: User, place: Project | None, now: int) -> bool:
    """Whether the place is not like all others: outside, or with an override in force."""
    if place is None:
        return True
    override = account.overrides.get((place, user))
    return override is not None and override.in_force(now)


def _reach(rule: Guardrail, table: Table, user: User, place: Project | None) -> int:
    if rule.cell is None:
        return 0
    inside = place if rule.cell in INSIDE else None
    return {"all": ALL, "self": OWN}.get(table[user, inside].get(rule.cell, ""), 0)


def _holders(rule: Guardrail, account: Account, table: Table) -> int:
    if rule.cell is None:
        return sum(
            account.members[user].role in rule.roles for user, place in table if place is None
        )
    return sum(
        _reach(rule, table, user, place) == ALL for user, place in table if place == rule.project
    )
