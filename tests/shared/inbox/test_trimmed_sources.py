"""A consumer of a journal that is trimmed: it misses nothing, or says what it missed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from shared.contracts.calls.journal import ConfirmedRows, FormerEpoch
from shared.inbox.confirmations import Confirmations
from shared.journal.trim_rows import TrimRows
from tests.shared.inbox.test_inbox import SHARD
from tests.shared.inbox.test_restores import Source, projects, started
from tests.support.journal_keys import signer, trim_words

if TYPE_CHECKING:
    from shared.journal import Journal
    from shared.mongo import DbClient
    from tests.shared.inbox.conftest import Effects, JournalCalls, MakeInbox

MISSED = "A source had deleted rows before they were applied here."


@pytest.fixture
def source(client: DbClient, journal: Journal, calls: JournalCalls, database_name: str) -> Source:
    return Source(client, journal, calls, f"{database_name}_source")


async def trim(source: Source, *, until: int) -> None:
    rows = TrimRows(source.client, source.database, trim_words("team"))
    assert await rows.note_trimmed(source.journal.epoch, SHARD, until)
    await source.database["journal"].delete_many({"seq": {"$lte": until}})


def missed(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    lines = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert {line.message for line in lines} <= {MISSED}
    return [(vars(line)["places"], vars(line)["rows"]) for line in lines]


async def test_a_consumer_confirms_what_its_database_says(
    make_inbox: MakeInbox, source: Source, calls: JournalCalls
) -> None:
    inbox = make_inbox()
    await inbox.confirmations.confirm("team")
    assert calls.confirmed == [ConfirmedRows(epoch=None)]

    await source.record(0, 1, 2)
    await inbox.reconcile("team")
    await make_inbox().confirmations.confirm("team")
    epoch = source.journal.epoch
    assert calls.confirmed[-1] == ConfirmedRows(epoch=epoch, places={SHARD: 3})


async def test_a_row_that_fails_is_not_confirmed(
    make_inbox: MakeInbox, source: Source, effects: Effects, calls: JournalCalls
) -> None:
    effects.fails["prj_1"] = LookupError("poison")
    await source.record(0, 1, 2)
    inbox = make_inbox()
    await inbox.reconcile("team")
    await inbox.confirmations.confirm("team")
    assert calls.confirmed[-1].places == {SHARD: 1}


async def test_a_service_may_confirm_less_than_it_has_applied(
    make_inbox: MakeInbox, source: Source, calls: JournalCalls, client: DbClient, database_name: str
) -> None:
    async def narrow(name: str, rows: ConfirmedRows) -> ConfirmedRows:
        assert name == "team"
        return rows.model_copy(update={"places": {SHARD: 1}})

    await source.record(0, 1)
    await make_inbox().reconcile("team")
    own = client[database_name]
    await Confirmations(own, calls, ["team"], narrow=narrow).confirm("team")  # type: ignore[arg-type]
    assert calls.confirmed[-1].places == {SHARD: 1}


@pytest.mark.parametrize("marks", ["kept", "deleted"])
async def test_a_consumer_that_has_all_rows_notices_no_trimming(
    make_inbox: MakeInbox,
    source: Source,
    effects: Effects,
    caplog: pytest.LogCaptureFixture,
    marks: str,
) -> None:
    inbox, behind = make_inbox(), make_inbox()
    await behind.reconcile("team")
    await source.record(0, 1, 2)
    await inbox.reconcile("team")
    if marks == "deleted":  # the progress covers them
        await effects.names.database["inbox"].delete_many({})
    await trim(source, until=2)
    await source.record(3)
    await behind.reconcile("team")
    await (await started(make_inbox())).reconcile("team")
    assert await effects.saw() == projects(0, 1, 2, 3)
    assert missed(caplog) == []


@pytest.mark.parametrize("applied", [0, 1])
async def test_a_consumer_set_back_before_the_trimmed_place_says_what_it_lacks(
    make_inbox: MakeInbox,
    source: Source,
    effects: Effects,
    calls: JournalCalls,
    caplog: pytest.LogCaptureFixture,
    applied: int,
) -> None:
    await source.record(*range(applied))
    if applied:
        await make_inbox().reconcile("team")
    await source.record(*range(applied, 5))
    await trim(source, until=3)

    inbox = await started(make_inbox())
    for _ in range(2):
        await inbox.reconcile("team")
    await (await started(make_inbox())).reconcile("team")

    assert await effects.saw() == projects(*range(applied), 3, 4)
    assert missed(caplog) == [(f"{SHARD}: {applied + 1}-3", 3 - applied)]
    assert inbox.complete_until is not None
    await inbox.confirmations.confirm("team")
    assert calls.confirmed[-1].missed == 3 - applied
    assert calls.confirmed[-1].places == {SHARD: 5}


async def test_rows_of_a_former_epoch_that_are_trimmed_hold_nothing_up(
    make_inbox: MakeInbox,
    source: Source,
    effects: Effects,
    calls: JournalCalls,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await source.record(0)
    await make_inbox().reconcile("team")
    await source.record(1, 2)
    await source.restore()
    assert calls.restores is not None
    (stored,) = await calls.restores.refresh()
    assert await calls.restores.trim(stored) == 3
    await source.record(3)

    await calls.restores.refresh()
    await (await started(make_inbox())).reconcile("team")

    (former,) = calls.restores.former
    signatures = former.trimmed_signatures
    assert former == FormerEpoch(
        epoch=stored["_id"],
        heads={SHARD: 3},
        trimmed={SHARD: 3},
        trimmed_signatures=signatures,
    )
    assert await effects.saw() == projects(0, 3)
    assert missed(caplog) == [(f"{SHARD}: 2-3", 2)]


def other_words(epoch: str) -> dict[str, str]:
    """Signatures that are not the source's word about this place."""
    team, audit = trim_words("team"), trim_words("audit")
    return {
        "none": "",
        "no signature": "AAAA",
        "another source's": audit.sign_place(epoch, SHARD, 3),
        "of another place": team.sign_place(epoch, SHARD, 2),
        "of another shard": team.sign_place(epoch, SHARD + 1, 3),
        "of another epoch": team.sign_place("e0", SHARD, 3),
        "of a row": signer("team").signature(f"team\n{epoch}\n{SHARD}\n3".encode()),
    }


@pytest.mark.parametrize("word", other_words("e1"))
async def test_rows_are_not_passed_because_the_database_says_they_are_trimmed(
    make_inbox: MakeInbox,
    source: Source,
    effects: Effects,
    caplog: pytest.LogCaptureFixture,
    word: str,
) -> None:
    await source.record(*range(5))
    await trim(source, until=3)
    heads = source.database["heads"]
    true = await heads.find_one({"_id": SHARD})
    assert true is not None
    forged = {"trimmed_signature": other_words(source.journal.epoch)[word]}
    await heads.update_one({"_id": SHARD}, {"$set": forged})

    inbox = await started(make_inbox())
    await inbox.reconcile("team")
    assert inbox.complete_until is None
    assert inbox.applied()["team"][1] == {}
    lines = [vars(line) for line in caplog.records if line.levelno == logging.ERROR]
    assert [line["reason"] for line in lines] == ["trimmed"]

    await heads.replace_one({"_id": SHARD}, true)
    await inbox.reconcile("team")
    assert inbox.applied()["team"][1] == {SHARD: 5}
    assert await effects.saw() == projects(3, 4)
