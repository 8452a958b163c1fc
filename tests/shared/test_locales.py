"""The choice of a language and of a time zone."""

import pytest

from shared.locales import (
    DEFAULT_LOCALE,
    Locale,
    known_locale,
    parse_locale,
    parse_time_zone,
    preferred_locale,
)

EN, DE = Locale.EN, Locale.DE


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", EN),
        ("de", DE),
        ("DE-at", DE),
        ("de-AT,de;q=0.9,en;q=0.8", DE),
        ("en-GB,en;q=0.9,de;q=0.8", EN),
        ("fr-FR, fr;q=0.9, de;q=0.4, en;q=0.3", DE),
        ("fr, *;q=0.1", EN),
        ("en;q=0.2, de;q=0.7", DE),
        ("de;q=0, en;q=0.1", EN),
        ("de;q=nan", EN),
        ("de;q=2", EN),
        ("de;q=x, en", EN),
        (";;;,,,=,q=1", EN),
        ("xx," * 50 + "de", EN),
        ("de" * 100_000, EN),
    ],
)
def test_the_language_of_a_browser_is_the_one_that_it_prefers_of_ours(header, locale):
    assert preferred_locale(header) is locale


def test_a_language_that_only_another_version_knows_is_the_default():
    assert (known_locale("de"), known_locale("fr")) == (DE, DEFAULT_LOCALE)


def test_a_refused_language_names_those_that_can_be_chosen():
    with pytest.raises(ValueError, match=r"Choose one of: en, de\."):
        parse_locale("fr")


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_names_of_the_time_zone_database_are_time_zones(name):
    assert parse_time_zone(name) == name


@pytest.mark.parametrize(
    "name", ["", "Berlin", "europe/berlin ", "../UTC", "/etc/localtime", "localtime", "x" * 999]
)
def test_another_text_is_refused_as_a_time_zone(name):
    with pytest.raises(ValueError, match="IANA"):
        parse_time_zone(name)
