"""The members who may do something, page by page, and through which grants."""

from dataclasses import dataclass

from rolecall.core.condition_facts import Given
from rolecall.core.condition_work import ConditionWork
from rolecall.core.decide import decide
from rolecall.core.persistent import items_after
from rolecall.core.state import AccountState, Resource, Subject

MAX_EXAMINED = 2_000
"""The most members that one page looks at, so that it takes a few milliseconds at most."""
MAX_CONDITION_STEPS = 10_000
"""A page ends after the member whose conditions bring it here, for the same reason."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A member who may do it; `decided_by` is `role:<role id>` or `override:<project id>`."""

    user_id: str
    role: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Holders:
    """A page of those who may. `next_after` is None on the last one, which may be empty."""

    members: tuple[Holder, ...]
    next_after: str | None


def who_can(
    account: AccountState,
    permission: str,
    resource: Resource,
    *,
    now: int,
    limit: int,
    given: Given | None = None,
    after: str | None = None,
    examined: int = MAX_EXAMINED,
) -> Holders:
    """The members for whom `decide` allows the permission, by user id, the first after `after`.

    A page ends after `limit` of them, or when it has looked at `examined` members, or has tested
    `MAX_CONDITION_STEPS` of conditions. `now` is in epoch milliseconds.
    """
    found: list[Holder] = []
    last, work = after, ConditionWork()
    for at, (user_id, member) in enumerate(items_after(account.members, after)):
        if at == examined or len(found) == limit or work.steps >= MAX_CONDITION_STEPS:
            return Holders(tuple(found), last)
        last = user_id
        decision = decide(
            account, Subject(user_id), permission, resource, now=now, given=given, work=work
        )
        if decision.allowed:
            role = member.role.source.partition(":")[2]
            found.append(Holder(user_id, role, decision.decided_by or ""))
    return Holders(tuple(found), None)
