"""A pytest plugin that spreads the tests over the workers of a run.

A worker gets one unit after the other: usually the tests of a file, in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Callable

PRODUCTS = "tests/e2e/test_journey.py"
"""The file whose tests run with each of two products, so two workers can have it."""
AS_PROCESSES = f"{PRODUCTS}, as processes"
ONE_UNIT = "tests/contracts"
"""The folder whose files share a product with many users: a second worker would fill a second."""
WITH_BROKER = "the run's broker"
BROKER_FILES = {
    "tests/faults/test_crash_points.py",
    "tests/shared/bus/test_contract.py",
    "tests/shared/bus/test_rabbitmq.py",
}
"""What uses the broker of the run: a second worker would start a second one."""
SLOWEST_FIRST = (
    "tests/deploy/test_local.py",
    ONE_UNIT,
    PRODUCTS,
    "tests/e2e/test_stories.py",
    "tests/faults/test_kills.py",
    AS_PROCESSES,
    "tests/e2e/test_console.py",
    "tests/faults/test_sign_outs.py",
    "tests/faults/test_removals.py",
    WITH_BROKER,
    "tests/deploy/test_local_product.py",
    "tests/services/team/test_rights_inside_projects.py",
    "tests/consistency/test_simulation.py",
    "tests/services/team/test_invitation_mails.py",
    "tests/services/team/test_invitations.py",
    "tests/faults/test_broker_rights.py",
    "tests/services/team/test_account_deletion.py",
    "tests/store/test_crashes.py",
    "tests/services/notification/domain/test_mails.py",
    "tests/services/team/domain/test_escalation_rules.py",
    "tests/state_machine/test_team.py",
    "tests/services/team/test_ownership_races.py",
    "tests/services/identity/test_effective_everywhere.py",
    "tests/services/identity/test_rate_limits.py",
    "tests/services/team/test_escalation.py",
)
"""What takes longest is begun first, so that no worker waits for one of them at the end.

The first, the kills and the tests of RabbitMQ mostly wait, so they do not begin together.
"""


def unit_of(nodeid: str) -> str:
    """Return the name of the unit that a test is part of."""
    file, _, test = nodeid.partition("::")
    if file.startswith(f"{ONE_UNIT}/"):
        return ONE_UNIT
    if file in BROKER_FILES:
        return WITH_BROKER
    return AS_PROCESSES if file == PRODUCTS and "as processes" in test else file


class Spreading(LoadFileScheduling):  # type: ignore[misc]
    """Gives out units in the order of their first tests."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the slowest units to the start; the others keep their random order."""
    order = {name: place for place, name in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: order.get(unit_of(item.nodeid), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Callable[..., Any]) -> Spreading:
    """Make the scheduler of a run with several workers."""
    return Spreading(config, log)
