"""The form of API tokens."""

import itertools
import random
import re
import string

import pytest

from shared.auth.api_tokens import (
    digest_of,
    is_api_token,
    new_api_token,
    shard_of_token,
    token_id_of,
)
from shared.contracts.facts import SHARDS
from shared.ids import is_id


def test_a_token_names_the_shard_of_its_user_by_its_id():
    for shard in (0, 17, SHARDS - 1):
        token = new_api_token(shard)
        assert re.fullmatch(r"rct_[0-9A-Za-z]{36}", token)
        assert is_api_token(token)
        token_id = token_id_of(digest_of(token))
        assert is_id(token_id, "tok")
        assert shard_of_token(token_id) == shard


@pytest.mark.rule("T15")
def test_every_change_of_one_character_breaks_the_check_sum():
    token = new_api_token(0, random.Random(7).choice)
    letters = string.digits + string.ascii_letters
    for place, letter in itertools.product(range(4, len(token)), letters):
        changed = token[:place] + letter + token[place + 1 :]
        assert is_api_token(changed) is (changed == token)


@pytest.mark.parametrize(
    "text", ["", "rct_", "rct_short", "eyJhbGciOiJFZERTQSJ9.e30.x", "rct_" + "é" * 36]
)
def test_another_text_is_not_a_token(text: str):
    assert not is_api_token(text)
