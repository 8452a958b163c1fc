"""What is left of second factors when one of them goes, as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.identity.domain import mfa
from services.identity.domain.mfa import SecondFactors, Totp
from tests.services.identity.domain.rows import NOON
from tests.services.identity.domain.test_factor_take_back import (
    CODES,
    DAY,
    FIRST,
    NONE,
    with_passkey,
)

APP = Totp(sealed=b"first", added_at=NOON, last_step=1)
ONLY_APP = replace(NONE, totp=APP, codes=CODES)
WAITING = mfa.begin_totp(replace(FIRST, totp=APP), b"second", now=NOON)


@pytest.mark.rule("T5")
@pytest.mark.parametrize(
    ("left", "exist", "codes"),
    [
        (mfa.remove_passkey(FIRST, "pky_first"), False, ()),
        (mfa.remove_totp(ONLY_APP), False, ()),
        (mfa.remove_all(FIRST), False, ()),
        (mfa.remove_passkey(WAITING, "pky_first"), True, CODES),
        (mfa.remove_totp(WAITING), True, CODES),
        (mfa.remove_passkey(with_passkey(FIRST, "b", NOON + DAY), "pky_b"), True, CODES),
    ],
)
def test_recovery_codes_go_with_the_last_factor(
    left: SecondFactors,
    exist: bool,  # noqa: FBT001
    codes: tuple[object, ...],
) -> None:
    assert (left.exist, left.codes) == (exist, codes)


def test_an_app_that_waits_goes_with_the_one_that_it_was_to_replace() -> None:
    assert (mfa.remove_totp(WAITING).totp, mfa.remove_totp(WAITING).pending) == (None, None)
