"""Plain texts for the problems that pydantic finds in the shape of a catalog or of grants."""

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from pydantic import ValidationError

from rolecall.core.problems import Place, Problem, did_you_mean
from rolecall.core.table import NAME_PATTERN, PERMISSION_PATTERN, ROLE_NAME_PATTERN

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_TEXTS = {
    "value_error": "{error}",
    "missing": "This key is required. Add it.",
    "missing_argument": "This key is required. Add it.",
    "unexpected_keyword_argument": "Unexpected key. {nearest}Remove it, or correct its spelling.",
    "string_type": "The value must be a text. Put it in quotes.",
    "bool_type": "The value must be true or false.",
    "bool_parsing": "The value must be true or false.",
    "int_type": "The value must be a whole number.",
    "int_parsing": "The value must be a whole number.",
    "tuple_type": "The value must be a list.",
    "mapping_type": "The value must be a mapping of keys to values.",
    "dict_type": "The value must be a mapping of keys to values.",
    "dataclass_type": "The value must be a mapping of keys to values.",
    "string_pattern_mismatch": "The value {input!r} is not {form}.",
    "enum": "The value {input!r} is not allowed here. Choose one of: {expected}.",
    "greater_than": "The value must be greater than {gt}.",
    "too_short": "The list needs at least {min_length} item.",
    "string_too_short": "The text needs at least {min_length} character.",
    "string_too_long": "The text can have at most {max_length} characters.",
}
"""By pydantic's type of error; the braces name its context. Other types keep pydantic's text."""
_NAME_FORM = "a name: a lower-case letter, then lower-case letters, digits"
_FORMS = {
    NAME_PATTERN: f"{_NAME_FORM} and `_`, at most 64 characters",
    ROLE_NAME_PATTERN: f"{_NAME_FORM}, `_` and `-`, at most 64 characters",
    PERMISSION_PATTERN: "a permission: two names with a colon between them, such as"
    " `instance:write`",
}
"""The patterns in words."""


def shape_problems(error: ValidationError, shape: type[Any]) -> list[Problem]:
    """Every problem of an input that should have this shape, at its place and in plain words."""
    return [Problem(_place(item["loc"]), _text(item, shape)) for item in error.errors()]


def _text(item: "ErrorDetails", shape: Any) -> str:
    text = _TEXTS.get(item["type"])
    if text is None:
        return item["msg"]
    context = item.get("ctx", {})
    known = _keys(shape, item["loc"][:-1])
    return text.format(
        input=item["input"],
        form=_FORMS.get(context.get("pattern", "")),
        nearest=did_you_mean(str(item["loc"][-1]), known) if known else "",
        **context,
    )


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
