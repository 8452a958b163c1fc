"""Validation of bodies, forms and queries, and the messages that say what is wrong where."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rolecall.core.problems import choices, nearest_to
from shared.http.faults import JSON_TYPES, BodyFault, known_members, located
from shared.http.moments import moment_fault
from shared.http.refusals import MAX_FORM_FIELDS, BadRequest, MalformedForm
from shared.http.routes import MAX_ERRORS, Strictness, refuse
from shared.ids import PREFIXES, id_form
from shared.problems import Invalid, Refusal

MAX_POINTER_CHARACTERS = 200
MAX_READ = 2_000
"""Of how many errors the places are searched. A fault has one for each branch of a union."""
OF_CHOICES = "of_choices"
"""The type of an error of a validator whose context has the `choices`. The nearest one is searched
for the errors that an answer tells, not for each one in a body."""

_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00\ud800-\udfff]")
ModelT = TypeVar("ModelT", bound=BaseModel)


def check_json(model: type[ModelT], raw: bytes, *, value: Any, strictness: Strictness) -> ModelT:
    """Validate a JSON text whose parsed `value` is known to be acceptable JSON.

    Types are those of JSON: `"1"` is not a number and `1` is not a boolean.

    Raises:
        Invalid, BadRequest: it does not fit the model; which one depends on `strictness`.
    """
    try:
        return model.model_validate_json(raw, strict=True, extra=_EXTRA[strictness])
    except ValidationError as error:
        raise _refusal(error, model, value, prefix="", strictness=strictness) from None


def check_strings(
    model: type[ModelT] | None,
    values: Iterable[tuple[str, str]],
    *,
    prefix: str,
    strictness: Strictness,
) -> ModelT | None:
    """Validate a query or a form; `prefix` begins the pointers (`/query`).

    Raises:
        Invalid, BadRequest: it does not fit the model; which one depends on `strictness`.
    """
    single = _single(values, prefix=prefix, strictness=strictness)
    if model is None:
        if single and strictness is Strictness.STRICT:
            raise Invalid(
                errors=[(_pointer(prefix, [name]), _UNKNOWN_PARAMETER) for name in single]
            )
        return None
    try:
        return model.model_validate_strings(single, extra=_EXTRA[strictness])
    except ValidationError as error:
        raise _refusal(error, model, single, prefix=prefix, strictness=strictness) from None


def check_no_field_in_query(fields: Iterable[str], query: Iterable[str]) -> None:
    """Refuse the fields of a form in the address, where logs would keep a secret.

    Raises:
        BadRequest: a field is there (RFC 6749, section 2.3.1).
    """
    misplaced = sorted(set(fields) & set(query))
    if misplaced:
        message = "Send this field in the body, not in the query."
        raise BadRequest(errors=[(_pointer(QUERY, [name]), message) for name in misplaced])


def read_form(raw: bytes) -> list[tuple[str, str]]:
    """Read the fields of a form body.

    Raises:
        MalformedForm: it is not a form of at most `MAX_FORM_FIELDS` fields in UTF-8.
    """
    try:
        text = raw.decode("ascii")
        if _BAD_ESCAPE.search(text):
            raise MalformedForm
        return parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError:
        raise MalformedForm from None


def _single(
    values: Iterable[tuple[str, str]], *, prefix: str, strictness: Strictness
) -> dict[str, str]:
    single: dict[str, str] = {}
    errors = []
    for name, value in values:
        if name in single:
            errors.append(
                (_pointer(prefix, [name]), "This parameter appears more than once. Send it once.")
            )
        if _CONTROL.search(name + value):
            errors.append(
                (_pointer(prefix, [name]), "Contains a character that is not allowed. Remove it.")
            )
        single[name] = value
    if errors:
        raise refuse(errors, strictness)
    return single


def _refusal(
    error: ValidationError,
    model: type[BaseModel],
    value: Any,
    *,
    prefix: str,
    strictness: Strictness,
) -> Refusal:
    faults = located(error.errors(include_url=False)[:MAX_READ], value)
    told = [fault for fault in faults if not _counts_valid_items(fault, faults)]
    return refuse(
        [
            (
                _pointer(prefix, [*fault.steps, *_tag(fault.details)]),
                _one_of_types(fault.types)
                or _unknown_member(fault, model, prefix=prefix)
                or _message(fault.details, prefix=prefix),
            )
            for fault in told[:MAX_ERRORS]
        ],
        strictness,
    )


def _counts_valid_items(fault: BodyFault, faults: Sequence[BodyFault]) -> bool:
    """Whether an array is too short only because items of it have faults of their own."""
    place = fault.steps
    return fault.details["type"] == "too_short" and any(
        len(other.steps) > len(place) and other.steps[: len(place)] == place for other in faults
    )


def _one_of_types(types: Sequence[str]) -> str:
    """The types of which a value must be one; empty without any."""
    *others, last = [one for one in types if one != "an integer" or "a number" not in types] or [""]
    return f"Must be {', '.join(others)}{', or ' if others else ''}{last}." if last else ""


def _unknown_member(fault: BodyFault, model: type[BaseModel], *, prefix: str) -> str:
    """The message about an unknown member that is spelt like a known one; empty otherwise."""
    if fault.details["type"] != "extra_forbidden" or prefix == QUERY:
        return ""
    *above, name = fault.steps
    nearest = nearest_to(str(name), known_members(model, tuple(above)))
    if nearest is None:
        return ""
    return f"This field is not known. Did you mean `{nearest}`? Remove it, or correct its name."


def _message(fault: ErrorDetails, *, prefix: str) -> str:
    """What is wrong and what to do; never a part of the input."""
    kind, limits = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden" and prefix == QUERY:
        kind = "unknown_parameter"
    elif kind.startswith("datetime_"):
        return moment_fault(str(fault["input"])) + "."
    elif kind == OF_CHOICES:
        return f"{fault['msg']} {choices(str(fault['input']), limits['choices'])}"
    elif kind.startswith("timezone_") and prefix == QUERY:
        kind = "timezone_in_query"
    elif kind.startswith("timezone_"):
        kind = "timezone"
    elif kind == "string_pattern_mismatch" and limits["pattern"] in _OF_PATTERNS:
        return _OF_PATTERNS[limits["pattern"]]
    elif limits.get("min_length") == 1:
        kind = "empty"
    template = _MESSAGES.get(kind)
    if template is None:
        return fault["msg"].removeprefix("Value error, ").rstrip(".") + "."
    quoted = limits.get("expected", limits.get("expected_tags", ""))
    quotes = re.findall("'([^']*)'", quoted)
    listed = ("one of: " if len(quotes) > 1 else "") + ", ".join(quotes)
    return template.format_map({**limits, "choices": listed})


def _tag(fault: ErrorDetails) -> list[str]:
    """The member that says which kind of object it is, if the fault is there."""
    if not fault["type"].startswith("union_tag_"):
        return []
    return [str(fault["ctx"]["discriminator"]).strip("'")]


def _pointer(prefix: str, steps: Sequence[int | str]) -> str:
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return (prefix + "".join(f"/{step}" for step in escaped))[:MAX_POINTER_CHARACTERS]


QUERY = "/query"
_UNKNOWN_PARAMETER = "This parameter is not known. Remove it."
_NO_ZONE = "The time has no zone. Add `Z` for UTC, or an offset such as `+02:00`."
_OF_PATTERNS: Mapping[str, str] = {
    **{f"^{prefix}_[0-9a-f]{{32}}$": id_form(prefix) for prefix in PREFIXES.values()},
    "^[a-z][a-z0-9_]{0,63}$": "Must begin with a lower-case letter, and have only lower-case"
    " letters, digits and `_`, at most 64 of them.",
}
"""Patterns of fields that callers send, in words."""
_MESSAGES: Mapping[str, str] = {
    **{kind: f"Must be {wanted}." for kind, wanted in JSON_TYPES.items()},
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known. Remove it.",
    "unknown_parameter": _UNKNOWN_PARAMETER,
    "empty": "Must not be empty.",
    "enum": "Must be {choices}.",
    "literal_error": "Must be {choices}.",
    "union_tag_invalid": "Must be {choices}.",
    "union_tag_not_found": "This field is required.",
    "timezone": _NO_ZONE,
    "timezone_in_query": f"{_NO_ZONE} In a query, write `+` as `%2B`.",
    "string_too_short": "Must have at least {min_length} characters.",
    "string_too_long": "Must have at most {max_length} characters.",
    "string_pattern_mismatch": "Does not have the form of this field. See its schema.",
    "too_short": "Must have at least {min_length} items.",
    "too_long": "Must have at most {max_length} items.",
    "int_parsing": "Must be an integer.",
    "int_parsing_size": "Must be an integer of at most 64 bits.",
    "int_from_float": "Must be an integer.",
    "float_parsing": "Must be a number.",
    "finite_number": "Must be a finite number.",
    "bool_parsing": "Must be true or false.",
    "greater_than": "Must be greater than {gt}.",
    "greater_than_equal": "Must be at least {ge}.",
    "less_than": "Must be less than {lt}.",
    "less_than_equal": "Must be at most {le}.",
    "none_required": "Must be null.",
}
_EXTRA: Mapping[Strictness, Literal["forbid", "ignore"]] = {
    Strictness.STRICT: "forbid",
    Strictness.LENIENT: "ignore",
}
