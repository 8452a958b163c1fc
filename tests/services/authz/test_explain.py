"""Tests of `POST /v1/authz/explain` and `POST /v1/authz/who-can`: what is told, and to whom."""

import itertools
import json
from typing import Any

import pytest
import pytest_asyncio

from rolecall.client.jwk import decode, encode
from tests.services.authz.conftest import Response, evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CY,
    DI,
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

OUTSIDER, EVE = ("usr_" + letter * 32 for letter in "ef")
"""EVE may not see the members."""
EXPLAIN, WHO_CAN = "/v1/authz/explain", "/v1/authz/who-can"
CUSTOM, PLAIN = ("role_" + number * 32 for number in "78")


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world):
    view = {"account": {"view": "all"}}
    roles = {
        CUSTOM: {"name": "Night shift", "grants": view | {"balance": {"view": "all"}}},
        PLAIN: {"name": "Plain", "grants": view},
    }
    world.team.write(account(roles=roles))
    world.team.write(member(CY, "basic"), member(DI, "admin"), member(EVE, PLAIN))
    world.team.write(override(CY, {"instance": {"write": "self"}}))
    world.team.write(resource("i-9", owner_id=BO, project_id=PROD))
    world.team.write(
        account(OTHER_ACCOUNT, owner=OUTSIDER), member(OUTSIDER, "owner", OTHER_ACCOUNT)
    )
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[ACCOUNT], resource_types=["instance"])
    )
    async with world.replica() as running:
        yield running


async def asked(world, authz, path, body, token=None, query="") -> Response:
    url = authz.addresses["public"] + path + query
    headers = {"Authorization": f"Bearer {token or world.client_token()}"}
    async with world.http.post(url, headers=headers, json=body) as answer:
        return Response(answer.status, await answer.json(content_type=None), answer.headers)


async def explained(world, authz, user, permission, token=None, **properties) -> Response:
    return await asked(world, authz, EXPLAIN, evaluation(user, permission, **properties), token)


@pytest.mark.rule("B7")
async def test_an_explanation_has_the_decision_of_the_evaluation(world, authz):
    users = [ANA, BO, CY, OUTSIDER]
    permissions = ["instance:write", "instance:fly", "balance:view", "project:view"]
    places: list[dict[str, Any]] = [
        {},
        {"project_id": PROD},
        {"project_id": "prj_x"},
        {"owner_id": CY},
        {"account_id": OTHER_ACCOUNT},
        {"account_id": "acc_x"},
        {"account_id": None},
    ]
    reasons = set()
    for user, permission, place in itertools.product(users, permissions, places):
        body = evaluation(user, permission, **place)
        of_user = world.user_token(user, SESSION)
        for token in (world.client_token(), of_user):
            said = await world.post(authz, body, token=token)
            why = await asked(world, authz, EXPLAIN, body, token)
            assert (why.status, said.status) == (200, 200)
            assert {name: why.body[name] for name in said.body} == said.body
            reasons.add(why.body["context"]["reason"])
    assert len(reasons) >= 7


async def test_a_denial_shows_its_step_what_would_allow_and_who_could(world, authz):
    found = (await explained(world, authz, BO, "balance:view")).body
    [denying] = [step for step in found["steps"] if step["result"] == "does-not-hold"]
    assert denying == {
        "id": "grants",
        "result": "does-not-hold",
        "text": "The role Developer does not grant balance:view.",
    }
    assert CUSTOM in found["would_allow"]["roles"]
    assert "Night shift" in found["would_allow"]["text"]
    assert found["would_allow"]["override"] is None
    assert [one["user_id"] for one in found["could_grant"]["items"]] == [ANA, DI]
    assert found["could_grant"]["count"] == 2


async def test_an_allowed_check_needs_no_remedy(world, authz):
    found = (await explained(world, authz, BO, "instance:write")).body
    assert {step["result"] for step in found["steps"]} == {"holds"}
    assert (found["would_allow"], found["could_grant"]) == (None, None)


async def test_an_override_that_would_allow_is_named_with_its_grants(world, authz):
    found = (await explained(world, authz, CY, "instance:write", project_id=PROD)).body
    assert found["context"]["override"] == PROD
    assert found["would_allow"]["override"] == {
        "project_id": PROD,
        "grants": {"instance": {"write": "all"}},
    }
    assert "project prod" in " ".join(step["text"] for step in found["steps"])


@pytest.mark.rule("B7")
async def test_a_member_without_the_right_sees_no_other_member_and_no_name(world, authz):
    token = world.user_token(EVE, SESSION)
    found = await explained(world, authz, EVE, "balance:view", token, project_id=PROD)
    assert found.status == 200
    assert found.body["context"]["reason"] == "permission-missing"
    assert found.body["could_grant"] is None
    text = str(found.body)
    for hidden in (ANA, BO, DI, "Night shift", CUSTOM, "project prod."):
        assert hidden not in text


