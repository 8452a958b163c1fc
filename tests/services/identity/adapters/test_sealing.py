"""Sealed secrets open with their key and for their owner only."""

import os

import pytest

from services.identity.adapters.sealing import FactorSealer, SealBroken

SEALER = FactorSealer(os.urandom(32))
SEALED = SEALER.seal(b"secret", bound_to="totp/usr_1")


def test_a_sealed_secret_opens_again():
    assert SEALER.open(SEALED, bound_to="totp/usr_1") == b"secret"
    assert SEALER.seal(b"secret", bound_to="totp/usr_1") != SEALED


@pytest.mark.parametrize(
    ("sealer", "sealed", "owner"),
    [
        (FactorSealer(os.urandom(32)), SEALED, "totp/usr_1"),
        (SEALER, SEALED, "totp/usr_2"),
        (SEALER, SEALED[:-1] + bytes([SEALED[-1] ^ 1]), "totp/usr_1"),
        (SEALER, SEALED[:12], "totp/usr_1"),
        (SEALER, b"", "totp/usr_1"),
    ],
    ids=["another key", "another owner", "changed", "cut", "empty"],
)
def test_a_foreign_or_changed_secret_does_not_open(sealer, sealed, owner):
    with pytest.raises(SealBroken):
        sealer.open(sealed, bound_to=owner)
