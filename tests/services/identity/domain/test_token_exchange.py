"""Who acts for whom by an exchanged token, as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.identity.domain.token_exchange import delegated
from shared.auth.principals import DelegatedPrincipal, UserPrincipal
from shared.ids import ClientId
from tests.services.identity.domain.rows import CLIENT, SESSION, USER

ACCOUNT = USER.account_id
USERS_OWN = UserPrincipal(user_id=USER.id, session_id=SESSION.id, account_id=ACCOUNT)


@pytest.mark.parametrize(
    ("clients", "chain"),
    [
        ("a", "a"),
        ("aa", "a"),
        ("ab", "ba"),
        ("abb", "ba"),
        ("aba", "aba"),
    ],
)
def test_the_client_that_acts_is_named_before_all_earlier_ones(clients: str, chain: str) -> None:
    subject: UserPrincipal | DelegatedPrincipal = USERS_OWN
    for name in clients:
        subject = delegated(replace(CLIENT, id=ClientId(f"cli_{name}")), subject)
    assert isinstance(subject, DelegatedPrincipal)
    assert subject.client_ids == tuple(f"cli_{name}" for name in chain)


@pytest.mark.parametrize(
    ("bound", "account_id"),
    [(None, ACCOUNT), ((ACCOUNT,), ACCOUNT), (("acc_x",), None), ((), None)],
)
def test_a_client_takes_only_an_account_along_to_which_it_is_bound(
    bound: tuple[str, ...] | None, account_id: str | None
) -> None:
    assert delegated(replace(CLIENT, account_ids=bound), USERS_OWN).account_id == account_id
