"""Tests of given properties: each mode decides with what the other one would be told."""

import json

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from rolecall import NOTHING_GIVEN, Given, Resource, UndecidedError, decide
from rolecall.aio import Check
from rolecall.aio.local import LocalChecks, answer_of
from rolecall.cli import main
from rolecall.client.evaluations import evaluation
from rolecall.core.state import Subject
from services.authz.routes.evaluation import Evaluation, request_of
from tests.lengths import length
from tests.sdk.faulty import ALLOW, client, faulty_rolecall
from tests.sdk.streamed import Script
from tests.sdk.stub import stub_server
from tests.services.authz.histories import (
    ACCOUNT,
    BO,
    NOON,
    PROD,
    account,
    member,
    project,
    resource,
)

VIEW, DELETE = "instance:view", "instance:delete"
NOW = int(NOON.timestamp() * 1000)


def all_when(path, **test):
    return {"scope": "all", "when": {"path": path, **test}}


GRANTS = {
    "view": [
        all_when("resource.properties.status", equals="active"),
        all_when("resource.properties.project_id", equals=PROD),
        all_when("resource.properties.account_id", equals=ACCOUNT),
        all_when("subject.properties.teams", contains="red"),
        all_when("action.properties.soft", equals=True),
        all_when("context.level", equals=1),
        all_when("context.at_least_revision", equals="team.epo_1.1.1"),
    ],
    "write": [all_when("resource.properties.status", equals="active")],
}
ROLES = {
    "role_1": {"name": "R", "grants": {"instance": GRANTS}},
    "role_2": {"name": "P", "grants": {"instance": {"view": "all"}}},
}
ACTIVE, ARCHIVED = (Given(resource={"status": status}) for status in ("active", "archived"))


def told(role="role_1", *more):
    script = Script()
    script.begin(account(roles=ROLES), member(BO, role), project(), *more, account_ids=[ACCOUNT])
    return LocalChecks(script.mirror, clock=lambda: script.now, now=lambda: NOW)


def test_an_answer_counts_for_the_properties_that_were_given():
    local = told()
    kept = local.handle(BO, VIEW, account=None)
    for check in (kept.check, lambda *a, **k: local.check(BO, VIEW, *a, **k)):
        for given, reason in (
            (ACTIVE, "allowed"),
            (ARCHIVED, "condition-failed"),
            (NOTHING_GIVEN, "condition-failed"),
            (Given(context={"level": 1}), "allowed"),
            (Given(context={"level": True}), "condition-failed"),
            (Given(action={"soft": True}), "allowed"),
            (Given(subject={"teams": ["red"]}), "allowed"),
        ):
            assert check(Resource("i-1"), given=given).reason == reason
    kept = local.handle(BO, VIEW, account=ACCOUNT)
    assert kept.check(Resource("i-1")), "by the account, which this caller names"


def test_a_revision_that_a_condition_tests_is_not_forgotten():
    script = Script()
    script.begin(account(roles=ROLES), member(BO, "role_1"), account_ids=[ACCOUNT])
    script.change(project())
    kept = LocalChecks(script.mirror, clock=lambda: script.now, now=lambda: NOW).handle(
        BO, VIEW, account=None
    )
    assert kept.check(at_least_revision="team.epo_1.1.1")
    assert not kept.check()


def test_registered_properties_win_over_given_ones():
    local = told("role_1", resource("i-1", properties={"status": "archived"}))
    assert not local.check(BO, VIEW, Resource("i-1"), given=ACTIVE)
    assert local.check(BO, VIEW, Resource("i-2"), given=ACTIVE)


BAD = [
    Given(subject={"session_id": "s"}),
    Given(resource={"owner_id": BO}),
    Given(resource={"project_id": PROD}),
    Given(resource={"account_id": None}),
    Given(context={"at_least_revision": "r"}),
    Given(context={"at": "2026-01-01T00:00:00Z"}),
    Given(action={"at": NOON}),
    Given(context={"load": float("nan")}),
]


@pytest.mark.parametrize("given", BAD)
@pytest.mark.parametrize("role", ["role_1", "role_2"])
async def test_no_mode_takes_properties_that_cannot_be_sent(given, role):
    local = told(role)
    local.check(BO, VIEW, Resource("i-1"))
    with pytest.raises(UndecidedError, match="`given") as refused:
        local.check(BO, VIEW, Resource("i-1"), given=given)
    assert (refused.value.temporary, refused.value.request_refused) == (False, True)
    async with faulty_rolecall() as server, client(server) as rc:
        with pytest.raises(UndecidedError, match="`given"):
            await rc.check(BO, VIEW, given=given)
        assert server.asked == []


