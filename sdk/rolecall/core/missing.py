"""What a grant with a condition lacks in a denied check, in words."""

from collections.abc import Iterator

from rolecall.core.condition_facts import Facts
from rolecall.core.conditions import ConditionTest
from rolecall.core.level_grants import Alternative


def missing(one: Alternative, facts: Facts, *, reached: bool) -> Iterator[str]:
    """What an alternative still needs to allow, in words; `reached`: it is for this resource."""
    if not reached:
        yield "the user owns the resource"
    for test in () if one.when is None else one.when.unmet(facts):
        yield test.describe() + _whose_value(test, facts)


def _whose_value(test: ConditionTest, facts: Facts) -> str:
    """That a stored value counts, where the request has one of that name as well."""
    stored = {
        "resource.properties": ("registered", facts.registered, facts.given.resource),
        "subject.properties": ("member's", facts.attributes, facts.given.subject),
    }
    for path in test.paths:
        whose, values, given = stored.get(path.root, ("", {}, {}))
        if path.names and values.get(path.names[0]) is not None and path.names[0] in given:
            return f" (the {whose} value counts, not the one of the request)"
    return ""
