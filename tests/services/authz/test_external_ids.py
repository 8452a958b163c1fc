"""External ids name the subject and the owner for each caller who may see members."""

from __future__ import annotations

import pytest
import pytest_asyncio

from services.authz.domain.external_ids import ExternalIds
from services.authz.routes.evaluation import EVALUATION_PATH
from tests.services.authz.conftest import evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    CY,
    DI,
    SESSION,
    account,
    member,
    resource,
)

BATCH_PATH, EXPLAIN_PATH = "/access/v1/evaluations", "/v1/authz/explain"
WHO_CAN_PATH, SEARCH_PATH = "/v1/authz/who-can", "/access/v1/search/resource"
WRITE = "instance:write"
EVE, PLAIN = "usr_" + "e" * 32, "role_" + "8" * 32
OWNS, SHARED, NO_ONE = "emp-7", "emp-8", "emp-0"
OWNER = "/resource/properties/owner_id"


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world):
    """A replica: Bo may write what is theirs, Di sees the members, and Eve does not."""
    roles = {PLAIN: {"name": "Plain", "grants": {"account": {"view": "all"}}}}
    world.team.write(account(roles=roles), member(EVE, PLAIN, external_id="emp-9"))
    world.team.write(member(BO, "basic", external_id=OWNS), member(DI, "admin"))
    world.team.write(member(CY, "basic", external_id=SHARED))
    world.team.write(member("usr_" + "f" * 32, "developer", external_id=SHARED))
    world.team.write(resource("i-1", owner_id=BO), resource("i-2", owner_id=EVE))
    async with world.replica() as running:
        yield running


async def ask(world, authz, body, path=EVALUATION_PATH, token=None):
    return await world.post(authz, body, path=path, token=token)


def of(name: str, owner: str | None = None, rid: str = "-", permission: str = WRITE):
    body = evaluation(name, permission, owner_id=owner)
    body["resource"]["id"] = rid
    return body


@pytest.mark.rule("T34")
@pytest.mark.parametrize("asking", [None, DI])
@pytest.mark.parametrize("rid", ["-", "i-1"])
async def test_who_sees_members_may_name_them_by_external_ids(world, authz, asking, rid):
    token = asking and world.user_token(asking, SESSION)
    for permission in (WRITE, "balance:view"):
        named = await ask(world, authz, of(OWNS, OWNS, rid, permission), EXPLAIN_PATH, token)
        by_id = await ask(world, authz, of(BO, BO, rid, permission), EXPLAIN_PATH, token)
        assert (named.status, named.body) == (200, by_id.body)
        assert named.body["decision"] == (permission == WRITE)


async def test_who_sees_no_members_learns_of_no_external_id(world, authz):
    eve = world.user_token(EVE, SESSION)
    for name in (OWNS, SHARED, NO_ONE, "emp-9"):
        refused = await ask(world, authz, of(name), EXPLAIN_PATH, eve)
        assert (refused.status, refused.body["code"]) == (403, "other-subject")
    answers = [
        (await ask(world, authz, of(EVE, owner, "i-1", "account:view"), path, eve)).body
        for owner in (OWNS, NO_ONE, "emp-9")
        for path in (EXPLAIN_PATH, EVALUATION_PATH)
    ]
    assert {answer["context"]["reason"] for answer in answers} == {"allowed"}
    bo = world.user_token(BO, SESSION)
    reasons = [
        (await ask(world, authz, of(BO, owner, "i-1"), EVALUATION_PATH, bo)).body["context"]
        for owner in (OWNS, "emp-9", NO_ONE)
    ]
    said = [one["reason"] for one in reasons]
    assert said == ["allowed", "resource-conflict", "resource-conflict"]
    others = await ask(world, authz, of(BO, "emp-9", "i-2"), EVALUATION_PATH, bo)
    assert others.body["context"]["reason"] == "resource-conflict", "whose it is stays unsaid"


