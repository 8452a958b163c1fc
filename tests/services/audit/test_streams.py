"""Streams: every record at least once and in order, from a place that survives restarts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rolecall.audit.exports import ExportHead, verify_export
from rolecall.audit.verification import Verified
from services.audit.domain.stream_attempts import without_secret
from services.audit.domain.streams import PausedBecause, StreamStart
from services.audit.routes.stream_views import StreamView
from services.audit.use_cases.streams import WantedStream, change_stream, order_test, show_stream
from shared.contracts.facts import shard_of
from shared.contracts.team_endings import AccountDeleted, AccountReverted
from shared.contracts.topology import Service
from shared.http.outbound import Outbound
from shared.metrics import REGISTRY
from shared.mongo import DatabaseAway
from shared.problems import Invalid
from shared.receivers.attempts import ReceiverAttempt
from shared.receivers.posts import ReceiverPosts
from tests.services.audit.sealed_site import Sealing, record, signer
from tests.services.audit.site import ACCOUNT, OTHER
from tests.services.audit.streams import ANA, SECRET, Streaming, siem
from tests.services.audit.test_checkpoint_delivery import Team
from tests.services.audit.test_tails import recorded, removed
from tests.services.rows import NOON, row_of
from tests.waiting import wait_for


@pytest.fixture
def streaming(auditing, tmp_path) -> Streaming:
    auditing.ctx = replace(auditing.ctx, internal=Team())
    return Streaming(Sealing(auditing, tmp_path))


async def facts(streaming: Streaming, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(row["event"]) for row in await streaming.sealing.auditing.all("journal")]
    return [row["data"] for row in rows if row["type"] == f"audit.log_stream.{kind}.v1"]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("no room", "no room"),
        ("bad token: Bearer hidden-4f6b1c", ""),
        ("bad token: hidden-4f", ""),
        ("den-4f", ""),
    ],
)
def test_an_answer_that_repeats_the_secret_is_not_kept(answer, shown):
    attempt = ReceiverAttempt(at=NOON, milliseconds=1, status=401, answer=answer)
    assert without_secret(attempt, "Bearer hidden-4f6b1c").answer == shown
    assert without_secret(replace(attempt, answer="xyz"), "xyz").answer == ""


class SlowAtFirst:
    """Posts, of which the first one seems to take five seconds."""

    def __init__(self, posts: ReceiverPosts) -> None:
        self._posts = posts
        self._milliseconds = iter((5_000, 10))

    async def post(self, *given: Any, **named: Any) -> ReceiverAttempt:
        attempt = await self._posts.post(*given, **named)
        return replace(attempt, milliseconds=next(self._milliseconds))


async def test_a_slow_receiver_gets_no_further_batch_in_its_turn(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        await streaming.write(250)
        parts = streaming.ctx.streams
        await streaming.look(streams=replace(parts, posts=SlowAtFirst(parts.posts)))
        assert (await streaming.stored(stream)).size == 100
        await streaming.look()
        assert (await streaming.stored(stream)).size == 250


@pytest.mark.rule("Rp14")
async def test_each_record_is_sent_in_order_across_restarts_and_failures(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        ids = await streaming.write(250)
        receiver.answers = [503]
        await streaming.look()
        failed = await streaming.stored(stream)
        assert (failed.size, failed.tries) == (0, 1)
        assert failed.problem == "The receiver answered 503 and said: no room"
        await streaming.look()
        assert len(receiver.bodies) == 1, "it is not tried again before its pause is over"

        streaming.sealing.auditing.clock.ahead += timedelta(seconds=10)
        receiver.answers = [204, 500]
        await streaming.look()
        assert (await streaming.stored(stream)).size == 100
        streaming.sealing.auditing.clock.ahead += timedelta(seconds=10)
        await streaming.look()
        ids += await streaming.write(3)
        await streaming.look()
        assert [len(batch) - 2 for batch in receiver.batches] == [100, 100, 100, 100, 50, 3]
        taken = [receiver.batches[number] for number in (1, 3, 4, 5)]
        sent = [line["id"] for batch in taken for line in batch[1:-1]]
        assert sent == ids
        done = await streaming.stored(stream)
        assert (done.size, done.last, done.problem, done.tries) == (253, ids[-1], None, 0)
        await streaming.look()
        assert len(receiver.bodies) == 6, "nothing is sent again"


async def test_a_batch_is_an_export_that_proves_its_records(streaming):
    async with siem() as receiver:
        await streaming.write(40)
        stream = await streaming.make(receiver, start=StreamStart.BEGINNING)
        await streaming.look()
        [body], [headers] = receiver.bodies, receiver.headers
        lines = body.splitlines()
        head = ExportHead.read(lines[0])
        assert head is not None
        assert head.note is not None
        found = verify_export(head, lines[1:], signer().opened(ACCOUNT, head.note))
        assert found == Verified(records=40, complete=False)
        assert headers["authorization"] == SECRET
        assert headers["rolecall-stream"] == stream.id
        first = json.loads(lines[0])
        assert (first["after"], first["first"], first["size"]) == ("", 0, 40)


async def test_a_batch_whose_result_is_lost_comes_again(streaming):
    class AwayAfterwards:
        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def note_sent(self, *saved: Any) -> bool:
            raise DatabaseAway("away")

    async with siem() as receiver:
        stream = await streaming.make(receiver)
        ids = await streaming.write(5)
        await streaming.look(store=AwayAfterwards(streaming.ctx.store))
        assert (await streaming.stored(stream)).size == 0
        await streaming.look()
        assert receiver.ids == ids * 2
        assert (await streaming.stored(stream)).size == 5


async def test_a_sender_that_was_replaced_sets_no_place_back(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        ids = await streaming.write(150)

        class Replaced(ReceiverPosts):
            async def post(self, *args: Any, **named: Any) -> Any:
                await streaming.look()
                return await streaming.ctx.streams.posts.post(*args, **named)

        posts = Replaced(Outbound(), streaming.ctx.clock, user_agent="tests")
        await streaming.look(streams=replace(streaming.ctx.streams, posts=posts))
        assert (await streaming.stored(stream)).size == 150
        assert receiver.ids == [*ids, *ids[:100]], "what the former one had in hand comes again"


async def test_a_stream_begins_now_or_at_the_beginning_as_chosen(streaming):
    async with siem() as receiver:
        before = await streaming.write(3)
        stream = await streaming.make(receiver)
        after = await streaming.write(2)
        await streaming.look()
        assert receiver.ids == after
        wanted = WantedStream(start=StreamStart.BEGINNING)
        await change_stream(
            streaming.ctx, ANA, stream.account_id, stream.id, wanted=wanted, precondition=None
        )
        await streaming.look()
        assert receiver.ids == [*after, *before, *after]
        [told] = await facts(streaming, "changed")
        assert (told["data"]["changed"], told["data"]["begins"]) == (["start"], "beginning")


async def test_a_change_during_a_request_is_not_undone_by_its_result(streaming):
    async with siem() as receiver, siem() as other:
        stream = await streaming.make(receiver)
        ids = await streaming.write(2)
        moved = WantedStream(url=other.url, secret="another")

        class ChangedMeanwhile(ReceiverPosts):
            async def post(self, *args: Any, **named: Any) -> Any:
                attempt = await streaming.ctx.streams.posts.post(*args, **named)
                if not other.bodies:
                    await change_stream(
                        streaming.ctx,
                        ANA,
                        stream.account_id,
                        stream.id,
                        wanted=moved,
                        precondition=None,
                    )
                return attempt

        posts = ChangedMeanwhile(Outbound(), streaming.ctx.clock, user_agent="tests")
        await streaming.look(streams=replace(streaming.ctx.streams, posts=posts))
        assert (receiver.ids, other.ids) == (ids, ids)
        assert other.headers[0]["authorization"] == "another"


async def test_the_result_of_a_test_of_a_former_address_is_not_shown(streaming):
    async with siem() as receiver, siem() as other:
        stream = await streaming.make(receiver)
        where = (streaming.ctx, ANA, stream.account_id, stream.id)
        await order_test(*where)

        class MovedMeanwhile(ReceiverPosts):
            async def post(self, *args: Any, **named: Any) -> Any:
                attempt = await streaming.ctx.streams.posts.post(*args, **named)
                if not other.bodies:
                    moved = WantedStream(url=other.url, secret="another")
                    await change_stream(*where, wanted=moved, precondition=None)
                    assert (await streaming.stored(stream)).test_due
                return attempt

        posts = MovedMeanwhile(Outbound(), streaming.ctx.clock, user_agent="tests")
        other.status = 418
        await streaming.look(streams=replace(streaming.ctx.streams, posts=posts))
        tested = (await streaming.stored(stream)).tested
        assert (len(receiver.bodies), len(other.bodies)) == (1, 1)
        assert tested is not None
        assert tested.status == 418


async def test_a_stream_that_fails_for_days_is_paused_and_tells_managers(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        await streaming.write(1)
        receiver.status = 500
        clock = streaming.sealing.auditing.clock
        await streaming.look()
        pauses: list[timedelta] = []
        while (found := await streaming.stored(stream)).enabled and len(pauses) < 20:
            assert found.due_at is not None
            pause = found.due_at - streaming.ctx.clock.now()
            pauses.append(pause)
            clock.ahead += max(pause, timedelta(hours=6)) + timedelta(seconds=1)
            await streaming.look()
        assert pauses[0] < timedelta(seconds=7)
        assert timedelta(minutes=14) < max(pauses) <= timedelta(minutes=18)
        assert found.paused is PausedBecause.FAILING
        [told] = await facts(streaming, "paused")
        assert told["data"]["because"] == "failing"
        assert told["data"]["manager_emails"] == ["ana@example.com", "bo@example.com"]
        await streaming.look()
        assert len(receiver.bodies) == len(pauses) + 1, "nothing is sent while it is paused"


async def test_a_receiver_that_is_gone_pauses_its_stream_at_once(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        ids = await streaming.write(1)
        receiver.answers = [410]
        await streaming.look()
        assert (await streaming.stored(stream)).paused is PausedBecause.GONE
        wanted = WantedStream(enabled=True)
        await change_stream(
            streaming.ctx, ANA, stream.account_id, stream.id, wanted=wanted, precondition=None
        )
        await streaming.look()
        assert receiver.ids == ids * 2, "it goes on where it stopped"


async def test_a_stream_that_a_member_changes_meanwhile_is_not_paused(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        await streaming.write(1)
        receiver.answers = [410]

        class ChangedMeanwhile(Team):
            async def call(self, *asked, **named):
                wanted = WantedStream(name="Other")
                await change_stream(
                    streaming.ctx,
                    ANA,
                    stream.account_id,
                    stream.id,
                    wanted=wanted,
                    precondition=None,
                )
                return await super().call(*asked, **named)

        await streaming.look(internal=ChangedMeanwhile())
        assert (await streaming.stored(stream)).paused is None


async def test_a_record_that_has_ended_is_sent_as_its_hash(streaming):
    async with siem() as receiver:
        ids = await streaming.write(3)
        await streaming.make(receiver, start=StreamStart.BEGINNING)
        await streaming.sealing.auditing.database["records"].delete_one({"_id": ids[0]})
        await streaming.look()
        [batch] = receiver.batches
        assert receiver.ids == ids[1:]
        assert batch[-1] == {"type": "end", "records": 2}


async def test_streams_with_something_to_send_are_counted(streaming):
    async with siem() as receiver:
        await streaming.make(receiver)
        for written, behind in ((2, 1), (0, 0)):
            if written:
                await streaming.write(written)
            await streaming.look()
            name = "rolecall_streams_behind"
            assert REGISTRY.get_sample_value(name, {"service": Service.AUDIT}) == behind


async def test_a_place_that_the_log_does_not_have_pauses_the_stream(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        await streaming.write(2)
        for place in ({"size": 9}, {"size": 1, "last": "evt_of_another_log"}):
            await streaming.sealing.auditing.database["streams"].update_one(
                {"_id": stream.id}, {"$set": {**place, "paused": None, "open": True}}
            )
            await streaming.look()
            assert (await streaming.stored(stream)).paused is PausedBecause.SET_BACK
        assert receiver.bodies == []


async def test_a_test_is_sent_without_records_also_to_a_paused_stream(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        await streaming.write(1)
        wanted = WantedStream(enabled=False)
        await change_stream(
            streaming.ctx, ANA, stream.account_id, stream.id, wanted=wanted, precondition=None
        )
        for status in (204, 403):
            receiver.answers = [status]
            for _ in range(2):
                await order_test(streaming.ctx, ANA, stream.account_id, stream.id)
            await streaming.look()
        await streaming.look()
        assert [[line["type"] for line in batch] for batch in receiver.batches] == [["test"]] * 2
        trial = (await streaming.stored(stream)).tested
        assert trial is not None
        assert (trial.status, trial.problem) == (403, "The receiver answered 403 and said: no room")
        assert len(await facts(streaming, "tested")) == 2


@pytest.mark.rule("T26")
async def test_a_secret_is_stored_sealed_and_in_no_fact(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        assert SECRET not in str(await streaming.sealing.auditing.all("streams"))
        wanted = WantedStream(url=f"{receiver.url}?key=hidden-too", secret=f"{SECRET}2")
        await change_stream(
            streaming.ctx, ANA, stream.account_id, stream.id, wanted=wanted, precondition=None
        )
        stored = str(await streaming.sealing.auditing.all("streams"))
        told = str(await streaming.sealing.auditing.all("journal"))
        shown = StreamView.of(await show_stream(streaming.ctx, stream.account_id, stream.id))
        assert "hidden-too" in stored
        assert "log_stream.changed" in told
        assert SECRET not in stored + told + shown.model_dump_json()
        assert "hidden-too" not in told


@pytest.mark.rule("T26")
async def test_a_secret_goes_to_no_address_that_is_chosen_without_it(streaming):
    async with siem() as receiver, siem() as thief:
        stream = await streaming.make(receiver)
        wanted = WantedStream(url=thief.url)
        with pytest.raises(Invalid) as refused:
            await change_stream(
                streaming.ctx, ANA, stream.account_id, stream.id, wanted=wanted, precondition=None
            )
        assert refused.value.errors[0].pointer == "/secret"


@pytest.mark.rule("T26")
@pytest.mark.parametrize("url", ["https://10.0.0.1/x", "http://siem.example/x", "https://a:22/"])
async def test_an_address_inside_is_refused(streaming, url):
    async with siem() as receiver:
        with pytest.raises(Invalid) as refused:
            await streaming.make(receiver, url=url)
        assert refused.value.errors[0].pointer == "/url"


@pytest.mark.rule("T26")
async def test_an_address_that_leads_inside_later_gets_nothing(streaming):
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        await streaming.write(1)
        closed = ReceiverPosts(Outbound(), streaming.ctx.clock, user_agent="tests")
        await streaming.look(streams=replace(streaming.ctx.streams, posts=closed))
        await closed.close()
        assert receiver.bodies == []
        problem = (await streaming.stored(stream)).problem
        assert problem is not None
        assert "address" in problem


async def test_a_silent_receiver_holds_up_no_other(streaming):
    async with siem() as receiver:
        accounts = [ACCOUNT, OTHER]
        records = [record(seq, account=each) for seq, each in enumerate(accounts, start=1)]
        silent = await streaming.make(receiver, account=ACCOUNT)
        await streaming.make(receiver, account=OTHER)
        await streaming.sealing.add(*records)
        await streaming.sealing.applied(2)
        await streaming.sealing.sealer().round()
        freed = asyncio.Event()

        class Silent(ReceiverPosts):
            async def post(self, *args: Any, account_id: Any, **named: Any) -> Any:
                if account_id == ACCOUNT:
                    await freed.wait()
                return await streaming.ctx.streams.posts.post(*args, account_id=account_id, **named)

        posts = Silent(Outbound(), streaming.ctx.clock, user_agent="tests")
        looking = asyncio.create_task(
            streaming.look(streams=replace(streaming.ctx.streams, posts=posts))
        )
        await wait_for(lambda: receiver.bodies, what="the batch of the other account")
        assert receiver.ids == [records[1].id]
        freed.set()
        await looking
        assert (await streaming.stored(silent)).size == 1


async def test_streams_end_with_their_account_and_stop_when_it_reverts(streaming):
    auditing = streaming.sealing.auditing
    async with siem() as receiver:
        stream = await streaming.make(receiver)
        reverted = AccountReverted(account_name="Acme", owner_user_id="usr_ana", catalog="standard")
        row = row_of(reverted, account_id=ACCOUNT, shard=shard_of(ACCOUNT), seq=1)
        await auditing.take(row)
        assert (await streaming.stored(stream)).paused is PausedBecause.REVERTED
        wanted = WantedStream(enabled=True)
        await change_stream(
            streaming.ctx, ANA, stream.account_id, stream.id, wanted=wanted, precondition=None
        )
        await auditing.take(row)
        assert (await streaming.stored(stream)).enabled, "the fact is applied once"
        assert [each["_id"] for each in await auditing.all("records")] == [row.id]

        deleted = AccountDeleted(account_name="Acme", owner_user_id="usr_ana")
        await auditing.take(row_of(deleted, account_id=ACCOUNT, shard=shard_of(ACCOUNT), seq=2))
        assert await auditing.all("streams") == []
        assert len(await auditing.all("records")) == 2


NEW = {"url": "https://siem.example/x", "secret": SECRET, "name": "SIEM"}


@pytest.mark.rule("Rp15")
async def test_only_a_reader_of_the_log_lets_it_be_sent_somewhere(api):
    _, made = await api.ask("POST", "audit-streams", NEW)
    one = f"audit-streams/{made['id']}"
    api.others.denied = {"audit_log:view"}
    for method, path, body in (
        ("POST", "audit-streams", NEW),
        ("PATCH", one, {"enabled": False}),
        ("POST", f"{one}/test", None),
    ):
        status, problem = await api.ask(method, path, body)
        assert (status, problem["permission"]) == (403, "audit_log:view"), (method, path)
    api.others.denied = {"webhook:manage"}
    for method, path in (("GET", "audit-streams"), ("GET", one), ("DELETE", one)):
        status, problem = await api.ask(method, path)
        assert (status, problem["permission"]) == (403, "webhook:manage"), (method, path)
    api.others.denied = set()
    assert (await api.ask("DELETE", one))[0] == 204


async def test_a_stream_is_made_once_and_shows_its_secret_to_no_reader(api):
    answers = [
        await api.ask("POST", "audit-streams", NEW, **{"Idempotency-Key": "once"}) for _ in range(2)
    ]
    assert [status for status, _ in answers] == [201, 201]
    assert answers[0][1] == answers[1][1]
    _, listed = await api.ask("GET", "audit-streams")
    assert [each["id"] for each in listed["items"]] == [answers[0][1]["id"]]
    assert SECRET not in str([answers, listed])
    for name in ("Host", "content-length", "Rolecall-Stream", "X-Forwarded-For"):
        status, problem = await api.ask("POST", "audit-streams", NEW | {"header": name})
        assert (status, problem["errors"][0]["pointer"]) == (422, "/header")
    for value in ("a\r\nHost: b", "", "a ", "\u20ac"):
        status, problem = await api.ask("POST", "audit-streams", NEW | {"secret": value})
        assert (status, problem["errors"][0]["pointer"]) == (422, "/secret")
    for _ in range(4):
        assert (await api.ask("POST", "audit-streams", NEW))[0] == 201
    status, problem = await api.ask("POST", "audit-streams", NEW)
    assert (status, problem["code"]) == (409, "too-many-streams")


async def test_a_known_stream_is_told_anew_when_a_test_is_ordered_or_done(api):
    _, made = await api.ask("POST", "audit-streams", NEW | {"url": "https://siem.invalid/x"})
    one = f"audit-streams/{made['id']}"
    url = f"{api.service.addresses['public']}/v1/accounts/{ACCOUNT}/{one}"
    signed_in = {"Authorization": f"Bearer {api.reader_token()}"}

    async def known(tag: str) -> tuple[int, str]:
        async with api.http.get(url, headers={**signed_in, "If-None-Match": tag}) as answer:
            return answer.status, answer.headers["ETag"]

    _, tag = await known('"none"')
    assert await known(tag) == (304, tag)
    await api.ask("POST", f"{one}/test")
    assert (await known(tag))[0] == 200

    async def tested() -> bool:
        return (await api.ask("GET", one))[1]["tested"] is not None

    await wait_for(tested, what="the result of the test")
    assert (await known(tag))[0] == 200
    status, changed = await api.ask("PATCH", one, {"name": "New"}, **{"If-Match": tag})
    assert (status, changed["name"]) == (200, "New"), "no change was made since it was read"
    assert (await api.ask("PATCH", one, {"name": "Old"}, **{"If-Match": tag}))[0] == 412


async def test_a_running_audit_sends_what_happens(api):
    async with siem() as receiver:
        status, made = await api.ask("POST", "audit-streams", NEW | {"url": receiver.url})
        assert status == 201, made
        await recorded(api, row := removed())
        await wait_for(lambda: row.id in receiver.ids, what="the record")
        _, answered = await api.ask("POST", f"audit-streams/{made['id']}/test")
        assert answered["test_due"] is True
        await wait_for(lambda: receiver.tests, what="the test")
