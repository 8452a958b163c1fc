"""The units of a run with several workers, and their order.

A worker gets one unit after the other: usually the tests of a file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from random import Random
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable


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
WAITING_FIRST = (
    "tests/deploy/test_local.py",
    "tests/faults/test_kills.py",
    WITH_BROKER,
    "tests/deploy/test_local_product.py",
    "tests/faults/test_sign_outs.py",
    "tests/faults/test_removals.py",
    "tests/e2e/test_stories.py",
    "tests/deploy/test_programs.py",
    "tests/deploy/gateway/test_limits.py",
    "tests/deploy/test_compose.py",
    "tests/faults/test_broker_rights.py",
    "tests/e2e/test_credential_endings.py",
    "tests/deploy/test_lost_secrets.py",
    "tests/deploy/gateway/test_nginx.py",
    "tests/store/test_crashes.py",
)
"""Long units that mostly wait, for servers that start and for time: half of the workers begin with
them, so that the cores have work all the while."""
WORKING_FIRST = (
    ONE_UNIT,
    PRODUCTS,
    AS_PROCESSES,
    "tests/e2e/test_console.py",
    "tests/e2e/test_team_pages.py",
    "tests/consistency/test_simulation.py",
    "tests/services/team/test_rights_inside_projects.py",
    "tests/services/team/test_invitation_mails.py",
    "tests/services/team/test_invitations.py",
    "tests/services/team/test_account_deletion.py",
    "tests/services/notification/domain/test_mails.py",
    "tests/services/team/domain/test_escalation_rules.py",
    "tests/state_machine/test_team.py",
    "tests/services/team/test_ownership_races.py",
    "tests/services/identity/test_effective_everywhere.py",
    "tests/services/identity/test_rate_limits.py",
    "tests/services/team/test_escalation.py",
    "tests/services/console/test_live_events.py",
    "tests/services/audit/test_search.py",
    "tests/services/identity/test_provisioning.py",
)
"""Long units that work: the other workers begin with them. No long one is left for the end."""


def unit_of(nodeid: str) -> str:
    """Return the name of the unit that a test is part of."""
    file, _, test = nodeid.partition("::")
    if file.startswith(f"{ONE_UNIT}/"):
        return ONE_UNIT
    if file in BROKER_FILES:
        return WITH_BROKER
    return AS_PROCESSES if file == PRODUCTS and "as processes" in test else file


class TestFile(Protocol):
    """What a unit needs to know of a file of tests."""

    @property
    def nodeid(self) -> str:
        """Its path."""
        ...


FileT = TypeVar("FileT", bound=TestFile)


@dataclass(frozen=True)
class Unit(Generic[FileT]):
    """Tests that one worker runs: all of these files whose unit has this name."""

    name: str
    modules: tuple[FileT, ...]

    @property
    def waits(self) -> bool:
        """Whether it mostly waits."""
        return self.name in WAITING_FIRST


def units_of(modules: Iterable[FileT]) -> list[Unit[FileT]]:
    """Return the units of these files."""
    files: defaultdict[str, list[FileT]] = defaultdict(list)
    for module in modules:
        files[unit_of(module.nodeid)].append(module)
        if module.nodeid == PRODUCTS:
            files[AS_PROCESSES].append(module)
    return [Unit(name, tuple(found)) for name, found in files.items()]


def in_order(units: Iterable[Unit[FileT]], *, seed: int) -> list[Unit[FileT]]:
    """Return the units as they are begun: the slowest first, the others in an order of chance."""
    order = {name: place for place, name in enumerate((*WAITING_FIRST, *WORKING_FIRST))}
    mixed = sorted(units, key=attrgetter("name"))
    Random(seed).shuffle(mixed)
    return sorted(mixed, key=lambda unit: order.get(unit.name, len(order)))


def take(units: list[Unit[FileT]], *, worker: int, workers: int) -> Unit[FileT] | None:
    """Take the next unit for a worker out of those that are left, in their order."""
    wanted = worker < workers // 2
    found = next((unit for unit in units if unit.waits is wanted), None) or next(iter(units), None)
    if found is not None:
        units.remove(found)
    return found
