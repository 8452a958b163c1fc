"""The pause before a snapshot is loaded again: none at first, then longer and longer."""

from shared.following.reload_pause import CALM_SECONDS, ReloadPause
from shared.runtime.supervisor import LONGEST_PAUSE_SECONDS
from tests.clocks import SetClock


def test_the_first_reload_is_at_once_and_each_next_one_waits_twice_as_long():
    pause = ReloadPause(SetClock())
    assert pause.seconds == 0.0
    waited = []
    for _ in range(6):
        pause.count()
        waited.append(pause.seconds)
    assert waited == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6]


def test_no_pause_is_longer_than_the_longest():
    pause = ReloadPause(SetClock())
    for _ in range(50):
        pause.count()
    assert pause.seconds == LONGEST_PAUSE_SECONDS


def test_after_a_calm_minute_a_reload_is_at_once_again():
    clock = SetClock()
    pause = ReloadPause(clock)
    for _ in range(5):
        pause.count()
    clock.move(CALM_SECONDS)
    assert pause.seconds > 0
    clock.move(0.1)
    assert pause.seconds == 0.0
    pause.count()
    assert pause.seconds == 0.0
