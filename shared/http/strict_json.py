"""Parsing JSON that every reader understands in the same way (RFC 8259, RFC 7493)."""

import json
import math
import re
from typing import Any

from shared.http.refusals import MalformedJson

MAX_JSON_LEVELS = 32
MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1
MAX_INTEGER_CHARACTERS = 20
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def loads(raw: bytes) -> Any:
    """Parse a JSON text in UTF-8 (`T22`).

    Raises:
        MalformedJson: it is not JSON, or two readers could understand it differently: duplicate
            members, NaN, numbers beyond 64 bits, NUL or lone surrogates in a string, or more than
            `MAX_JSON_LEVELS` levels.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJson(reason="it is not encoded in UTF-8") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJson(reason=f"{error.msg.lower()} at character {error.pos}") from None
    except RecursionError:
        raise MalformedJson(reason=_TOO_DEEP) from None
    # Only an escape can produce such a character, and only brackets can nest.
    if "\\u" in text:
        _walk(value)
    elif text.count("[") + text.count("{") > MAX_JSON_LEVELS:
        _measure(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson(reason="an object has two members with the same name")
    return members


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= MAX_INTEGER_CHARACTERS else MAX_INTEGER + 1
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        raise MalformedJson(reason="an integer has more than 64 bits")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedJson(reason="a number is outside the range of a 64-bit float")
    return number


def _constant(name: str) -> Any:
    raise MalformedJson(reason=f"{name} is not a JSON value")


def _measure(value: Any) -> None:
    """Refuse what is too deep; only containers are looked at, for a batch has many values."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_JSON_LEVELS:
            raise MalformedJson(reason=_TOO_DEEP)
        level = [
            inner
            for item in level
            for inner in (item.values() if type(item) is dict else item)
            if type(inner) is dict or type(inner) is list
        ]


def _walk(value: Any) -> None:
    level, depth = [value], 0
    while level:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper += item.keys()
                deeper += item.values()
            elif isinstance(item, list):
                deeper += item
            elif isinstance(item, str) and _FORBIDDEN.search(item):
                raise MalformedJson(reason="a string contains a character that is not allowed")
        depth += any(isinstance(item, dict | list) for item in level)
        if depth > MAX_JSON_LEVELS:
            raise MalformedJson(reason=_TOO_DEEP)
        level = deeper


_TOO_DEEP = f"it is nested more than {MAX_JSON_LEVELS} levels deep"
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_finite,
    parse_constant=_constant,
)
