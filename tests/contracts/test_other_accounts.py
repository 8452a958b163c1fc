"""No caller reaches or changes an account that they are not a member of."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from shared.contracts.facts import shard_of
from shared.http.access import Client
from shared.http.routes import Route
from shared.ids import new_id
from tests.contracts.asking import Asking, Case
from tests.contracts.people import People, Team
from tests.contracts.rows import OF_POINTS, ROWS, WITH_ACCOUNT, body_of, path_of, request
from tests.e2e.people import Person

NOTHING_THERE: dict[str, Any] = {"statuses": {404}, "code": "not-found"}
NESTED = (
    "user_id",
    "project_id",
    "invitation_id",
    "role_id",
    "guardrail_id",
    "token_id",
    "session_id",
    "identity_id",
    "passkey_id",
    "connection_id",
    "webhook_id",
    "delivery_id",
    "stream_id",
    "search_id",
    "event_id",
    "revision",
    "rid",
)
"""The path parameters that name something inside an account, or of the caller."""
FOR_CLIENTS = tuple(row for row in WITH_ACCOUNT if isinstance(row.access, Client))
FOR_USERS = tuple(row for row in WITH_ACCOUNT if row not in FOR_CLIENTS)


def sent(row: Route, people: People, person: Person, ids: dict[str, str], name: str) -> Case:
    """A good request of this person, with these ids."""
    return request(
        row,
        people,
        f"{person.name}, {name}",
        body_of(row, people),
        path=path_of(row, ids),
        token=person.token,
        **NOTHING_THERE,
    )


async def everything(team: Team) -> dict[str, Any]:
    """What the team's owner sees in it, but for what a request leaves: the log, the activity, and
    the last use of a token.
    """
    inside = f"{team.path}/projects/{team.ids['project_id']}"
    paths = {
        "account": team.path,
        "members": f"{team.path}/members?limit=200",
        "invitations": f"{team.path}/invitations?limit=200",
        "projects": f"{team.path}/projects?limit=200",
        "roles": f"{team.path}/roles?limit=200",
        "guardrails": f"{team.path}/guardrails?limit=200",
        "project": inside,
        "overrides": f"{inside}/overrides",
        "permissions": f"{team.path}/me/permissions",
        "tokens": f"{team.path}/api-tokens?limit=200",
        "resources": f"{team.path}/resources?limit=200",
    }
    found = await asyncio.gather(*(team.owner.get(path) for path in paths.values()))
    shown = dict(zip(paths, found, strict=True))
    for member in shown["members"]["items"]:
        del member["last_active_at"]
    for token in shown["tokens"]["items"]:
        del token["last_used_at"]
    return shown


def test_every_path_parameter_is_one_that_these_tables_know():
    names = {name for row in ROWS for name in row.parameters}
    assert names == {"account_id", "type", *NESTED}
    assert {row for row in ROWS if "account_id" in row.parameters} == {*WITH_ACCOUNT, *OF_POINTS}


@pytest.mark.rule("Ci12", "Ro14", "Ci5")
@pytest.mark.parametrize("who", ["stranger", "removed", "other owner"])
async def test_an_account_is_not_found_by_callers_who_are_not_members(
    asking: Asking, people: People, who: str
):
    person = {
        "stranger": people.stranger,
        "removed": people.removed,
        "other owner": people.other.owner,
    }[who]
    before = await everything(people.team)
    await asking.check(
        sent(row, people, person, people.team.ids, "the team's ids") for row in FOR_USERS
    )
    assert await everything(people.team) == before


@pytest.mark.rule("Ci12")
async def test_a_request_without_a_credential_reveals_nothing(asking: Asking, people: People):
    def cases() -> Iterator[Case]:
        for row in WITH_ACCOUNT:
            for name, ids in (
                ("there", people.team.ids),
                ("not there", people.team.ids | {"account_id": new_id("acc")}),
            ):
                yield request(
                    row,
                    people,
                    name,
                    body_of(row, people),
                    path=path_of(row, ids),
                    token=None,
                    statuses={401},
                    code="unauthenticated",
                )

    await asking.check(cases())


async def test_the_point_of_an_account_tells_others_nothing_about_it(
    asking: Asking, people: People
):
    """A user outside gets the answers of an account that does not exist."""
    stranger = people.stranger
    for row in OF_POINTS:
        answers = []
        for ids in (people.team.ids, people.team.ids | {"account_id": new_id("acc")}):
            body = body_of(row, people)
            if body is not None:
                sent_body = json.loads(body) | {"context": {}}
                sent_body["subject"] |= {"id": stranger.user_id}
                sent_body["resource"]["properties"]["account_id"] = ids["account_id"]
                body = json.dumps(sent_body).encode()
            case = request(
                row,
                people,
                "a stranger",
                body,
                path=path_of(row, ids),
                token=stranger.token,
                statuses={200, 403},
            )
            answer = await asking.send(case)
            answers.append((answer.status, answer.text.replace(ids["account_id"], "ACCOUNT")))
        assert without_request(answers[0]) == without_request(answers[1]), row.operation_id


def without_request(answer: tuple[int, str]) -> tuple[int, str]:
    """The answer without the number of its request, and of the shard that it rests on."""
    return answer[0], re.sub(r'req_[0-9a-f]{32}|"revision":"[^"]*"', "", answer[1])


async def test_a_missing_account_looks_like_one_without_access(asking: Asking, people: People):
    """Equal but for the number of the request."""
    for row in FOR_USERS:
        answers = []
        for account_id in (people.team.id, new_id("acc")):
            ids = people.team.ids | {"account_id": account_id}
            said = await asking.send(sent(row, people, people.stranger, ids, "compared"))
            body = {**said.problem, "request_id": ""}
            headers = {
                name: value
                for name, value in said.headers.items()
                if name not in {"X-Request-ID", "Rolecall-Request-ID", "Date", "Content-Length"}
            }
            answers.append((said.status, body, headers))
        assert answers[0] == answers[1], row.operation_id


def nested_cases(people: People, person: Person, inside: Team, foreign: Team) -> Iterator[Case]:
    """Each id inside of an account replaced by one of another account, one at a time."""
    for row in FOR_USERS:
        for name in row.parameters:
            if name not in NESTED:
                continue
            if name == "revision" and shard_of(inside.id) == shard_of(foreign.id):
                continue  # a receipt is one of a shard, and tells of no account
            ids = inside.ids | {name: foreign.ids[name]}
            yield sent(row, people, person, ids, f"{name} of another account")
        if set(row.parameters) & set(NESTED):
            ids = foreign.ids | {"account_id": inside.id}
            if "revision" not in row.parameters:
                yield sent(row, people, person, ids, "everything of another account")


@pytest.mark.rule("T1")
async def test_ids_of_another_account_are_not_found_even_by_members_of_both(
    asking: Asking, people: People
):
    before = await everything(people.team), await everything(people.other)
    person = people.team.owner
    await asking.check(nested_cases(people, person, people.team, people.other))
    await asking.check(nested_cases(people, person, people.other, people.team))
    assert (await everything(people.team), await everything(people.other)) == before


async def test_an_owner_cannot_reach_another_account(asking: Asking, people: People):
    before = await everything(people.team)
    person = people.other.owner
    await asking.check(nested_cases(people, person, people.other, people.team))
    mixed = people.other.ids | {"account_id": people.team.id}
    await asking.check(
        sent(row, people, person, mixed, "own things in a foreign account") for row in FOR_USERS
    )
    assert await everything(people.team) == before


@pytest.mark.rule("T1")
async def test_ids_in_queries_and_bodies_open_no_other_account(asking: Asking, people: People):
    stranger, team, other = people.stranger, people.team, people.other
    for person in (stranger, people.removed):
        body = {"account_id": team.id}
        switched = await person.send("POST", "/v1/session/switch", body)
        assert (switched.status, switched.code) == (404, "not-found")
        assert (await person.get("/v1/me"))["current_account_id"] == person.account_id
        mine = await person.get("/v1/me/accounts")
        assert [item["id"] for item in mine["items"]] == [person.account_id]
    inside = f"{team.path}/me/permissions?project={other.ids['project_id']}"
    foreign = await team.owner.send("GET", inside)
    assert (foreign.status, foreign.code) == (404, "not-found")
    log = f"{team.path}/audit-events"
    for wanted in (
        f"project={other.ids['project_id']}",
        f"resource_id={other.ids['project_id']}",
        f"resource_id={other.id}",
        f"user={people.stranger.user_id}",
        f"user={people.stranger.email}",
    ):
        assert (await team.owner.get(f"{log}?{wanted}"))["items"] == [], wanted
    named = await team.owner.get(f"{log}?limit=200")
    assert {item["account_id"] for item in named["items"]} == {team.id}


@pytest.mark.rule("Ro14", "Ci5", "T5")
async def test_a_removed_members_credentials_are_refused(asking: Asking, people: People):
    """The access token, the refresh token and the invitation of that time."""
    removed, team, spent = people.removed, people.team, people.spent
    assert spent is not None
    rows = [row for row in WITH_ACCOUNT if row.method == "GET"]
    await asking.check(sent(row, people, removed, team.ids, "held token") for row in rows)
    body = {"refresh_token": removed.refresh_token}
    again = (await removed.send("POST", "/v1/token/refresh", body)).expect(200)
    assert again["account_id"] == removed.account_id
    removed.token, removed.refresh_token = again["access_token"], again["refresh_token"]
    await asking.check(sent(row, people, removed, team.ids, "new token") for row in rows)
    accepted = await removed.send("POST", "/v1/invitations/accept", spent.body)
    assert (accepted.status, accepted.code) == (410, "invitation-not-valid")
    for permission in ("account:view", "instance:view", "member:invite"):
        type_, action = permission.split(":")
        question = {
            "subject": {"type": "user", "id": removed.user_id},
            "action": {"name": action},
            "resource": {"type": type_, "id": "i-1", "properties": {"account_id": team.id}},
        }
        asked_by_platform = await people.platform.send("POST", "/access/v1/evaluation", question)
        asked_by_themselves = await removed.send("POST", "/access/v1/evaluation", question)
        for answer in (asked_by_platform, asked_by_themselves):
            decision = answer.expect(200)
            assert decision["decision"] is False
            assert decision["context"]["reason"] == "not-a-member"


async def test_denials_to_strangers_are_in_no_log_of_an_account(asking: Asking, people: People):
    log = f"{people.team.path}/audit-events?limit=200"
    await asking.check(
        sent(row, people, people.stranger, people.team.ids, "a try") for row in FOR_USERS
    )
    items = (await people.team.owner.get(log))["items"]
    assert items
    assert people.stranger.user_id not in str(items)
    assert people.stranger.email not in str(items)
