"""Decisions about the past: those of a replica that had applied the rows until then."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Resource, milliseconds
from services.authz.adapters.past_policies import (
    KEPT_ANSWERS,
    KEPT_SECONDS,
    QUESTIONS_AT_ONCE,
    PastPolicies,
    PastQuestion,
)
from services.authz.domain.checks import PermissionCheck, decide_check
from services.authz.domain.policy_state import PolicyState
from shared.bus.local import LocalBus
from shared.contracts.facts import shard_of
from shared.http.client import InternalClient
from shared.http.lanes import Overloaded
from shared.problems import Unavailable
from tests.clocks import SetClock
from tests.lengths import SEED, length
from tests.patience import PATIENT
from tests.services.authz import histories
from tests.services.authz.conftest import KEYS
from tests.services.authz.histories import ACCOUNT, ANA, BO, CY, NOON, PROD, RUNPOD, STANDARD
from tests.services.authz.sources import Source

if TYPE_CHECKING:
    from shared.contracts.policy_objects import PolicyObject

SECOND = timedelta(seconds=1)
OTHER = "prj_" + "2" * 32
"""Another project of the account."""


class TeamInMemory(InternalClient):
    """Team's answers from rows in memory; `away` makes it answer 503."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.asked = 0
        self.away = False
        self.meanwhile: Any = None

    async def call(self, call: Any, callee: str, request: Any = None, /, **more: Any) -> Any:
        self.asked += 1
        if self.away:
            raise Unavailable
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.source.past(request)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON + timedelta(days=1))


@pytest.fixture
def source(clock: SetClock) -> Source:
    made = Source("team", keys=KEYS, jwks={}, clock=clock, bus=LocalBus())
    made.write(histories.catalog(STANDARD.id), histories.catalog(RUNPOD.id))
    made.write(histories.account(), histories.member(ANA, "owner"))
    return made


@pytest.fixture
def team(source: Source) -> TeamInMemory:
    return TeamInMemory(source)


@pytest.fixture
def past(team: TeamInMemory, clock: SetClock) -> PastPolicies:
    return PastPolicies(team, clock=clock, timeouts=PATIENT)


def question(
    at: datetime, user: str = BO, *, rid: str = "i-1", project: str | None = None
) -> PastQuestion:
    return PastQuestion(
        account_id=ACCOUNT,
        user_id=user,
        resource_type="instance",
        resource_id=rid,
        project_id=project,
        at=at,
    )


def random_change(rng: random.Random, at: datetime) -> PolicyObject:
    """A change of the account; some ends of memberships and overrides fall into the history."""
    user = rng.choice([BO, CY])
    end = (at + rng.randint(1, 8) * SECOND).isoformat()
    override = histories.override(user, {"instance": ["view"]}, expires_at=end)
    changes: list[PolicyObject] = [
        histories.member(user, rng.choice(["developer", "basic", "viewer"]), expires_at=end),
        histories.member(user, "developer", membership_id=f"mem_{rng.random()}"),
        histories.member(user, "developer", expires_at=end),
        histories.member(user, "developer", status="suspended"),
        histories.member(user, "viewer"),
        histories.no_member(user),
        override,
        override.model_copy(update={"state": None}),
        histories.project(rng.choice([PROD, OTHER])),
        histories.project().model_copy(update={"state": None}),
        histories.resource(rng.choice(["i-1", "i-2"]), owner_id=user),
        histories.resource("i-1", project_id=rng.choice([PROD, OTHER]), owner_id=user),
        histories.resource("i-1", gone=True),
        histories.account(status=rng.choice(["active", "suspended"])),
        histories.account(catalog=rng.choice([RUNPOD.id, STANDARD.id, STANDARD.id])),
        histories.account(),
    ]
    return rng.choice(changes)


def state_of(source: Source, at: datetime) -> PolicyState:
    """The state of a replica that has applied all rows of the account that count at a time."""
    state, since = PolicyState(), NOON
    state.put(each for each in source._policy_objects() if each.kind.value == "catalog")
    for row in (signed.row for signed in source.rows[shard_of(ACCOUNT)]):
        since = max(since, row.occurred_at)
        if since > at:
            break
        state.put(row.policy_objects)
    return state


