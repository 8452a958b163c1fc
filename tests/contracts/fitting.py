"""Strategies of values that fit a JSON schema of the OpenAPI document."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from tests.contracts.verdicts import Schema, fits, resolved

Known = Mapping[str, Sequence[Any]]
"""Values that are likely to mean something, by the name of the member or parameter."""

LONGEST_DRAWN = 24
"""Longer texts have the greatest length that the schema permits."""
MOST_DRAWN = 3
"""Items of an array, and further members of an object."""
GREATEST = 2**53
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=LONGEST_DRAWN
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-GREATEST, GREATEST) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
MOMENTS = st.datetimes(
    datetime(1970, 1, 2),
    datetime(9990, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
).map(datetime.isoformat)


def fitting(
    schema: Schema, definitions: Mapping[str, Any], known: Known, name: str = ""
) -> st.SearchStrategy[Any]:
    """Values that the schema permits; often one that is known under this name."""
    likely = [value for value in known.get(name, ()) if fits(value, schema, definitions)]
    drawn = _drawn(resolved(schema, definitions), definitions, known, name)
    return st.sampled_from(likely) | drawn if likely else drawn


def known_in(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside of these, with the name of its member; an item has that of its list."""
    if name:
        yield name, values
    match values:
        case dict():
            for key, inner in values.items():
                yield from known_in(inner, key)
        case list() | tuple():
            for inner in values:
                yield from known_in(inner, name)


def _drawn(
    schema: Schema, definitions: Mapping[str, Any], known: Known, name: str
) -> st.SearchStrategy[Any]:
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is not None:
        return st.one_of([fitting(choice, definitions, known, name) for choice in choices])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "array":
            return _lists(schema, definitions, known, name)
        case "object":
            return _objects(schema, definitions, known)
    scalar = _SCALARS.get(schema.get("type"))
    return ANYTHING if scalar is None else scalar(schema)


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        whole = schema["pattern"].removesuffix("$") + r"\Z"
        return st.from_regex(whole)
    if schema.get("format") == "date-time":
        return MOMENTS
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", LONGEST_DRAWN)
    texts = TEXTS.filter(lambda text: shortest <= len(text) <= longest)
    return texts | st.sampled_from("x\U0001f600").map(lambda letter: letter * longest)


def _lists(
    schema: Schema, definitions: Mapping[str, Any], known: Known, name: str
) -> st.SearchStrategy[list[Any]]:
    items = fitting(schema.get("items", {}), definitions, known, name)
    fewest = schema.get("minItems", 0)
    most = min(schema.get("maxItems", MOST_DRAWN), fewest + MOST_DRAWN)
    unique = repr if schema.get("uniqueItems") else None
    return st.lists(items, min_size=fewest, max_size=most, unique_by=unique)


def _objects(
    schema: Schema, definitions: Mapping[str, Any], known: Known
) -> st.SearchStrategy[dict[str, Any]]:
    members = {
        name: fitting(below, definitions, known, name)
        for name, below in schema.get("properties", {}).items()
    }
    required = schema.get("required", ())
    named = st.fixed_dictionaries(
        {name: members[name] for name in required},
        optional={name: each for name, each in members.items() if name not in required},
    )
    most = min(MOST_DRAWN, schema.get("maxProperties", MOST_DRAWN))
    if "patternProperties" in schema:
        [(pattern, below)] = schema["patternProperties"].items()
        names: st.SearchStrategy[str] = _texts({"pattern": pattern})
    else:
        below = schema.get("additionalProperties", True)
        names = fitting({"type": "string"} | schema.get("propertyNames", {}), definitions, {})
    if below is False:
        return named
    inner = ANYTHING if below is True else fitting(below, definitions, known)
    more = st.dictionaries(names, inner, max_size=most)
    return st.builds(lambda more, named: more | named, more, named) if members else more


_SCALARS: Mapping[str | None, Callable[[Schema], st.SearchStrategy[Any]]] = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "integer": lambda schema: st.integers(
        schema.get("minimum", -GREATEST), schema.get("maximum", GREATEST)
    ),
    "number": lambda _: st.floats(allow_nan=False, allow_infinity=False),
    "string": _texts,
}
