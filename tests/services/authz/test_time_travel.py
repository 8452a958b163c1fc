"""Questions about the past over HTTP: who may ask them, and how they are answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from services.authz.domain.checks import OtherSubject
from services.authz.routes.evaluation import EVALUATION_PATH, Evaluation, request_of
from services.authz.use_cases.evaluation import evaluate
from services.authz.use_cases.time_travel import evaluate_at
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.refusals import BadRequest
from shared.ids import ClientId, SessionId, UserId
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
    PROD,
    SESSION,
    ended,
    member,
    no_member,
    project,
    service_client,
)

HOUR = timedelta(hours=1)
EXPLAIN_PATH = "/v1/authz/explain"
ONE_ANSWER = pytest.mark.parametrize("path", [EVALUATION_PATH, EXPLAIN_PATH])
"""The routes that answer one question about the past."""
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


FORM = "Must be an RFC 3339 time with a zone, such as 2026-03-05T12:00:00Z"
WRONG_TIMES = {
    "2999-01-01T00:00:00Z": "Must not be in the future. Send a time that has passed, or leave it"
    " out.",
    "yesterday": FORM,
    "2026-03-01T12:00:00": FORM,
    "2026-02-30T12:00:00Z": "This day does not exist in the calendar. Send an RFC 3339 time with a"
    " zone, such as 2026-03-05T12:00:00Z",
}


@ONE_ANSWER
@pytest.mark.parametrize("at", [*WRONG_TIMES, None, ["2026-03-01T12:00:00Z"]])
async def test_a_time_that_has_not_passed_or_is_none_is_refused(world, authz, path, at):
    body = evaluation(BO, PERMISSION, context={"at": at})
    answer = await world.post(authz, body, path=path)
    if at is None:  # as if it were left out
        assert answer.status == 200
        return
    assert said(answer) == (400, None, "bad-request")
    [error] = answer.body["errors"]
    assert error["pointer"] == "/context/at"
    assert error["message"].startswith(WRONG_TIMES.get(str(at), FORM).rstrip("."))


@ONE_ANSWER
async def test_a_history_that_is_not_kept_is_refused_with_its_beginning(world, authz, path):
    world.team.history_begins = NOON + HOUR
    answer = await world.post(authz, asked(BO, 0.5), path=path)
    assert said(answer) == (410, None, "history-unavailable")
    assert "2026-03-01T13:00:00.000Z" in answer.body["detail"]
    assert (await world.post(authz, asked(BO, 1.5), path=path)).status == 200


@ONE_ANSWER
async def test_a_team_that_is_away_denies_nothing_about_the_past(world, authz, path):
    world.team.away = True
    answer = await world.post(authz, asked(BO, 1.25), path=path)
    assert said(answer) == (503, None, "unavailable")


@pytest.mark.rule("B15")
@pytest.mark.parametrize("hours", [-0.1, 0.5, 1.5, 2.5])
async def test_a_past_explanation_has_the_decision_of_the_evaluation(world, authz, hours):
    body = asked(BO, hours)
    for token in (None, world.user_token(BO, SESSION)):
        decided = await world.post(authz, body, token=token)
        why = await world.post(authz, body, path=EXPLAIN_PATH, token=token)
        assert (decided.status, why.status) == (200, 200)
        assert {name: why.body[name] for name in decided.body} == decided.body
        assert (why.body["would_allow"], why.body["could_grant"]) == (None, None)


@pytest.mark.rule("B7")
async def test_a_past_explanation_tells_the_state_of_then(world, authz):
    world.team.write(project(name="prod"), at=NOON + HOUR)
    world.team.write(project(name="live"), at=NOON + 3 * HOUR)
    body = asked(BO, 1.5, project_id=PROD)
    ana = world.user_token(ANA, "ses_" + "6" * 32)
    shown = {}
    for token in (None, world.user_token(BO, SESSION), ana):
        found = await world.post(authz, body, path=EXPLAIN_PATH, token=token)
        steps = {step["id"]: (step["result"], step["text"]) for step in found.body["steps"]}
        assert steps["membership"][1] == "The user is an active member with the role Developer."
        for of_sign_in in ("user", "session"):
            assert steps[of_sign_in] == ("not-reached", "This does not count for a past time.")
        shown[token] = steps["project"][1]
    hidden = f"The account has the project {PROD}."
    assert list(shown.values()) == ["The account has the project prod."] * 2 + [hidden]


async def test_only_readers_of_the_log_have_the_past_of_others_explained(world, authz):
    await world.team.change(member(CY, "developer"))
    cy = world.user_token(CY, SESSION)
    about_bo = await world.post(authz, asked(BO, 1.5), path=EXPLAIN_PATH, token=cy)
    assert said(about_bo) == (403, None, "other-subject")


@pytest.mark.parametrize("kind", ["subject", "resource", "action"])
async def test_a_search_about_the_past_is_refused(world, authz, kind):
    body = asked(BO, 1.5)
    answer = await world.post(authz, body, path=f"/access/v1/search/{kind}")
    assert said(answer) == (400, None, "bad-request")
    assert answer.body["errors"][0]["pointer"] == "/context/at"


async def test_an_item_of_a_batch_about_the_past_is_refused_by_itself(world, authz):
    items = [evaluation(ANA, PERMISSION), asked(BO, 1.5)]
    answer = await world.post(authz, {"evaluations": items}, path="/access/v1/evaluations")
    allowed, refused = answer.body["evaluations"]
    assert (allowed["decision"], refused["decision"]) == (True, False)
    assert refused["context"]["error"]["message"].startswith(
        "The evaluation is not valid. /context/at: A past time needs a request of its own"
    )


async def test_who_can_has_no_past(world, authz):
    body = {"account_id": ACCOUNT, "permission": PERMISSION, "at": "2026-03-01T12:00:00Z"}
    answer = await world.post(authz, body, path="/v1/authz/who-can")
    assert answer.status == 422
    assert answer.body["errors"] == [
        {"pointer": "/at", "message": "This field is not known. Remove it."}
    ]


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


async def test_who_was_removed_while_the_history_was_read_learns_nothing(world, authz):
    await world.team.change(member(CY, "admin"))
    known = authz.public._ctx

    class Slow:
        async def account(self, question):
            found = await known.past.account(question)
            await world.team.change(no_member(CY))
            return found

    body = Evaluation.model_validate(asked(BO, 1.5))
    cy = UserPrincipal(user_id=UserId(CY), session_id=SessionId(SESSION), account_id=None)
    with pytest.raises(OtherSubject):
        await evaluate_at(replace(known, past=Slow()), cy, request_of(body), NOON + 1.5 * HOUR)
