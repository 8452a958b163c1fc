"""Plain texts for the problems that pydantic finds in the shape of a catalog or of grants."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

from rolecall.core.problems import Place, Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_TEXTS = {
    "value_error": "{error}",
    "missing": "This key is required. Add it.",
    "missing_argument": "This key is required. Add it.",
    "unexpected_keyword_argument": "Unexpected key. Remove it, or correct its spelling.",
    "string_type": "The value must be a text. Put it in quotes.",
    "bool_type": "The value must be true or false.",
    "bool_parsing": "The value must be true or false.",
    "int_type": "The value must be a whole number.",
    "int_parsing": "The value must be a whole number.",
    "tuple_type": "The value must be a list.",
    "mapping_type": "The value must be a mapping of keys to values.",
    "dict_type": "The value must be a mapping of keys to values.",
    "dataclass_type": "The value must be a mapping of keys to values.",
    "string_pattern_mismatch": "The value {input!r} does not match the pattern {pattern}. Use"
    " lower-case letters, digits and `_`; a permission is written `type:action`.",
    "enum": "The value {input!r} is not allowed here. Choose one of: {expected}.",
    "greater_than": "The value must be greater than {gt}.",
    "too_short": "The list needs at least {min_length} item.",
    "string_too_short": "The text needs at least {min_length} character.",
    "string_too_long": "The text can have at most {max_length} characters.",
}
"""By pydantic's type of error; the braces name its context. Other types keep pydantic's text."""


def shape_problems(error: ValidationError) -> list[Problem]:
    """Every problem of the error, at its place and in plain words."""
    return [Problem(_place(item["loc"]), _text(item)) for item in error.errors()]


def _text(item: "ErrorDetails") -> str:
    text = _TEXTS.get(item["type"])
    return item["msg"] if text is None else text.format(input=item["input"], **item.get("ctx", {}))


def _place(loc: tuple[int | str, ...]) -> Place:
    # pydantic marks a bad key of a mapping with a last step of its own.
    return loc[:-1] if loc and loc[-1] == "[key]" else loc
