"""Which JSON values are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rolecall.core.json_values import same_json

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({"level": 3, "team": "blue"}, {"team": "blue", "level": 3}, True),
        ({"level": 1}, {"level": True}, False),
        ({"level": 1}, {"level": 1.0}, False),
        ({"level": 0}, {"level": False}, False),
        ({"level": 1}, {"level": "1"}, False),
        ({"level": 1}, {}, False),
    ],
)
def test_values_are_the_same_if_their_json_is(
    one: Mapping[str, Any], other: Mapping[str, Any], *, same: bool
) -> None:
    assert same_json(one, other) is same
    assert same_json(other, one) is same
