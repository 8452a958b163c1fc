"""Generated requests to every operation are answered as the OpenAPI document says."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from shared.http.routes import Route
from tests.contracts.asking import Case
from tests.contracts.generated import Operation
from tests.contracts.people import People
from tests.contracts.rows import ROWS
from tests.contracts.running import KnownKey
from tests.contracts.sending import Sender
from tests.lengths import SEED, SOAK, length

pytestmark = [
    pytest.mark.timeout(7200),
    # The texts that are too long make the drawn request so; the failure shows a part of it.
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

FITTING = length("FITTING_REQUESTS", short=2, soak=100)
BROKEN = length("BROKEN_REQUESTS", short=3, soak=100)
"""The requests to each operation."""
WITH_END = tuple(row for row in ROWS if not row.streams)
"""The rows whose answers end; the tests of the policy stream read that one."""
PHASES = (Phase.generate, Phase.shrink) if SOAK else (Phase.generate,)
"""A failure is made small in the long form only: each attempt is a request."""


@pytest.fixture(scope="module")
def sender(product: KnownKey, gathered: People) -> Iterator[Sender]:
    sender = Sender(product, gathered)
    try:
        yield sender
    finally:
        sender.close()


def by_operation(row: Route) -> str:
    return row.operation_id


def send_each(
    sender: Sender, operation: Operation, cases: st.SearchStrategy[Case], times: int
) -> None:
    """Draw requests and send them."""

    @seed(SEED)
    @settings(
        max_examples=times,
        deadline=None,
        database=None,
        print_blob=False,
        verbosity=Verbosity.quiet,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: Case) -> None:
        sender.check(operation, case)

    check()


@pytest.mark.parametrize("row", WITH_END, ids=by_operation)
def test_a_request_that_fits_gets_a_described_answer(row: Route, sender: Sender) -> None:
    operation = Operation(row, sender.people)
    send_each(sender, operation, operation.fitting(), FITTING)


@pytest.mark.rule("T22", "T23")
@pytest.mark.parametrize("row", ROWS, ids=by_operation)
def test_a_request_that_breaks_one_rule_is_refused_there(row: Route, sender: Sender) -> None:
    operation = Operation(row, sender.people)
    send_each(sender, operation, operation.breaking(), BROKEN)
