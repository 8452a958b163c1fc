"""Denied decisions on their way to audit."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from services.authz.adapters.denial_reports import DenialReports
from services.authz.domain.denials import Denials, Denied
from shared.contracts.calls.denials import MAX_DENIALS, DenialReport
from shared.http.client import InternalClient
from shared.problems import Unavailable
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.authz.conftest import TIMEOUTS, World, evaluation
from tests.services.authz.histories import ACCOUNT, ANA, BO, CY, NOON, OTHER_ACCOUNT, PROD
from tests.waiting import wait_for

ROBOT = {"type": "robot", "id": BO}
HASTY = replace(TIMEOUTS, denials=0.01)


class AuditInMemory(InternalClient):
    """Audit's answers; `away` loses the answer of what it has taken."""

    def __init__(self) -> None:
        self.away = False
        self.taken: list[DenialReport] = []

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
    audit, denials, clock = AuditInMemory(), Denials(), SetClock()
    reports = DenialReports(
        denials, audit, clock=clock, timeouts=PATIENT, seconds_now=clock.boottime
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
    audit, denials = AuditInMemory(), Denials()
    reports = DenialReports(denials, audit, clock=SetClock(NOON), timeouts=PATIENT)
    for number in range(MAX_DENIALS + 1):
        denials.note(denied(number), NOON)
    await reports.send()
    assert [len(each.denials) for each in audit.taken] == [MAX_DENIALS, 1]
    denials.note(denied(), NOON)
    await reports.close()
    assert [each.number for each in audit.taken[-1].denials] == [1]


async def test_the_longest_names_of_a_request_fit_into_a_report() -> None:
    audit, denials = AuditInMemory(), Denials()
    longest = Denied(
        "acc_1", "u" * 1_024, f"{'t' * 1_024}:{'a' * 1_024}", "r" * 1_024, None, "not-owner"
    )
    denials.note(longest, NOON)
    await DenialReports(denials, audit, clock=SetClock(NOON), timeouts=PATIENT).send()
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
