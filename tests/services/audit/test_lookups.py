"""A text that too many people have in their name is refused, and never answered in part."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from services.audit.domain.records import Filters, KnownUser
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.lookups import MAX_PEOPLE_OF_TEXT, lookups_of
from shared.problems import Invalid
from tests.services.rows import NOON


@dataclass
class Crowd:
    """As many people as are told, who have all acted in the account and are called Anna."""

    people: int

    async def user_ids(self, account_id: str) -> set[str]:
        return {f"usr_{number}" for number in range(self.people)}

    async def known_users(self, ids: set[str]) -> dict[str, KnownUser]:
        return {
            each: KnownUser(user_id=each, name=f"Anna {each}", email="a@x.org", as_of=NOON)
            for each in ids
        }


@dataclass
class FakeContext:
    store: Crowd


async def looked_up(people: int, **filters: Any) -> int:
    """How many people the ranges of a text stand for."""
    ctx = cast("Ctx", FakeContext(Crowd(people)))
    _, *of_people = await lookups_of(ctx, "acc_1", Filters(**filters))
    return sum(len(each.values) for each in of_people)


async def test_a_text_that_too_many_people_have_is_refused():
    assert await looked_up(MAX_PEOPLE_OF_TEXT, text="ANNA") == MAX_PEOPLE_OF_TEXT
    assert await looked_up(MAX_PEOPLE_OF_TEXT + 1, text="anna usr_7") == 1
    assert await looked_up(MAX_PEOPLE_OF_TEXT + 1, text="anna", user="usr_7") == 1
    with pytest.raises(Invalid) as refused:
        await looked_up(MAX_PEOPLE_OF_TEXT + 1, text="anna")
    assert refused.value.errors[0][0] == "/query/text"
