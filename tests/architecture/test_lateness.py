"""The option by which tests are run with everything late."""

from contextlib import suppress

from tests.lateness import Lateness

MOST = 0.15


def test_things_are_late_only_while_a_test_runs() -> None:
    lateness = Lateness(MOST)

    def drawn() -> list[float]:
        return [lateness() for _ in range(1000)]

    assert set(drawn()) == {0.0}
    running = lateness.pytest_runtest_call()
    next(running)
    late = drawn()
    assert 0 < max(late) <= MOST
    assert 500 < late.count(0.0) < 900
    with suppress(StopIteration):
        next(running)
    assert set(drawn()) == {0.0}
