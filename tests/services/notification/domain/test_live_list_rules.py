"""The rules of live lists: places, ends, and who may have one."""

import pytest

from services.notification.domain.live_list import (
    BEGINNING,
    MAX_BEHIND,
    ListPlace,
    LiveListEnd,
    why_over,
)
from services.notification.use_cases.list_readers import ListReader, ListReaders
from shared.auth.principals import UserPrincipal
from shared.ids import SessionId, UserId

PRINCIPAL = UserPrincipal(user_id=UserId("usr_1"), session_id=SessionId("ses_1"))


@pytest.mark.parametrize(
    ("behind", "caught_up", "reason"),
    [
        (0, True, None),
        (0, False, None),
        (MAX_BEHIND, True, None),
        (MAX_BEHIND + 1, True, LiveListEnd.TOO_SLOW),
        (MAX_BEHIND + 1, False, None),
        (-1, True, LiveListEnd.SET_BACK),
        (-1, False, LiveListEnd.SET_BACK),
    ],
)
def test_a_reader_lies_behind_only_before_all_was_told(behind, caught_up, reason):
    assert why_over(behind, caught_up=caught_up) is reason


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("7.msg_1", ListPlace(7, "msg_1")),
        ("0.", BEGINNING),
        ("07.msg_1", None),
        ("7.", None),
        ("0.msg_1", None),
        ("-7.msg_1", None),
        ("7", None),
        ("\u0667.msg_1", None),
        ("7" * 16 + ".msg_1", None),
        ("", None),
    ],
)
def test_a_place_has_one_name(text, place):
    assert ListPlace.read(text) == place


def test_the_first_reason_of_an_end_counts():
    reader = ListReader(PRINCIPAL)
    reader.stop(LiveListEnd.SET_BACK)
    reader.stop(LiveListEnd.DRAINING)
    assert reader.end == LiveListEnd.SET_BACK
    assert reader.news.is_set()


def test_a_list_that_begins_while_a_replica_stops_ends_at_once():
    readers = ListReaders()
    with readers.reader(PRINCIPAL) as before:
        readers.drain()
        with readers.reader(PRINCIPAL) as after:
            assert before.end == after.end == LiveListEnd.DRAINING
    assert readers.now() == ()
