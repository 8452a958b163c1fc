"""The marks of erased people stay what they are when keys of audit change."""

import pytest

from services.audit.domain.erased_people import PersonMarks
from services.audit.use_cases.marks_key import open_marks_key
from shared.sealed_secrets import SealedSecrets

ADDRESS = "bo@example.com"
OLD, NEW = bytes(range(32)), bytes(32)


def secrets(key=OLD, *former):
    return SealedSecrets(key, form=b"stream secret 1", former=former)


@pytest.fixture
def opened(auditing):
    async def opened(journal_key, sealed_with):
        marks = PersonMarks(journal_key)
        await open_marks_key(auditing.ctx.store, sealed_with, marks)
        return marks

    return opened


async def test_marks_stay_when_the_key_of_the_journal_changes(opened):
    before = await opened(b"first", secrets())
    after = await opened(b"second", secrets())
    assert before.address(ADDRESS) == PersonMarks(b"first").address(ADDRESS)
    assert after.address(ADDRESS) == before.address(ADDRESS)


async def test_marks_stay_when_the_key_of_streams_changes(opened):
    before = await opened(b"first", secrets())
    after = await opened(b"second", secrets(NEW, OLD))
    assert after.address(ADDRESS) == before.address(ADDRESS)


async def test_the_database_tells_no_key_of_marks(opened, auditing):
    marks = await opened(b"first", secrets())
    kept = repr(await auditing.all("erasure_state"))
    assert "sealed_key" in kept
    assert marks.key.hex() not in kept
    assert repr(marks.key)[2:-1] not in kept


async def test_a_marks_key_that_cannot_be_opened_is_told_and_stays(opened, auditing, caplog):
    await opened(b"first", secrets())
    kept = await auditing.all("erasure_state")
    marks = await opened(b"second", secrets(NEW))
    assert marks.address(ADDRESS) == PersonMarks(b"second").address(ADDRESS)
    assert await auditing.all("erasure_state") == kept
    [line] = [each for each in caplog.messages if "marks of erased people" in each]
    assert "found by their ids only" in line
