"""When the keys of identity are fetched, and what holds while it is away."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rolecall.client.jwk import read_key_set
from shared.auth.key_sources import RemoteKeys
from shared.auth.keys import public_jwk
from shared.contracts.calls.identity import KeySet
from shared.problems import NotFound, Unavailable
from tests.clocks import SetClock, SkippingLoop
from tests.waiting import wait_for

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()


class Identity:
    """Answers with its key set, or not at all."""

    def __init__(self) -> None:
        self.kids = ["key_1"]
        self.asked = 0
        self.away = False
        self.mistaken = False
        self.answer: KeySet | None = None
        self.answering = asyncio.Event()
        self.answering.set()

    async def key_set(self) -> KeySet:
        self.asked += 1
        await self.answering.wait()
        if self.away:
            raise Unavailable
        if self.mistaken:
            raise NotFound
        return self.answer or KeySet(keys=[public_jwk(kid, KEY) for kid in self.kids])


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
def keys(identity: Identity, clock: SetClock) -> RemoteKeys:
    return RemoteKeys(identity.key_set, clock=clock)


async def test_keys_are_fetched_once_for_many_requests_at_once(
    keys: RemoteKeys, identity: Identity
):
    assert await asyncio.gather(*(keys.find("key_1") for _ in range(50))) == [KEY] * 50
    assert identity.asked == 1


async def test_a_thousand_unknown_ids_cause_one_fetch(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    await keys.find("key_1")
    clock.move(11)
    found = await asyncio.gather(*(keys.find(f"key_x{n}") for n in range(1000)))
    assert set(found) == {None}
    assert identity.asked == 2


async def test_a_new_key_is_found_after_a_second_at_most(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    await keys.find("key_1")
    identity.kids.append("key_2")
    assert await keys.find("key_2") is None
    clock.move(1)
    assert await keys.find("key_2") == KEY


async def test_whether_a_key_exists_is_not_known_while_identity_is_away(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    await keys.find("key_1")
    identity.kids.append("key_2")
    identity.away = True
    clock.move(1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await keys.find("key_2")
    assert await keys.find("key_1") == KEY
    identity.away = False
    clock.move(1)
    assert await keys.find("key_2") == KEY
    assert await keys.find("key_3") is None


async def test_a_key_that_was_withdrawn_is_unknown_after_five_minutes(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    await keys.find("key_1")
    version = keys.version
    identity.kids = ["key_2"]
    clock.move(301)
    assert await keys.find("key_1") is None
    assert keys.version != version


async def test_the_last_keys_hold_for_an_hour_without_identity_and_no_longer(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    await keys.find("key_1")
    identity.away = True
    clock.move(3600)
    assert await keys.find("key_1") == KEY
    clock.move(1)
    with pytest.raises(Unavailable):
        await keys.find("key_1")


async def test_a_known_key_does_not_wait_for_a_silent_identity(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    await keys.find("key_1")
    identity.answering.clear()
    clock.move(301)
    assert await asyncio.gather(*(keys.find("key_1") for _ in range(5))) == [KEY] * 5
    identity.kids = ["key_2"]
    identity.answering.set()
    assert await keys.find("key_2") == KEY
    assert identity.asked == 2


async def test_a_refusal_instead_of_a_key_set_is_unavailable(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    identity.mistaken = True
    with pytest.raises(Unavailable):
        await keys.find("key_1")
    identity.mistaken = False
    clock.move(0.2)
    assert await keys.find("key_1") == KEY


async def test_without_any_keys_the_answer_is_unavailable(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    identity.away = True
    with pytest.raises(Unavailable):
        await keys.find("key_1")
    identity.away = False
    clock.move(0.2)
    assert await keys.find("key_1") == KEY


async def test_without_any_keys_identity_is_asked_five_times_a_second_at_most(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    identity.away = True
    for _ in range(100):
        with pytest.raises(Unavailable):
            await keys.find("key_1")
        clock.move(0.01)
    assert identity.asked == 5


async def test_keys_that_are_too_old_are_fetched_as_soon_as_identity_answers(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    await keys.find("key_1")
    identity.away = True
    clock.move(3601)
    with pytest.raises(Unavailable):
        await keys.find("key_1")
    assert not keys.known()
    identity.away = False
    clock.move(0.2)
    assert await keys.find("key_1") == KEY


async def test_keys_are_known_before_the_first_request(
    keys: RemoteKeys, identity: Identity, clock: SetClock
):
    identity.away = True
    running = asyncio.create_task(keys.run())
    try:
        await wait_for(lambda: identity.asked, what="a first attempt")
        assert not keys.known()
        identity.away = False
        clock.move(0.2)
        await wait_for(keys.known, what="the keys of the second attempt")
    finally:
        running.cancel()
    assert identity.asked == 2


def test_old_keys_are_fetched_again_without_a_request(clock: SetClock):
    loop = SkippingLoop()

    async def scenario() -> None:
        identity = Identity()
        keys = RemoteKeys(identity.key_set, clock=clock)
        running = asyncio.create_task(keys.run())
        for seconds, asked in ((0, 1), (300, 1), (1, 2)):
            clock.move(seconds)
            loop.skip(10)
            await wait_for(lambda: identity.asked == asked, what=f"fetch {asked}")  # noqa: B023
            await asyncio.sleep(0.01)
            assert identity.asked == asked
        running.cancel()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(scenario())


@pytest.mark.parametrize(
    "answer",
    [
        KeySet(keys=[public_jwk("a", KEY), public_jwk("a", KEY)]),
        KeySet(keys=[public_jwk("a", KEY) | {"x": "AAAA"}]),
        KeySet(keys=[{"kty": "OKP", "crv": "Ed25519", "kid": "a"}]),
        KeySet(keys=[{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]),
    ],
)
async def test_a_broken_key_set_changes_nothing(
    keys: RemoteKeys, identity: Identity, clock: SetClock, answer: KeySet
):
    await keys.find("key_1")
    identity.answer = answer
    clock.move(301)
    assert await keys.find("key_1") == KEY


def test_keys_of_other_kinds_in_a_set_are_skipped():
    rsa = {"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}
    assert read_key_set([rsa, public_jwk("a", KEY)]) == {"a": KEY}
