"""The product and the model agree on everything that seven users try in their accounts."""

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

pytestmark = [pytest.mark.timeout(7200), pytest.mark.usefixtures("unmeasured")]

STEPS_OF_A_RUN = length("STEPS_OF_A_RUN", short=30, soak=200)
STEPS = length("STEPS", short=120, soak=20_000)
PHASES = (Phase.generate, Phase.shrink) if SOAK else (Phase.generate,)
"""A failure is made small in the long form only: each attempt is a run of the product."""

FOLDER = Path(__file__).parent
MODEL = [
    path.stem
    for path in FOLDER.glob("*.py")
    if path.stem not in {"machine", "product", Path(__file__).stem}
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
    chosen = settings(
        max_examples=STEPS // STEPS_OF_A_RUN,
        stateful_step_count=STEPS_OF_A_RUN,
        deadline=None,
        database=None,
        print_blob=False,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(SEED)(Machine), settings=chosen)
    finally:
        report(f"state machine: seed {SEED}, {dict(counted.most_common())}")
    kinds = [name for name in counted if name.startswith("tried ")]
    assert len(kinds) >= 20, "a run with few kinds of operation proves little"
    assert counted["made"] > STEPS // 5, "most operations must not be refused"
