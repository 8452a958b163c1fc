"""What a reset of the password ends besides sessions, as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.identities import LinkedIdentity
from services.identity.domain.other_access import (
    MAX_NAMES,
    AccessToEnd,
    EndAccess,
    OtherAccess,
    access_to_end,
    to_end,
    tokens_since,
)
from shared.ids import AccountId, IdentityId, MembershipId, TokenId, UserId
from tests.services.identity.domain.rows import NOON

MOMENT, MONTH = timedelta(microseconds=1), timedelta(days=30)
TOKEN = ApiToken(
    id=TokenId("tok_1"),
    user_id=UserId("usr_1"),
    account_id=AccountId("acc_1"),
    membership_id=MembershipId("mem_1"),
    name="CI",
    secret_hash="0" * 64,
    created_at=NOON - MONTH,
    expires_at=NOON + MONTH,
)
IDENTITY = LinkedIdentity(
    id=IdentityId("idn_1"),
    user_id=UserId("usr_1"),
    issuer="https://id.example",
    subject="1",
    connection_id="corp",
    label="Corp",
    email=None,
    linked_at=NOON - MONTH,
)
OLD_TOKEN = replace(TOKEN, id=TokenId("tok_2"), created_at=NOON - MONTH - MOMENT)
OLD_IDENTITY = replace(IDENTITY, id=IdentityId("idn_2"), linked_at=NOON - MONTH - MOMENT)
FOUND = OtherAccess(tokens=(TOKEN, OLD_TOKEN), identities=(IDENTITY, OLD_IDENTITY))


@pytest.mark.rule("T5")
@pytest.mark.parametrize(
    ("choice", "had_password", "ended"),
    [
        (EndAccess.RECENT, True, OtherAccess(tokens=(TOKEN,), identities=(IDENTITY,))),
        (EndAccess.RECENT, False, OtherAccess(tokens=(TOKEN,))),
        (EndAccess.ALL, True, FOUND),
        (EndAccess.ALL, False, FOUND),
        (EndAccess.NONE, True, OtherAccess()),
    ],
)
def test_a_reset_ends_what_was_chosen(
    choice: EndAccess,
    had_password: bool,  # noqa: FBT001
    ended: OtherAccess,
) -> None:
    assert to_end(FOUND, choice, had_password=had_password, now=NOON) == ended


@pytest.mark.rule("T5")
def test_tokens_are_looked_for_from_the_moment_that_was_chosen() -> None:
    since = {choice: tokens_since(choice, now=NOON) for choice in EndAccess}
    assert since == {EndAccess.RECENT: NOON - MONTH, EndAccess.ALL: None, EndAccess.NONE: None}


@pytest.mark.parametrize(("had_password", "recent"), [(True, 1), (False, 0)])
def test_the_page_of_a_reset_counts_what_each_choice_ends(
    had_password: bool,  # noqa: FBT001
    recent: int,
) -> None:
    found = access_to_end(
        FOUND.identities, tokens=2, recent_tokens=1, had_password=had_password, now=NOON
    )
    assert found == AccessToEnd(
        api_tokens=2, identities=2, recent_api_tokens=1, recent_identities=recent
    )


def test_what_is_left_is_described_by_the_first_names_and_a_count() -> None:
    many = tuple(
        replace(TOKEN, id=TokenId(f"tok_{each}"), name=f"T{each:02}") for each in range(30, 0, -1)
    )
    told = OtherAccess(tokens=many, identities=(IDENTITY,)).described(more_tokens=100)
    assert told.api_tokens == 130
    assert told.token_names == tuple(f"T{each:02}" for each in range(1, MAX_NAMES + 1))
    assert told.issuers == ("Corp",)
    left = FOUND.without(OtherAccess(tokens=(TOKEN,), identities=(IDENTITY,)))
    assert left == OtherAccess(tokens=(OLD_TOKEN,), identities=(OLD_IDENTITY,))
