"""Clients and sessions for the tests of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern
from pymongo.read_concern import ReadConcern

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

# The concerns of every transaction that the services run.
CONCERNS: dict[str, Any] = {
    "read_concern": ReadConcern("snapshot"),
    "write_concern": WriteConcern("majority"),
}


def connect(url: str, *, timeout_ms: int = 60_000) -> Any:
    """Give a client with the settings of the services."""
    return AsyncIOMotorClient(
        url,
        timeoutMS=timeout_ms,
        # Closing a client asks for a server once more, and `timeoutMS` does not bound that.
        serverSelectionTimeoutMS=timeout_ms,
        tz_aware=True,
        w="majority",
        readConcernLevel="majority",
    )


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[Any]:
    motor = connect(mongo_url)
    yield motor
    motor.close()


@pytest.fixture
def db(client: Any, database_name: str) -> Any:
    return client[database_name]


@pytest.fixture
def transact(client: Any) -> Callable[[Callable[[Any], Awaitable[Any]]], Awaitable[Any]]:
    """Run a function of a session as a transaction, again while the server says to try again."""

    async def run(work: Callable[[Any], Awaitable[Any]]) -> Any:
        async with await client.start_session() as session:
            return await session.with_transaction(work, **CONCERNS)

    return run


@pytest.fixture
async def two_sessions(client: Any) -> AsyncIterator[tuple[Any, Any]]:
    """Two sessions, each inside its own transaction."""
    async with await client.start_session() as one, await client.start_session() as other:
        one.start_transaction(**CONCERNS)
        other.start_transaction(**CONCERNS)
        yield one, other
