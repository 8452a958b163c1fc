"""Tests of `POST /access/v1/evaluation` and of decisions for other services."""

import json

import pytest
import pytest_asyncio

from services.authz.routes.evaluation import ROUTES as EVALUATION_ROUTES
from services.authz.routes.explain import ROUTES as EXPLAIN_ROUTES
from shared.http.examples import example_id
from shared.http.openapi import document_of
from tests.services.authz.conftest import evaluation
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
    no_member,
    override,
    resource,
    service_client,
)
from tests.support.metrics import value_of

AS_JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture(loop_scope="module")
async def authz(world):
    world.team.write(member(CY, "basic"))
    world.team.write(override(CY, {"instance": {"write": "all"}}))
    world.team.write(account(OTHER_ACCOUNT), member(CY, "owner", OTHER_ACCOUNT))
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[ACCOUNT], resource_types=["instance"])
    )
    async with world.replica() as running:
        yield running


@pytest.mark.parametrize(
    ("user", "permission", "properties", "decision", "context"),
    [
        (BO, "instance:write", {}, True, {"reason": "allowed", "role": "developer"}),
        (CY, "instance:write", {"owner_id": BO}, False, {"reason": "not-owner", "role": "basic"}),
        (CY, "instance:write", {"owner_id": CY}, True, {"reason": "allowed", "role": "basic"}),
        (CY, "instance:write", {}, False, {"reason": "owner-unknown", "role": "basic"}),
        (CY, "instance:write", {"project_id": PROD}, True, {"reason": "allowed", "override": PROD}),
        (CY, "instance:write", {"project_id": "prj_x"}, False, {"reason": "project-unknown"}),
        (BO, "balance:view", {}, False, {"reason": "permission-missing", "role": "developer"}),
        (BO, "instance:fly", {}, False, {"reason": "permission-unknown"}),
        (BO, "spaceship:write", {}, False, {"reason": "permission-unknown"}),
        (BO, "instance:write", {"account_id": OTHER_ACCOUNT}, False, {"reason": "not-a-member"}),
        (BO, "instance:write", {"account_id": "acc_x"}, False, {"reason": "no-account"}),
        (BO, "instance:write", {"account_id": None}, False, {"reason": "no-account"}),
        ("usr_unknown", "instance:write", {}, False, {"reason": "not-a-member"}),
    ],
)
async def test_a_decision_says_why(world, authz, user, permission, properties, decision, context):
    said = await world.check(authz, user, permission, of=properties)
    assert said.status == 200
    assert said.body["decision"] is decision
    shown = {name: value for name, value in said.body["context"].items() if value is not None}
    shown.pop("revision", None)
    assert shown == context


@pytest.mark.parametrize(
    "route", [*EVALUATION_ROUTES, *EXPLAIN_ROUTES], ids=lambda row: row.operation_id
)
async def test_the_example_of_the_document_is_allowed_in_a_real_account(world, authz, route):
    paths = document_of([route])["paths"]
    body = paths[route.path]["post"]["requestBody"]["content"]["application/json"]["example"]
    text = json.dumps(body).replace(example_id("acc"), ACCOUNT).replace(example_id("usr"), BO)
    path = route.path.format(account_id=ACCOUNT)
    said = await world.post(authz, text.encode(), path=path, headers=AS_JSON)
    assert (said.status, said.body["decision"]) == (200, True)


@pytest.mark.rule("Ci9")
async def test_a_right_on_a_project_is_decided_inside_the_project_that_is_named(world, authz):
    body = evaluation(CY, "project:view")
    assert (await world.post(authz, body)).body["context"]["reason"] == "project-unknown"
    body["resource"]["id"] = PROD
    said = await world.post(authz, body)
    assert said.body["decision"] is False
    assert said.body["context"]["override"] == PROD


async def test_the_answer_names_the_revision_it_rests_on(world, authz):
    said = await world.check(authz, BO, "instance:write")
    last = world.team.write(member(BO, "basic"))[0].row
    source, epoch, shard, seq = said.body["context"]["revision"].split(".")
    assert (source, epoch, int(shard), int(seq)) == (*last.position[:3], last.seq - 1)


async def test_a_subject_of_another_type_is_denied(world, authz):
    body = evaluation(BO, "instance:write")
    body["subject"]["type"] = "robot"
    said = await world.post(authz, body)
    assert (said.status, said.body["decision"]) == (200, False)
    assert said.body["context"]["reason"] == "subject-unknown"


