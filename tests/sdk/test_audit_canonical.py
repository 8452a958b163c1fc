"""The canonical form of JSON values, against another implementation of RFC 8785."""

import math
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from rolecall.audit.canonical import canonical

FLOATS = (
    0.0,
    -0.0,
    1.0,
    -1.5,
    1e21,
    1e20,
    123456789012345680000.0,
    1e-6,
    1e-7,
    5e-324,
    1.7976931348623157e308,
    9007199254740992.0,
    0.000001234,
    333333333.33333329,
)

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_the_form_of_any_value_is_that_of_another_implementation(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(st.binary(min_size=8, max_size=8))
def test_the_form_of_any_number_is_that_of_another_implementation(data):
    (number,) = struct.unpack("d", data)
    if math.isfinite(number):
        assert canonical(number) == rfc8785.dumps(number)


@pytest.mark.parametrize("number", FLOATS)
def test_numbers_at_the_edges_are_written_as_ecmascript_does(number):
    assert canonical(number) == rfc8785.dumps(number)


def test_names_are_sorted_by_their_utf16_code_units():
    value = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4}
    assert list(value) != sorted(value)
    assert canonical(value) == '{"1":4,"€":3,"\U0001f600":2,"\ufb33":1}'.encode()


def test_integers_that_a_double_cannot_hold_stay_apart():
    assert canonical(2**53 + 1) != canonical(2**53)


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", {"\udfff": 1}])
def test_what_json_cannot_write_has_no_form(value):
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        canonical(value)


def test_what_is_not_json_has_no_form():
    with pytest.raises(TypeError):
        canonical({1, 2})
