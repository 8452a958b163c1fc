"""Does the input fit the row's models, and if not, where?"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.http.refusals import MAX_FORM_FIELDS, MalformedForm
from shared.http.routes import Strictness, refuse
from shared.problems import Invalid, Refusal

LONGEST_POINTER = 200

_CONTROL = re.compile("[\x00\ud800-\udfff]")
ModelT = TypeVar("ModelT", bound=BaseModel)


def check_json(model: type[ModelT], raw: bytes, *, value: Any, strictness: Strictness) -> ModelT:
    """The model of a JSON text whose parsed `value` is known to be acceptable JSON.

    Types are taken as JSON has them: `"1"` is no number, `1` is no boolean.
    """
    try:
        return model.model_validate_json(raw, strict=True, extra=_EXTRA[strictness])
    except ValidationError as error:
        raise _refusal(error, value, prefix="", strictness=strictness) from None


def check_strings(
    model: type[ModelT] | None,
    values: Iterable[tuple[str, str]],
    *,
    prefix: str,
    strictness: Strictness,
) -> ModelT | None:
    """The model of a query or a form. `prefix` begins the pointers (`/query`)."""
    single = _single(values, prefix=prefix, strictness=strictness)
    if model is None:
        if single and strictness is Strictness.STRICT:
            raise Invalid(errors=[(_pointer(prefix, [name]), _UNKNOWN) for name in single])
        return None
    try:
        return model.model_validate_strings(single, extra=_EXTRA[strictness])
    except ValidationError as error:
        raise _refusal(error, single, prefix=prefix, strictness=strictness) from None


def read_form(raw: bytes) -> list[tuple[str, str]]:
    """The members of a form body.

    Raises:
        MalformedForm: it cannot be read as a form of at most 32 members in UTF-8.
    """
    try:
        return parse_qsl(
            raw.decode("ascii"),
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
            errors.append((_pointer(prefix, [name]), "May be given once"))
        if _CONTROL.search(name + value):
            errors.append((_pointer(prefix, [name]), "Has a character that no text has"))
        single[name] = value
    if errors:
        raise refuse(errors, strictness)
    return single


def _refusal(error: ValidationError, value: Any, *, prefix: str, strictness: Strictness) -> Refusal:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return refuse(
        [(_pointer(prefix, _place(fault["loc"], value)), _message(fault)) for fault in faults],
        strictness,
    )


def _message(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return _UNKNOWN
    return fault["msg"].removeprefix("Value error, ")


def _place(location: Sequence[int | str], value: Any) -> list[int | str]:
    """The steps of pydantic's location that exist in the input; it also names union branches."""
    steps: list[int | str] = []
    for step in location:
        member = isinstance(value, Mapping) and step in value
        item = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if member or item:
            value = value[step]
        elif not isinstance(value, Mapping) or step != location[-1]:
            continue
        else:
            value = None
        steps.append(step)
    return steps


def _pointer(prefix: str, steps: Sequence[int | str]) -> str:
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return (prefix + "".join(f"/{step}" for step in escaped))[:LONGEST_POINTER]


_UNKNOWN = "Is not known here"
_EXTRA: Mapping[Strictness, Literal["forbid", "ignore"]] = {
    Strictness.STRICT: "forbid",
    Strictness.LENIENT: "ignore",
}
