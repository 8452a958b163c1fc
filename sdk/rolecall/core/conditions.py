"""Conditions on grants: what they test, in one form that two equal conditions share."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rolecall.core.condition_facts import Facts
from rolecall.core.condition_verdicts import Constant, Verdict, verdict_of
from rolecall.core.property_paths import PropertyPath


class Operator(StrEnum):
    """How a test compares the value at its path."""

    EQUALS = "equals"
    IN = "in"
    CONTAINS = "contains"
    IN_NETWORK = "in_network"
    SAME_AS = "same_as"


Operand = Constant | tuple[Constant, ...] | PropertyPath
"""A constant for `equals` and `contains`, a list for `in` and `in_network`, else a path."""

_PHRASES: Final[Mapping[Operator, tuple[str, str]]] = {
    Operator.EQUALS: ("is", "is not"),
    Operator.IN: ("is one of", "is none of"),
    Operator.CONTAINS: ("contains", "does not contain"),
    Operator.IN_NETWORK: ("is an address in", "is an address outside of"),
    Operator.SAME_AS: ("is the same as", "differs from"),
}
"""Each operator in words, and its negation."""


@dataclass(frozen=True, slots=True)
class ConditionTest:
    """One test: the value at `path` compared with `operand`; `negated` turns the result round.

    A value that is missing, is null, or is of another type than the operand satisfies no test,
    also no negated one.
    """

    path: PropertyPath
    operator: Operator
    operand: Operand
    negated: bool = False
    _verdict: Verdict = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the comparison."""
        object.__setattr__(self, "_verdict", verdict_of(self.operator, self.operand))

    def holds(self, facts: Facts) -> bool:
        """Return whether the test is satisfied."""
        facts.work.steps += 1
        value = self.path.value(facts)
        return value is not None and self._verdict(value, facts) is (not self.negated)

    def lacks_value(self, facts: Facts) -> bool:
        """Return whether a value that it compares is missing, so that more facts may satisfy it."""
        return any(path.value(facts) is None for path in self.paths)

    @property
    def paths(self) -> tuple[PropertyPath, ...]:
        """The paths of the values that it compares."""
        operand = self.operand
        return (self.path, operand) if isinstance(operand, PropertyPath) else (self.path,)

    def written(self) -> dict[str, object]:
        """The test as a catalog file has it, of JSON values."""
        operand = self.operand
        if isinstance(operand, tuple):
            value: object = list(operand)
        else:
            value = operand.text if isinstance(operand, PropertyPath) else operand
        test: dict[str, object] = {"path": self.path.text, self.operator.value: value}
        return {"not": test} if self.negated else test

    def describe(self) -> str:
        """The test in words: `resource.properties.status is not "archived"`."""
        operand = self.operand
        if isinstance(operand, PropertyPath):
            shown = operand.text
        elif self.operator is Operator.IN_NETWORK and isinstance(operand, tuple):
            shown = " or ".join(map(str, operand))
        else:
            constants = operand if isinstance(operand, tuple) else (operand,)
            shown = ", ".join(json.dumps(one, ensure_ascii=False) for one in constants)
        return f"{self.path.text} {_PHRASES[self.operator][self.negated]} {shown}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests that must all hold; make one with `condition_of`.

    Conditions are equal when `key` is: the tests in a fixed order, as JSON. There 1 differs from
    true, and an equal list has one order.
    """

    key: str
    tests: tuple[ConditionTest, ...] = field(compare=False)

    def holds(self, facts: Facts) -> bool:
        """Return whether every test is satisfied."""
        return all(test.holds(facts) for test in self.tests)

    def unmet(self, facts: Facts) -> tuple[ConditionTest, ...]:
        """The tests that are not satisfied."""
        return tuple(test for test in self.tests if not test.holds(facts))

    def written(self) -> list[dict[str, object]]:
        """The condition as a catalog file has it, of JSON values."""
        return [test.written() for test in self.tests]

    def describe(self) -> str:
        """The condition in words."""
        return " and ".join(test.describe() for test in self.tests)


def condition_of(tests: Iterable[ConditionTest]) -> Condition:
    """The condition that all of these tests hold."""
    by_key = {_key(test.written()): test for test in tests}
    ordered = tuple(by_key[key] for key in sorted(by_key))
    return Condition(_key([test.written() for test in ordered]), ordered)


def _key(written: object) -> str:
    return json.dumps(written, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