async def test_an_ended_session_is_denied(world, authz):
    body = evaluation(BO, "instance:write")
    body["subject"]["properties"] = {"session_id": SESSION}
    assert (await world.post(authz, body)).body["decision"] is True
    await world.identity.change(ended())
    said = await world.post(authz, body)
    assert (said.body["decision"], said.body["context"]["reason"]) == (False, "session-ended")


async def test_unknown_fields_are_ignored_and_the_request_id_is_echoed(world, authz):
    body = evaluation(BO, "instance:write") | {"futureField": {"nested": True}}
    body["resource"]["properties"]["status"] = "active"
    body["action"]["properties"] = {"soft": True}
    body["context"] = {"time": "2025-06-27T18:03-07:00"}
    said = await world.post(authz, body, headers={"X-Request-ID": "r-1"})
    assert (said.status, said.body["decision"]) == (200, True)
    assert said.headers["X-Request-ID"] == "r-1"


def without(*path: str):
    body = evaluation(BO, "instance:write")
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return body


def with_(value, *path: str):
    body = evaluation(BO, "instance:write")
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (without("subject"), "bad-request"),
        (without("action"), "bad-request"),
        (without("resource"), "bad-request"),
        (without("subject", "type"), "bad-request"),
        (without("subject", "id"), "bad-request"),
        (without("action", "name"), "bad-request"),
        (without("resource", "type"), "bad-request"),
        (without("resource", "id"), "bad-request"),
        (with_("alice", "subject"), "bad-request"),
        (with_(123, "action", "name"), "bad-request"),
        (with_("", "subject", "id"), "bad-request"),
        (with_(7, "resource", "properties", "account_id"), "bad-request"),
        (with_({"at_least_revision": "yesterday"}, "context"), "bad-request"),
        (with_({"at_least_revision": "audit.e1.3.7"}, "context"), "bad-request"),
        (b'{"subject": ', "malformed-json"),
        (b'{"subject": 1, "subject": 2}', "malformed-json"),
        (b"", "body-missing"),
    ],
)
async def test_a_bad_request_is_400_with_its_request_id(world, authz, body, code):
    headers = {"X-Request-ID": "r-2"}
    if isinstance(body, bytes):
        headers["Content-Type"] = "application/json"
    said = await world.post(authz, body, headers=headers)
    assert (said.status, said.body["code"]) == (400, code)
    assert said.headers["X-Request-ID"] == "r-2"


async def test_another_content_type_is_400(world, authz):
    body = json.dumps(evaluation(BO, "instance:write")).encode()
    said = await world.post(authz, body, headers={"Content-Type": "text/plain"})
    assert (said.status, said.body["code"]) == (400, "wrong-content-type")


async def test_a_bound_client_may_only_ask_about_its_account_and_types(world, authz):
    token = world.client_token(BOUND_CLIENT)
    said = await world.check(authz, BO, "instance:write", token=token, of={"account_id": None})
    assert said.body["decision"] is True
    said = await world.check(
        authz, CY, "instance:write", token=token, of={"account_id": OTHER_ACCOUNT}
    )
    assert (said.status, said.body["code"]) == (403, "account-not-bound")
    said = await world.check(authz, BO, "balance:view", token=token)
    assert (said.status, said.body["code"]) == (403, "type-not-bound")


async def test_a_client_that_lost_its_scope_is_refused_despite_its_token(world, authz):
    await world.identity.change(service_client(scopes=["audit:write"]))
    said = await world.check(authz, BO, "instance:write")
    assert (said.status, said.body["code"]) == (403, "scope-missing")


async def test_a_stranger_does_not_learn_how_far_an_account_is(world, authz):
    token = world.user_token(DI, SESSION)
    said = await world.check(authz, DI, "instance:write", token=token)
    assert said.body["context"]["reason"] == "not-a-member"
    assert said.body["context"]["revision"] is None


async def test_a_token_without_the_scope_is_refused(world, authz):
    token = world.client_token(scopes=("audit:write",))
    said = await world.check(authz, BO, "instance:write", token=token)
    assert (said.status, said.body["code"]) == (403, "scope-missing")


async def test_a_request_without_a_valid_token_is_refused(world, authz):
    said = await world.post(authz, evaluation(BO, "instance:write"), token="none")
    assert (said.status, said.body["code"]) == (401, "token-invalid")