@pytest.mark.rule("B15")
async def test_a_past_decision_is_that_of_a_replica_at_that_time(
    past: PastPolicies, source: Source
) -> None:
    rng = random.Random(SEED)
    moment = at = NOON
    replica, outcomes = None, set()
    for _ in range(length("PAST_CHANGES", short=60, soak=600)):
        moment += rng.randint(-1, 3) * SECOND
        source.write(random_change(rng, moment), at=moment)
    for number in range(length("PAST_QUESTIONS", short=150, soak=40_000)):
        if number % 5 == 0:
            at = NOON + (rng.randint(0, (moment - NOON) // SECOND) if number else -1) * SECOND
            replica = state_of(source, at).account(ACCOUNT)
        user, rid = rng.choice([ANA, BO, CY]), rng.choice(["i-1", "i-2", PROD, "-"])
        project = rng.choice([None, PROD, OTHER, "prj_x"])
        asked = question(at, user, rid=rid, project=project)
        check = PermissionCheck(
            user_id=user,
            account_id=ACCOUNT,
            permission=rng.choice(["instance:write", "instance:view", "balance:view"]),
            resource=Resource(rid, rng.choice([None, user]), project),
        )
        now = milliseconds(at)
        found = (await past.account(asked)).account
        then = decide_check(found, check, sign_in_denial=None, now=now)
        assert then == decide_check(replica, check, sign_in_denial=None, now=now), (asked, check)
        outcomes.add(then.reason)
    assert {"allowed", "no-account", "not-a-member", "membership-expired"} <= outcomes
    assert {"account-suspended", "permission-missing"} <= outcomes


async def test_the_project_of_a_registered_resource_is_found(
    past: PastPolicies, source: Source
) -> None:
    source.write(histories.project(), histories.resource(project_id=PROD, owner_id=BO))
    source.write(histories.member(BO, "developer"), histories.override(BO, {}))
    found = await past.account(question(NOON))
    check = PermissionCheck(
        user_id=BO, account_id=ACCOUNT, permission="instance:write", resource=Resource("i-1")
    )
    decision = decide_check(found.account, check, sign_in_denial=None, now=milliseconds(NOON))
    assert decision.decided_by == f"override:{PROD}"


@pytest.mark.rule("Ci9")
async def test_a_past_override_ends_with_its_membership(past: PastPolicies, source: Source) -> None:
    source.write(histories.project(), histories.member(BO, "developer"), histories.override(BO, {}))
    source.write(histories.no_member(BO), at=NOON + SECOND)
    again = histories.member(BO, "developer", membership_id="mem_again")
    source.write(again, at=NOON + 2 * SECOND)
    decided = []
    for seconds in range(3):
        at = NOON + seconds * SECOND
        found = await past.account(question(at, project=PROD))
        check = PermissionCheck(
            user_id=BO,
            account_id=ACCOUNT,
            permission="instance:write",
            resource=Resource("i-1", None, PROD),
        )
        now = milliseconds(at)
        decided.append(decide_check(found.account, check, sign_in_denial=None, now=now).decided_by)
    assert decided == [f"override:{PROD}", None, "role:developer"]


async def test_an_answer_is_remembered_for_a_minute_once_it_is_final(
    past: PastPolicies, team: TeamInMemory, clock: SetClock
) -> None:
    for at, questions in ((clock.now(), 2), (NOON, 1)):
        team.asked = 0
        for _ in range(2):
            assert (await past.account(question(at))).account is not None
        assert team.asked == questions
    clock.move(KEPT_SECONDS)
    await past.account(question(NOON))
    assert team.asked == 2


async def test_questions_beyond_a_few_at_once_are_refused(
    past: PastPolicies, team: TeamInMemory
) -> None:
    async def full() -> None:
        team.meanwhile = None if past._running == QUESTIONS_AT_ONCE else full
        if team.meanwhile is None:
            with pytest.raises(Overloaded):
                await past.account(question(NOON, rid="one-more"))
        else:
            await past.account(question(NOON, rid=f"i-{past._running}"))

    team.meanwhile = full
    await past.account(question(NOON))
    assert past._running == 0


async def test_a_text_that_cannot_be_an_account_is_not_asked(
    past: PastPolicies, team: TeamInMemory
) -> None:
    asked = PastQuestion(
        account_id="x" * 5_000,
        user_id=BO,
        resource_type="instance",
        resource_id="i-1",
        project_id="p" * 5_000,
        at=NOON,
    )
    assert (await past.account(asked)).account is None
    assert team.asked == 0


async def test_a_bounded_number_of_answers_is_remembered(
    past: PastPolicies, team: TeamInMemory
) -> None:
    for number in range(KEPT_ANSWERS + 1):
        await past.account(question(NOON, rid=f"i-{number}"))
    assert len(past._accounts) == KEPT_ANSWERS
    team.asked = 0
    await past.account(question(NOON, rid=f"i-{KEPT_ANSWERS}"))
    assert team.asked == 0, "the last one is among them"
