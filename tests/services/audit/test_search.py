"""The public routes of the audit log: filters, pages, permissions and records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts import identity
from shared.contracts.calls.authz import CheckRequest, CheckResult
from shared.contracts.facts import Actor, Outcome, RequestInfo, ResourceRef, Row
from shared.contracts.team import InvitationRevoked, MemberRemoved, ProjectCreated
from shared.ids import new_id
from shared.mongo import connect
from tests.patience import PATIENT
from tests.services.audit.site import (
    ACCOUNT,
    ANA,
    BO,
    OTHER,
    PROJECT,
    READER,
    READER_SESSION,
)
from tests.services.rows import NOON, row_of
from tests.waiting import wait_for

CLIENT, TOKEN = "cli_" + "1" * 32, "tok_" + "1" * 32


def removed(**fields: Any) -> Row:
    payload = MemberRemoved(
        account_name="Acme", user_id=BO, email="bo@example.com", name="Bo", role="developer"
    )
    return row_of(payload, **({"account_id": ACCOUNT} | fields))


def history() -> dict[str, Row]:
    """Six records, a minute apart, each found by another filter."""
    ana = Actor(type="user", id=ANA)
    bo = Actor(type="user", id=BO)
    revoked = InvitationRevoked(
        account_name="Acme", invitation_id="inv_1", email="c@example.com", role="basic"
    )
    project = ProjectCreated(project_id=PROJECT, name="prod")
    started = identity.SessionStarted(session_id="ses_1", user_id=BO)
    common: dict[str, Any] = {"account_id": ACCOUNT}
    rows: dict[str, Row] = {
        "signed in": row_of(
            started, **common, actor=bo, resource=ResourceRef(type="session", id="ses_1")
        ),
        "created": row_of(
            project,
            **common,
            actor=ana,
            project_id=PROJECT,
            resource=ResourceRef(type="project", id=PROJECT, name="prod"),
        ),
        "revoked": row_of(
            revoked, **common, actor=ana, resource=ResourceRef(type="invitation", id="inv_1")
        ),
        "denied": removed(
            actor=bo.model_copy(update={"token_id": TOKEN}),
            outcome=Outcome.DENIED,
            resource=ResourceRef(type="member", id=ANA),
        ),
        "removed": removed(
            actor=ana,
            resource=ResourceRef(type="member", id=BO, name="Bo"),
            before={"role": "developer"},
            request=RequestInfo(request_id="req-42", ip="203.0.113.9", user_agent="curl"),
        ),
        "left": removed(
            type="team.member.left.v1",
            actor=Actor(type="service_client", id=CLIENT, on_behalf_of=BO),
            resource=ResourceRef(type="member", id=BO),
        ),
    }
    return {
        name: row.model_copy(update={"occurred_at": NOON + timedelta(minutes=minute)})
        for minute, (name, row) in enumerate(rows.items())
    }


FILTERS = [
    ("", ["left", "removed", "denied", "revoked", "created", "signed in"]),
    (f"user={ANA}", ["removed", "revoked", "created"]),
    (f"user={BO}", ["left", "denied", "signed in"]),
    (f"user={CLIENT}", ["left"]),
    (f"through={CLIENT}", ["left"]),
    (f"through={TOKEN}", ["denied"]),
    (f"on_behalf_of={BO}", ["left"]),
    ("text=PROD", ["created"]),
    ("text=bo", ["removed"]),
    ("text=diaz", ["removed", "revoked", "created"]),
    ("text=D%C3%ADaz+ana", ["removed", "revoked", "created"]),
    ("text=ana+bo", []),
    ("text=dia", []),
    ("text=ana&resource_type=member", ["removed"]),
    (f"text=ana&user={BO}", []),
    (f"text=bo&user={ANA}", ["removed"]),
    ("text=ana&outcome=denied", []),
    (f"through={TOKEN}&request_id=req-42", []),
    (f"through={TOKEN}&user={BO}&action=member.*", ["denied"]),
    (f"user={BO}&action=s*", ["signed in"]),
    ("user=ana%40example.com", ["removed", "revoked", "created"]),
    ("user=ANA%40example.com", ["removed", "revoked", "created"]),
    ("user=unknown%40example.com", []),
    ("resource_type=member", ["left", "removed", "denied"]),
    ("resource_type=project", ["created"]),
    (f"resource_id={BO}", ["left", "removed"]),
    ("resource_id=inv_1", ["revoked"]),
    ("action=member.removed", ["removed", "denied"]),
    ("action=member.", ["left", "removed", "denied"]),
    ("action=member.*", ["left", "removed", "denied"]),
    ("action=member.re*", ["removed", "denied"]),
    ("action=member.removed*", ["removed", "denied"]),
    ("action=member.left*", ["left"]),
    ("action=member.removed.", []),
    ("action=invitation.revoked*", ["revoked"]),
    ("action=invitation.", ["revoked"]),
    ("action=s*", ["signed in"]),
    ("action=member", []),
    ("action=member.remove", []),
    ("outcome=denied", ["denied"]),
    ("outcome=succeeded", ["left", "removed", "revoked", "created", "signed in"]),
    (f"project={PROJECT}", ["created"]),
    ("request_id=req-42", ["removed"]),
    ("from=2026-03-05T12:03:00Z", ["left", "removed", "denied"]),
    ("to=2026-03-05T12:03:00Z", ["revoked", "created", "signed in"]),
    ("from=2026-03-05T12:01:00Z&to=2026-03-05T12:02:00Z", ["created"]),
    ("from=2026-03-05T13:01:00%2B01:00&to=2026-03-05T13:02:00%2B01:00", ["created"]),
    (f"user={ANA}&action=member.removed", ["removed"]),
    (f"user={ANA}&resource_type=member&resource_id={BO}&action=member.removed", ["removed"]),
    (f"user={BO}&outcome=denied&from=2026-03-05T12:00:00Z", ["denied"]),
    (f"user={BO}&resource_type=project", []),
]


@pytest.mark.rule("Rp13", "Rp14")
async def test_filters_and_combinations_find_their_records_newest_first(api):
    rows = history()
    ana = {"user_id": ANA, "email": "Ana@Example.com", "account_id": OTHER, "name": "Ana Díaz"}
    strangers = [removed(account_id=OTHER), row_of(identity.UserVerified(**ana))]
    await api.tell(*rows.values(), *strangers)
    names = {row.id: name for name, row in rows.items()}
    wrong = {}
    for query, expected in FILTERS:
        until = "" if "to=" in query else "&to=2026-03-06T00:00:00Z"
        found = [names[event_id] for event_id in await api.ids(query + until)]
        if found != expected:
            wrong[query] = found
    assert wrong == {}


@pytest.mark.rule("Rp13", "Ci14")
async def test_a_record_shows_actor_action_resource_time_and_request(api):
    row = history()["removed"]
    ana = {"user_id": ANA, "email": "Ana@Example.com", "account_id": OTHER, "name": "Ana Díaz"}
    await api.tell(row, row_of(identity.UserVerified(**ana)))
    status, shown = await api.get(f"/v1/accounts/{ACCOUNT}/audit-events/{row.id}")
    assert status == 200
    recorded_at = shown.pop("recorded_at")
    assert recorded_at > shown["occurred_at"]
    assert shown == {
        "id": row.id,
        "account_id": ACCOUNT,
        "account_rev": None,
        "occurred_at": "2026-03-05T12:04:00Z",
        "actor": {
            "type": "user",
            "id": ANA,
            "name": "Ana Díaz",
            "email": "ana@example.com",
            "session_id": None,
            "token_id": None,
            "on_behalf_of": None,
            "via": None,
        },
        "action": "member.removed",
        "resource": {"type": "member", "id": BO, "name": "Bo"},
        "project_id": None,
        "outcome": "succeeded",
        "before": {"role": "developer"},
        "after": None,
        "reason": None,
        "request_id": "req-42",
        "trace_id": None,
        "ip": "203.0.113.9",
        "user_agent": "curl",
        "change_id": row.change_id,
        "position": {
            "source": "team",
            "epoch": "e1",
            "shard": row.shard,
            "seq": row.seq,
        },
        "reported_by": None,
        "erased": [],
    }


async def test_pages_are_stable_while_records_arrive(api):
    moments = [NOON + timedelta(seconds=second // 3) for second in range(30)]
    by_ana = {"actor": Actor(type="user", id=ANA)}
    rows = [removed(occurred_at=moment, **by_ana) for moment in moments]
    await api.tell(*rows)
    wanted = [row.id for row in reversed(rows)]
    seen: list[str] = []
    query = f"limit=7&action=member.removed&user={ANA}"
    cursor = ""
    for number in range(20):
        page = await api.search(f"{query}{cursor}")
        seen += [item["id"] for item in page["items"]]
        newer = removed(occurred_at=NOON + timedelta(hours=1, seconds=number), **by_ana)
        between = removed(occurred_at=NOON + timedelta(seconds=9 - number), **by_ana)
        await api.tell(newer, between)
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen))
    assert [event_id for event_id in seen if event_id in set(wanted)] == wanted


async def test_the_last_page_has_no_cursor_even_when_it_is_full(api):
    rows = [removed(occurred_at=NOON + timedelta(seconds=second)) for second in range(4)]
    await api.tell(*rows)
    query = "limit=2&action=member.removed"
    first = await api.search(query)
    last = await api.search(f"{query}&cursor={first['next_cursor']}")
    assert [len(page["items"]) for page in (first, last)] == [2, 2]
    assert last["next_cursor"] is None


async def test_a_cursor_works_for_its_own_filters_and_account_only(api):
    await api.tell(*[removed(occurred_at=NOON + timedelta(seconds=second)) for second in range(3)])
    query = "limit=1&action=member.removed"
    first = await api.search(query)
    cursor = f"cursor={first['next_cursor']}"
    assert len((await api.search(f"limit=200&action=member.removed&{cursor}"))["items"]) == 2
    for account, asked in (
        (ACCOUNT, "limit=1"),
        (ACCOUNT, "limit=1&action=member."),
        (ACCOUNT, f"{query}&outcome=succeeded"),
        (ACCOUNT, f"{query}&to=2100-01-01T00:00:00Z"),
        (OTHER, query),
    ):
        status, problem = await api.get(f"/v1/accounts/{account}/audit-events?{asked}&{cursor}")
        assert (status, problem["code"]) == (422, "invalid"), asked
        [error] = problem["errors"]
        assert error["pointer"] == "/query/cursor"
        assert error["message"].endswith("Start again without a cursor.")


MOMENT = "Must be an RFC 3339 time with a zone, such as 2026-03-05T12:00:00Z."


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "action=*",
            "Must be an action such as `member.removed`, or its beginning with `.` or `*`",
        ),
        ("from=yesterday", MOMENT),
        ("to=2026-03-05T12", MOMENT),
        (
            "from=2026-03-05T13:01:00+01:00",
            "The `+` of the zone arrived as a blank. In a query, write it as `%2B`.",
        ),
        (
            "from=2026-03-05T13:01:00",
            "The time has no zone. Add `Z` for UTC, or an offset such as `+02:00`. In a query, w",
        ),
        (
            "from=2026-03-05T13:02:00Z&to=2026-03-05T13:01:00Z",
            "`to` is before `from`. Send a `to` that is later, or leave one out.",
        ),
    ],
)
async def test_the_message_of_a_filter_says_what_to_write(api, query, message):
    status, problem = await api.get(f"/v1/accounts/{ACCOUNT}/audit-events?{query}")
    [error] = problem["errors"]
    assert (status, error["message"][: len(message)]) == (422, message)


MISFITS = [
    ("limit=201", "/query/limit"),
    ("limit=0", "/query/limit"),
    ("limit=x", "/query/limit"),
    ("from=yesterday", "/query/from"),
    ("from=2026-03-05T12:00:00", "/query/from"),
    ("to=1", "/query/to"),
    ("from=2026-03-05T13:02:00Z&to=2026-03-05T13:01:00Z", "/query/to"),
    ("outcome=maybe", "/query/outcome"),
    ("action=member%00", "/query/action"),
    ("action=$where", "/query/action"),
    ("action=m**", "/query/action"),
    ("action=*", "/query/action"),
    ("cursor=x", "/query/cursor"),
    ("cursor=AAAA", "/query/cursor"),
    ("cursor=%7B%7D", "/query/cursor"),
    ("user=", "/query/user"),
    ("user=zoe+tag@example.com", "/query/user"),
    ("user=%20", "/query/user"),
    ("resource_id=%20", "/query/resource_id"),
    ("user=usr_x", "/query/user"),
    (f"user={BO[:-1]}", "/query/user"),
    ("project=prj_x", "/query/project"),
    (f"project={BO}", "/query/project"),
    ("user[$ne]=x", "/query/user[$ne]"),
    ("account_id=acc_1", "/query/account_id"),
    ("user=a&user=b", "/query/user"),
    ("through=tok_x", "/query/through"),
    ("on_behalf_of=usr_x", "/query/on_behalf_of"),
    ("text=", "/query/text"),
    ("text=%21%21", "/query/text"),
    ("text=" + 255 * "x", "/query/text"),
]


async def test_an_invalid_query_is_refused_with_its_pointer(api):
    for query, pointer in MISFITS:
        status, problem = await api.get(f"/v1/accounts/{ACCOUNT}/audit-events?{query}")
        assert (status, problem["code"]) == (422, "invalid"), query
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


ROUTES = [f"/v1/accounts/{ACCOUNT}/audit-events", f"/v1/accounts/{ACCOUNT}/audit-events/{{}}"]


@pytest.mark.parametrize(
    ("decision", "status", "code"),
    [
        (CheckResult(allowed=False, member=False, reason="not-a-member"), 404, "not-found"),
        (CheckResult(allowed=False, member=True, reason="none"), 403, "permission-missing"),
        (
            CheckResult(allowed=False, member=True, reason="second-factor-required"),
            403,
            "second-factor-required",
        ),
        (
            CheckResult(allowed=False, member=True, session_ended=True, reason="session-ended"),
            401,
            "token-revoked",
        ),
        (CheckResult(allowed=False, member=False, session_ended=True), 401, "token-revoked"),
        (None, 503, "unavailable"),
        ({"allowed": "certainly"}, 503, "unavailable"),
        ({}, 503, "unavailable"),
    ],
    ids=[
        "not a member",
        "a member without it",
        "a member without the second factor that is demanded",
        "a member whose session has ended",
        "not a member and the session has ended",
        "authz is stale",
        "nonsense",
        "nothing",
    ],
)
@pytest.mark.rule("Rp15")
@pytest.mark.parametrize("path", ROUTES)
async def test_a_caller_without_permission_gets_no_record(api, path, decision, status, code):
    row = removed()
    await api.tell(row)
    api.others.decision = decision
    answered, problem = await api.get(path.format(row.id))
    assert (answered, problem["code"]) == (status, code)
    assert row.id not in str(problem)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("timeouts", [replace(PATIENT, decide=0.2)])
async def test_a_search_is_503_when_authz_times_out(api, path):
    api.others.silent = True
    status, problem = await api.get(path.format(new_id("evt")))
    assert (status, problem["code"]) == (503, "unavailable")


@pytest.mark.parametrize("path", ROUTES)
async def test_without_a_token_authz_is_not_asked(api, path):
    status, problem = await api.get(path.format(new_id("evt")), reader=None)
    assert (status, problem["code"]) == (401, "unauthenticated")
    assert api.others.questions == []


@pytest.mark.rule("Rp15")
async def test_authz_is_asked_for_the_permission_in_the_account_of_the_path(api):
    await api.get(
        f"/v1/accounts/{OTHER}/audit-events", headers={"Rolecall-Revision": "team.e1.3.7"}
    )
    [question] = api.others.questions
    assert question == CheckRequest(
        user_id=READER,
        session_id="ses_" + "0" * 32,
        account_id=OTHER,
        permission="audit_log:view",
        at_least_revision="team.e1.3.7",
    )


@pytest.mark.parametrize("event_id", ["evt_" + "0" * 32, "evt_1", "inv_" + "0" * 32])
async def test_a_missing_record_is_not_found(api, event_id):
    status, problem = await api.get(f"/v1/accounts/{ACCOUNT}/audit-events/{event_id}")
    assert (status, problem["code"]) == (404, "not-found")


async def test_a_record_of_another_account_is_not_found(api):
    row = removed(account_id=OTHER)
    await api.tell(row)
    status, _ = await api.get(f"/v1/accounts/{ACCOUNT}/audit-events/{row.id}")
    assert status == 404
    status, _ = await api.get(f"/v1/accounts/{OTHER}/audit-events/{row.id}")
    assert status == 200


async def test_a_reader_is_recorded_once_per_minute(api, mongo_url, database_name):
    for _ in range(3):
        await api.search(f"user={ANA}")
    await api.get(f"/v1/accounts/{ACCOUNT}/audit-events/{new_id('evt')}")
    client = connect(mongo_url, app_name="test", timeouts=PATIENT)
    readings = await client[database_name].journal.count_documents({})
    client.close()
    # One, or two when a minute ended meanwhile.
    assert readings in {1, 2}

    async def recorded():
        items = (await api.search("action=search.performed"))["items"]
        return items if len(items) >= readings else None

    items = await wait_for(recorded, what="the reading to be recorded")
    assert items[-1]["actor"]["id"] == READER
    assert items[-1]["after"] == {"filters": {"user": ANA}}
    assert items[-1]["resource"] == {"type": "audit_log", "id": ACCOUNT, "name": None}


async def test_reading_one_record_is_recorded(api):
    row = removed()
    await api.tell(row)
    assert (await api.get(f"/v1/accounts/{ACCOUNT}/audit-events/{row.id}"))[0] == 200

    async def recorded():
        return (await api.search("action=search.performed"))["items"]

    items = await wait_for(recorded, what="the reading to be recorded")
    assert items[-1]["actor"]["id"] == READER
    assert items[-1]["after"] == {"filters": {}}  # not the search that found it


async def test_a_search_says_until_when_the_log_is_complete(api):
    async def complete():
        return (await api.search())["complete_until"]

    assert await wait_for(complete, what="every source to be compared with")


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/accounts/{ACCOUNT}/audit-events?unknown=1",
        f"/v1/accounts/{ACCOUNT}/audit-events/none",
        "/v1/accounts/none/audit-events",
        f"/v1/accounts/{OTHER}/audit-events",
    ],
)
async def test_an_ended_session_is_refused_before_its_path_is_looked_at(api, path):
    api.others.ended.add(READER_SESSION)
    status, problem = await api.get(path, headers={"Rolecall-Revision": "none"})
    assert (status, problem["code"]) == (401, "token-revoked")
    assert api.others.questions == []