async def test_the_owner_of_a_resource_is_not_told(world, authz):
    body = evaluation(CY, "instance:write")
    body["resource"]["id"] = "i-9"
    found = await asked(world, authz, EXPLAIN, body, world.user_token(CY, SESSION))
    assert found.body["context"]["reason"] == "not-owner"
    assert BO not in str(found.body)


async def test_a_member_who_sees_members_may_ask_about_another_one(world, authz):
    token = world.user_token(DI, SESSION)
    found = await explained(world, authz, BO, "balance:view", token)
    assert (found.status, found.body["context"]["reason"]) == (200, "permission-missing")
    assert found.body["could_grant"]["count"] == 2
    assert found.body["context"]["revision"]


@pytest.mark.parametrize(
    ("asking", "account_id"),
    [(EVE, ACCOUNT), (OUTSIDER, ACCOUNT), (DI, OTHER_ACCOUNT), (DI, "acc_x"), (OUTSIDER, "acc_x")],
)
async def test_others_may_not_ask_about_another_user(world, authz, asking, account_id):
    token = world.user_token(asking, SESSION)
    found = await explained(world, authz, BO, "balance:view", token, account_id=account_id)
    assert (found.status, found.body["code"]) == (403, "other-subject")


async def test_an_outsider_learns_nothing_of_an_account(world, authz):
    token = world.user_token(OUTSIDER, SESSION)
    answers = [
        (await explained(world, authz, OUTSIDER, "instance:write", token, account_id=one)).body
        for one in (ACCOUNT, "acc_x")
    ]
    assert answers[0] == answers[1]
    assert answers[0]["context"]["reason"] == "not-a-member"


async def test_an_ended_session_gets_no_explanation(world, authz):
    token = world.user_token(BO, SESSION)
    await world.identity.change(ended())
    assert (await explained(world, authz, BO, "balance:view", token)).status == 401
    assert (await explained(world, authz, CY, "balance:view", token)).status == 401


async def test_a_bound_client_asks_about_its_accounts_and_types_only(world, authz):
    token = world.client_token(BOUND_CLIENT)
    other = await explained(world, authz, BO, "instance:write", token, account_id=OTHER_ACCOUNT)
    assert (other.status, other.body["code"]) == (403, "account-not-bound")
    kind = await explained(world, authz, BO, "balance:view", token)
    assert (kind.status, kind.body["code"]) == (403, "type-not-bound")
    who = await asked(world, authz, WHO_CAN, {"permission": "balance:view"}, token)
    assert (who.status, who.body["code"]) == (403, "type-not-bound")


async def test_a_stale_replica_explains_nothing(world, authz):
    world.clock.skip(60)
    assert (await explained(world, authz, BO, "balance:view")).status == 503
    who = await asked(world, authz, WHO_CAN, {"account_id": ACCOUNT, "permission": "balance:view"})
    assert (who.status, who.body["code"]) == (503, "stale")


async def test_a_subject_of_another_type_is_explained(world, authz):
    body = evaluation(BO, "instance:write")
    body["subject"]["type"] = "robot"
    found = await asked(world, authz, EXPLAIN, body)
    assert found.body["context"]["reason"] == "subject-unknown"
    assert "robot" in str(found.body["steps"])


async def test_who_can_names_each_member_with_role_and_override(world, authz):
    body = {"account_id": ACCOUNT, "permission": "instance:write", "project_id": PROD}
    found = await asked(world, authz, WHO_CAN, body | {"owner_id": CY})
    assert [(one["user_id"], one["role"], one["override"]) for one in found.body["items"]] == [
        (ANA, "owner", None),
        (BO, "developer", None),
        (CY, "basic", PROD),
        (DI, "admin", None),
    ]
    assert found.body["items"][1]["role_title"] == "Developer"
    without = await asked(world, authz, WHO_CAN, body)
    limits = {one["user_id"]: one["limited_to"] for one in without.body["items"]}
    assert limits == {ANA: None, BO: None, CY: "self", DI: None}
    other = await asked(world, authz, WHO_CAN, body | {"owner_id": BO})
    assert [one["user_id"] for one in other.body["items"]] == [ANA, BO, DI]


async def test_who_can_lists_a_member_with_the_condition_of_the_grant(world, authz):
    when = {"path": "resource.properties.status", "equals": "active"}
    granted = override(EVE, {"instance": {"write": {"scope": "all", "when": when}}})
    await world.team.change(granted)
    await world.team.change(resource("i-a", project_id=PROD, properties={"status": "active"}))
    await world.team.change(resource("i-b", project_id=PROD, properties={"status": "done"}))
    body = {"account_id": ACCOUNT, "permission": "instance:write"}
    found: dict[str, Any] = {}
    for place in ({"project_id": PROD}, {"resource_id": "i-a"}, {"resource_id": "i-b"}):
        said = (await asked(world, authz, WHO_CAN, body | place)).body["items"]
        [found[str(place)]] = [one for one in said if one["user_id"] == EVE] or [None]
    open_, active, done = found.values()
    assert open_["limited_to"] == 'all when resource.properties.status is "active"'
    assert (active["override"], active["limited_to"], done) == (PROD, None, None)


