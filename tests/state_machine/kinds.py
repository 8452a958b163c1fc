"""The kinds of attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.state_machine.world import Operation


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: int


Attempt = Operation | Wait
Method = TypeVar("Method", bound=Callable[[Any], Attempt | None])
KINDS: dict[str, int] = {}
"""The kinds, and how often each is looked at beside the others."""


def kind(weight: int = 4) -> Callable[[Method], Method]:
    """Make a kind of a method of that name."""

    def add(method: Method) -> Method:
        KINDS[method.__name__] = weight
        return method

    return add
