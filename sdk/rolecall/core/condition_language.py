"""Conditions as catalog files and roles write them: read, and checked with every problem."""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network
from math import isfinite

from rolecall.core.condition_verdicts import Constant, network_of
from rolecall.core.condition_work import TOO_LARGE, kind_of
from rolecall.core.conditions import Condition, ConditionTest, Operand, Operator, condition_of
from rolecall.core.problems import Place, Problem, choices, shortened
from rolecall.core.property_paths import ROOTS, PropertyPath, property_path

MAX_TESTS = 16
"""How many tests one condition has at most."""
MAX_LISTED = 64
"""How many items a list has at most."""
MAX_CHARACTERS = 256
"""How many characters a text has at most."""
_OPERATORS = tuple(operator.value for operator in Operator)
_FORM = "Write a mapping such as {path: resource.properties.status, equals: active}."


class _UnreadableError(Exception):
    """Content that is not a condition, with its problem."""

    def __init__(self, place: Place, message: str) -> None:
        self.problem = Problem(place, message)
        super().__init__(message)


def read_condition(written: object, place: Place) -> tuple[Condition | None, list[Problem]]:
    """Read a condition: one test, or a list of tests that must all hold.

    Returns the condition, or `None` and every problem that it has.
    """
    if isinstance(written, Mapping):
        tests = {place: written}
    elif isinstance(written, list | tuple) and written:
        tests = {(*place, at): test for at, test in enumerate(written)}
    else:
        fault = "needs at least one test" if not written else "takes a test, or a list of tests"
        return None, [Problem(place, f"`when` {fault}. {_FORM}")]
    if len(tests) > MAX_TESTS:
        text = f"A condition can have {MAX_TESTS} tests at most. This one has {len(tests)}."
        return None, [Problem(place, text)]
    read: list[ConditionTest] = []
    problems: list[Problem] = []
    for where, test in tests.items():
        try:
            read.append(_test(test, where))
        except _UnreadableError as error:
            problems.append(error.problem)
    return (None, problems) if problems else (condition_of(read), [])


def _test(written: object, place: Place, *, negated: bool = False) -> ConditionTest:
    if not isinstance(written, Mapping):
        raise _UnreadableError(place, f"A test is a mapping. {_FORM}")
    if "not" in written:
        if negated or len(written) > 1:
            text = "`not` stands alone, around one test that has no `not` itself. Split the test."
            raise _UnreadableError((*place, "not"), text)
        return _test(written["not"], (*place, "not"), negated=True)
    for key in written:
        if key not in ("path", *_OPERATORS):
            known = ("path", "not", *_OPERATORS)
            raise _UnreadableError(
                (*place, str(key)), f"Unexpected key. {choices(str(key), known)}"
            )
    operators = [operator for operator in Operator if operator.value in written]
    if "path" not in written or len(operators) != 1:
        text = f"A test needs a `path` and one of: {', '.join(_OPERATORS)}. {_FORM}"
        raise _UnreadableError(place, text)
    path = _path(written["path"], (*place, "path"))
    operator = operators[0]
    where = (*place, operator.value)
    operand = _READERS[operator](written[operator.value], where)
    if operator is Operator.SAME_AS and isinstance(operand, PropertyPath):
        if path == operand:
            raise _UnreadableError(
                where, "A value is always the same as itself. Name another path."
            )
        path, operand = sorted((path, operand), key=lambda one: one.text)
    if operator is Operator.IN and isinstance(operand, tuple) and len(operand) == 1:
        operator, operand = Operator.EQUALS, operand[0]
    return ConditionTest(path, operator, operand, negated)


def _path(written: object, place: Place) -> PropertyPath:
    found = property_path(written) if isinstance(written, str) else None
    if found is None:
        text = f"The value {shortened(written)} is not a path. {choices(str(written)[:64], ROOTS)}"
        raise _UnreadableError(place, text)
    return found


def _constant(written: object, place: Place) -> Constant:
    if isinstance(written, str):
        if len(written) > MAX_CHARACTERS:
            text = f"The text can have at most {MAX_CHARACTERS} characters."
            raise _UnreadableError(place, text)
        return written
    if isinstance(written, bool):
        return written
    if isinstance(written, int | float) and isfinite(written) and abs(written) < TOO_LARGE:
        return int(written) if written == int(written) else written
    raise _UnreadableError(
        place, "The value must be a text, a number below 2^53, or true or false. Put it in quotes."
    )


def _constants(written: object, place: Place) -> Operand:
    found = [_constant(item, (*place, at)) for at, item in enumerate(_items(written, place))]
    if len({kind_of(item) for item in found}) > 1:
        raise _UnreadableError(place, "All items of the list must be of one type.")
    return tuple(sorted(set(found), key=lambda item: (str(type(item)), item)))


def _networks(written: object, place: Place) -> Operand:
    items = (written,) if isinstance(written, str) else _items(written, place)
    found = set()
    for at, item in enumerate(items):
        where = place if items == (written,) else (*place, at)
        found.add(_network(item, where))
    return tuple(sorted(found))


def _network(written: object, place: Place) -> str:
    if isinstance(written, str) and "%" not in written:
        try:
            return str(network_of(written))
        except ValueError:
            for meant in _networks_meant(written):
                text = f"The address range {written!r} has bits behind its prefix. Write {meant!r}."
                raise _UnreadableError(place, text) from None
    text = (
        f"The value {shortened(written)} is not an address range. Write one such as '10.0.0.0/8'."
    )
    raise _UnreadableError(place, text)


def _networks_meant(written: str) -> Iterator[str]:
    """The network of an address with a prefix, if it is one."""
    try:
        yield str(ip_network(written, strict=False))
    except ValueError:
        return


def _items(written: object, place: Place) -> list[object]:
    if not isinstance(written, list | tuple) or not written:
        raise _UnreadableError(place, "The value must be a list of at least one item.")
    if len(written) > MAX_LISTED:
        raise _UnreadableError(place, f"The list can have {MAX_LISTED} items at most.")
    return list(written)


_READERS: Mapping[Operator, Callable[[object, Place], Operand]] = {
    Operator.EQUALS: _constant,
    Operator.IN: _constants,
    Operator.CONTAINS: _constant,
    Operator.IN_NETWORK: _networks,
    Operator.SAME_AS: _path,
}
