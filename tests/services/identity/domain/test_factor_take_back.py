"""Taking a first second factor back: which link works, and what is left, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from services.identity.domain import mfa
from services.identity.domain.factor_take_back import (
    TAKE_BACK_LIFETIME,
    check_take_back,
    take_back,
    take_back_of,
    taken_back_by,
)
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.mfa import RecoveryCode, SecondFactors
from services.identity.domain.passkeys import Passkey
from services.identity.use_cases import factor_take_back
from shared.contracts.facts import service_caller
from shared.contracts.topology import Service
from shared.links import Link
from tests.clocks import SetClock
from tests.services.identity.domain.rows import NOON, USER

if TYPE_CHECKING:
    from services.identity.domain.users import User
    from services.identity.use_cases.context import Ctx

CODES = (RecoveryCode(name="AA", hash="h"),)
MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)


def with_passkey(factors: SecondFactors, name: str, added_at: datetime) -> SecondFactors:
    passkey = Passkey(
        passkey_id=f"pky_{name}",
        credential=name,
        public_key=b"k",
        sign_count=0,
        name=name,
        added_at=added_at,
    )
    return mfa.add_passkey(factors, passkey, () if factors.exist else CODES)


NONE = SecondFactors(user_id=USER.id)
FIRST = with_passkey(NONE, "first", NOON)
END = NOON + TAKE_BACK_LIFETIME


@pytest.mark.rule("T5")
@pytest.mark.parametrize(
    ("user", "factors", "link"),
    [
        (USER, FIRST, (1, END)),
        (USER, with_passkey(FIRST, "second", NOON + DAY), (1, END)),
        (USER, mfa.remove_passkey(with_passkey(FIRST, "b", NOON + DAY), "pky_first"), (1, END)),
        (USER, with_passkey(mfa.remove_all(FIRST), "b", NOON + DAY), (2, END + DAY)),
        (USER, NONE, None),
        (USER, mfa.remove_all(FIRST), None),
        (USER, replace(FIRST, began_at=None), None),
        (replace(USER, verified_at=None), FIRST, None),
        (replace(USER, verified_at=NOON + MOMENT), FIRST, None),
    ],
)
def test_only_the_first_factor_of_a_proved_mailbox_has_a_link(
    user: User, factors: SecondFactors, link: tuple[int, datetime] | None
) -> None:
    assert take_back_of(user, factors) == link


def test_a_link_works_for_two_weeks_and_for_its_beginning() -> None:
    assert check_take_back(USER, FIRST, generation=1, now=END - MOMENT) == USER
    for user, generation, now in (
        (USER, 1, END),
        (USER, 2, NOON),
        (USER, 0, NOON),
        (None, 1, NOON),
    ):
        with pytest.raises(LinkInvalid):
            check_take_back(user, FIRST, generation=generation, now=now)


STOLEN = replace(USER, password_imported=True, known_devices=("of a thief",))
LOCKED, LEFT, FACTS = take_back(STOLEN, with_passkey(FIRST, "second", NOON))


@pytest.mark.rule("T5")
def test_a_take_back_leaves_nothing_that_a_thief_has() -> None:
    assert (LOCKED.password_hash, LOCKED.password_imported) == (None, False)
    assert (LOCKED.known_devices, LOCKED.password_taken) == ((), True)
    assert (LEFT.exist, LEFT.codes, LEFT.beginnings) == (False, (), 1)
    assert [fact.payload.model_dump()["taken_back"] for fact in FACTS] == [True, True]


@pytest.mark.parametrize(
    ("factors", "generation", "done"),
    [
        (LEFT, 1, True),
        (mfa.remove_all(LEFT), 1, True),
        (LEFT, 2, False),
        (mfa.remove_all(FIRST), 1, False),
        (with_passkey(LEFT, "later", NOON), 1, False),
        (mfa.remove_all(with_passkey(LEFT, "later", NOON)), 1, False),
    ],
)
def test_a_link_has_done_its_work_until_other_factors_begin(
    factors: SecondFactors,
    generation: int,
    done: bool,  # noqa: FBT001
) -> None:
    assert taken_back_by(factors, generation=generation) is done


class BetweenCheckAndWrite:
    """The store and the journal of a user who changes the address before the write."""

    async def user(self, _: str, session: object = None) -> User:
        return USER if session is None else replace(USER, verified_at=NOON + DAY)

    async def factors(self, _: str, session: object = None) -> SecondFactors:
        return FIRST

    async def write(self, _: str, change: Any, **__: object) -> None:
        await change(SimpleNamespace(session=self, now=NOON))


@pytest.mark.rule("T5")
async def test_a_link_is_checked_again_in_the_write() -> None:
    between = BetweenCheckAndWrite()
    links = SimpleNamespace(read=lambda _: Link(id=USER.id, generation=1))
    parts = {"store": between, "journal": between, "clock": SetClock(NOON)}
    ctx = cast("Ctx", SimpleNamespace(**parts, take_back_links=links))
    with pytest.raises(LinkInvalid):
        await factor_take_back.take_back(ctx, service_caller(Service.IDENTITY), token="any")
