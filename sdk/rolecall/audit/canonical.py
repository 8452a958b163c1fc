"""The canonical form of JSON values (RFC 8785), in which records are hashed."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

_string = json.JSONEncoder(ensure_ascii=False).encode
_plainly = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


_WORDS = {None: "null", True: "true", False: "false"}


def canonical(value: Any) -> bytes:
    """Write a JSON value in its canonical form.

    An integer beyond 2**53, for which RFC 8785 has no form, is written with all of its digits:
    records with different integers have different forms.

    Raises:
        ValueError: the value has a number that JSON cannot write, or a lone surrogate.
        TypeError: the value is not one of JSON.
    """
    return _text(value).encode()


def canonical_plain(value: Any) -> bytes:
    """Write a value as `canonical` does, in a tenth of the time.

    The value has no fractions, and the names in it are of ASCII letters.
    """
    return _plainly(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        members = sorted(value.items(), key=_utf16)
        return "{" + ",".join(f"{_string(name)}:{_text(each)}" for name, each in members) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_text, value)) + "]"
    raise TypeError(f"{type(value).__name__} is not a type of JSON")


def _utf16(member: tuple[str, Any]) -> bytes:
    """Names are sorted by their UTF-16 code units."""
    return member[0].encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """Write a number as ECMAScript does: the shortest digits, and its own rules for exponents."""
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """Write the digits with the decimal point after `point` of them."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    exponent = point - 1
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if exponent > 0 else '-'}{abs(exponent)}"
