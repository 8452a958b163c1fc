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
STEPS: Mapping[str, Sequence[str]] = {
    "instance": ("created", "started", "stopped", "deleted"),
    "cluster": ("created", "resized", "deleted"),
    "endpoint": ("created", "updated", "updated", "deleted"),
    "job": ("started", "finished"),
}
"""What is done with a thing of a type, in turn."""
TITLES: Mapping[str, str] = {
    "instance": "worker",
    "cluster": "cluster",
    "endpoint": "model",
    "job": "training",
}


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
    """What members did with their resources on each day: more on one than on another."""
    dice = random.Random(SEED)
    weights = {user_id: sum(person.use.values()) for user_id, person in month.people.items()}
    steps = {kind: _steps(kind) for kind in STEPS}
    return [
        _event(month, f"{day}.{number}", moment, user_id, *next(steps[kind]), dice=dice)
        for day in range(DAYS, 0, -1)
        for number, moment in enumerate(_moments(month.now - timedelta(days=day), dice))
        for user_id in dice.choices([*weights], [*weights.values()])
        for kind in [dice.choice([one for one in month.people[user_id].use if one in STEPS])]
    ]


def _moments(day: datetime, dice: random.Random) -> list[datetime]:
    """When something is done on a day: from eight to six."""
    busy = range(2, 5) if day.isoweekday() > 5 else range(9, 26)
    begin = day.replace(hour=8, minute=0, second=0, microsecond=0)
    minutes = sorted(dice.sample(range(600), dice.choice(busy)))
    return [begin + timedelta(minutes=one, seconds=dice.randint(0, 59)) for one in minutes]


def _event(
    month: DemoMonth,
    number: str,
    moment: datetime,
    user_id: str,
    resource: str,
    action: str,
    *,
    dice: random.Random,
) -> dict[str, Any]:
    kind = action.partition(".")[0]
    return {
        "id": f"demo.{month.account_id[-12:]}.{number}",
        "account_id": month.account_id,
        "action": action,
        "actor": {"type": "user", "id": user_id},
        "resource": {"type": kind, "id": resource, "name": f"{TITLES[kind]} {resource}"},
        "project_id": dice.choice(month.project_ids),
        "occurred_at": moment.isoformat(),
        "outcome": "denied" if dice.random() < 0.06 else "succeeded",
    }


def _steps(kind: str) -> Iterator[tuple[str, str]]:
    """One thing after another, from its creation to its end: its id, and what is done."""
    number = 0
    while True:
        number += 1
        for step in STEPS[kind]:
            yield f"{kind[0]}-{number}", f"{kind}.{step}"
