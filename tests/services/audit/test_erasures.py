"""The values of a deleted user are erased in every collection, and every proof stays valid."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from rolecall.audit.exports import ExportHead, verify_export
from rolecall.audit.verification import Tampered, Verified, verify
from services.audit.domain.erasures import SETTLING
from services.audit.domain.exports import ExportFormat, JsonExport
from services.audit.domain.records import Filters, Record, record_of
from services.audit.domain.saved_searches import SavedSearch
from services.audit.domain.search_terms import terms_of
from services.audit.store import Store
from services.audit.store.records import record_in
from services.audit.use_cases.erasures import PersonEraser
from services.audit.use_cases.exports import begin_export, export_pieces
from services.audit.use_cases.proofs import sealed_page
from services.audit.use_cases.sealing import FORGED
from services.audit.use_cases.search import search
from shared.contracts.audit_erasure import RecordsErased
from shared.contracts.facts import SHARDS, Actor, Caller, RequestInfo, ResourceRef, Row
from shared.contracts.identity_erasure import UserErased
from shared.ids import AccountId, SearchId, UserId, new_id
from shared.journal import rows
from shared.mongo import transact
from tests.services.audit.sealed_site import ACCOUNT, MEMBER, OTHER, Sealing, ids_of
from tests.services.audit.site import MARKS
from tests.services.rows import EPOCH, NOON, on_the_bus, row_of
from tests.support.journal_keys import signer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

READER = Caller(
    actor=Actor(type="user", id="usr_reader"), request=RequestInfo(request_id="req_reader")
)
ZOE, HOME = "usr_zoe", "acc_home"
NAME, FORMER_NAME = "Zoe Quillfeather", "Zoe Vanderplank"
ADDRESS, FORMER = "zoe.quill@example.com", "zoe.vander@example.org"
IP, AGENT = "203.0.113.77", "Quillphone/7"
CANARIES = ("Quillfeather", "Vanderplank", "zoe.quill", "zoe.vander", IP, "Quillphone")
KEPT = ("Ana Díaz", "ana@example.com", "198.51.100.4", "Northwind")
"""What is of others, and stays."""
BY_ZOE = {
    "actor": Actor(type="user", id=ZOE, name=NAME, email=ADDRESS),
    "request": RequestInfo(request_id="req_z", ip=IP, user_agent=AGENT),
}
BY_ANA = {
    "actor": Actor(type="user", id="usr_ana", name="Ana Díaz", email="ana@example.com"),
    "request": RequestInfo(request_id="req_a", ip="198.51.100.4", user_agent="Anaphone"),
}
BY_STRANGER = {
    "actor": Actor(type="anonymous", id="anonymous"),
    "request": RequestInfo(request_id="req_s", ip=IP, user_agent=AGENT),
}


def told(kind, resource, *, by=BY_ANA, account=ACCOUNT, data=None, **fields):
    """A row of a fact of this type about this resource."""
    source = kind.partition(".")[0]
    return row_of(
        MEMBER,
        type=kind,
        source=source,
        account_id=account,
        shard=7,
        resource=ResourceRef(type=resource[0], id=resource[1], name=resource[2]),
        data=data or {},
        **by,
        **fields,
    )


def of_zoe(name, address):
    return {"user_id": ZOE, "name": name, "email": address, "account_id": HOME}


def history():
    """What the services told while Zoe was a user, and before."""
    user, bus = ("user", ZOE, NAME), "identity.user"
    facts = [
        # Found last: by a name that is hers in this account, which her former address shows.
        told(
            "team.ownership.cancelled.v1",
            ("account", OTHER, "Northwind"),
            account=OTHER,
            before={"offered_to": FORMER_NAME},
        ),
        told(
            "team.invitation.created.v1",
            ("invitation", "inv_1", FORMER),
            account=OTHER,
            after={"role": "admin", "delivery": "mail"},
        ),
        told(
            "identity.sign_up.requested.v1",
            ("sign_up", "sup_1", FORMER_NAME),
            by=BY_STRANGER,
            account=None,
            after={"email": FORMER, "name": FORMER_NAME},
        ),
        told(
            f"{bus}.signed_up.v1",
            ("user", ZOE, FORMER_NAME),
            account=HOME,
            data=of_zoe(FORMER_NAME, FORMER),
            after={"email": FORMER, "name": FORMER_NAME},
        ),
        told(
            "team.account.created.v1",
            ("account", HOME, FORMER_NAME),
            by=BY_ZOE,
            account=HOME,
            after={"kind": "personal", "name": FORMER_NAME},
        ),
        told(
            f"{bus}.renamed.v1",
            user,
            by=BY_ZOE,
            account=HOME,
            data=of_zoe(NAME, FORMER),
            before={"name": FORMER_NAME},
            after={"name": NAME},
        ),
        told(
            f"{bus}.email_changed.v1",
            user,
            by=BY_ZOE,
            account=HOME,
            data=of_zoe(NAME, ADDRESS),
            before={"email": FORMER},
            after={"email": ADDRESS},
        ),
        told(
            "identity.session.refused.v1",
            user,
            by=BY_STRANGER,
            account=HOME,
            reason="wrong-password",
        ),
        told(
            "notification.message.bounced.v1",
            ("message", "msg_1", "invitation"),
            reason=f"550 <{FORMER}>: no such mailbox",
            after={"recipient": FORMER},
        ),
        told(
            "team.member.attributes_changed.v1",
            ("member", ZOE, NAME),
            before={"attributes": {}},
            after={"attributes": {"desk": "Quillfeather 4"}, "external_id": "zoe.quill"},
        ),
        told("team.override.removed.v1", ("override", f"prj_1/{ZOE}", f"{NAME} in Northwind")),
        told(
            "team.ownership.transferred.v1",
            ("account", ACCOUNT, "Acme"),
            before={"owner_user_id": ZOE, "owner": NAME},
            after={"owner_user_id": "usr_ana", "owner": "Ana Díaz"},
        ),
        told(
            "team.ownership.cancelled.v1",
            ("account", ACCOUNT, "Acme"),
            before={"offered_to": NAME, "expires_at": "2026-03-06"},
        ),
        told("team.project.created.v1", ("project", "prj_1", "Northwind"), by=BY_ZOE),
        told(
            "audit.event.reported.v1",
            ("ticket", "tck_1", "Call Northwind back"),
            after={"to": ["x", {"mail": f"Zoe <{ADDRESS}>"}], "title": "Northwind"},
        ),
        told(
            "audit.search.performed.v1",
            ("audit_log", ACCOUNT, None),
            after={"filters": {"user": ADDRESS, "text": "quillfeather"}},
        ),
        told("team.member.removed.v1", ("member", ZOE, NAME), before={"role": "developer"}),
    ]
    return [
        each.model_copy(update={"occurred_at": NOON + timedelta(minutes=number)})
        for number, each in enumerate(facts)
    ]


def tombstone(**fields):
    return told(
        "identity.user.erased.v1",
        ("user", ZOE, None),
        by={"actor": Actor(type="user", id=ZOE), "request": BY_ZOE["request"]},
        account=HOME,
        occurred_at=NOON + timedelta(hours=1),
        data=UserErased(user_id=ZOE, account_id=HOME).model_dump(),
        **fields,
    )


class Erasing(Sealing):
    """A log with the history of a user, and erasers of it."""

    def eraser(self, *, store=None, page=10) -> PersonEraser:
        auditing = self.auditing
        return PersonEraser(
            auditing.client,
            store or self.store,
            auditing.ctx.journal,
            auditing.clock,
            MARKS,
            page_records=page,
        )

    async def take(self, *rows) -> None:
        """Record rows, together."""
        inbox = self.auditing.inbox
        await asyncio.gather(*(inbox.handle(on_the_bus(row)) for row in rows))

    async def seal(self, *, audit_epoch: str = EPOCH) -> None:
        """Seal everything that is recorded."""
        whole = {str(shard): 1_000_000 for shard in range(SHARDS)}
        for source in ("team", "identity", "notification", "audit"):
            epoch = audit_epoch if source == "audit" else EPOCH
            said = {"$set": {"epoch": epoch, "low": whole}}
            await self.auditing.database["inbox_marks"].update_one(
                {"_id": source}, said, upsert=True
            )
        await self.sealer().round()

    async def erase(self, **options) -> None:
        """Erase all that can be erased now."""
        self.auditing.clock.ahead += SETTLING
        for _ in range(40):
            if not await self.eraser(**options).round():
                return
        raise AssertionError("the eraser does not come to an end")

    async def stored(self) -> str:
        """Everything in the database but the rows of the journal."""
        database = self.auditing.database
        names = set(await database.list_collection_names()) - {"journal"}
        return json.dumps(
            {name: [each async for each in database[name].find({})] for name in sorted(names)},
            default=str,
            ensure_ascii=False,
        )

    async def export(self, tree=ACCOUNT) -> list[str]:
        page = await sealed_page(self.auditing.ctx, READER, tree, first=0, size=None)
        return [json.dumps(line) for line in page.lines]

    async def records(self) -> list[Record]:
        return [record_in(each) for each in await self.auditing.all("records")]


def left(text: str) -> list[str]:
    """The canaries that are in a text."""
    return [each for each in CANARIES if each.casefold() in text.casefold()]


@pytest.fixture
def erasing(auditing, tmp_path) -> Erasing:
    return Erasing(auditing, tmp_path)


@pytest.mark.rule("B11", "Ro17")
async def test_no_value_of_an_erased_user_is_left_and_every_proof_is_valid(erasing):
    await erasing.take(*history())
    await erasing.seal()
    trees = (ACCOUNT, OTHER, HOME, "platform")
    earlier = {tree: await erasing.checkpoint(tree) for tree in trees}
    before = await erasing.stored()
    assert left(before) == list(CANARIES)
    await erasing.take(tombstone())
    await erasing.seal()
    await erasing.erase()
    after = await erasing.stored()
    assert left(after) == []
    assert [each for each in KEPT if each not in after] == []
    for tree in (ACCOUNT, OTHER, HOME):
        lines = await erasing.lines(await erasing.checkpoint(tree), tree)
        found = verify(lines, await erasing.checkpoint(tree), [earlier[tree]])
        assert isinstance(found, Verified)
        assert found.erased > 0
    assert all(each.erased for each in await erasing.records() if each.actor.id == ZOE)
    await readers_see_what_was_erased(erasing)
    await another_change_is_refused(erasing)
    await the_log_tells_each_erased_record(erasing)


async def the_log_tells_each_erased_record(erasing) -> None:
    assert await untold(erasing, ACCOUNT) > 0, "nothing tells it yet"
    stored = await erasing.auditing.all("journal")
    own = [Row.from_event(each["event"].encode()) for each in stored]
    tell = [row for row in own if row.type == RecordsErased.type]
    await erasing.add(*(record_of(row, recorded_at=NOON) for row in tell))
    await erasing.seal(audit_epoch=tell[0].epoch)
    assert [await untold(erasing, tree) for tree in (ACCOUNT, OTHER, HOME)] == [0, 0, 0]


async def untold(erasing, tree: str) -> int:
    newest = await erasing.checkpoint(tree)
    found = verify(await erasing.lines(newest, tree), newest)
    assert isinstance(found, Verified)
    return found.untold


async def another_change_is_refused(erasing) -> None:
    lines, newest = await erasing.export(), await erasing.checkpoint()
    for number, text in enumerate(lines):
        line = json.loads(text)
        line["seal"]["erased"].popitem()
        hidden = [*lines[:number], json.dumps(line), *lines[number + 1 :]]
        assert isinstance(verify(hidden, newest), Tampered)


async def readers_see_what_was_erased(erasing) -> None:
    ctx = erasing.auditing.ctx
    for filters, number in (
        (Filters(user=ZOE), 1),
        (Filters(user=ADDRESS), 0),
        (Filters(text="quillfeather"), 0),
        (Filters(resource_id=ZOE), 2),
    ):
        page = await search(ctx, READER, ACCOUNT, filters, after=None, limit=50)
        assert len(page.records) == number, filters
        assert all(each.erased for each in page.records)
    for each in await erasing.records():
        stored = await erasing.auditing.database["records"].find_one({"_id": each.id})
        assert stored is not None
        assert stored["terms"] == terms_of(each)


async def erased_history(erasing, *told_before) -> None:
    """Record rows, seal them, and erase the user."""
    await erasing.take(*told_before)
    await erasing.take(tombstone())
    await erasing.seal()
    await erasing.erase()


async def tells(erasing) -> dict[str, int]:
    """How many records of each account the log says to be erased, in all facts together."""
    found: dict[str, int] = {}
    for stored in await erasing.auditing.all("journal"):
        event = json.loads(stored["event"])
        if event["type"] == RecordsErased.type:
            account = event["data"]["account_id"]
            found[account] = found.get(account, 0) + event["data"]["data"]["records"]
    return found


@pytest.mark.rule("Ro17")
async def test_facts_that_come_late_in_any_order_leave_no_value(erasing):
    await erasing.take(tombstone())
    await erasing.take(*reversed(history()))
    await erasing.seal()
    await erasing.erase()
    assert left(await erasing.stored()) == []
    await erasing.take(*history())
    assert left(await erasing.stored()) == []
    await erasing.seal()
    lines = await erasing.lines(await erasing.checkpoint())
    assert isinstance(verify(lines, await erasing.checkpoint()), Verified)


@pytest.mark.rule("B11")
async def test_the_eraser_waits_for_other_transactions_and_for_seals(erasing):
    await erasing.take(*history())
    await erasing.take(tombstone())
    await erasing.eraser().round()
    assert await erasing.auditing.all("erasure_state") == [{"_id": "version", "version": 2}]
    await erasing.erase()
    assert left(await erasing.stored()) != []
    await erasing.seal()
    await erasing.erase()
    assert left(await erasing.stored()) == []
    lines = await erasing.lines(await erasing.checkpoint())
    assert isinstance(verify(lines, await erasing.checkpoint()), Verified)


class Killed(Exception):  # noqa: N818 - it stands for a kill
    """Stands for kill -9 at a step."""


class KilledStore(Store):
    """A store whose process dies after a step, within its transaction if it has one."""

    step = ""

    async def end_scan(self, *given, **named):
        return await self._at("end_scan", super().end_scan(*given, **named))

    async def begin_scan(self, *given, **named):
        return await self._at("begin_scan", super().begin_scan(*given, **named))

    async def save_erased(self, *given, **named):
        return await self._at("save_erased", super().save_erased(*given, **named))

    async def add_traces(self, *given, **named):
        return await self._at("add_traces", super().add_traces(*given, **named))

    async def move_scan(self, *given, **named):
        return await self._at("move_scan", super().move_scan(*given, **named))

    async def take_count(self, *given, **named):
        return await self._at("take_count", super().take_count(*given, **named))

    async def _at(self, name, doing):
        result = await doing
        if self.step == name:
            raise Killed
        return result


async def test_an_eraser_that_is_killed_at_any_step_is_continued_by_another(erasing):
    await erasing.take(*(history()[each] for each in (1, 5, 10, 13, 16)))
    await erasing.take(tombstone())
    await erasing.seal()
    store = KilledStore(erasing.auditing.database)
    steps = ("begin_scan", "save_erased", "add_traces", "move_scan", "take_count", "end_scan")
    for store.step in steps:
        with pytest.raises(Killed):
            await erasing.erase(store=store, page=2)
    await erasing.erase(page=2)
    assert left(await erasing.stored()) == []
    assert await tells(erasing) == {ACCOUNT: 3, OTHER: 1, HOME: 1}


async def test_two_erasers_at_once_do_each_thing_once(erasing):
    await erasing.take(*history())
    await erasing.take(tombstone())
    await erasing.seal()
    erasing.auditing.clock.ahead += SETTLING
    erasers = [erasing.eraser(page=5), erasing.eraser(page=7)]
    while any(await asyncio.gather(*(each.round() for each in erasers))):
        pass
    await erasing.erase()
    assert left(await erasing.stored()) == []
    records = Counter(each.account_id for each in await erasing.records() if each.erased)
    # The record of the erasure itself had no address and no device when it was stored.
    assert await tells(erasing) == {**records, HOME: records[HOME] - 1}


class MeanwhileStore(Store):
    """A store in which something happens once, after a question was answered."""

    question = ""
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def seals(self, *given, **named):
        return await self._answer("seals", super().seals(*given, **named))

    async def search(self, *given, **named):
        return await self._answer("search", super().search(*given, **named))

    async def page_of_records(self, *given, **named):
        return await self._answer("page_of_records", super().page_of_records(*given, **named))

    async def _answer(self, name, asking):
        answer = await asking
        if name == self.question and self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return answer


async def test_a_page_that_is_read_during_the_erasure_is_valid(erasing):
    await erasing.take(*history())
    await erasing.take(tombstone())
    await erasing.seal()
    store = MeanwhileStore(erasing.auditing.database)
    store.question, store.meanwhile = "seals", erasing.erase
    erasing.auditing.ctx = replace(erasing.auditing.ctx, store=store)
    lines = await erasing.export()
    assert store.meanwhile is None
    assert isinstance(verify(lines, await erasing.checkpoint()), Verified)


async def test_an_export_that_is_read_during_the_erasure_is_valid(erasing):
    await erasing.take(*history())
    await erasing.take(tombstone())
    await erasing.seal()
    store = MeanwhileStore(erasing.auditing.database)
    store.question, store.meanwhile = "search", erasing.erase
    ctx = replace(erasing.auditing.ctx, store=store)
    export = await begin_export(
        ctx, READER, ACCOUNT, Filters(), after=None, kind=ExportFormat.JSON_LINES
    )
    pieces = [each async for each in export_pieces(ctx, export, JsonExport(), allowed)]
    lines = b"".join(pieces).decode().splitlines()
    head = ExportHead.read(lines[0])
    assert head is not None
    assert store.meanwhile is None
    found = verify_export(head, lines[1:], await erasing.checkpoint())
    assert isinstance(found, Verified)
    assert found.erased > 0


async def allowed() -> None:
    return


async def test_records_that_end_during_the_erasure_are_left_out(erasing):
    await erasing.take(*history())
    await erasing.take(tombstone())
    await erasing.seal()
    store = MeanwhileStore(erasing.auditing.database)
    removed = [each.id for each in await erasing.records() if each.account_id == ACCOUNT][:4]

    async def end() -> None:
        change = partial(store.delete_records, removed)
        await transact(erasing.auditing.client, change)

    store.question, store.meanwhile = "page_of_records", end
    await erasing.erase(store=store, page=100)
    assert left(await erasing.stored()) == []
    assert not {each.id for each in await erasing.records()} & set(removed)


async def test_an_equivocation_with_the_user_loses_its_event(erasing):
    about, other = (history()[each] for each in (-1, 13))
    other = other.model_copy(update={"actor": BY_ANA["actor"], "request": BY_ANA["request"]})
    for row in (about, other):
        second = row.model_copy(update={"seq": row.seq + 1000, "reason": "another"})
        await erasing.take(row, second)
    await erased_history(erasing)
    kept = {each["event_id"]: each["event"] for each in await erasing.auditing.all("equivocations")}
    assert kept.keys() == {about.id, other.id}
    assert kept[about.id] is None
    assert "Northwind" in kept[other.id]


async def test_an_erasure_that_is_repeated_counts_from_its_first_time(erasing):
    first = tombstone()
    again = first.model_copy(
        update={"id": new_id("evt"), "seq": first.seq + 1, "occurred_at": NOON + timedelta(days=20)}
    )
    await erasing.take(first)
    await erasing.take(again)
    [kept] = await erasing.auditing.all("erasures")
    assert kept["at"].replace(tzinfo=None) == first.occurred_at.replace(tzinfo=None)
    assert kept["open"]


async def test_traces_without_an_address_are_forgotten_too(erasing):
    await erasing.take(tombstone())
    erasures = erasing.auditing.database["erasures"]
    old = {"open": False, "addresses": [], "names": ["mark"]}
    await erasures.update_one({"_id": ZOE}, {"$set": old})
    await erasing.store.forget_traces(before=NOON + timedelta(days=400))
    assert [each["names"] for each in await erasing.auditing.all("erasures")] == [[]]


async def test_saved_searches_that_name_the_user_are_deleted(erasing):
    saved = (
        ("Zoe", ACCOUNT, {"text": "zoe quillfeather"}),
        ("Before", OTHER, {"text": FORMER}),
        ("Ana", ACCOUNT, {"text": "ana díaz"}),
        ("Denied", OTHER, {"outcome": "denied"}),
    )
    searches = [
        SavedSearch(
            id=SearchId(new_id("sch")),
            account_id=AccountId(account_id),
            created_by=UserId("usr_ana"),
            created_at=NOON,
            name=name,
            filters=filters,
            shared=True,
        )
        for name, account_id, filters in saved
    ]
    for search_ in searches:
        await transact(erasing.auditing.client, partial(erasing.store.add_search, search_))
    await erased_history(erasing, *history())
    kept = [each["name"] for each in await erasing.auditing.all("saved_searches")]
    assert sorted(kept) == ["Ana", "Denied"]


@pytest.mark.rule("B11")
@pytest.mark.parametrize(
    ("kind", "says", "less"),
    [
        ("ended", {"until": 2, "days": 30}, {"until": 1, "days": 30}),
        ("erased", {"records": 2}, {"records": 3}),
    ],
)
async def test_an_end_that_audit_did_not_sign_is_not_sealed(erasing, caplog, kind, says, less):
    """Who can write into the database puts records there that a verifier would believe."""
    unsaid, unsigned, other, genuine = (
        told(
            f"audit.records.{kind}.v1",
            ("audit_log", ACCOUNT, None),
            by={"actor": Actor(type="service", id="audit"), "request": BY_ANA["request"]},
            after=says,
        )
        for _ in range(4)
    )
    less = other.model_copy(update={"after": less})
    signed = (signer("team").sign(unsigned), signer("audit").sign(less))
    journal = erasing.auditing.database["journal"]
    await journal.insert_many(map(rows.document, (*signed, signer("audit").sign(genuine))))
    ends = (unsaid, unsigned, other, genuine)
    await erasing.add(*(record_of(each, recorded_at=NOON) for each in ends))
    with caplog.at_level(logging.ERROR):
        await erasing.seal()
        await erasing.seal()
    assert caplog.messages.count(FORGED) == 3
    assert await ids_of(erasing) == [genuine.id]


async def test_marks_of_a_person_are_deleted_when_no_fact_can_come_any_more(erasing):
    erasures, now = erasing.auditing.database["erasures"], erasing.auditing.clock.now()
    marks = {"addresses": ["a"], "names": ["n"], "lengths": [1], "accounts": [ACCOUNT]}
    for user_id, days in (("usr_old", 91), ("usr_young", 89)):
        at = now - timedelta(days=days)
        person = {"_id": user_id, "at": at, "noted_at": at, "open": False, "version": 1}
        await erasures.insert_one({**person, **marks})
    await erasing.eraser().round()
    kept = {each["_id"]: each["addresses"] for each in await erasing.auditing.all("erasures")}
    assert kept == {"usr_old": [], "usr_young": ["a"]}
