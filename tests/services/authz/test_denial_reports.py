"""Denied and drawn allowed decisions on their way to audit."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.authz.adapters.decision_reports import OF_ALLOWS, OF_DENIALS, DecisionReports
from services.authz.domain.allow_samples import EVERY, AllowSamples
from services.authz.domain.checks import PermissionCheck
from services.authz.domain.decision_counts import DecisionCounts, Denied
from services.authz.settings import Samples
from shared.contracts.calls.decision_counts import MAX_COUNTS
from shared.http.client import InternalClient
from shared.problems import Unavailable
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.authz.conftest import TIMEOUTS, World, evaluation
from tests.services.authz.histories import ACCOUNT, ANA, BO, CY, NOON, OTHER_ACCOUNT, PROD
from tests.waiting import wait_for

ROBOT = {"type": "robot", "id": BO}
SAMPLED = TypeAdapter(Samples)
HASTY = replace(TIMEOUTS, denials=0.01)


class AuditInMemory(InternalClient):
    """Audit's answers; `away` loses the answer of what it has taken."""

    def __init__(self) -> None:
        self.away = False
        self.taken: list[Any] = []

    async def call(self, call: Any, callee: str, request: Any = None, /, **more: Any) -> Any:
        self.taken.append(request)
        if self.away:
            raise Unavailable


def denied(number: int = 1) -> Denied:
    return Denied(f"acc_{number}", "usr_1", "instance:write", "i-1", None, "not-owner")


@pytest.mark.rule("B15")
async def test_a_batch_is_sent_under_its_number_until_audit_has_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    audit, denials, clock = AuditInMemory(), DecisionCounts[Denied](), SetClock()
    reports = DecisionReports(
        OF_DENIALS, denials, audit, clock=clock, timeouts=PATIENT, seconds_now=clock.boottime
    )
    await reports.send()
    assert audit.taken == []
    audit.away = True
    denials.note(denied(1), NOON)
    await reports.send()
    denials.note(denied(2), NOON)
    await reports.send()
    audit.away = False
    await reports.send()
    first, again, answered, second = audit.taken
    assert first == again == answered
    assert (first.number, second.number, first.life) == (1, 2, second.life)
    assert [each.account_id for each in (*first.denials, *second.denials)] == ["acc_1", "acc_2"]
    assert caplog.messages == [
        "Audit's intake of denials is away.",
        "Audit's intake of denials is back.",
    ]


async def test_many_counts_are_several_batches_and_the_end_sends_the_rest() -> None:
    audit, denials = AuditInMemory(), DecisionCounts[Denied]()
    reports = DecisionReports(OF_DENIALS, denials, audit, clock=SetClock(NOON), timeouts=PATIENT)
    for number in range(MAX_COUNTS + 1):
        denials.note(denied(number), NOON)
    await reports.send()
    assert [len(each.denials) for each in audit.taken] == [MAX_COUNTS, 1]
    denials.note(denied(), NOON)
    await reports.close()
    assert [each.number for each in audit.taken[-1].denials] == [1]


async def test_the_longest_names_of_a_request_fit_into_a_report() -> None:
    audit, denials = AuditInMemory(), DecisionCounts[Denied]()
    longest = Denied(
        "acc_1", "u" * 1_024, f"{'t' * 1_024}:{'a' * 1_024}", "r" * 1_024, None, "not-owner"
    )
    denials.note(longest, NOON)
    await DecisionReports(OF_DENIALS, denials, audit, clock=SetClock(NOON), timeouts=PATIENT).send()
    assert audit.taken[0].denials[0].permission == longest.permission


@pytest.mark.rule("B15")
async def test_only_denials_of_members_reach_the_log_of_an_account(world: World) -> None:
    async with world.replica(timeouts=HASTY) as authz:
        bo = world.user_token(BO, "ses_" + "7" * 32)
        cy = world.user_token(CY, "ses_" + "8" * 32)
        for user, permission, more in (
            (BO, "instance:write", {}),
            (CY, "instance:write", {}),
            (CY, "instance:write", {"token": cy}),
            (BO, "balance:view", {"of": {"account_id": "acc_" + "9" * 32}}),
            (BO, "balance:view", {"of": {"account_id": OTHER_ACCOUNT}}),
            (BO, "balance:view", {"of": {"account_id": None}}),
        ):
            await world.check(authz, user, permission, **more)
        await world.post(authz, evaluation(BO, "balance:view") | {"subject": ROBOT})
        assert world.audit.denials == []
        await world.check(authz, BO, "balance:view", of={"project_id": PROD})
        await world.check(authz, BO, "instance:fly", token=bo)
        await world.check(authz, BO, "instance:write", of={"project_id": "p" * 2_000})
        await world.check(authz, ANA, "instance:fly")
        inside = {"user_id": BO, "session_id": "ses_1", "account_id": ACCOUNT}
        await world.ask_inside(authz, inside | {"permission": "audit_log:view"})

        async def all_told() -> bool:
            return len(world.audit.denials) == 5

        await wait_for(all_told, what="the denials of members")
        shown = [
            (each.user_id, each.permission, each.project_id, each.reason)
            for each in world.audit.denials
        ]
    assert sorted(shown, key=str) == sorted(
        [
            (BO, "balance:view", PROD, "permission-missing"),
            (BO, "instance:fly", None, "permission-unknown"),
            (BO, "instance:write", None, "project-unknown"),
            (ANA, "instance:fly", None, "permission-unknown"),
            (BO, "audit_log:view", None, "permission-missing"),
        ],
        key=str,
    )


@pytest.mark.rule("B15")
async def test_drawn_allows_are_told_as_they_were_decided(world: World) -> None:
    samples = {"instance:write": 1, "project:view": 1}
    async with world.replica(timeouts=HASTY, allow_samples=samples) as authz:
        for user, permission, more in (
            (BO, "instance:write", {"of": {"project_id": PROD}}),
            (BO, "instance:view", {}),
            (CY, "instance:write", {}),
            (BO, "instance:write", {"of": {"account_id": None}}),
        ):
            await world.check(authz, user, permission, **more)
        batch = {"evaluations": [evaluation(ANA, "instance:write")] * 3}
        await world.post(authz, batch, path="/access/v1/evaluations")

        async def told_at_once() -> bool:
            return len(world.audit.allows) >= 2

        await wait_for(told_at_once, what="the first allows that were drawn")
    shown = {
        (each.user_id, each.permission, each.resource_id, each.project_id, each.one_of)
        for each in world.audit.allows
    }
    assert sum(each.number for each in world.audit.allows) == 4
    assert shown == {
        (BO, "instance:write", "i-1", PROD, 1),
        (ANA, "instance:write", "i-1", None, 1),
    }


async def test_an_audit_that_is_away_loses_no_number_of_drawn_allows() -> None:
    audit, clock = AuditInMemory(), SetClock(NOON)
    samples = AllowSamples({EVERY: 1})
    reports = DecisionReports(OF_ALLOWS, samples.counts, audit, clock=clock, timeouts=PATIENT)
    audit.away = True
    check = PermissionCheck(user_id=BO, account_id=ACCOUNT, permission="instance:write")
    for _ in range(3):
        samples.note(ACCOUNT, check, None, NOON)
        await reports.send()
    audit.away = False
    await reports.close()
    told = {report.number: report.allows[0].number for report in audit.taken}
    assert told == {1: 1, 2: 2}


@pytest.mark.parametrize("given", [{"instance": 1}, {"*:*": 1}, {"instance:view": 0}])
def test_a_setting_that_draws_nothing_known_is_refused(given: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        SAMPLED.validate_python(given)
