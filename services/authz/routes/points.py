"""The decision points: one for all accounts, and each account's own."""

from dataclasses import replace
from typing import Any

from shared.http.routes import Call, Route

POINT_PATH = "/accounts/{account_id}"
"""What the paths of an account's own decision point begin with."""


def at_each_point(*rows: Route) -> tuple[Route, ...]:
    """The rows, and again each of them at an account's own decision point."""
    own = [
        replace(
            row,
            path=POINT_PATH + row.path,
            operation_id=f"{row.operation_id}InAccount",
            summary=f"{row.summary}, in one account",
        )
        for row in rows
    ]
    return (*rows, *own)


def point_of(call: Call[Any, Any]) -> str | None:
    """The account whose own decision point is asked; `None` for the one of all accounts."""
    return call.path.get("account_id")
