"""The members who may do something, page by page, through which grants and under which conditions.

What a question leaves open, such as the owner or the properties of the resource, does not hide a
member whose grant depends on it: they are listed with the grant in words.
"""

from collections.abc import Container
from dataclasses import dataclass

from rolecall.core.condition_facts import AnyGiven
from rolecall.core.condition_work import ConditionWork
from rolecall.core.decide import check_facts, decide, located
from rolecall.core.decision import Decision, Reason
from rolecall.core.effective import deciding_matrix
from rolecall.core.level_grants import Alternative, Scope, alternatives
from rolecall.core.persistent import items_after
from rolecall.core.state import AccountState, AnyResource, Member, Subject

MAX_EXAMINED = 2_000
"""The most members that one page looks at, so that it takes a few milliseconds at most."""
MAX_CONDITION_STEPS = 10_000
"""A page ends after the member whose conditions bring it here, for the same reason."""
CHARACTERS_OF_STEP = 8
"""The characters of a grant in words that count as a step."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A member who may do it; `decided_by` is `role:<role id>` or `override:<project id>`.

    `limited_to` is the grant in words, such as `self` or `all when …`, if it depends on what the
    question left open.
    """

    user_id: str
    role: str
    decided_by: str
    limited_to: str | None = None


@dataclass(frozen=True, slots=True)
class Holders:
    """A page of those who may. `next_after` is None on the last one, which may be empty."""

    members: tuple[Holder, ...]
    next_after: str | None


def who_can(
    account: AccountState,
    permission: str,
    resource: AnyResource,
    *,
    now: int,
    limit: int,
    given: AnyGiven | None = None,
    after: str | None = None,
    examined: int = MAX_EXAMINED,
    disabled: Container[str] = (),
    with_factor: Container[str] = (),
) -> Holders:
    """The members for whom `decide` allows the permission, or could, by user id after `after`.

    A page ends after `limit` of them, or when it has looked at `examined` members, or has tested
    `MAX_CONDITION_STEPS` of conditions. `now` is in epoch milliseconds. The users in `disabled` may
    do nothing, and in an account that demands a second factor only those in `with_factor` may.
    """
    found: list[Holder] = []
    last, work = after, ConditionWork()
    for at, (user_id, member) in enumerate(items_after(account.members, after)):
        if at == examined or len(found) == limit or work.steps >= MAX_CONDITION_STEPS:
            return Holders(tuple(found), last)
        last = user_id
        subject = Subject(
            user_id, user_disabled=user_id in disabled, second_factor=user_id in with_factor
        )
        decision = decide(account, subject, permission, resource, now=now, given=given, work=work)
        limits = _open(account, member, permission, resource, decision, given, work)
        if decision.allowed or limits:
            role = member.role.source.partition(":")[2]
            limited_to = "; or ".join(map(str, limits)) or None
            work.steps += len(limited_to or "") // CHARACTERS_OF_STEP
            found.append(Holder(user_id, role, decision.decided_by or "", limited_to))
    return Holders(tuple(found), None)


_MAY_BE_OPEN = frozenset({Reason.CONDITION_FAILED, Reason.OWNER_UNKNOWN})


def _open(
    account: AccountState,
    member: Member,
    permission: str,
    resource: AnyResource,
    decision: Decision,
    given: AnyGiven | None,
    work: ConditionWork,
) -> tuple[Alternative, ...]:
    """The alternatives of the deciding grant that more facts could fulfil."""
    if decision.reason not in _MAY_BE_OPEN:
        return ()
    held = account.catalog.permissions[permission]
    granted = deciding_matrix(account, member.user_id, decision).granted(held.bit)
    place = located(account, held, resource)
    if granted is None or place is None:
        return ()
    facts = check_facts(member, place, given, work)
    registered = (held.resource_type, place.id) in account.resources
    owners = (member.user_id,) if registered else (member.user_id, None)
    return tuple(
        one
        for one in alternatives(granted)
        if (one.scope is Scope.ALL or place.owner_id in owners)
        and (one.when is None or all(test.lacks_value(facts) for test in one.when.unmet(facts)))
    )
