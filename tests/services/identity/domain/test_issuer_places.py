"""No account holds up the issuers of another one, nor those of the operator."""

from __future__ import annotations

import pytest

from services.identity.domain.issuer_places import (
    MAX_KNOWN,
    PLACES_OF_ACCOUNTS,
    PLACES_OF_ISSUER,
    SHARES,
    IssuerPace,
    IssuerPlaces,
)
from shared.http.outbound import MAX_CONNECTIONS
from shared.ids import AccountId

ISSUER = "https://id.example"


def places(*, fast: int = 0, slow: int = 0) -> IssuerPlaces:
    """Places in a process that knows these numbers of accounts."""
    made = IssuerPlaces()
    for number in range(fast + slow):
        account_id = account("fast" if number < fast else "slow", number)
        assert made.take(ISSUER, account_id)
        made.release(ISSUER, account_id, seconds=0.2 if number < fast else 5.0)
    return made


def account(kind: str, number: int) -> AccountId:
    return AccountId(f"acc_{kind}_{number}")


def taken(held: IssuerPlaces, accounts: list[AccountId]) -> int:
    """How many places these accounts get that ask again and again."""
    return sum(held.take(f"{ISSUER}/{each}", one) for one in accounts for each in range(10))


@pytest.mark.rule("T19")
@pytest.mark.parametrize("pace", IssuerPace)
def test_an_account_has_a_share_over_all_of_its_issuers(pace: IssuerPace) -> None:
    held = places(fast=1, slow=1)
    one = {"fast": account("fast", 0), "slow": account("slow", 1), "new": account("new", 0)}[pace]
    assert held.pace(one) is pace
    assert taken(held, [one]) == SHARES[pace].account


@pytest.mark.rule("T19")
def test_new_and_slow_issuers_leave_places_to_fast_ones() -> None:
    held = places(fast=1, slow=30)
    assert taken(held, [account("slow", number) for number in range(1, 31)]) == 6
    assert taken(held, [account("new", number) for number in range(30)]) == 6
    assert taken(held, [account("fast", 0)]) == 6


@pytest.mark.rule("T19")
def test_all_accounts_together_leave_places_to_the_operator() -> None:
    held = places(fast=30, slow=10)
    slow = [account("slow", number) for number in range(30, 40)]
    accounts = [*slow, *(account("fast", number) for number in range(30))]
    assert taken(held, accounts) == PLACES_OF_ACCOUNTS
    assert sum(held.take(ISSUER, None) for _ in range(20)) == PLACES_OF_ISSUER
    assert PLACES_OF_ACCOUNTS + PLACES_OF_ISSUER <= MAX_CONNECTIONS
    held.release(ISSUER, None, seconds=9)
    assert held.take(ISSUER, None)
    assert held.take("https://other.example", None)


def test_one_fast_answer_does_not_make_up_for_a_slow_one() -> None:
    held, one = places(fast=1), account("fast", 0)
    for seconds, pace in ((5, "slow"), (0.1, "fast"), (5, "slow"), (5, "slow"), (0.1, "slow")):
        assert held.take(ISSUER, one)
        held.release(ISSUER, one, seconds=seconds)
        assert held.pace(one) == pace, seconds


def test_places_that_were_given_back_are_free_and_old_accounts_forgotten() -> None:
    held = places(slow=1)
    for number in range(MAX_KNOWN):
        assert held.take(ISSUER, account("new", number))
        held.release(ISSUER, account("new", number), seconds=0.1)
    assert held.pace(account("slow", 0)) is IssuerPace.NEW
    assert (len(held.seconds), held.of_accounts.total()) == (MAX_KNOWN, 0)
