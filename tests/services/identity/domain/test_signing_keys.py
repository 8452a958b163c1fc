"""The states of signing keys: what follows what, when, and which keys verifiers are told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rolecall.client.access_tokens import ACCESS_SECONDS
from services.identity.domain import signing_keys
from services.identity.domain.signing_keys import (
    RETIRED_PUBLISHED,
    KeyState,
    KeyTooYoung,
    KeyUnknown,
    SealedKey,
)
from shared.ids import KeyId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAD = timedelta(minutes=10)
AGE = timedelta(days=90)
NEXT, ACTIVE, RETIRED, REVOKED = KeyState


def key(number: int, state: KeyState, *, age: timedelta = timedelta(0)) -> SealedKey:
    """A key that came into its state that long ago."""
    return SealedKey(
        id=KeyId(f"key_{number}"),
        number=number,
        public="",
        sealed=b"",
        created_at=NOW - age,
        state=state,
        state_since=NOW - age,
    )


def moves(changes: list[tuple[SealedKey, KeyState]]) -> dict[int, KeyState]:
    return {each.number: state for each, state in changes}


@pytest.mark.rule("B1")
@pytest.mark.parametrize("before", KeyState)
@pytest.mark.parametrize("after", KeyState)
def test_a_key_goes_from_next_over_active_to_retired(before: KeyState, after: KeyState) -> None:
    allowed = {(NEXT, ACTIVE), (ACTIVE, RETIRED), (NEXT, REVOKED), (ACTIVE, REVOKED)}
    if (before, after) not in allowed | {(RETIRED, REVOKED)}:
        with pytest.raises(ValueError, match="does not become"):
            signing_keys.move(key(1, before), after, now=NOW, rev=7)
        return
    moved, fact = signing_keys.move(key(1, before), after, now=NOW, rev=7)
    assert (moved.state, moved.since, moved.rev) == (after, NOW, 7)
    assert [each.id for each in fact.policy_objects] == (["key_1"] if after is REVOKED else [])


@pytest.mark.parametrize(
    ("state", "age", "published"),
    [
        (NEXT, AGE, True),
        (ACTIVE, AGE, True),
        (RETIRED, timedelta(seconds=ACCESS_SECONDS), True),
        (RETIRED, RETIRED_PUBLISHED - timedelta(seconds=1), True),
        (RETIRED, RETIRED_PUBLISHED, False),
        (REVOKED, timedelta(0), False),
    ],
)
def test_a_key_is_published_while_a_token_of_it_is_valid(
    state: KeyState, age: timedelta, published: object
) -> None:
    assert key(1, state, age=age).published(NOW) is published


@pytest.mark.rule("B1")
def test_a_key_signs_only_after_verifiers_had_time_to_fetch_it() -> None:
    keys = [key(1, RETIRED), key(2, ACTIVE, age=AGE), key(3, NEXT, age=LEAD - timedelta(seconds=1))]
    with pytest.raises(KeyTooYoung, match="in 2 seconds"):
        signing_keys.rotation(keys, now=NOW, lead=LEAD)
    old = [*keys[:2], key(3, NEXT, age=LEAD)]
    assert moves(signing_keys.rotation(old, now=NOW, lead=LEAD)) == {2: RETIRED, 3: ACTIVE}
    with pytest.raises(KeyTooYoung):
        signing_keys.rotation(keys[:2], now=NOW, lead=LEAD)


@pytest.mark.parametrize(
    ("active", "following", "due"),
    [
        (AGE, LEAD, True),
        (AGE - timedelta(seconds=1), LEAD, False),
        (AGE, LEAD - timedelta(seconds=1), False),
        (AGE, None, False),
    ],
)
def test_keys_rotate_by_themselves_at_their_age(
    active: timedelta, following: timedelta | None, due: object
) -> None:
    keys = [key(1, ACTIVE, age=active)]
    if following is not None:
        keys.append(key(2, NEXT, age=following))
    assert signing_keys.is_due(keys, now=NOW, age=AGE, lead=LEAD) is due


def test_the_age_of_a_key_counts_from_its_first_signature() -> None:
    """It was published as the next one for as long as its predecessor signed."""
    young = replace(key(2, ACTIVE, age=AGE - timedelta(seconds=1)), created_at=NOW - 2 * AGE)
    keys = [key(1, RETIRED), young, key(3, NEXT, age=LEAD)]
    assert not signing_keys.is_due(keys, now=NOW, age=AGE, lead=LEAD)


def test_a_revoked_active_key_is_followed_by_the_next_one_at_once() -> None:
    keys = [key(1, RETIRED), key(2, ACTIVE), key(3, NEXT)]
    assert moves(signing_keys.revocation(keys, KeyId("key_2"))) == {2: REVOKED, 3: ACTIVE}
    assert moves(signing_keys.revocation(keys, KeyId("key_3"))) == {3: REVOKED}
    assert moves(signing_keys.revocation(keys, KeyId("key_1"))) == {1: REVOKED}
    everything = moves(signing_keys.revocation(keys, None))
    assert everything == {1: REVOKED, 2: REVOKED, 3: REVOKED}
    for gone in ("key_9", "key_1"):
        with pytest.raises(KeyUnknown):
            signing_keys.revocation([key(1, REVOKED), *keys[1:]], KeyId(gone))


def test_the_missing_key_is_made_active_before_next() -> None:
    assert signing_keys.wanted_state([key(1, REVOKED)]) is ACTIVE
    assert signing_keys.wanted_state([key(2, ACTIVE)]) is NEXT
    assert signing_keys.wanted_state([key(2, ACTIVE), key(3, NEXT)]) is None


def test_the_key_of_an_earlier_version_signs() -> None:
    old = replace(key(1, ACTIVE), state_since=None)
    assert signing_keys.signing_key([old, key(2, NEXT)]) == old
    assert old.since == old.created_at
