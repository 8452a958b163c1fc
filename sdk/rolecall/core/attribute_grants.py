"""Grants by the attributes of their member: which rest on an attribute, and what one decides."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from rolecall.core.condition_facts import NO_PROPERTIES, NOTHING_GIVEN, Facts, Properties
from rolecall.core.conditions import ConditionTest, condition_of
from rolecall.core.level_grants import Alternative, Scope
from rolecall.core.masks import Matrix, combined
from rolecall.core.property_paths import PropertyPath
from rolecall.core.state import Member


def resting_on(matrix: Matrix, names: Collection[str]) -> Matrix:
    """The conditional grants that test one of these attributes, as if those tests were met."""
    found = []
    for bit, one, tests in _conditional(matrix):
        others = [test for test in tests if not _tested(test) & frozenset(names)]
        if len(others) < len(tests):
            found.append((bit, _with_tests(one, others)))
    return _matrix(matrix.source, 0, 0, found)


def settled(member: Member) -> Member:
    """The member with what their attributes decide left out of the conditions of all grants.

    A test that is met is dropped, and so is an alternative with a test that is not. A test of an
    attribute that the member does not have stays: a request may name a value.
    """
    overrides = {
        project_id: replace(override, matrix=_settled(override.matrix, member.attributes))
        for project_id, override in member.overrides.items()
    }
    return replace(
        member,
        role=_settled(member.role, member.attributes),
        terms=replace(member.terms, overrides=overrides),
    )


def _settled(matrix: Matrix, attributes: Properties) -> Matrix:
    if not matrix.conditional:
        return matrix
    facts = Facts("", attributes, None, NO_PROPERTIES, NOTHING_GIVEN)
    found = []
    for bit, one, tests in _conditional(matrix):
        decided = [test for test in tests if _decided(test, attributes)]
        if all(test.holds(facts) for test in decided):
            found.append((bit, _with_tests(one, [test for test in tests if test not in decided])))
    return _matrix(matrix.source, matrix.all_mask, matrix.self_mask, found)


def _conditional(matrix: Matrix) -> Iterator[tuple[int, Alternative, tuple[ConditionTest, ...]]]:
    for bit, held in matrix.conditional.items():
        for one in held:
            yield bit, one, () if one.when is None else one.when.tests


def _with_tests(one: Alternative, tests: list[ConditionTest]) -> Alternative:
    return Alternative(one.scope, condition_of(tests) if tests else None)


def _tested(test: ConditionTest) -> frozenset[str]:
    """The attributes that the test compares."""
    paths = (test.path, test.operand)
    return frozenset(
        path.names[0]
        for path in paths
        if isinstance(path, PropertyPath) and path.root == "subject.properties"
    )


def _decided(test: ConditionTest, attributes: Properties) -> bool:
    """Whether the attributes alone decide the test."""
    return not isinstance(test.operand, PropertyPath) and not _tested(test).isdisjoint(attributes)


def _matrix(source: str, everyones: int, own: int, found: list[tuple[int, Alternative]]) -> Matrix:
    """The matrix of masks and alternatives, of which some have no condition any more."""
    for bit, one in found:
        if one.when is None and one.scope is Scope.ALL:
            everyones |= bit
        elif one.when is None:
            own |= bit
    return combined(source, everyones, own, [(bit, one) for bit, one in found if one.when])
