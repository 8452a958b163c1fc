"""Comparison of JSON values."""

import json


def same_json(one: object, other: object) -> bool:
    """Whether both are the same JSON; the order of members does not count.

    Python takes `1`, `1.0` and `True` for equal. JSON does not, and neither does a condition that
    compares a value with one of them.
    """
    return _text(one) == _text(other)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=dict)