async def test_a_user_may_only_ask_about_themselves(world, authz):
    token = world.user_token(BO, SESSION)
    said = await world.check(authz, BO, "instance:write", token=token, of={"account_id": None})
    assert said.body["decision"] is True
    said = await world.check(authz, ANA, "instance:write", token=token)
    assert (said.status, said.body["code"]) == (403, "other-subject")
    await world.identity.change(ended())
    said = await world.check(authz, BO, "instance:write", token=token)
    assert said.status == 401


async def test_a_stale_replica_answers_stale_instead_of_old_refusals(world, authz):
    world.team.away = world.identity.away = True
    world.clock.skip(5)
    for token in (world.client_token("cli_" + "9" * 32), world.client_token(BOUND_CLIENT)):
        said = await world.check(authz, BO, "balance:view", token=token)
        assert (said.status, said.body["code"]) == (503, "stale")
    about = {"service": "authz", "method": "POST", "route": "/access/v1/evaluation"}
    assert value_of("rolecall_http_refusals_total", **about, code="stale") >= 2


@pytest.mark.parametrize("point", ["", f"/accounts/{ACCOUNT}", f"/accounts/{'acc_' + 'e' * 32}"])
async def test_the_configuration_names_every_endpoint_of_its_point(world, authz, point):
    address = f"{authz.addresses['public']}/.well-known/authzen-configuration{point}"
    async with world.http.get(address) as answer:
        own = f"https://rolecall.example{point}"
        assert await answer.json() == {
            "policy_decision_point": own,
            "access_evaluation_endpoint": f"{own}/access/v1/evaluation",
            "access_evaluations_endpoint": f"{own}/access/v1/evaluations",
            "search_subject_endpoint": f"{own}/access/v1/search/subject",
            "search_resource_endpoint": f"{own}/access/v1/search/resource",
            "search_action_endpoint": f"{own}/access/v1/search/action",
        }


async def test_the_point_of_an_account_decides_in_that_account(world, authz):
    path = f"/accounts/{ACCOUNT}/access/v1/evaluation"
    for named, reason in ((None, "allowed"), (ACCOUNT, "allowed"), ("acc_x", "resource-conflict")):
        body = evaluation(BO, "instance:write", account_id=named)
        said = await world.post(authz, body, path=path)
        assert said.body["context"]["reason"] == reason
    body = evaluation(BO, "instance:write", account_id=OTHER_ACCOUNT)
    token = world.user_token(BO, SESSION, account_id=OTHER_ACCOUNT)
    said = await world.post(authz, evaluation(BO, "instance:write"), path=path, token=token)
    assert said.body["decision"] is True
    path = path.replace(ACCOUNT, OTHER_ACCOUNT)
    said = await world.post(authz, body, path=path, token=world.client_token(BOUND_CLIENT))
    assert (said.status, said.body["code"]) == (403, "account-not-bound")
    said = await world.post(authz, body, path=path, token=world.user_token(BO, SESSION))
    assert said.body["context"]["reason"] == "not-a-member"


async def test_a_stored_property_wins_over_the_one_in_the_request(world, authz):
    open_ones = {"path": "resource.properties.status", "equals": "open"}
    grants = {
        "account": {"view": "all"},
        "instance": {"write": {"scope": "all", "when": open_ones}},
    }
    role = {"name": "Writer of open ones", "grants": grants}
    await world.team.change(account(roles={"rol_" + "1" * 32: role}))
    await world.team.change(member(BO, "rol_" + "1" * 32))
    await world.team.change(resource("i-closed", properties={"status": "closed"}))
    for rid, properties, reason in (
        ("i-closed", {"status": "open"}, "condition-failed"),
        ("i-closed", {}, "condition-failed"),
        ("i-unknown", {"status": "open"}, "allowed"),
        ("i-unknown", {}, "condition-failed"),
    ):
        body = evaluation(BO, "instance:write")
        body["resource"] |= {"id": rid}
        body["resource"]["properties"] |= properties
        assert (await world.post(authz, body)).body["context"]["reason"] == reason
        batch = {"evaluations": [body, {}], "context": {}}
        said = await world.post(authz, batch, path="/access/v1/evaluations")
        assert said.body["evaluations"][0]["context"]["reason"] == reason


