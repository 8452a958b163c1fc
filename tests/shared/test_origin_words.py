"""A device and a network are named in the language of the reader."""

import pytest

from services.identity.domain.devices import UNKNOWN_DEVICE, UNKNOWN_NETWORK
from shared.locales import Locale
from shared.origin_words import origin_words


@pytest.mark.parametrize(
    ("named", "german"),
    [
        (UNKNOWN_DEVICE, "Unbekanntes Gerät"),
        (UNKNOWN_NETWORK, "Unbekanntes Netz"),
        ("Python program", "Python-Programm"),
        ("Program on Linux", "Programm unter Linux"),
        ("Firefox on macOS", "Firefox unter macOS"),
        ("curl", "curl"),
        ("198.51.100.0/24", "198.51.100.0/24"),
    ],
)
def test_the_origin_of_a_sign_in_is_named_in_german(named, german):
    assert origin_words(named, Locale.DE) == german
    assert origin_words(named, Locale.EN) == named
