"""Requests for a mail come one by one, so a crowd does not keep four services busy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.identity.store import Store
from tests.services.identity.running import running
from tests.waiting import wait_for

CROWD, PERSON = "198.51.100.1", "198.51.100.2"


class Mails:
    """The requests that were counted, those whose turn it was, and the end of each turn."""

    def __init__(self) -> None:
        self.counted = 0
        self.served: list[str] = []
        self.leave = asyncio.Semaphore(0)

    async def pause(self, seconds: float) -> None:
        await self.leave.acquire()

    async def pass_on(self, count: int) -> None:
        """End one turn, and wait until it is the next caller's."""
        self.leave.release()
        await wait_for(lambda: len(self.served) >= count, what=f"turn {count}")
        assert len(self.served) == count

    @property
    def store(self) -> type[Store]:
        mails = self

        class Watched(Store):
            async def count_all(self, *given: Any, **named: Any) -> Any:
                counted = await super().count_all(*given, **named)
                mails.counted += 1
                return counted

            async def user_of(self, email_key: str, *given: Any) -> Any:
                if given:  # in the transaction
                    mails.served.append(email_key)
                return await super().user_of(email_key, *given)

        return Watched


@pytest.mark.rule("T19")
async def test_mails_are_asked_for_one_by_one_and_the_rarest_sender_is_next(
    mongo_url: str, database_name: str
) -> None:
    mails = Mails()
    wiring = {"store": mails.store, "pause": mails.pause}
    async with running(mongo_url, database_name, wiring=wiring) as identity:

        async def arrive(path: str, email: str, sender: str) -> asyncio.Task[Any]:
            before = mails.counted
            body = {"email": email, "name": "Ana"} if path == "signup" else {"email": email}
            sent = asyncio.create_task(
                identity.post(f"/v1/{path}", body, headers={"X-Forwarded-For": sender})
            )
            await wait_for(lambda: mails.counted > before, what=f"{email} counted")
            return sent

        first = [await arrive("password/forgot", "c1@example.com", CROWD)]
        await wait_for(lambda: mails.served, what="the first turn")
        crowd = [
            await arrive("password/forgot", f"c{number}@example.com", CROWD) for number in (2, 3)
        ]
        person = await arrive("signup", "ana@example.com", PERSON)
        assert mails.served == ["c1@example.com"]

        for count in (2, 3, 4):
            await mails.pass_on(count)
        mails.leave.release()
        answers = await asyncio.gather(*first, *crowd, person)
    assert [answer.status for answer in answers] == [202] * 4
    order = ["c1@example.com", "ana@example.com", "c2@example.com", "c3@example.com"]
    assert mails.served == order
