"""The API tokens in memory: the newest state counts, expired ones do not, and each is small."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from rolecall import Restriction
from shared.auth.api_tokens import digest_of, new_api_token, token_id_of
from shared.contracts.policy_objects import ApiTokenObject
from shared.following.api_tokens import ApiTokens
from shared.ids import new_id

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MOST_BYTES = 300
COUNTED = 5_000


def state(digest: str, **fields: object) -> ApiTokenObject:
    made = {
        "secret_hash": digest,
        "user_id": new_id("usr"),
        "account_id": new_id("acc"),
        "membership_id": new_id("mem"),
        "created_at": NOON,
        "expires_at": NOON + DAY,
    }
    return ApiTokenObject.model_validate(made | fields)


def digest(number: int) -> str:
    return digest_of(f"token {number}")


def test_a_token_is_found_by_its_hash_and_by_its_id():
    tokens, found = ApiTokens(), state(digest(1), grants={"instance": ("view",)})
    tokens.put(token_id_of(digest(1)), 5, found)
    token = tokens.find(digest(1), now=NOON)
    assert token is not None
    assert token == tokens.get(token.token_id, now=NOON)
    assert (token.user_id, token.account_id) == (found.user_id, found.account_id)
    assert (token.membership_id, token.expires_at) == (found.membership_id, found.expires_at)
    assert token.restriction == Restriction(levels=frozenset({("instance", "view")}))
    assert tokens.find(digest(2), now=NOON) is None
    assert tokens.get("tok_not-one", now=NOON) is None


@pytest.mark.rule("T15")
def test_the_id_of_a_token_is_not_enough_to_be_it():
    tokens, secret = ApiTokens(), new_api_token(3)
    whole = digest_of(secret)
    tokens.put(token_id_of(whole), 1, state(whole))
    other_half = whole[:32] + digest(9)[32:]
    assert tokens.find(other_half, now=NOON) is None
    assert tokens.find(whole, now=NOON) is not None


@pytest.mark.rule("B2")
def test_a_token_is_over_from_its_end_on():
    tokens = ApiTokens()
    tokens.put(token_id_of(digest(1)), 1, state(digest(1)))
    assert tokens.find(digest(1), now=NOON + DAY - timedelta(milliseconds=1)) is not None
    assert tokens.find(digest(1), now=NOON + DAY) is None


def test_an_older_state_replaces_no_newer_one():
    tokens, token_id = ApiTokens(), token_id_of(digest(1))
    tokens.put(token_id, 5, state(digest(1), read_only=True))
    tokens.put(token_id, 4, state(digest(1)))
    tokens.put(token_id, 3, None)
    found = tokens.get(token_id, now=NOON)
    assert found is not None
    assert found.restriction == Restriction(read_only=True)
    tokens.put(token_id, 6, None)
    assert tokens.get(token_id, now=NOON) is None
    assert len(tokens) == 0


def test_expired_tokens_are_forgotten_when_many_new_ones_come():
    tokens = ApiTokens()
    for number in range(999):
        tokens.put(token_id_of(digest(number)), 1, state(digest(number)))
    later = {"created_at": NOON + 2 * DAY, "expires_at": NOON + 9 * DAY}
    tokens.put(token_id_of(digest(1_000)), 1, state(digest(1_000), **later))
    assert len(tokens) == 1


def test_a_token_takes_less_than_300_bytes():
    made = [(token_id_of(digest(number)), state(digest(number))) for number in range(COUNTED)]
    # What other threads and the measuring of lines allocate meanwhile is not in each of them.
    assert min(taken_by(made) for _ in range(3)) / COUNTED < MOST_BYTES


def taken_by(made):
    """The bytes that these tokens take."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tokens = ApiTokens()
        for token_id, one in made:
            tokens.put(token_id, 1, one)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(tokens) == COUNTED
    return after - before
