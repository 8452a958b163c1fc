"""The addresses behind the name of a service."""

import asyncio

from shared.http.replicas import Replicas
from tests.clocks import SkippingLoop


class Names:
    """A name server; `asked` counts the look-ups."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def look_up(self, name: str) -> tuple[str, ...]:
        self.asked += 1
        return self.addresses


async def addresses(replicas: Replicas) -> list[str]:
    return [replica.url for replica in await replicas.of("team")]


async def test_an_address_that_comes_twice_is_one_replica() -> None:
    names = Names("192.0.2.1", "192.0.2.1")
    urls = {"team": ["http://team.test:9000", "http://team.test:9000"]}
    found = await addresses(Replicas(urls, look_up=names.look_up))
    assert found == ["http://192.0.2.1:9000"]


def test_an_address_that_a_name_gains_is_used_after_a_second() -> None:
    loop, names = SkippingLoop(), Names("192.0.2.1")
    replicas = Replicas({"team": ["http://team.test:9000"]}, look_up=names.look_up)

    async def scenario() -> None:
        assert await addresses(replicas) == ["http://192.0.2.1:9000"]
        names.addresses = ("192.0.2.1", "192.0.2.2")
        assert len(await addresses(replicas)) == names.asked == 1
        loop.skip(1.01)
        assert len(await addresses(replicas)) == names.asked == 2

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(scenario())
