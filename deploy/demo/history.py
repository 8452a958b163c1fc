"""A month of the team's work, as a service of the platform reports it: usage and events."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deploy.demo.team import UNITS, DemoPerson

DAYS = 29
"""Reports may be a month old at most."""
SEED = 29
STEPS = ("created", "started", "stopped", "deleted")


@dataclass(frozen=True, kw_only=True)
class DemoMonth:
    """The team whose month is told; `people` are by their ids."""

    account_id: str
    project_ids: Sequence[str]
    people: Mapping[str, DemoPerson]
    now: datetime


def usage(month: DemoMonth) -> list[dict[str, Any]]:
    """What each member used on each day; people rest on Sundays."""
    dice = random.Random(SEED)
    found = []
    for day in range(DAYS, 0, -1):
        moment = month.now - timedelta(days=day)
        if moment.isoweekday() == 7:
            continue
        for user_id, person in month.people.items():
            for kind, often in person.use.items():
                unit, price = UNITS[kind]
                quantity = round(often * dice.uniform(0.5, 1.5), 2)
                amount = f"{quantity * float(price):.2f}"
                found.append(
                    {
                        "id": f"{user_id[-12:]}.{kind}.{moment:%Y%m%d}",
                        "account_id": month.account_id,
                        "user_id": user_id,
                        "resource": {"type": kind, "id": f"{kind}-{dice.randint(1, 6)}"},
                        "project_id": dice.choice(month.project_ids),
                        "quantity": f"{quantity:.2f}",
                        "unit": unit,
                        "cost": {"amount": amount, "currency": "EUR"},
                        "occurred_at": moment.isoformat(),
                    }
                )
    return found


def events(month: DemoMonth) -> list[dict[str, Any]]:
    """What members did with their resources, a few times on each day."""
    dice = random.Random(SEED)
    working = [user_id for user_id, person in month.people.items() if person.use]
    steps = _steps()
    return [
        {
            "id": f"demo.{month.account_id[-12:]}.{day}.{number}",
            "account_id": month.account_id,
            "action": f"instance.{step}",
            "actor": {"type": "user", "id": dice.choice(working)},
            "resource": {"type": "instance", "id": name, "name": f"worker {name}"},
            "project_id": dice.choice(month.project_ids),
            "occurred_at": (month.now - timedelta(days=day, hours=number)).isoformat(),
            "outcome": "denied" if dice.random() < 0.06 else "succeeded",
        }
        for day in range(DAYS, 0, -1)
        for number in range(3, 0, -1)
        for name, step in [next(steps)]
    ]


def _steps() -> Iterator[tuple[str, str]]:
    """One instance after another, from its creation to its end."""
    number = 0
    while True:
        number += 1
        for step in STEPS:
            yield f"i-{number}", step
