"""What a replica of authz has counted, as facts: denials, and the allows that were drawn."""

from collections.abc import Mapping
from typing import Any

from shared.contracts.audit import (
    AccessAllowed,
    AccessDenied,
    AllowsNotDetailed,
    DenialsNotDetailed,
)
from shared.contracts.calls.decision_counts import (
    AllowCount,
    AllowReport,
    DenialCount,
    DenialReport,
    Occurrences,
    UndetailedAllows,
    UndetailedDenials,
)
from shared.contracts.facts import (
    Actor,
    Fact,
    Outcome,
    Payload,
    ResourceRef,
    content_time,
)

SEVERAL_ACCOUNTS = "several"
"""Stands for the accounts of a record that is about more than one."""


def denial_facts(report: DenialReport) -> list[Fact]:
    """What a replica of authz has counted, as records of the accounts; the subject is the actor."""
    return [*map(_access_denied, report.denials), *map(_denials_not_detailed, report.undetailed)]


def allow_facts(report: AllowReport) -> list[Fact]:
    """The allows that a replica of authz has drawn, as records of the accounts."""
    return [*map(_access_allowed, report.allows), *map(_allows_not_detailed, report.undetailed)]


def _access_denied(count: DenialCount) -> Fact:
    payload = AccessDenied(
        user_id=count.user_id,
        permission=count.permission,
        resource_id=count.resource_id,
        number=count.number,
        first=count.first,
        last=count.last,
    )
    return _decided(count, payload, outcome=Outcome.DENIED, reason=count.reason, after={})


def _access_allowed(count: AllowCount) -> Fact:
    payload = AccessAllowed(
        user_id=count.user_id,
        permission=count.permission,
        resource_id=count.resource_id,
        number=count.number,
        one_of=count.one_of,
        first=count.first,
        last=count.last,
    )
    after = {"one_of": count.one_of}
    return _decided(count, payload, outcome=Outcome.SUCCEEDED, reason=None, after=after)


def _decided(
    count: DenialCount | AllowCount,
    payload: Payload,
    *,
    outcome: Outcome,
    reason: str | None,
    after: Mapping[str, Any],
) -> Fact:
    resource_type = count.permission.partition(":")[0]
    return Fact(
        payload=payload,
        resource=ResourceRef(type=resource_type, id=count.resource_id or count.account_id),
        account_id=count.account_id,
        project_id=count.project_id,
        outcome=outcome,
        reason=reason,
        after={"permission": count.permission, **_times(count), **after},
        actor=Actor(type="user", id=count.user_id, token_id=count.token_id),
    )


def _denials_not_detailed(count: UndetailedDenials) -> Fact:
    payload = DenialsNotDetailed(
        account_id=count.account_id, number=count.number, first=count.first, last=count.last
    )
    return _not_detailed(count, payload, outcome=Outcome.DENIED)


def _allows_not_detailed(count: UndetailedAllows) -> Fact:
    payload = AllowsNotDetailed(
        account_id=count.account_id, number=count.number, first=count.first, last=count.last
    )
    return _not_detailed(count, payload, outcome=Outcome.SUCCEEDED)


def _not_detailed(
    count: UndetailedDenials | UndetailedAllows, payload: Payload, *, outcome: Outcome
) -> Fact:
    return Fact(
        payload=payload,
        resource=ResourceRef(type="account", id=count.account_id or SEVERAL_ACCOUNTS),
        account_id=count.account_id,
        outcome=outcome,
        after=_times(count),
    )


def _times(count: Occurrences) -> dict[str, Any]:
    return {
        "number": count.number,
        "first": content_time(count.first),
        "last": content_time(count.last),
    }
