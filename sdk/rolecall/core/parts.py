"""Long answers that are made in parts, so that their caller can do other things in between."""

from collections.abc import Generator
from typing import Generic, TypeVar

STEPS_OF_PART = 5_000
"""The steps of a part. They are those of `ConditionWork`, about 0.6 µs each."""

T = TypeVar("T")
Parts = Generator[None, None, T]
"""Pauses after each part, and returns the answer after the last one."""


class StepCount:
    """Tells when a part is over."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps = 0

    def pauses_after(self, steps: int) -> bool:
        """Count these steps, and return whether the answer pauses now."""
        self._steps += steps
        if self._steps < STEPS_OF_PART:
            return False
        self._steps = 0
        return True


class Running(Generic[T]):
    """An answer on its way."""

    def __init__(self, parts: Parts[T]) -> None:
        self.answer: T | None = None
        """The whole answer, once there is one."""
        self._parts = parts

    def run_part(self) -> bool:
        """Run one part; return whether the answer is whole."""
        try:
            next(self._parts)
        except StopIteration as end:
            self.answer = end.value
            return True
        return False


def whole(parts: Parts[T]) -> T:
    """The answer, without a pause."""
    try:
        while True:
            next(parts)
    except StopIteration as end:
        answer: T = end.value
        return answer
