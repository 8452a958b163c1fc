"""External ids in questions about the past: they name the members who had them then."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio

from services.authz.routes.evaluation import EVALUATION_PATH
from tests.services.authz.conftest import evaluation
from tests.services.authz.histories import (
    ANA,
    BO,
    CY,
    DI,
    NOON,
    SESSION,
    member,
    no_member,
)

HOUR = timedelta(hours=1)
EXPLAIN_PATH = "/v1/authz/explain"
WRITE = "instance:write"
OWNER = "/resource/properties/owner_id"
ONE, BOTH = "emp-7", "emp-8"


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world):
    """A replica; `emp-7` was Bo the viewer, then no one, and has been Cy the developer since two.

    Both have had `emp-8` since three. Di is `emp-7` now. `emp-9` was Bo at four, and is Cy.
    """
    world.team.write(member(BO, "viewer", external_id=ONE))
    world.team.write(no_member(BO), at=NOON + HOUR)
    world.team.write(member(CY, "developer", external_id=ONE), at=NOON + 2 * HOUR)
    both = member(BO, "basic", external_id=BOTH), member(CY, "developer", external_id=BOTH)
    world.team.write(*both, at=NOON + 3 * HOUR)
    world.team.write(member(BO, "basic", external_id="emp-9"), at=NOON + 4 * HOUR)
    now = member(CY, "basic", external_id="emp-9"), member(DI, "basic", external_id=ONE)
    world.team.write(no_member(BO), *now, at=NOON + 5 * HOUR)
    async with world.replica() as running:
        yield running


def asked(name: str, hours: float, permission: str = WRITE, **properties):
    context = {"at": (NOON + hours * HOUR).isoformat()}
    return evaluation(name, permission, context=context, **properties)


WHO = {0.5: BO, 2.5: CY}


@pytest.mark.rule("B15", "T34")
@pytest.mark.parametrize("hours", WHO)
@pytest.mark.parametrize("permission", [WRITE, "instance:view"])
async def test_a_past_answer_is_about_who_had_the_external_id(world, authz, hours, permission):
    for token in (None, world.user_token(ANA, SESSION)):
        for path in (EVALUATION_PATH, EXPLAIN_PATH):
            named, by_id = [
                await world.post(authz, asked(name, hours, permission), path=path, token=token)
                for name in (ONE, WHO[hours])
            ]
            assert (named.status, named.body) == (200, by_id.body)


@pytest.mark.rule("B15")
@pytest.mark.parametrize(
    ("name", "hours", "reason", "told"),
    [
        (ONE, 1.5, "not-a-member", f"No member of the account had the external id {ONE}."),
        ("x" * 1_000, 1.5, "not-a-member", "No member of the account had the external id"),
        (BOTH, 3.5, "subject-ambiguous", "Several members of the account had the external id"),
    ],
)
async def test_a_name_of_no_one_and_of_two_is_said_to_be(world, authz, name, hours, reason, told):
    decided = await world.post(authz, asked(name, hours))
    assert (decided.status, decided.body["decision"]) == (200, False)
    assert decided.body["context"]["reason"] == reason
    why = await world.post(authz, asked(name, hours), path=EXPLAIN_PATH)
    assert {part: why.body[part] for part in decided.body} == decided.body
    [text] = [step["text"] for step in why.body["steps"] if step["result"] == "does-not-hold"]
    assert text.startswith(told)


@pytest.mark.rule("B15")
async def test_a_past_owner_is_who_had_the_external_id(world, authz):
    for user, hours, reason in ((BO, 4.5, "allowed"), (CY, 4.5, "allowed"), (CY, 5.5, "allowed")):
        body = asked(user, hours, owner_id="emp-9")
        by_id = asked(user, hours, owner_id=BO if hours < 5 else CY)
        answers = [await world.post(authz, each) for each in (body, by_id)]
        assert answers[0].body == answers[1].body
        assert answers[0].body["context"]["reason"] == reason


@pytest.mark.parametrize("name", ["emp-0", BOTH])
async def test_a_past_owner_who_is_not_named_is_refused(world, authz, name):
    body = asked(CY, 3.5, owner_id=name)
    assert (await world.post(authz, body)).status == 200
    refused = await world.post(authz, body, path=EXPLAIN_PATH)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, OWNER)
    own = await world.post(authz, body, path=EXPLAIN_PATH, token=world.user_token(CY, SESSION))
    assert own.status == 200, "who asks about themselves learns of no external id"


async def test_a_history_without_its_beginning_names_no_one(world, authz):
    world.team.history_begins = NOON + HOUR
    refused = await world.post(authz, asked(ONE, 0.5))
    assert (refused.status, refused.body["code"]) == (410, "history-unavailable")