@pytest.mark.parametrize("role", ["role_1", "role_2"])
def test_a_caller_does_not_say_what_is_registered(role):
    local = told(role)
    claimed = Resource("i-1", properties={"status": "active"})
    local.check(BO, VIEW, Resource("i-1"))
    with pytest.raises(UndecidedError, match=r"Given\(resource"):
        local.check(BO, VIEW, claimed)
    with pytest.raises(UndecidedError, match=r"Given\(resource"):
        evaluation(BO, VIEW, claimed)


VALUES = st.recursive(
    st.sampled_from([None, True, 1, 1.0, 0, "active", "red", PROD]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.just("x"), inner),
    ),
    max_leaves=3,
)
NAMES = st.sampled_from(["status", "teams", "soft", "level"])
PARTS = st.dictionaries(NAMES, VALUES, max_size=3)


@settings(max_examples=length("GIVEN", short=40, soak=2000), deadline=None)
@examples(
    given=st.builds(Given, PARTS, PARTS, PARTS, PARTS),
    project_id=st.sampled_from([None, PROD]),
    named=st.sampled_from([None, ACCOUNT]),
    permission=st.sampled_from([VIEW, "instance:write", "instance:fly"]),
)
def test_local_mode_decides_what_rolecall_would_read_from_the_request(
    given, project_id, named, permission
):
    local, place = LOCAL, Resource("i-1", None, project_id)
    body = json.dumps(evaluation(BO, permission, place, account_id=named, given=given))
    read = request_of(Evaluation.model_validate_json(body, strict=True, extra="ignore"))
    state = local.mirror.accounts.states[ACCOUNT]
    expected = decide(state, Subject(BO), permission, read.resource, now=NOW, given=read.given)
    found = local.check(BO, permission, place, account=named, given=given)
    assert found == answer_of(expected)


LOCAL = told()


async def test_every_client_sends_what_was_given():
    given = Given({"team": "red"}, {"status": "active"}, {"soft": True}, {"ip": "10.0.0.1"})
    async with faulty_rolecall() as server, client(server) as rc:
        server.answers["/access/v1/evaluations"] = 200, {"evaluations": [ALLOW, ALLOW]}
        await rc.check(BO, DELETE, "i-1", account=ACCOUNT, given=given)
        await rc.check_many([Check(subject=BO, permission=DELETE, given=given)] * 2)
        sent = [server.asked[1].body, *server.asked[2].body["evaluations"]]
    for body in sent:
        assert body["subject"]["properties"] == {"team": "red", "session_id": None}
        assert body["action"] == {"name": "delete", "properties": {"soft": True}}
        assert body["resource"]["properties"]["status"] == "active"
        assert body["context"] == {"ip": "10.0.0.1", "at_least_revision": None}
    assert sent[0]["resource"]["properties"]["account_id"] == ACCOUNT


@pytest.fixture
def stub():
    token = json.dumps({"access_token": "t", "expires_in": 300}).encode()
    steps: dict[str, object] = {"steps": [], "would_allow": None, "could_grant": None}
    decision = json.dumps(ALLOW | steps).encode()
    with stub_server() as server:
        server.answer = lambda path, _: (200, {}, token if path == "/oauth2/token" else decision)
        yield server


OPTIONS = [
    *("--property", "status=archived", "--property", "tags:=[1, true]"),
    *("--subject-property", "mfa:=true", "--action-property", "note=a:=b"),
    *("--context", "ip=10.0.0.1", "--context", "empty="),
]


@pytest.mark.parametrize("command", ["check", "explain"])
def test_the_commands_send_properties_as_texts_or_as_json(command, stub):
    of_client = ["--url", stub.url, "--client-id", "cli_1", "--client-secret", "s"]
    assert main([command, BO, VIEW, "--account", ACCOUNT, *of_client, *OPTIONS]) == 0
    body = json.loads(stub.asked[-1][2])
    assert body["resource"]["properties"]["status"] == "archived"
    assert body["resource"]["properties"]["tags"] == [1, True]
    assert body["subject"]["properties"]["mfa"] is True
    assert body["action"]["properties"] == {"note": "a:=b"}
    assert body["context"] == {"ip": "10.0.0.1", "empty": "", "at_least_revision": None}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("status", "name=text"),
        ("=x", "name=text"),
        (":=1", "name=text"),
        ("mfa:=yes", "name:=JSON"),
        ("owner_id=usr_b", "cannot have `owner_id`"),
    ],
)
def test_a_property_of_another_form_is_refused(written, message, stub, capsys):
    of_client = ["--url", stub.url, "--client-id", "cli_1", "--client-secret", "s"]
    assert main(["check", BO, VIEW, *of_client, "--property", written]) == 2
    assert message in capsys.readouterr().err
    assert stub.asked == []
