"""Which ends of a write may mean that its change was made before."""

import pytest

from shared.http.idempotency import RepeatedRequest
from shared.journal.repeats import finds_change_made
from shared.problems import Refusal, RefusalKind

REPEATED = (
    RefusalKind.NOT_FOUND,
    RefusalKind.CONFLICT,
    RefusalKind.GONE,
    RefusalKind.PRECONDITION,
)
"""Also `GONE`: a used link ends all sessions of its user, and its repeat says that it is used.
Also `PRECONDITION`: the first request gave the resource a new entity tag.
"""


@pytest.mark.parametrize("kind", RefusalKind)
def test_what_the_repeat_of_a_change_is_refused_with(kind: RefusalKind) -> None:
    class Refused(Refusal):
        code = "refused"
        detail = "Refused."

    Refused.kind = kind
    assert finds_change_made(Refused()) is (kind in REPEATED)


def test_a_repeat_by_its_key_finds_its_change_and_a_fault_does_not() -> None:
    assert finds_change_made(RepeatedRequest())
    assert not finds_change_made(ValueError())