@pytest.mark.parametrize(
    ("named", "pointer"),
    [
        ({"project_id": "prod"}, "/project_id"),
        ({"resource_id": "prj_x", "permission": "project:view"}, "/resource_id"),
        ({"resource_id": "i-9", "owner_id": CY}, "/resource_id"),
        ({"owner_id": "emp-7"}, "/owner_id"),
        ({"permission": "instance:writ"}, "/permission"),
        ({"account_id": None}, "/account_id"),
    ],
)
async def test_who_can_refuses_names_instead_of_an_empty_list(world, authz, named, pointer):
    body = {"account_id": ACCOUNT, "permission": "instance:write"} | named
    found = await asked(world, authz, WHO_CAN, body)
    assert (found.status, found.body["errors"][0]["pointer"]) == (422, pointer)


async def test_the_cursor_of_who_can_names_no_member_and_is_not_made_up(world, authz):
    body = {"account_id": ACCOUNT, "permission": "instance:view"}
    page = (await asked(world, authz, WHO_CAN, body, query="?limit=1")).body
    digest, place, rest = json.loads(decode(page["next_cursor"]))
    assert page["items"][0]["user_id"].encode() not in decode(place)
    made_up = encode(json.dumps([digest, ANA, rest]).encode())
    said = await asked(world, authz, WHO_CAN, body, query=f"?limit=1&cursor={made_up}")
    assert (said.status, said.body["errors"][0]["pointer"]) == (422, "/query/cursor")


async def test_the_cursor_of_who_can_is_of_one_question(world, authz):
    """Also if its parts are of two questions: anyone can take a cursor apart."""
    body = {"account_id": ACCOUNT, "permission": "instance:view"}
    parts = []
    for permission in ("instance:view", "instance:write"):
        body["permission"] = permission
        page = (await asked(world, authz, WHO_CAN, body, query="?limit=1")).body
        parts.append(json.loads(decode(page["next_cursor"])))
    (_, place, _), (digest, _, rest) = parts
    for made in (parts[0], [digest, place, rest]):
        cursor = encode(json.dumps(made).encode())
        said = await asked(world, authz, WHO_CAN, body, query=f"?limit=1&cursor={cursor}")
        assert (said.status, said.body["errors"][0]["pointer"]) == (422, "/query/cursor")


async def test_the_pages_of_who_can_have_every_member_once(world, authz):
    body = {"account_id": ACCOUNT, "permission": "instance:view", "owner_id": CY}
    whole = await asked(world, authz, WHO_CAN, body)
    found, cursor = [], ""
    while cursor is not None:
        query = f"?limit=1{cursor and '&cursor=' + cursor}"
        page = (await asked(world, authz, WHO_CAN, body, query=query)).body
        found += page["items"]
        cursor = page["next_cursor"]
    assert found == whole.body["items"]
    assert len(found) == 4


@pytest.mark.parametrize(
    ("asking", "account_id", "status", "code"),
    [
        (DI, ACCOUNT, 200, None),
        (EVE, ACCOUNT, 403, "permission-missing"),
        (OUTSIDER, ACCOUNT, 404, "not-found"),
        (DI, "acc_x", 404, "not-found"),
    ],
)
async def test_who_can_is_for_members_who_see_members(
    world, authz, asking, account_id, status, code
):
    body = {"account_id": account_id, "permission": "instance:view"}
    found = await asked(world, authz, WHO_CAN, body, world.user_token(asking, SESSION))
    assert (found.status, found.body.get("code")) == (status, code)


async def test_who_can_names_the_nearest_permission(world, authz):
    body = {"account_id": ACCOUNT, "permission": "instance:writ"}
    found = await asked(world, authz, WHO_CAN, body)
    assert "Did you mean instance:write?" in found.body["errors"][0]["message"]


async def test_a_condition_is_explained_by_what_the_request_says(world, authz):
    when = {"path": "context.mfa", "equals": True}
    given = override(EVE, {"instance": {"view": {"scope": "all", "when": when}}})
    await world.team.change(given)
    body = evaluation(EVE, "instance:view", project_id=PROD, context={"mfa": False})
    found = (await asked(world, authz, EXPLAIN, body)).body
    assert found["context"]["reason"] == "condition-failed"
    assert "context.mfa is true" in found["steps"][-1]["text"]
    body["context"] = {"mfa": True}
    found = (await asked(world, authz, EXPLAIN, body)).body
    assert (found["decision"], found["steps"][-1]["result"]) == (True, "holds")


async def test_who_can_of_an_account_whose_catalog_has_not_arrived_is_stale(world, authz):
    await world.team.change(account(OTHER_ACCOUNT, catalog="cat_" + "0" * 32))
    body = {"account_id": OTHER_ACCOUNT, "permission": "instance:write"}
    said = await world.post(authz, body, path=WHO_CAN)
    assert (said.status, said.body["code"]) == (503, "stale")
