"""Which attributes of a member are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from services.team.domain.member_attributes import same_attributes

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
def test_attributes_are_the_same_with_equal_values_of_equal_types(
    one: Mapping[str, Any], other: Mapping[str, Any], *, same: bool
) -> None:
    assert same_attributes(one, other) is same
    assert same_attributes(other, one) is same
