"""Questions about the past over HTTP: who may ask them, and how they are answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio

from services.authz.routes.evaluation import Evaluation, request_of
from services.authz.use_cases.evaluation import evaluate
from shared.auth.principals import ClientPrincipal
from shared.http.refusals import BadRequest
from shared.ids import ClientId
from tests.services.authz.conftest import evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CLIENT,
    CY,
    NOON,
    OTHER_ACCOUNT,
    SESSION,
    ended,
    member,
    no_member,
    service_client,
)

HOUR = timedelta(hours=1)
PERMISSION = "instance:write"


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world):
    """A replica; Bo was a viewer at noon, a developer at one, and is not a member since two."""
    world.team.write(member(BO, "viewer"))
    world.team.write(member(BO, "developer"), at=NOON + HOUR)
    world.team.write(no_member(BO), at=NOON + 2 * HOUR)
    world.identity.write(service_client(BOUND_CLIENT, account_ids=[OTHER_ACCOUNT]))
    async with world.replica() as running:
        yield running


def asked(user: str, hours: float, **properties):
    context = {"at": (NOON + hours * HOUR).isoformat()}
    return evaluation(user, PERMISSION, context=context, **properties)


def said(answer):
    return answer.status, answer.body.get("decision"), answer.body.get("code")


@pytest.mark.rule("B15")
@pytest.mark.parametrize(
    ("hours", "decision", "reason"),
    [
        (-0.1, False, "no-account"),
        (0.5, False, "permission-missing"),
        (1, True, "allowed"),
        (1.9, True, "allowed"),
        (2, False, "not-a-member"),
    ],
)
async def test_a_past_answer_names_its_time_and_what_it_leaves_out(
    world, authz, hours, decision, reason
):
    answer = await world.post(authz, asked(BO, hours))
    context = answer.body["context"]
    assert (answer.status, answer.body["decision"], context["reason"]) == (200, decision, reason)
    assert context["at"] == (NOON + hours * HOUR).isoformat().replace("+00:00", "Z")
    assert context["not_considered"] == ["sign-in"]
    assert (context["revision"] is None) == (reason == "no-account")


async def test_an_answer_about_the_present_names_no_time(world, authz):
    answer = await world.check(authz, ANA, PERMISSION)
    assert set(answer.body["context"]) == {"reason", "role", "override", "revision"}


@pytest.mark.parametrize(
    ("at", "status", "code"),
    [
        ("2999-01-01T00:00:00Z", 400, "bad-request"),
        ("yesterday", 400, "bad-request"),
        ("2026-03-01T12:00:00", 400, "bad-request"),
        (["2026-03-01T12:00:00Z"], 400, "bad-request"),
    ],
)
async def test_a_time_that_has_not_passed_or_is_none_is_refused(world, authz, at, status, code):
    body = evaluation(BO, PERMISSION, context={"at": at})
    answer = await world.post(authz, body)
    assert said(answer) == (status, None, code)
    assert answer.body["errors"][0]["pointer"] == "/context/at"


async def test_a_history_that_is_not_kept_is_refused_with_its_beginning(world, authz):
    world.team.history_begins = NOON + HOUR
    answer = await world.post(authz, asked(BO, 0.5))
    assert said(answer) == (410, None, "history-unavailable")
    assert "2026-03-01T13:00:00.000Z" in answer.body["detail"]
    assert (await world.post(authz, asked(BO, 1.5))).status == 200


async def test_a_team_that_is_away_denies_nothing_about_the_past(world, authz):
    world.team.away = True
    assert said(await world.post(authz, asked(BO, 1.25))) == (503, None, "unavailable")


@pytest.mark.rule("B15")
async def test_users_ask_about_themselves_and_readers_of_the_log_about_all(world, authz):
    bo = world.user_token(BO, SESSION)
    assert said(await world.post(authz, asked(BO, 1.5), token=bo)) == (200, True, None)
    assert said(await world.post(authz, asked(ANA, 1.5), token=bo)) == (403, None, "other-subject")
    ana = world.user_token(ANA, "ses_" + "6" * 32)
    assert said(await world.post(authz, asked(BO, 1.5), token=ana)) == (200, True, None)
    present = await world.check(authz, BO, PERMISSION, token=ana)
    assert said(present) == (403, None, "other-subject")
    elsewhere = asked(BO, 1.5, account_id=OTHER_ACCOUNT)
    assert said(await world.post(authz, elsewhere, token=ana)) == (403, None, "other-subject")


async def test_a_past_membership_gives_no_right_to_read_the_log(world, authz):
    await world.team.change(member(CY, "admin"))
    cy = world.user_token(CY, SESSION)
    assert said(await world.post(authz, asked(BO, 1.5), token=cy)) == (200, True, None)
    await world.team.change(no_member(CY))
    assert said(await world.post(authz, asked(BO, 1.5), token=cy)) == (403, None, "other-subject")


async def test_a_reader_whose_session_has_ended_asks_nothing(world, authz):
    await world.identity.change(ended())
    ana = world.user_token(ANA, SESSION)
    assert said(await world.post(authz, asked(BO, 1.5), token=ana)) == (401, None, "token-revoked")


async def test_a_bound_client_asks_about_its_accounts_only(world, authz):
    token = world.client_token(BOUND_CLIENT)
    assert said(await world.post(authz, asked(BO, 1.5), token=token))[0] == 403


async def test_a_stranger_learns_nothing_of_the_past_of_an_account(world, authz):
    cy = world.user_token(CY, SESSION)
    answers = [
        await world.post(authz, asked(CY, 1.5, account_id=account_id), token=cy)
        for account_id in (ACCOUNT, OTHER_ACCOUNT)
    ]
    assert answers[0].body == answers[1].body
    assert answers[0].body["context"]["reason"] == "not-a-member"


async def test_a_question_about_the_past_counts_as_neither_denial_nor_activity(world, authz):
    await world.post(authz, asked(BO, 0.5))
    assert authz.public._ctx.activity.take() == []
    assert len(authz.public._ctx.denials) == 0


@pytest.mark.rule("B15")
async def test_the_end_of_a_membership_is_judged_at_the_past_time(world, authz):
    end = NOON + 4 * HOUR
    world.team.write(member(CY, "developer", expires_at=end.isoformat()), at=NOON + 3 * HOUR)
    for hours, reason in ((3.5, "allowed"), (4, "membership-expired")):
        answer = await world.post(authz, asked(CY, hours))
        assert answer.body["context"]["reason"] == reason


async def test_the_state_of_a_replica_answers_nothing_about_the_past(world, authz):
    body = Evaluation.model_validate(asked(BO, 1.5))
    principal = ClientPrincipal(client_id=ClientId(CLIENT), scopes=frozenset({"authz:check"}))
    with pytest.raises(BadRequest):
        await evaluate(authz.public._ctx, principal, request_of(body))
