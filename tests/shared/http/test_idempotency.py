"""Does a repeated request have one effect, and the first one's answer?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from pydantic import BaseModel

from shared.clock import SystemClock
from shared.http.idempotency import INDEXES, Idempotency, IdempotencyKeyReused, Repeated
from shared.indexes import build_indexes
from shared.mongo import DbClient, DbSession, connect, transact
from shared.problems import Unavailable
from tests.patience import PATIENT
from tests.shared.journal.conftest import CALLER


class Wish(BaseModel):
    name: str


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


class Shop:
    """Does something once for each key."""

    def __init__(self, client: DbClient, name: str) -> None:
        self.client = client
        self.database = client[name]
        self.idempotency = Idempotency(self.database, clock=SystemClock())

    async def order(
        self, name: str, *, key: str | None = "key-1", path: str = "", fails: bool = False
    ) -> dict[str, object]:
        once = self.idempotency.once(
            CALLER, operation="order", key=key, body=Wish(name=name), path=path
        )

        async def work(session: DbSession) -> dict[str, object]:
            await once.guard(session)
            await self.database["orders"].insert_one({"name": name}, session=session)
            if fails:
                raise LookupError("out of stock")
            answer: dict[str, object] = {"ordered": name}
            await once.keep(session, answer)
            return answer

        try:
            return await transact(self.client, work)
        except Repeated:
            return await once.replay()

    async def orders(self) -> int:
        return await self.database["orders"].count_documents({})


@pytest.fixture
async def shop(client: DbClient, database_name: str) -> Shop:
    shop = Shop(client, database_name)
    await build_indexes(shop.database, *INDEXES)
    return shop


async def test_a_repeated_key_gives_the_first_answer_and_no_second_effect(shop: Shop) -> None:
    assert await shop.order("tea") == await shop.order("tea") == {"ordered": "tea"}
    assert await shop.orders() == 1


async def test_ten_at_once_have_one_effect(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.order("tea") for _ in range(10)))

    assert answers == [{"ordered": "tea"}] * 10
    assert await shop.orders() == 1


async def test_the_same_key_with_another_body_is_refused(shop: Shop) -> None:
    await shop.order("tea")

    with pytest.raises(IdempotencyKeyReused):
        await shop.order("coffee")

    assert await shop.orders() == 1


async def test_the_same_key_on_another_path_is_another_key(shop: Shop) -> None:
    await shop.order("tea", path="/accounts/1")
    await shop.order("tea", path="/accounts/2")

    assert await shop.orders() == 2


async def test_without_a_key_every_request_counts(shop: Shop) -> None:
    await shop.order("tea", key=None)
    await shop.order("tea", key=None)

    assert await shop.orders() == 2


async def test_a_request_that_failed_leaves_its_key_free(shop: Shop) -> None:
    with pytest.raises(LookupError):
        await shop.order("tea", fails=True)

    assert await shop.order("tea") == {"ordered": "tea"}
    assert await shop.orders() == 1


class Tomorrow(SystemClock):
    """A day later than the database knows, which deletes what has expired by its own clock."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=1)


async def test_a_key_that_expired_is_free_though_it_was_not_deleted_yet(shop: Shop) -> None:
    await shop.order("tea")
    shop.idempotency = Idempotency(shop.database, clock=Tomorrow())

    with pytest.raises(Unavailable):
        await shop.order("coffee")

    assert await shop.order("coffee") == {"ordered": "coffee"}
    assert await shop.orders() == 2
