"""Look-ups of names that customers chose: a slow one holds up no other customer, and no process."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from shared.http.name_lookups import NameLookups, NamesNotLookedUpError, sent_for
from shared.http.outbound import Outbound, OutboundError
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


class SlowNames:
    """The system's look-up, which does not return for names of `slow.example` until it is freed."""

    def __init__(self) -> None:
        self.freed = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host.endswith("slow.example"):
            self.freed.wait()
        return socket.getaddrinfo("127.0.0.1", port, **options)


@pytest.fixture
def names() -> Iterator[SlowNames]:
    made = SlowNames()
    yield made
    made.freed.set()


async def look_up(lookups: NameLookups, host: str, sender: str | None = None) -> list[str]:
    with sent_for(sender):
        return [each["host"] for each in await lookups.resolve(host, 443)]


async def test_slow_names_of_one_account_hold_up_no_other(names: SlowNames) -> None:
    lookups = NameLookups(most_of_sender=2, look_up=names)
    slow = [
        asyncio.create_task(look_up(lookups, f"{each}.slow.example", "acc_1")) for each in range(2)
    ]
    await wait_for(lambda: len(names.asked) == 2, what="both look-ups")

    with pytest.raises(NamesNotLookedUpError):
        await look_up(lookups, "quick.example", "acc_1")
    assert await look_up(lookups, "quick.example", "acc_2") == ["127.0.0.1"]

    names.freed.set()
    assert await asyncio.gather(*slow) == [["127.0.0.1"]] * 2
    assert await look_up(lookups, "quick.example", "acc_1") == ["127.0.0.1"]


async def test_a_look_up_that_was_given_up_counts_until_it_ends(names: SlowNames) -> None:
    lookups = NameLookups(most_of_sender=1, look_up=names)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await look_up(lookups, "a.slow.example", "acc_1")
    with pytest.raises(NamesNotLookedUpError):
        await look_up(lookups, "quick.example", "acc_1")
    names.freed.set()
    await wait_for(lambda: not lookups._running, what="the end of the look-up")
    assert await look_up(lookups, "quick.example", "acc_1") == ["127.0.0.1"]


async def test_all_senders_together_have_a_bounded_number_of_threads(names: SlowNames) -> None:
    lookups = NameLookups(most=3, look_up=names)
    slow = [asyncio.create_task(look_up(lookups, f"{each}.slow.example")) for each in range(3)]
    await wait_for(lambda: len(names.asked) == 3, what="three look-ups")
    with pytest.raises(NamesNotLookedUpError):
        await look_up(lookups, "quick.example", "acc_2")
    assert sum(thread.name == "name-lookup" for thread in threading.enumerate()) == 3
    names.freed.set()
    await asyncio.gather(*slow)


async def test_slow_names_leave_the_threads_of_the_process_alone(names: SlowNames) -> None:
    lookups = NameLookups(look_up=names)
    slow = [asyncio.create_task(look_up(lookups, f"{each}.slow.example")) for each in range(40)]
    await wait_for(lambda: len(names.asked) == 40, what="forty look-ups")
    assert await asyncio.to_thread(lambda: "free") == "free"
    names.freed.set()
    await asyncio.gather(*slow)


async def test_a_request_to_a_name_that_is_never_answered_ends_in_time(names: SlowNames) -> None:
    outbound = Outbound(resolver=NameLookups(most_of_sender=1, look_up=names), seconds=0.05)
    with pytest.raises(OutboundError, match="in time"):
        await outbound.post("https://a.slow.example/", b"", headers={}, keeps=1, sender="acc_1")
    with pytest.raises(OutboundError, match="Too many names"):
        await outbound.post("https://b.slow.example/", b"", headers={}, keeps=1, sender="acc_1")
    with pytest.raises(OutboundError, match="No connection"):
        await outbound.post("https://quick.example/", b"", headers={}, keeps=1, sender="acc_2")
    await outbound.close()


@pytest.mark.parametrize("fault", [socket.gaierror(socket.EAI_AGAIN, "away"), UnicodeError("x")])
async def test_a_name_without_an_address_is_told_in_words(fault: Exception) -> None:
    def fails(*asked: Any, **options: Any) -> list[tuple[Any, ...]]:
        raise fault

    outbound = Outbound(resolver=NameLookups(look_up=fails))
    with pytest.raises(OutboundError, match="leads to no address"):
        await outbound.get("https://none.example/")
    await outbound.close()
