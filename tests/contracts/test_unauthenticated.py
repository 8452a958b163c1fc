"""Without a live credential each row answers the same 401, before anything else is looked at."""

import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from shared.http.access import SessionOrClient
from shared.http.routes import Route
from shared.ids import new_id
from tests.contracts.asking import Asking, Case
from tests.contracts.forging import OTHER_KEY, changed, read, sign
from tests.contracts.pairing import kind_of
from tests.contracts.people import People, Team
from tests.contracts.rows import WITH_CREDENTIAL, body_of, content_type, path_of
from tests.e2e.people import Person
from tests.pairing import pairs
from tests.waiting import wait_for

KINDS = {
    "user_id": "usr",
    "project_id": "prj",
    "invitation_id": "inv",
    "guardrail_id": "grd",
    "account_id": "acc",
}
KEY = "a-key-of-an-ended-session"
REPEATS_ITS_END = "logOut"
"""The only row that an ended session may call again: it waits until the end is in force."""


async def ended_session(people: People) -> Person:
    """The owner of the team in another session, which changed something and then ended."""
    owner = people.team.owner
    person = Person(owner.http, owner.base, name=owner.name, email=owner.email)
    await person.log_in()
    made = await person.send(
        "POST",
        f"{people.team.path}/projects",
        {"name": "Kept"},
        headers={"Idempotency-Key": KEY},
    )
    assert made.status in {201, 202, 409}
    (await person.send("POST", "/v1/logout")).expect(202, 204)

    async def refused() -> bool:
        return (await person.send("GET", "/v1/me")).status == 401

    await wait_for(refused, what="the end of the session")
    return person


def credentials(ended: Person, people: People) -> dict[str, str | None]:
    """Tokens that are not, or not any more, those of a live caller."""
    token, now = ended.token or "", int(time.time())
    header, claims = read(token)
    client_header, client_claims = read(people.platform.token or "")
    gone = new_id("cli")
    return {
        "an ended session": token,
        "an ended session's other token": sign(header, changed(claims, {"jti": new_id("tok")})),
        "a service client that does not exist": sign(
            client_header, changed(client_claims, {"sub": gone, "client_id": gone})
        ),
        "an expired token": sign(header, changed(claims, {"iat": now - 400, "exp": now - 100})),
        "another issuer": sign(header, changed(claims, {"iss": "https://evil.example"})),
        "another signer": sign(header, claims, OTHER_KEY),
        "a malformed token": "x.y.z",
        "no token": None,
    }


CODES = {
    "an ended session": "token-revoked",
    "an ended session's other token": "token-revoked",
    "a service client that does not exist": "token-revoked",
    "an expired token": "token-expired",
    "no token": "unauthenticated",
}
"""The codes of credentials; that of every other one is `token-invalid`."""


def paths(row: Route, people: People) -> dict[str, str]:
    """The row's path with ids that exist, that do not, that are another's, and that are none."""
    absent = people.team.ids | {name: new_id(prefix) for name, prefix in KINDS.items()}
    found = {
        "own ids": path_of(row, people.team.ids),
        "an unknown query": path_of(row, people.team.ids) + "?unknown=1&limit=none",
    }
    if row.parameters:
        found["absent ids"] = path_of(row, absent)
        found["another account's ids"] = path_of(row, people.team.ids | other_ids(people.other))
        found["no ids"] = path_of(row, dict.fromkeys(people.team.ids, "x"))
        found["long ids"] = path_of(row, dict.fromkeys(people.team.ids, "x" * 300))
    return found


def other_ids(team: Team) -> dict[str, str]:
    """The ids of another account."""
    return {name: value for name, value in team.ids.items() if name in KINDS}


def bodies(row: Route, people: People) -> dict[str, tuple[bytes | None, tuple[Any, ...]]]:
    """Bodies and headers: good ones, and each kind of fault that a live caller would be told."""
    good = body_of(row, people)
    json = content_type(row)
    found: dict[str, tuple[bytes | None, tuple[Any, ...]]] = {
        "a good body": (good, json),
        "a bad revision": (good, (*json, ("Rolecall-Revision", "none"))),
    }
    if row.takes is not None:
        found["broken JSON"] = (b"{", json)
        found["no body"] = (None, json)
        found["another type"] = (b"x", (("Content-Type", "text/plain"),))
        found["a large body"] = (b"[" * 100_000, json)
    if row.idempotent:
        kept = b'{"name": "Kept"}' if row.operation_id == "createProject" else good
        found["a kept answer"] = (kept, (*json, ("Idempotency-Key", KEY)))
        found["a bad key"] = (good, (*json, ("Idempotency-Key", "")))
    return found


def cases(ended: Person, people: People) -> Iterator[Case]:
    """Rows with each credential: each path with a good body, and each body once."""
    every = credentials(ended, people)

    def requests(row: Route) -> Iterator[tuple[str, str, str, bytes | None, tuple[Any, ...]]]:
        where, what = paths(row, people), bodies(row, people)
        shapes = [(name, path, *what["a good body"]) for name, path in where.items()]
        shapes += [(name, where["own ids"], *sent) for name, sent in what.items()]
        for who, shape in product(every, shapes):
            if row.operation_id != REPEATS_ITS_END or not who.startswith("an ended session"):
                yield who, *shape

    for row, (who, name, path, body, headers) in pairs(WITH_CREDENTIAL, requests, kind=kind_of):
        yield Case(
            name=f"{row.operation_id}, {who}, {name}",
            method=row.method,
            path=path,
            body=body,
            headers=headers,
            token=every[who],
            statuses={401},
            code=CODES.get(who, "token-invalid"),
        )


@pytest.mark.rule("T5")
async def test_without_a_live_credential_each_row_answers_the_same_401(
    asking: Asking, people: People
):
    ended = await ended_session(people)
    asked = list(cases(ended, people))
    await asking.check(asked)

    shown: dict[str | None, list[dict[str, Any]]] = {}
    for case in asked[:: max(1, len(asked) // 60)]:
        answer = (await asking.send(case)).problem
        shown.setdefault(case.code, []).append({**answer, "request_id": None})
    assert len(shown) > 2
    for answers in shown.values():
        assert answers == [answers[0]] * len(answers)


async def test_a_repeated_sign_out_is_answered_and_changes_nothing(people: People):
    ended = await ended_session(people)

    again = await ended.send("POST", "/v1/logout")

    assert (again.status, again.body) == (204, "")
    assert "Rolecall-Revision" not in again.headers


def test_every_row_for_users_is_among_the_cases():
    assert any(isinstance(row.access, SessionOrClient) for row in WITH_CREDENTIAL)
    assert REPEATS_ITS_END in {row.operation_id for row in WITH_CREDENTIAL}