@pytest.mark.rule("T34")
async def test_an_external_id_of_two_members_is_said_to_name_neither(world, authz):
    body = of(SHARED)
    one = await ask(world, authz, body)
    batch = await ask(world, authz, body | {"evaluations": [{}]}, BATCH_PATH)
    assert batch.body["evaluations"] == [one.body]
    assert one.body["context"]["reason"] == "subject-ambiguous"
    for token in (None, world.user_token(DI, SESSION)):
        why = await ask(world, authz, body, EXPLAIN_PATH, token)
        assert (why.body["context"]["reason"], why.body["would_allow"]) == (
            "subject-ambiguous",
            None,
        )
        told = {step["id"]: step["text"] for step in why.body["steps"]}["membership"]
        assert told == (
            f"Several members of the account have the external id {SHARED}, so it names none of"
            " them. Name the subject by the user id."
        )
    found = await ask(world, authz, body, SEARCH_PATH)
    assert found.body["context"]["reason"] == "subject-ambiguous"


async def test_a_text_that_names_no_member_gets_no_advice_to_add_one(world, authz):
    for token in (None, world.user_token(DI, SESSION)):
        why = await ask(world, authz, of(NO_ONE), EXPLAIN_PATH, token)
        assert (why.body["context"]["reason"], why.body["would_allow"]) == ("not-a-member", None)
        assert f"No member of the account has the external id {NO_ONE}." in str(why.body["steps"])
    stranger = await ask(world, authz, of("usr_" + "1" * 32), EXPLAIN_PATH)
    assert stranger.body["would_allow"] is not None


@pytest.mark.rule("T34")
async def test_an_owner_is_named_as_the_subject_is(world, authz):
    for owner, allowed in (
        (OWNS, True),
        (BO, True),
        (SHARED, False),
        (NO_ONE, False),
        (ANA, False),
    ):
        one = await ask(world, authz, of(OWNS, owner))
        assert one.body["decision"] is allowed, owner
        batch = await ask(world, authz, {"evaluations": [of(OWNS, owner)]}, BATCH_PATH)
        assert batch.body["evaluations"] == [one.body]
        found = await ask(world, authz, of(OWNS, owner), SEARCH_PATH)
        assert [each["id"] for each in found.body["results"]] == ["i-1"] * allowed
    holders = [
        (await ask(world, authz, who_can(owner), WHO_CAN_PATH)).body["items"]
        for owner in (OWNS, BO)
    ]
    assert holders[0] == holders[1]
    assert (BO, None) in {(one["user_id"], one["limited_to"]) for one in holders[0]}


def who_can(owner: str):
    return {"account_id": ACCOUNT, "permission": WRITE, "owner_id": owner}


@pytest.mark.parametrize(("owner", "told"), [(NO_ONE, "No member"), (SHARED, "Two members")])
async def test_an_owner_who_is_not_named_is_refused(world, authz, owner, told):
    for token in (None, world.user_token(DI, SESSION)):
        for path, body, pointer in (
            (EXPLAIN_PATH, of(BO, owner), OWNER),
            (WHO_CAN_PATH, who_can(owner), "/owner_id"),
        ):
            refused = await ask(world, authz, body, path, token)
            assert refused.status == 422
            [error] = refused.body["errors"]
            assert (error["pointer"], error["message"][: len(told)]) == (pointer, told)


SAYINGS: tuple[tuple[dict[str, str], str, str, bool], ...] = (
    # who has which external id, the name that is asked about, whom it names, whether several share
    ({BO: "a"}, "a", BO, False),
    ({BO: "a"}, "A", "A", False),
    ({BO: "a", CY: "a"}, "a", "a", True),
    ({BO: "a", CY: "b"}, "b", CY, False),
    ({BO: CY}, CY, CY, False),
    ({BO: CY, ANA: CY}, CY, CY, False),
    ({}, "a", "a", False),
)


@pytest.mark.rule("T34")
@pytest.mark.parametrize(("had", "name", "user", "shared"), SAYINGS)
def test_a_name_means_one_member_or_itself(had, name, user, shared):
    ids = ExternalIds()
    for user_id, external_id in had.items():
        ids.put(ACCOUNT, user_id, external_id)
    assert (ids.user(ACCOUNT, name), ids.shared(ACCOUNT, name)) == (user, shared)
    assert (ids.user("acc_other", name), ids.shared("acc_other", name)) == (name, False)
