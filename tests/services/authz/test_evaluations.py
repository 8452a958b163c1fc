"""Tests of `POST /access/v1/evaluations`: a batch gives what its items give alone."""

import json
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from services.authz.domain.batches import MOST_EVALUATIONS, MOST_REVISIONS, Semantic
from services.authz.domain.evaluations import Evaluated
from services.authz.routes.evaluations import EVALUATIONS_BODY_BYTES
from services.authz.use_cases.evaluation import evaluate_now
from services.authz.use_cases.evaluations import evaluate_each
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import shard_of
from shared.ids import SessionId, UserId
from shared.problems import Stale, TokenRevoked
from tests.lengths import SEED, length
from tests.services.authz.conftest import evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CY,
    OTHER_ACCOUNT,
    PROD,
    SESSION,
    account,
    ended,
    member,
    override,
    resource,
    service_client,
)
from tests.services.authz.offline import PRINCIPAL, StoppedPolicy, context, request

PATH = "/access/v1/evaluations"
BATCHES = length("BATCHES", short=15, soak=500)


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world):
    world.team.write(member(CY, "basic", external_id="cy@platform"))
    world.team.write(override(CY, {"instance": {"write": "all"}}))
    world.team.write(resource("i-9", owner_id=CY))
    world.team.write(account(OTHER_ACCOUNT), member(CY, "owner", OTHER_ACCOUNT))
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[ACCOUNT], resource_types=["instance"])
    )
    async with world.replica() as running:
        yield running


def decisions(said) -> list[bool]:
    assert said.status == 200, said.body
    return [one["decision"] for one in said.body["evaluations"]]


def reads(*ids: str) -> list[dict[str, Any]]:
    known = {"account_id": ACCOUNT, "owner_id": CY}
    return [{"resource": {"type": "instance", "id": one, "properties": known}} for one in ids]


async def test_each_item_takes_the_defaults_that_it_leaves_out(world, authz):
    body = evaluation(CY, "instance:view") | {
        "evaluations": [
            {},
            {"action": {"name": "fly"}},
            {"subject": {"type": "user", "id": "usr_unknown"}},
            *reads("i-9"),
        ]
    }
    said = await world.post(authz, body, path=PATH)
    assert [one["context"]["reason"] for one in said.body["evaluations"]] == [
        "owner-unknown",
        "permission-unknown",
        "not-a-member",
        "allowed",
    ]


async def test_an_entity_of_an_item_replaces_the_default_as_a_whole(world, authz):
    """The default's owner, project, account and id do not reach the entity of an item."""
    default = {
        "type": "instance",
        "id": "i-9",
        "properties": {"account_id": ACCOUNT, "project_id": PROD, "owner_id": CY},
    }
    body = evaluation(CY, "instance:write") | {
        "resource": default,
        "evaluations": [
            {"resource": {"type": "instance", "id": "i-2", "properties": {"account_id": ACCOUNT}}},
            {"resource": {"type": "instance", "id": "i-2"}},
            {"resource": {"id": "i-2"}},
            {"resource": {"type": "instance"}},
        ],
    }
    said = await world.post(authz, body, path=PATH)
    assert [one["context"]["reason"] for one in said.body["evaluations"]] == [
        "owner-unknown",
        "no-account",
        "bad-request",
        "bad-request",
    ]


@pytest.mark.parametrize(
    ("semantic", "users", "expected"),
    [
        (None, [BO, CY, BO], [True, False, True]),
        ("execute_all", [CY, BO, CY], [False, True, False]),
        ("deny_on_first_deny", [BO, BO, CY, BO], [True, True, False]),
        ("deny_on_first_deny", [BO, BO], [True, True]),
        ("permit_on_first_permit", [CY, CY, BO, BO], [False, False, True]),
        ("permit_on_first_permit", [CY, CY], [False, False]),
    ],
)
async def test_the_semantic_says_how_far_a_batch_goes(world, authz, semantic, users, expected):
    body = evaluation(BO, "instance:write")
    body["evaluations"] = [{"subject": {"type": "user", "id": user}} for user in users]
    if semantic is not None:
        body["options"] = {"evaluations_semantic": semantic, "another_option": "value"}
    assert decisions(await world.post(authz, body, path=PATH)) == expected


