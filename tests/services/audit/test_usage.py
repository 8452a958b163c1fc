"""Usage of members: metered by services, counted from records, read by groups."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from rolecall.client.jwk import decode, encode
from services.audit.domain.metered_usage import Cost, MeteredUsage, usage_report
from services.audit.domain.usage_sums import UsageGroup
from services.audit.store import Store
from services.audit.use_cases.ingest import Ingest
from services.audit.use_cases.usage import read_usage
from services.audit.use_cases.usage_ledger import UsageLedger
from shared.auth.principals import ClientPrincipal
from shared.contracts import identity
from shared.contracts.calls.authz import CheckResult
from shared.contracts.facts import Actor, ResourceRef, Row
from shared.contracts.team import ProjectCreated
from shared.ids import ClientId, new_id
from shared.inbox import AlreadyApplied
from shared.problems import Unavailable
from tests.services.audit.site import ACCOUNT, ANA, BO, MARKS, OTHER, PROJECT, AuditApi
from tests.services.rows import NOON, row_of
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.mongo import DbSession
    from tests.services.audit.conftest import Auditing

CLIENT = ClientPrincipal(client_id=ClientId(new_id("cli")), scopes=frozenset({"usage:write"}))
TODAY = datetime.now(UTC) - timedelta(minutes=1)
PATH = f"/v1/accounts/{ACCOUNT}/usage"


def metered(number: int = 1, **fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "id": f"u-{number}",
        "account_id": ACCOUNT,
        "user_id": BO,
        "resource": {"type": "instance", "id": "i-1"},
        "quantity": "0.1",
        "unit": "gpu_hour",
        "cost": {"amount": "0.30", "currency": "EUR"},
        "occurred_at": TODAY.isoformat(),
    }
    return given | fields


async def report(api: AuditApi, *usage: dict[str, Any]) -> list[tuple[str, str | None]]:
    status, body = await api.post("/v1/usage", {"usage": usage}, client=CLIENT)
    assert status == 200, body
    return [(one["status"], one["refusal"] and one["refusal"]["code"]) for one in body["results"]]


async def usage_of(api: AuditApi, query: str) -> list[dict[str, Any]]:
    status, body = await api.get(f"{PATH}?{query}")
    assert status == 200, body
    items: list[dict[str, Any]] = body["items"]
    return items


@pytest.mark.rule("Nv5")
async def test_members_read_what_they_did_and_used(api: AuditApi) -> None:
    verified = {"user_id": BO, "email": "bo@example.com", "account_id": OTHER, "name": "=Bo"}
    made = ProjectCreated(project_id=PROJECT, name="prod")
    by_ana = {"actor": Actor(type="user", id=ANA), "account_id": ACCOUNT, "occurred_at": TODAY}
    await api.tell(row_of(identity.UserVerified(**verified)))
    await api.tell(row_of(made, **by_ana), row_of(made, **by_ana, project_id=PROJECT))
    free = metered(4, cost=None, unit="hour", quantity="1", project_id=PROJECT)
    told = await report(
        api,
        metered(1),
        metered(2, quantity="0.2", cost={"amount": "1", "currency": "USD"}),
        metered(1),
        metered(1, quantity="7"),
        free,
        metered(5, user_id=new_id("usr")),
        metered(6, resource={"type": "member", "id": BO}),
    )
    assert told == [
        ("recorded", None),
        ("recorded", None),
        ("repeated", None),
        ("refused", "report-id-reused"),
        ("recorded", None),
        ("refused", "acting-user-unknown"),
        ("refused", "own-type"),
    ]
    assert await report(api, metered(1)) == [("repeated", None)]

    async def counted() -> bool:
        rows = await usage_of(api, "group_by=member")
        return [len(row["metered"]) for row in rows if row["metered"]] == [2]

    await wait_for(counted)
    rows = await usage_of(api, "group_by=member")
    ana, bo = sorted(rows, key=lambda row: int(row["activity"]), reverse=True)
    assert (ana["member"], ana["activity"], ana["metered"]) == (
        {"id": ANA, "name": None, "email": None, "erased": False},
        2,
        [],
    )
    assert bo["member"] == {
        "id": BO,
        "name": "=Bo",
        "email": "bo@example.com",
        "erased": False,
    }
    assert bo["activity"] == 0
    assert bo["metered"] == [
        {"unit": "gpu_hour", "quantity": "0.3"},
        {"unit": "hour", "quantity": "1"},
    ]
    assert bo["costs"] == [
        {"currency": "EUR", "amount": "0.3"},
        {"currency": "USD", "amount": "1"},
    ]
    by_project = await usage_of(api, "group_by=project,day")
    day = TODAY.date().isoformat()
    assert [(one["project_id"], one["day"], one["activity"]) for one in by_project] == [
        (None, day, 1),
        (PROJECT, day, 1),
    ]
    assert [one["member"] for one in by_project] == [None, None]
    assert await usage_of(api, "from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z") == []
    of_today = f"from={day}T00:00:00Z&to={day}T"
    assert len(await usage_of(api, f"{of_today}00:00:00.001Z")) == 2
    assert await usage_of(api, f"to={day}T00:00:00Z") == []
    await check_file(api)
    await check_faults(api)


async def check_file(api: AuditApi) -> None:
    """The file has every amount in a line of its own, and runs no name as a formula."""
    for query, accept in (("format=csv&", {}), ("", {"Accept": "text/csv, */*;q=0.1"})):
        url = f"{api.service.addresses['public']}{PATH}?{query}group_by=member"
        headers = {"Authorization": f"Bearer {api.reader_token()}"} | accept
        async with api.http.get(url, headers=headers) as response:
            assert response.content_type == "text/csv"
            assert response.headers["Content-Disposition"].startswith("attachment")
            rows = list(csv.reader(io.StringIO(await response.text(), newline="")))
        assert rows[0] == ["member", "name", "email", "measure", "unit", "amount"]
        assert {tuple(row[1:]) for row in rows[1:] if row[0] == BO} == {
            ("'=Bo", "bo@example.com", "activity", "", "0"),
            ("'=Bo", "bo@example.com", "usage", "gpu_hour", "0.3"),
            ("'=Bo", "bo@example.com", "usage", "hour", "1"),
            ("'=Bo", "bo@example.com", "cost", "EUR", "0.3"),
            ("'=Bo", "bo@example.com", "cost", "USD", "1"),
        }


FAULTS = [
    ("group_by=members", "/query/group_by"),
    ("group_by=day,", "/query/group_by"),
    ("group_by=", "/query/group_by"),
    ("from=2026-02-30T00:00:00Z", "/query/from"),
    ("from=1772700000", "/query/from"),
    ("from=2026-03-05", "/query/from"),
    ("from=2026-03-05T00:00:00Z&to=2026-03-04T00:00:00Z", "/query/to"),
    ("from=2025-03-05T00:00:00Z&to=2026-03-06T00:00:00.1Z", "/query/from"),
    ("to=0001-01-01T00:00:00Z", "/query/to"),
    ("format=xml", "/query/format"),
    ("cursor=AAAA", "/query/cursor"),
]


WRITTEN = [
    ('["","\\ud800"]', None),
    ('["","\\u0000"]', None),
    ('["",1e999]', None),
    ("[" * 1500, None),
    (None, "0001-01-01/9999-12-31"),
    (None, "2026-03-06/2026-03-05"),
    (None, "2026-03-05"),
]
"""What a caller writes into a cursor: the values of the last group, and the days."""


async def check_written_cursors(api: AuditApi) -> None:
    """A cursor is held to the rules of the query."""
    query = f"{PATH}?group_by=member,action&limit=1"
    _, page = await api.get(query)
    digest, *content = json.loads(decode(page["next_cursor"]))
    for values, days in WRITTEN:
        text = json.dumps([digest, values or content[0], days or content[1]])
        status, body = await api.get(f"{query}&cursor={encode(text.encode())}")
        pointer = body["errors"][0]["pointer"] if status == 422 else ""
        assert (status, pointer) == (422, "/query/cursor"), (values, days)


async def check_faults(api: AuditApi) -> None:
    """What does not fit names its place; who lacks the permission reads nothing."""
    for query, pointer in FAULTS:
        status, body = await api.get(f"{PATH}?{query}")
        assert (status, body["errors"][0]["pointer"]) == (422, pointer), query
    await check_written_cursors(api)
    for quantity in ("1e3", "1.", "0.1234567890123", "\uff11", "NaN", 0.1):
        body = {"usage": [metered(9, quantity=quantity)]}
        status, answer = await api.post("/v1/usage", body, client=CLIENT)
        assert (status, answer["errors"][0]["pointer"]) == (422, "/usage/0/quantity")
    api.others.decision = CheckResult(allowed=False, member=True, reason="permission-missing")
    status, body = await api.get(PATH)
    assert (status, body["permission"]) == (403, "usage:view")
    assert api.others.questions[-1].permission == "usage:view"


def random_rows(chance: random.Random) -> list[Row]:
    """Actions and metered usage of a few members, projects, days and units."""
    rows: list[Row] = []
    for number in range(80):
        user = chance.choice(("usr_a", "usr_b", "usr_c"))
        project = chance.choice((None, "prj_1"))
        at = NOON + timedelta(hours=chance.randrange(72))
        actor = Actor(type="user", id=user)
        more: dict[str, Any]
        kind = ResourceRef(type=chance.choice(("project", "instance")), id="x")
        common: dict[str, Any] = {"account_id": chance.choice(("acc_1", "acc_1", "acc_2"))}
        if number % 2:
            made = ProjectCreated(project_id="prj_1", name="prod")
            more = {"occurred_at": at, "project_id": project, "actor": actor, "resource": kind}
            rows.append(row_of(made, **common, **more))
            continue
        usage = MeteredUsage(
            id=f"u-{number}",
            **common,
            user_id=user,
            resource=kind,
            project_id=project,
            quantity=Decimal(chance.randrange(-(10**20), 10**24)).scaleb(-12),
            unit=chance.choice(("hour", "gpu_hour")),
            cost=chance.choice((None, Cost(amount=Decimal("0.1"), currency="EUR"))),
            occurred_at=at,
        )
        fact = usage_report(usage, client_id="cli_1").fact
        client = Actor(type="service_client", id="cli_1")
        more = {"resource": kind, "project_id": project, "after": fact.after, "actor": client}
        rows.append(row_of(fact.payload, **common, **more))
    return rows


def recount(records: list[dict[str, Any]], groups: Sequence[str]) -> dict[tuple[str, ...], Any]:
    """The usage by these groups, from what the audit log holds."""
    found: dict[tuple[str, ...], Any] = defaultdict(lambda: defaultdict(Decimal))
    for record in records:
        after = json.loads(record["after"] or "{}")
        is_usage = record["action"] == "usage.recorded"
        told = {
            "day": record["occurred_at"].date().isoformat(),
            "member": after["user_id"] if is_usage else record["actor"]["id"],
            "project": record["project_id"] or "",
            "resource_type": record["resource_type"],
            "action": record["action"],
        }
        row = found[tuple(told[group] for group in groups)]
        if not is_usage:
            row["activity"] += 1
            continue
        row["usage", after["unit"]] += Decimal(after["quantity"])
        if after["cost"] is not None:
            row["cost", after["currency"]] += Decimal(after["cost"])
    return found


class Mark:
    """Marks nothing: rows are told from each other by their records."""

    used = False

    async def __call__(self, session: DbSession | None) -> None:
        self.used = True

    async def save_with(self, others: Sequence[Any], session: DbSession) -> None:
        self.used = True


class Interrupted(Store):
    """A database that is gone once, after the sums and before the commit."""

    left = 1

    async def add_usage(self, *args: Any, **more: Any) -> None:
        await super().add_usage(*args, **more)
        if self.left:
            self.left -= 1
            raise Unavailable


async def test_what_a_record_adds_is_saved_with_it_or_not_at_all(auditing: Auditing) -> None:
    store = Interrupted(auditing.database)
    ingest = Ingest(auditing.client, store, auditing.clock, marks=MARKS)
    made = ProjectCreated(project_id="prj_1", name="prod")
    row = row_of(made, account_id="acc_1", actor=Actor(type="user", id="usr_a"))
    with pytest.raises(Unavailable):
        await ingest.add(row, Mark())  # type: ignore[arg-type]
    assert await auditing.all("usage_added") == []
    await ingest.add(row, Mark())  # type: ignore[arg-type]
    assert [one["sums"][0]["activity"] for one in await auditing.all("usage_added")] == [1]


class CutFold(Store):
    """A database that is gone once, when the sums have grown and before the commit."""

    left = 1

    async def fold_usage(self, **more: Any) -> bool:
        folded = await super().fold_usage(**more)
        if self.left:
            self.left -= 1
            raise Unavailable
        return folded


async def test_a_fold_that_is_cut_off_counts_nothing_twice(auditing: Auditing) -> None:
    made = ProjectCreated(project_id="prj_1", name="prod")
    for _ in range(2):
        row = row_of(made, account_id="acc_1", actor=Actor(type="user", id="usr_a"))
        await auditing.ctx.ingest.add(row, Mark())  # type: ignore[arg-type]
    ledger = UsageLedger(auditing.client, CutFold(auditing.database))
    with pytest.raises(Unavailable):
        await ledger.fold()
    assert await auditing.all("usage") == []
    await asyncio.gather(*(ledger.fold() for _ in range(4)))
    assert await auditing.all("usage_added") == []
    assert [one["activity"] for one in await auditing.all("usage")] == [2]


OF_EARLIER_VERSION = {
    "_id": "acc_1|2026-03-05|usr_a||project|project.created|||3",
    "account_id": "acc_1",
    "day": "2026-03-05",
    "member": "usr_a",
    "project": "",
    "resource_type": "project",
    "action": "project.created",
    "unit": "",
    "currency": "",
    "activity": 1,
}
COUNTED_AS_MEMBERS = [
    {**OF_EARLIER_VERSION, "_id": f"acc_1|{member}", "member": member}
    for member in ("audit", "notification", "admin-1", new_id("cli"))
]
"""Earlier versions counted services, operators and clients on whose behalf a service acted."""
COUNTED_BY_IT = {
    "after": None,
    "action": "project.created",
    "occurred_at": NOON,
    "actor": {"id": "usr_a"},
    "project_id": None,
    "resource_type": "project",
}


@pytest.mark.rule("Nv5")
async def test_usage_equals_a_recount_of_the_records(auditing: Auditing) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    rows = random_rows(chance)
    replicas = [
        Ingest(auditing.client, auditing.ctx.store, auditing.clock, marks=MARKS) for _ in range(2)
    ]
    one, other = (
        UsageLedger(auditing.client, auditing.ctx.store, documents_at_once=9, sums_at_once=3)
        for _ in range(2)
    )
    await auditing.database["usage"].insert_many([OF_EARLIER_VERSION, *COUNTED_AS_MEMBERS])
    waiting = {"_id": new_id("uad"), "sums": COUNTED_AS_MEMBERS}
    await auditing.database["usage_added"].insert_one(waiting)
    twice = rows + chance.sample(rows, 20)
    chance.shuffle(twice)

    async def add(row: Row) -> None:
        try:
            await chance.choice(replicas).add(row, Mark())  # type: ignore[arg-type]
        except AlreadyApplied:
            return

    async def record(rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), 10):
            await asyncio.gather(*map(add, rows[start : start + 10]))

    await record(twice[:40])
    await asyncio.gather(record(twice[40:60]), one.fold(), other.fold())
    await record(twice[60:])
    kept = [each for each in await auditing.all("records") if each["account_id"] == "acc_1"]
    kept.append(COUNTED_BY_IT)
    assert await auditing.all("usage_added") != []
    await compare(auditing, kept, seed)
    await asyncio.gather(one.fold(), other.fold(), compare(auditing, kept, seed))
    assert await auditing.all("usage_added") == []
    await compare(auditing, kept, seed)


async def compare(auditing: Auditing, kept: list[dict[str, Any]], seed: int) -> None:
    """Read usage by several groups, page after page; each equals the recount of the records."""
    for groups in (
        ["member"],
        ["day", "member"],
        ["project", "resource_type"],
        ["action"],
        ["member", "project", "resource_type", "day", "action"],
    ):
        found: dict[tuple[str, ...], Any] = {}
        after: list[str] | None = None
        while True:
            page = await read_usage(
                auditing.ctx,
                "acc_1",
                [UsageGroup(group) for group in groups],
                first_day="2026-03-05",
                last_day="2026-03-08",
                after=after,
                limit=5,
            )
            for row in page.rows:
                key = tuple(row.group[UsageGroup(group)] for group in groups)
                assert key not in found, (seed, key)
                found[key] = {"activity": Decimal(row.activity)} if row.activity else {}
                found[key] |= {("usage", unit): sum_ for unit, sum_ in row.quantities.items()}
                found[key] |= {("cost", unit): sum_ for unit, sum_ in row.costs.items()}
                after = list(key)
            if len(page.rows) < 5:
                break
        assert list(found) == sorted(found), seed
        assert found == recount(kept, groups), seed
