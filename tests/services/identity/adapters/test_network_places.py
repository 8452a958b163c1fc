"""The operator's file of networks and places."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.identity.adapters.network_places import PlacesUnreadable, read_places

FILE = '203.0.113.0/24,Vienna\n203.0.113.64/26,"Vienna, office"\n2001:db8::/32,Berlin\n'


@pytest.mark.parametrize(
    ("network", "place"),
    [
        ("203.0.113.7", "Vienna"),
        ("203.0.113.70", "Vienna, office"),
        ("198.51.100.1", None),
        ("2001:db8:1:2::/64", "Berlin"),
        ("Unknown network", None),
        (None, None),
    ],
)
def test_the_smallest_network_of_the_file_names_the_place(
    tmp_path: Path, network: str | None, place: str | None
) -> None:
    file = tmp_path / "places.csv"
    file.write_text(FILE)
    assert read_places(str(file)).place_of(network) == place
    assert read_places("").place_of(network) is None


@pytest.mark.parametrize(
    "line",
    ["203.0.113.0/24", "203.0.113.1/24,Vienna", "x,Vienna", "203.0.113.0/24,", "a,b,c", "\n"],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "places.csv"
    file.write_text(f"198.51.100.0/24,Graz\n{line}")
    with pytest.raises(PlacesUnreadable, match="line 2"):
        read_places(str(file))
    with pytest.raises(PlacesUnreadable, match="cannot be read"):
        read_places(str(tmp_path / "absent.csv"))
