"""Plain texts for the problems that pydantic finds in the shape of a catalog or of grants."""

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pydantic import ValidationError

from rolecall.core.level_grants import GRANT_FAULT
from rolecall.core.problems import Place, Problem, did_you_mean, nearest_to
from rolecall.core.table import (
    ACTION_PATTERN,
    LANGUAGE_PATTERN,
    NAME_PATTERN,
    PERMISSION_PATTERN,
    ROLE_NAME_PATTERN,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_UNEXPECTED = "unexpected_keyword_argument"
_MISSING = ("missing", "missing_argument")
_TEXTS = {
    "value_error": "{error}",
    "missing": "This key is required. Add it.",
    "missing_argument": "This key is required. Add it.",
    _UNEXPECTED: "Unexpected key. {nearest}Remove it, or correct its spelling.",
    "invalid_key": "A key must be a text. Put it in quotes, or remove it.",
    "string_pattern_mismatch": "The value {input!r} is not {form}.",
    "enum": "The value {input!r} is not allowed here. Choose one of: {expected}.",
    "greater_than": "The value must be greater than {gt}.",
    "too_short": "The list needs at least {min_length} item.",
    "string_too_short": "The text needs at least {min_length} character.",
    "string_too_long": "The text can have at most {max_length} characters.",
}
"""By pydantic's type of error; the braces name its context. Other types keep pydantic's text."""
_TYPES = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "mapping_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "dataclass_type": "a mapping of keys to values",
}
"""What a value of the wrong type should be, by pydantic's type of error."""
_OF_TEXT = {
    "bool_type": ", without quotes",
    "int_type": ", without quotes",
    "tuple_type": ", such as [view, write]",
}
"""What to write instead of a text."""
_OF_EMPTY = {
    "string_type": 'Write "" for an empty text.',
    "tuple_type": "Write [] for an empty list.",
    "mapping_type": "Write {} for an empty mapping.",
    "dict_type": "Write {} for an empty mapping.",
}
"""What to write instead of nothing."""
_NAME_FORM = "a name: a lower-case letter, then lower-case letters, digits"
_FORMS = {
    NAME_PATTERN: f"{_NAME_FORM} and `_`, at most 64 characters",
    ROLE_NAME_PATTERN: f"{_NAME_FORM}, `_` and `-`, at most 64 characters",
    ACTION_PATTERN: "a name: a letter, then letters, digits and `_`, at most 64 characters",
    LANGUAGE_PATTERN: "the code of a language, such as `de`",
    PERMISSION_PATTERN: "a permission: two names with a colon between them, such as"
    " `instance:write`",
}
"""The patterns in words."""


def shape_problems(error: ValidationError, shape: type[Any]) -> list[Problem]:
    """Every problem of an input that should have this shape, at its place and in plain words."""
    items = error.errors()
    meant = {_meant(item, shape) for item in items if item["type"] == _UNEXPECTED}
    return [
        problem
        for item in items
        if item["type"] not in _MISSING or item["loc"] not in meant
        for problem in _problems(item, shape)
    ]


def _problems(item: "ErrorDetails", shape: type[Any]) -> list[Problem]:
    """The problems of one of pydantic's errors: for a grant, those that its reader found."""
    place = _place(item["loc"])
    if item["type"] != GRANT_FAULT:
        return [Problem(place, _text(item, shape))]
    found: list[Problem] = item["ctx"]["problems"]
    return [Problem((*place, *problem.place), problem.message) for problem in found]


def _meant(item: "ErrorDetails", shape: type[Any]) -> Place | None:
    """The place of the key that an unexpected key is a mistyped form of."""
    *above, key = item["loc"]
    nearest = nearest_to(str(key), _keys(shape, tuple(above)))
    return None if nearest is None else (*above, nearest)


def _text(item: "ErrorDetails", shape: Any) -> str:
    kind, value = item["type"], item["input"]
    if kind in _TYPES:
        return _text_of_type(kind, value)
    text = _TEXTS.get(kind)
    if text is None:
        return item["msg"]
    context = item.get("ctx", {})
    return text.format(
        input=value,
        form=_FORMS.get(context.get("pattern", "")),
        nearest=did_you_mean(str(item["loc"][-1]), _keys(shape, item["loc"][:-1])),
        **context,
    )


def _text_of_type(kind: str, value: object) -> str:
    """Say what a value of the wrong type should be."""
    if value is None:
        return f"The value is empty. It must be {_TYPES[kind]}. {_OF_EMPTY.get(kind, '')}".rstrip()
    if isinstance(value, str):
        return f"The value is a text. It must be {_TYPES[kind]}{_OF_TEXT.get(kind, '')}."
    quotes = (
        " Put it in quotes." if kind == "string_type" and not isinstance(value, list | dict) else ""
    )
    return f"The value must be {_TYPES[kind]}.{quotes}"


def _keys(shape: Any, place: Place) -> list[str]:
    """The keys that the mapping at this place may have; none where they are free."""
    for step in place:
        if is_dataclass(shape):
            shape = get_type_hints(shape).get(str(step))
        else:
            shape = next(iter(get_args(shape)), None)
    return [field.name for field in fields(shape)] if is_dataclass(shape) else []


def _place(loc: tuple[int | str, ...]) -> Place:
    # pydantic marks a bad key of a mapping with a last step of its own.
    return loc[:-1] if loc and loc[-1] == "[key]" else loc