async def test_an_item_that_fails_is_denied_and_the_others_are_decided(world, authz):
    token = world.client_token(BOUND_CLIENT)
    fine = {"resource": {"type": "instance", "id": "i-1"}}
    broken: list[tuple[Any, int, str]] = [
        (7, 400, "bad-request"),
        ({"subject": None}, 400, "bad-request"),
        ({"action": {"name": 7}}, 400, "bad-request"),
        ({"context": "now"}, 400, "bad-request"),
        ({"context": {"at_least_revision": "yesterday"}}, 400, "bad-request"),
        ({"resource": {"type": "balance", "id": "-"}}, 403, "type-not-bound"),
        (
            {
                "resource": {
                    "type": "instance",
                    "id": "i-1",
                    "properties": {"account_id": OTHER_ACCOUNT},
                }
            },
            403,
            "account-not-bound",
        ),
    ]
    body = evaluation(BO, "instance:write", account_id=None)
    body["evaluations"] = [fine, *(item for item, _, _ in broken), fine]
    said = await world.post(authz, body, path=PATH, token=token)
    assert decisions(said) == [True, *[False] * len(broken), True]
    failed = [one["context"] for one in said.body["evaluations"][1:-1]]
    assert [(one["error"]["status"], one["reason"]) for one in failed] == [
        (status, reason) for _, status, reason in broken
    ]
    assert failed[2]["error"]["message"] == (
        "The evaluation is not valid. /action/name: Must be a string."
    )
    assert "The evaluation is not valid. Must be an object." in [
        one["error"]["message"] for one in failed
    ]
    body["options"] = {"evaluations_semantic": "deny_on_first_deny"}
    assert decisions(await world.post(authz, body, path=PATH, token=token)) == [True, False]


async def test_a_user_gets_decisions_about_themselves_only(world, authz):
    body = evaluation(BO, "instance:write")
    body["evaluations"] = [{}, {"subject": {"type": "user", "id": ANA}}]
    said = await world.post(authz, body, path=PATH, token=world.user_token(BO, SESSION))
    assert decisions(said) == [True, False]
    assert said.body["evaluations"][1]["context"]["reason"] == "other-subject"
    await world.identity.change(ended())
    said = await world.post(authz, body, path=PATH, token=world.user_token(BO, SESSION))
    assert said.status == 401


@pytest.mark.parametrize("empty", [{}, {"evaluations": []}, {"evaluations": None}])
async def test_without_evaluations_the_answer_is_that_of_a_single_request(world, authz, empty):
    body = evaluation(BO, "instance:write")
    alone = await world.post(authz, body)
    said = await world.post(authz, body | empty, path=PATH)
    assert (said.status, said.body) == (200, alone.body)
    del body["subject"]
    alone = await world.post(authz, body)
    said = await world.post(authz, body | empty, path=PATH)
    assert (said.status, said.body["errors"]) == (400, alone.body["errors"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subject": "ana"}, "bad-request"),
        ({"evaluations": {}}, "bad-request"),
        ({"evaluations": [{}] * (MOST_EVALUATIONS + 1)}, "bad-request"),
        ({"evaluations": [{}], "options": {"evaluations_semantic": "any"}}, "bad-request"),
        ({"evaluations": [{}], "options": []}, "bad-request"),
    ],
)
async def test_a_batch_that_does_not_fit_is_400(world, authz, change, code):
    body = evaluation(BO, "instance:write") | change
    said = await world.post(authz, body, path=PATH, headers={"X-Request-ID": "r-3"})
    assert (said.status, said.body["code"]) == (400, code)
    assert said.headers["X-Request-ID"] == "r-3"
    json_type = {"Content-Type": "text/plain"}
    said = await world.post(authz, json.dumps(body).encode(), path=PATH, headers=json_type)
    assert (said.status, said.body["code"]) == (400, "wrong-content-type")


async def test_the_largest_batch_is_answered_and_a_larger_body_refused(world, authz):
    body = evaluation(BO, "instance:write") | {"evaluations": [{}] * MOST_EVALUATIONS}
    assert decisions(await world.post(authz, body, path=PATH)) == [True] * MOST_EVALUATIONS
    body["context"] = {"text": "x" * EVALUATIONS_BODY_BYTES}
    assert (await world.post(authz, body, path=PATH)).status == 413


async def test_a_batch_waits_for_few_revisions_only(world, authz):
    shard = shard_of(ACCOUNT)
    body = evaluation(BO, "instance:write")
    body["evaluations"] = [
        {"context": {"at_least_revision": f"team.{world.team.store.epoch}.{shard}.{number}"}}
        for number in range(1, MOST_REVISIONS + 2)
    ]
    said = await world.post(authz, body, path=PATH)
    assert (said.status, said.body["errors"][0]["pointer"]) == (400, "/evaluations")
    head = len(world.team.rows[shard])
    body["evaluations"] = [
        {"context": {"at_least_revision": f"team.{world.team.store.epoch}.{shard}.{number}"}}
        for number in (1, head)
    ]
    assert decisions(await world.post(authz, body, path=PATH)) == [True, True]


async def test_a_batch_waits_for_as_many_revisions_as_are_told(world, authz):
    shard = shard_of(ACCOUNT)
    for _ in range(MOST_REVISIONS):
        await world.team.change(member(BO, "developer"))
    body = evaluation(BO, "instance:write")
    body["evaluations"] = [
        {"context": {"at_least_revision": f"team.{world.team.store.epoch}.{shard}.{number}"}}
        for number in range(1, MOST_REVISIONS + 1)
    ]
    assert decisions(await world.post(authz, body, path=PATH)) == [True] * MOST_REVISIONS


