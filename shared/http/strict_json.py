"""Is this a JSON text that every reader understands alike (RFC 8259, RFC 7493)?"""

import json
import math
import re
from typing import Any

from shared.http.refusals import MalformedJson

DEEPEST = 32
SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**63 - 1
LONGEST_INTEGER = 20
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def loads(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8 (`T22`).

    Raises:
        MalformedJson: it is none, or one that two readers would understand differently: members
            that appear twice, NaN, numbers beyond 64 bits, NUL or lone surrogates in a string,
            more than 32 levels.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJson(reason="it is not UTF-8") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJson(reason=f"{error.msg.lower()} at character {error.pos}") from None
    except RecursionError:
        raise MalformedJson(reason=_TOO_DEEP) from None
    # Only an escape can bring in such a character, and only brackets can bring depth.
    if "\\u" in text or text.count("[") + text.count("{") > DEEPEST:
        _walk(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson(reason="an object has two members of the same name")
    return members


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= LONGEST_INTEGER else LARGEST_INTEGER + 1
    if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        raise MalformedJson(reason="an integer has more than 64 bits")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedJson(reason="a number is too large")
    return number


def _constant(name: str) -> Any:
    raise MalformedJson(reason=f"{name} is no JSON value")


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
                raise MalformedJson(reason="a string holds NUL or half of a character")
        depth += any(isinstance(item, dict | list) for item in level)
        if depth > DEEPEST:
            raise MalformedJson(reason=_TOO_DEEP)
        level = deeper


_TOO_DEEP = f"it is nested more than {DEEPEST} levels deep"
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_integer,
    parse_float=_finite,
    parse_constant=_constant,
)
