"""Many more members, as a platform provisions them: for lists that are long."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BATCH = 100
FIRST = (
    *("Amara", "Bruno", "Chiara", "Diego", "Elif", "Farid", "Greta", "Hugo", "Ilse", "Jun"),
    *("Kofi", "Lena", "Marek", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Sanna", "Tariq"),
)
LAST = (
    *("Abbott", "Bakker", "Costa", "Dvořák", "Eriksen", "Ferrari", "Güneş", "Hoffmann", "Ito"),
    *("Jansen", "Kowalski", "Lindqvist", "Moretti", "Nguyen", "Okonkwo", "Petrov", "Quinn"),
    *("Rossi", "Silva", "Tamm", "Urban", "Vargas", "Weber", "Yilmaz", "Zhang"),
)
ROLES: Sequence[str] = ("developer", "viewer", "operator", "basic", "billing")


def crowd(count: int) -> Iterator[tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]]:
    """The users and the members of each request, until there are `count` of them."""
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        yield (
            [_user(number) for number in numbers],
            [
                {"external_id": _id(number), "role": ROLES[number % len(ROLES)]}
                for number in numbers
            ],
        )


def _id(number: int) -> str:
    return f"crowd-{number}"


def _user(number: int) -> Mapping[str, Any]:
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    return {
        "external_id": _id(number),
        "email": f"crowd.{number}@northwind.example",
        "name": f"{first} {last}",
        "email_verified": True,
    }