async def test_the_session_of_an_item_counts_for_this_item_only(world, authz):
    await world.identity.change(ended())
    body = evaluation(BO, "instance:write")
    subjects = [
        {"type": "user", "id": BO, "properties": each} for each in ({}, {"session_id": SESSION})
    ]
    for order in (subjects, subjects[::-1]):
        body["evaluations"] = [{"subject": each} for each in order]
        assert decisions(await world.post(authz, body, path=PATH)) == [
            each is subjects[0] for each in order
        ]


async def test_a_stale_replica_gives_no_decision_of_a_batch(world, authz):
    body = evaluation(BO, "instance:write") | {"evaluations": [{}, {"subject": 7}]}
    world.team.away = world.identity.away = True
    world.clock.skip(5)
    said = await world.post(authz, body, path=PATH)
    assert (said.status, said.body["code"]) == (503, "stale")


class Draw:
    """Random entities, also broken ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def subject(self) -> Any:
        ids = (ANA, BO, CY, "cy@platform", "CY@platform", "usr_unknown", "", 7)
        kinds = ("user", "user", "user", "api_token", "service")
        entity: dict[str, Any] = {"type": self.one(kinds), "id": self.one(ids)}
        return self.maybe_broken(entity)

    def action(self) -> Any:
        return self.maybe_broken({"name": self.one(("view", "write", "write", "fly"))})

    def resource(self) -> Any:
        properties = {
            "account_id": self.one((ACCOUNT, ACCOUNT, ACCOUNT, OTHER_ACCOUNT, "acc_x", None)),
            "project_id": self.one((PROD, None, None, "prj_x")),
            "owner_id": self.one((CY, BO, None)),
        }
        entity = {"type": self.one(("instance", "instance", "balance", "x")), "id": "i-1"}
        entity["id"] = self.one(("i-1", "i-9", "I-9"))
        return self.maybe_broken(entity | {"properties": properties})

    def context(self) -> Any:
        return self.one((None, {}, {"time": "now"}, {"at_least_revision": "x"}))

    def maybe_broken(self, entity: dict[str, Any]) -> Any:
        chance = self.random.random()
        if chance < 0.05:
            return self.one((None, "text", 5, []))
        if chance < 0.1:
            del entity[self.one(list(entity))]
        return entity

    def request(self, *, whole: float) -> dict[str, Any]:
        return {
            name: getattr(self, name)()
            for name in ("subject", "action", "resource", "context")
            if self.random.random() < whole
        }

    def one(self, choices):
        return self.random.choice(choices)


@pytest.mark.rule("T35")
async def test_a_batch_gives_what_its_items_give_alone(world, authz):
    draw = Draw(SEED)
    tokens = (None, world.client_token(BOUND_CLIENT), world.user_token(CY, SESSION))
    for _ in range(BATCHES):
        token = draw.one(tokens)
        defaults = draw.request(whole=0.7)
        if any(not isinstance(one, dict) for one in defaults.values() if one is not None):
            continue
        items = [draw.request(whole=0.4) for _ in range(draw.random.randint(1, 8))]
        said = await world.post(authz, defaults | {"evaluations": items}, path=PATH, token=token)
        assert said.status == 200, said.body
        assert len(said.body["evaluations"]) == len(items)
        for item, found in zip(items, said.body["evaluations"], strict=True):
            present = {name: one for name, one in defaults.items() if one is not None}
            alone = await world.post(authz, present | item, token=token)
            if alone.status == 200:
                assert found == alone.body, (defaults, item)
            else:
                assert found["decision"] is False
                assert found["context"]["reason"] == alone.body["code"], (defaults, item)
                assert found["context"]["error"]["status"] == alone.status


@pytest.mark.parametrize(
    ("looks", "decided"), [*((looks, False) for looks in range(1, 6)), (6, True)]
)
async def test_a_replica_that_stops_during_a_batch_gives_no_decision(looks, decided):
    """The account of a member is looked at once, and that of another user twice."""
    policy = StoppedPolicy(looks)
    ctx = context([member(BO, "developer")], policy=policy, holds=policy.holds)
    asked = [request(user) for user in (BO, CY, ANA)]

    async def batch():
        return await evaluate_each(ctx, PRINCIPAL, asked, semantic=Semantic.EXECUTE_ALL)

    if not decided:
        with pytest.raises(Stale):
            await batch()
        return
    results = await batch()
    assert [isinstance(one, Evaluated) and one.decision.allowed for one in results] == [
        True,
        False,
        False,
    ]


async def test_a_user_whose_session_ends_before_the_look_gets_no_decision():
    """It was live when the request was admitted, and the request names no session."""
    over: set[str] = set()
    ctx = context([member(BO, "developer")], over=over)
    user = UserPrincipal(user_id=UserId(BO), session_id=SessionId(SESSION), account_id=None)
    assert evaluate_now(ctx, user, request(BO)).allowed
    over.add(SESSION)
    with pytest.raises(TokenRevoked):
        evaluate_now(ctx, user, request(BO))
