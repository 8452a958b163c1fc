"""The grant of one level: a scope, or alternatives with scopes and conditions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from rolecall.core.condition_language import read_condition
from rolecall.core.conditions import Condition
from rolecall.core.problems import Place, Problem, did_you_mean, shortened

MAX_ALTERNATIVES = 8
"""How many alternatives the grant of one level has at most."""
GRANT_FAULT = "level_grant"
"""The type of pydantic's error for a grant; its context has the problems."""


class Scope(StrEnum):
    """The resources that a grant reaches: all, or only those that the member owns (`Nv8`)."""

    ALL = "all"
    SELF = "self"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to have a level: a scope, and the condition under which it counts."""

    scope: Scope
    when: Condition | None = None

    def covers(self, other: "Alternative") -> bool:
        """Return whether this allows all that the other allows: the same condition, or none."""
        wide = self.scope is Scope.ALL or other.scope is Scope.SELF
        return wide and self.when in (None, other.when)

    def __str__(self) -> str:
        """The alternative in words: `all when …`."""
        return (
            self.scope.value if self.when is None else f"{self.scope} when {self.when.describe()}"
        )


LevelGrant = Scope | tuple[Alternative, ...]
"""A scope alone, or alternatives of which at least one has a condition, in a fixed order."""


def alternatives(grant: LevelGrant) -> tuple[Alternative, ...]:
    """The alternatives of a grant; a scope alone is one without a condition."""
    return (Alternative(grant),) if isinstance(grant, Scope) else grant


def granted_by(found: Iterable[Alternative]) -> LevelGrant | None:
    """The grant of these alternatives, without those that others cover; `None` for none."""
    distinct = sorted(set(found), key=_order)
    kept = tuple(
        one
        for one in distinct
        if not any(other is not one and other.covers(one) for other in distinct)
    )
    if not kept:
        return None
    return kept[0].scope if len(kept) == 1 and kept[0].when is None else kept


def _order(one: Alternative) -> tuple[bool, str, str]:
    return one.when is not None, one.scope.value, "" if one.when is None else one.when.key


def widest(*grants: LevelGrant) -> LevelGrant:
    """The grant that allows what any of these allows."""
    found = granted_by(one for grant in grants for one in alternatives(grant))
    if found is None:
        raise ValueError("There is no grant to choose from.")
    return found


def exceeds(grant: LevelGrant, other: LevelGrant) -> bool:
    """Return whether an alternative of `grant` is not covered by one of `other`."""
    return any(
        not any(covering.covers(one) for covering in alternatives(other))
        for one in alternatives(grant)
    )


def is_conditional(grant: LevelGrant) -> bool:
    """Return whether a part of the grant depends on a condition."""
    return not isinstance(grant, Scope)


def grant_text(grant: LevelGrant) -> str:
    """The grant in words: `all`, `self`, or `all when …`."""
    return "; or ".join(map(str, alternatives(grant)))


def written_grant(grant: LevelGrant) -> Any:
    """The grant as a catalog file has it, of JSON values."""
    if isinstance(grant, Scope):
        return grant.value
    return [
        {"scope": one.scope.value}
        if one.when is None
        else {"scope": one.scope.value, "when": one.when.written()}
        for one in grant
    ]


def read_grant(written: object) -> LevelGrant:
    """Read a grant as it is written; one that is read already stays.

    Raises:
        PydanticCustomError: of type `level_grant`; its context has the problems, whose places are
            relative to the grant.
    """
    if isinstance(written, str):
        try:
            return Scope(written)
        except ValueError:
            raise _fault([Problem((), _not_a_scope(written))]) from None
    if isinstance(written, tuple) and all(isinstance(one, Alternative) for one in written):
        return written
    items = _items(written)
    found: list[Alternative] = []
    problems: list[Problem] = []
    for place, item in items.items():
        alternative, faults = _alternative(item, place)
        problems += faults
        if alternative is not None:
            found.append(alternative)
    grant = None if problems else granted_by(found)
    if grant is None:
        raise _fault(problems)
    if grant is Scope.ALL and len(found) > 1:
        text = "`all` without a condition allows everything. Remove the other alternatives."
        raise _fault([Problem((), text)])
    return grant


def _items(written: object) -> dict[Place, object]:
    if isinstance(written, Mapping):
        return {(): written}
    if not isinstance(written, list | tuple) or not written:
        raise _fault([Problem((), _not_a_scope(written))])
    if len(written) > MAX_ALTERNATIVES:
        raise _fault([Problem((), f"A grant can have {MAX_ALTERNATIVES} alternatives at most.")])
    return {(at,): item for at, item in enumerate(written)}


def _alternative(written: object, place: Place) -> tuple[Alternative | None, list[Problem]]:
    if isinstance(written, str):
        written = {"scope": written}
    if not isinstance(written, Mapping):
        text = f"The value {shortened(written)} is not an alternative. {_FORM}"
        return None, [Problem(place, text)]
    problems = [
        Problem(
            (*place, str(key)),
            f"Unexpected key. {did_you_mean(str(key), _KEYS)}Remove it, or correct its spelling.",
        )
        for key in written
        if key not in _KEYS
    ]
    scope = written.get("scope")
    if "scope" not in written:
        problems.append(Problem((*place, "scope"), "This key is required. Add it."))
    elif not isinstance(scope, str) or scope not in set(Scope):
        problems.append(Problem((*place, "scope"), _not_a_scope(scope)))
    when = None
    if "when" in written:
        when, faults = read_condition(written["when"], (*place, "when"))
        problems += faults
    return (None, problems) if problems else (Alternative(Scope(str(scope)), when), [])


_KEYS = ("scope", "when")
_FORM = "Write a scope, or a mapping such as {scope: all, when: {path: …, equals: …}}."


def _not_a_scope(written: object) -> str:
    return f"The value {shortened(written)} is not allowed here. Choose one of: 'all' or 'self'."


def _fault(problems: list[Problem]) -> PydanticCustomError:
    return PydanticCustomError(GRANT_FAULT, "The grant is not valid.", {"problems": problems})


_READ: Callable[[Any], LevelGrant] = read_grant
WrittenGrant = Annotated[LevelGrant, PlainValidator(_READ), PlainSerializer(written_grant)]
"""A level's grant in a catalog, for pydantic."""