@pytest.mark.rule("T34")
async def test_an_external_id_names_the_member_who_has_it(world, authz):
    said = await world.check(authz, "bo@platform", "instance:write")
    assert said.body["context"]["reason"] == "not-a-member"
    await world.team.change(member(BO, "developer", external_id="bo@platform"))
    said = await world.check(authz, "bo@platform", "instance:write")
    assert said.body["context"]["reason"] == "allowed"
    for other in ("BO@platform", "bo@platform ", "bo@plat\u017form"):
        said = await world.check(authz, other, "instance:write")
        assert said.body["context"]["reason"] == "not-a-member"
    said = await world.check(authz, "bo@platform", "instance:write", of={"account_id": "acc_x"})
    assert said.body["context"]["reason"] == "no-account"
    token = world.user_token(BO, SESSION)
    said = await world.check(authz, "bo@platform", "instance:write", token=token)
    assert said.body["code"] == "other-subject"
    await world.team.change(no_member(BO))
    await world.team.change(member(CY, "developer", external_id="bo@platform"))
    said = await world.check(authz, "bo@platform", "instance:write")
    assert said.body["context"]["reason"] == "allowed"
    await world.team.change(member(BO, "developer", external_id="bo@platform"))
    await world.team.change(member(CY, "developer", external_id="bo@platform"))
    said = await world.check(authz, "bo@platform", "instance:write")
    assert said.body["context"]["reason"] == "subject-ambiguous"


STATED = {
    "an account without them": (),
    "a membership that is suspended": (member(BO, "admin", OTHER_ACCOUNT, status="suspended"),),
    "a membership that has expired": (
        member(BO, "admin", OTHER_ACCOUNT, expires_at="2020-01-01T00:00:00Z"),
    ),
    "an account that is suspended": (account(OTHER_ACCOUNT, status="suspended"),),
}


@pytest.mark.parametrize("stated", STATED.values(), ids=STATED.keys())
async def test_a_user_outside_gets_the_answers_of_an_unknown_account(world, authz, stated):
    await world.team.change(account(OTHER_ACCOUNT))
    for policy_object in stated:
        await world.team.change(policy_object)
    token = world.user_token(BO, SESSION)
    unknown = "acc_" + "e" * 32
    for ask in (
        lambda account_id: inside(world, authz, account_id),
        lambda account_id: world.check(
            authz, BO, "audit_log:view", token=token, of={"account_id": account_id}
        ),
    ):
        found, missing = [(await ask(account_id)).body for account_id in (OTHER_ACCOUNT, unknown)]
        for body in (found, missing):
            body.get("context", body).pop("revision", None)
        assert found.get("context", found) == missing.get("context", missing)


async def test_an_ended_session_learns_of_no_account(world, authz):
    await world.team.change(account(OTHER_ACCOUNT))
    await world.identity.change(ended())
    own, others, unknown = [
        (await inside(world, authz, account_id)).body
        for account_id in (ACCOUNT, OTHER_ACCOUNT, "acc_none")
    ]
    assert own == others == unknown
    assert unknown == {
        "allowed": False,
        "member": False,
        "reason": "session-ended",
        "session_ended": True,
    }


async def inside(world, authz, account_id, *, user=BO, permission="audit_log:view"):
    """Ask as another service of the product does."""
    question = {"user_id": user, "session_id": SESSION, "account_id": account_id}
    return await world.ask_inside(authz, question | {"permission": permission})


@pytest.mark.parametrize(
    ("user", "permission", "account_id", "allowed", "is_member", "reason"),
    [
        (ANA, "audit_log:view", ACCOUNT, True, True, "allowed"),
        (BO, "audit_log:view", ACCOUNT, False, True, "permission-missing"),
        (BO, "audit_log:view", OTHER_ACCOUNT, False, False, "not-a-member"),
        (BO, "audit_log:view", "acc_none", False, False, "not-a-member"),
    ],
)
async def test_other_services_learn_membership_and_permission_separately(
    world, authz, user, permission, account_id, allowed, is_member, reason
):
    said = await inside(world, authz, account_id, user=user, permission=permission)
    assert said.status == 200
    assert said.body == {
        "allowed": allowed,
        "member": is_member,
        "reason": reason,
        "session_ended": False,
    }


async def test_other_services_are_told_when_the_replica_is_stale(world, authz):
    world.team.away = True
    world.clock.skip(5)
    said = await world.ask_inside(
        authz,
        {"user_id": ANA, "session_id": SESSION, "account_id": ACCOUNT, "permission": "x:y"},
    )
    assert (said.status, said.body["code"]) == (503, "stale")
