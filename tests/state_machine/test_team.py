"""The product and the model agree on everything that eight users try in their accounts."""

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lengths import SEED, SOAK, length
from tests.state_machine.machine import TeamMachine
from tests.state_machine.product import Product, started

pytestmark = pytest.mark.timeout(7200)

STEPS_OF_A_RUN = length("STEPS_OF_A_RUN", short=75, soak=100)
STEPS = length("STEPS", short=225, soak=20_000)
EXAMPLES = 10
"""Runs of one seed. After some more, hypothesis mostly repeats parts of earlier ones."""
PHASES = (Phase.generate, Phase.shrink) if SOAK else (Phase.generate,)
"""A failure is made small in the long form only: each attempt is a run of the product."""

FOLDER = Path(__file__).parent
MODEL = [
    path.stem
    for path in FOLDER.glob("*.py")
    if path.stem not in {"machine", "comparisons", "product", Path(__file__).stem}
]
ALLOWED = (*sys.stdlib_module_names, "tests.state_machine")


@pytest.fixture
def product(mongo_url: str, database_name: str) -> Iterator[Product]:
    """Team and authz, for all runs."""
    with started(mongo_url, database_name) as running:
        yield running


def test_the_model_imports_nothing_of_the_product() -> None:
    for module in MODEL:
        for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert [name for name in names if not name.startswith(ALLOWED)] == [], module


def test_the_product_does_what_the_model_says(
    product: Product, report: Callable[[str], None]
) -> None:
    counted: Counter[str] = Counter()

    class Machine(TeamMachine):
        pass

    Machine.product, Machine.counted = product, counted
    runs = STEPS // STEPS_OF_A_RUN
    chosen = settings(
        max_examples=min(runs, EXAMPLES),
        stateful_step_count=STEPS_OF_A_RUN,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    began = SEED
    try:
        for began in range(SEED, SEED + -(-runs // EXAMPLES)):
            run_state_machine_as_test(seed(began)(Machine), settings=chosen)
    finally:
        report(f"state machine: seeds {SEED} to {began}, {dict(counted.most_common())}")
    kinds = [name for name in counted if name.startswith("tried ")]
    assert len(kinds) >= 30, "a run with few kinds of operation proves little"
    assert counted["made"] > STEPS // 3, "most operations must not be refused"
    assert counted["rehearsed"] > STEPS // 50, "some changes must be previewed"
