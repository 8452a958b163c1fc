"""Tests of sealed places: only their lists read them, and their length tells nothing."""

import pytest
from pydantic import SecretStr

from services.authz.adapters.sealed_places import SealedPlaces
from shared.auth.keys import generate_key, private_text

KEY = SecretStr(private_text(generate_key()))
PLACES = SealedPlaces(KEY)


@pytest.mark.parametrize("place", ["", "i-1", "i\0", "\x80\0", "é" * 1024, "\U0001f600" * 1024])
def test_a_place_is_read_by_another_replica_for_its_list_only(place):
    sealed = PLACES.seal(place, of="a")
    assert SealedPlaces(KEY).read(sealed, of="a") == place
    assert PLACES.read(sealed, of="b") is None
    assert SealedPlaces(SecretStr(private_text(generate_key()))).read(sealed, of="a") is None


@pytest.mark.parametrize("text", ["", "x", "é", "A" * 100, "A" * 300])
def test_a_text_that_was_not_sealed_is_refused(text):
    assert PLACES.read(text, of="a") is None


def test_a_sealed_place_tells_neither_the_length_nor_that_it_is_the_same():
    assert len({len(PLACES.seal("x" * length, of="a")) for length in range(255)}) == 1
    assert PLACES.seal("x", of="a") != PLACES.seal("x", of="a")
