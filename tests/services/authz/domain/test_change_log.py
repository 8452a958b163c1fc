"""Tests of the log of changes that readers of the policy stream follow."""

import pytest

from services.authz.domain.change_log import ChangeLog, ReaderTooSlow
from tests.services.authz.histories import BO, member


def test_a_log_gives_each_change_in_order_and_notices_what_it_lost():
    log = ChangeLog(max_changes=3, max_objects=4)
    for number in range(1, 6):
        log.record([member(BO, f"role-{number}")])
    changes = [log.next(at) for at in (2, 3, 4)]
    assert [change and change.number for change in changes] == [3, 4, 5]
    assert log.next(5) is None
    with pytest.raises(ReaderTooSlow):
        log.next(1)
    assert [log.number_of(str(at)) for at in (1, 2, 5, 6)] == [None, 2, 5, None]
    for text in ("", "-2", "2.0", "\u0663", "\u00b2", "9" * 5_000):
        assert log.number_of(text) is None
    log.record([member(BO, "viewer")] * 9)
    newest = log.next(5)
    assert newest is not None
    assert newest.number == 6, "the newest change is kept even if it is large"
    with pytest.raises(ReaderTooSlow):
        log.next(4)
