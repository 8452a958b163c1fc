"""What a caller may send about a lease."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.calls.leases import LeaseRequest, ReleaseQuery

LIFE = "0" * 32
FITS: dict[str, Any] = {"slot": "host:8080", "life": LIFE, "asked": 1, "applied": {0: 0, 63: 7}}


def test_a_request_of_an_earlier_version_has_no_digests():
    assert LeaseRequest(**FITS).digests == {}
    assert LeaseRequest(**FITS, digests={0: "a" * 64, 63: "0" * 64}).applied == {0: 0, 63: 7}


@pytest.mark.parametrize(
    "unfit",
    [
        {"slot": ""},
        {"slot": "a/b"},
        {"slot": "a\nb"},
        {"slot": "a\x00"},
        {"slot": "a\u2028"},
        {"life": "0" * 31},
        {"life": "0" * 32 + "\n"},
        {"life": "G" * 32},
        {"asked": -1},
        {"asked": 2**63},
        {"applied": {64: 1}},
        {"applied": {-1: 1}},
        {"applied": {0: -1}},
        {"applied": {0: 2**63}},
        {"digests": {64: "a" * 64}},
        {"digests": {0: "a" * 63}},
        {"digests": {0: "not hexadecimal".ljust(64)}},
    ],
)
def test_what_no_replica_sends_is_refused(unfit):
    with pytest.raises(ValidationError):
        LeaseRequest(**FITS | unfit)


@pytest.mark.parametrize("slot", ["a\nb", "a/b", "\x1b[2J"])
def test_a_slot_of_a_release_is_checked_too(slot):
    with pytest.raises(ValidationError):
        ReleaseQuery(slot=slot, life=LIFE)
