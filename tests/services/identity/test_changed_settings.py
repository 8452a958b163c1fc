"""Every secret of identity is changed while its replicas are replaced and requests run."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from rolecall.client.jwk import decode
from services.identity.adapters.sealing import FactorSealer, SealBroken
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.services.identity.running import running
from tests.support.service import FAR, random_key
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.services.identity.running import Authenticator, Identity

KEYS = "/internal/admin/signing-keys"
SECRETS = ("link_key", "refresh_key", "sealing_key", "admin_key")
OLD, NEW = ({name: random_key() for name in SECRETS} for _ in range(2))
STAGES = ((OLD,), (OLD, NEW), (NEW, OLD), (NEW,))
QUICK = replace(PATIENT, reseal_poll=0.1)


def fields(stage: tuple[Mapping[str, str], ...]) -> dict[str, Any]:
    return {name: SecretStr(",".join(one[name] for one in stage)) for name in SECRETS}


@dataclass
class Load:
    """A person who refreshes the session at the replicas in turn, and is never refused."""

    refresh_token: str
    alive: list[Identity]
    refreshed: int = 0
    over: bool = False

    async def run(self) -> None:
        try:
            await self._refresh()
        finally:
            self.over = True

    async def _refresh(self) -> None:
        while not self.over:
            replica = self.alive[self.refreshed % len(self.alive)]
            answer = await replica.post("/v1/token/refresh", {"refresh_token": self.refresh_token})
            self.refresh_token = answer.expect(200)["refresh_token"]
            me = await replica.send("GET", "/v1/me", token=answer.body["access_token"])
            me.expect(200)
            self.refreshed += 1
            await asyncio.sleep(0.02)  # lets the replicas have their turn

    async def goes_on(self) -> None:
        """Wait for some more requests of the person."""
        wanted = self.refreshed + 4
        await wait_for(lambda: self.over or self.refreshed >= wanted, what="more requests")


async def only_new_seals(replica: Identity, user_id: str) -> bool:
    """Whether the new key opens a user's second factor and the signing keys."""
    sealer = FactorSealer(decode(NEW["sealing_key"]))
    [factors] = [each async for each in replica.database["factors"].find({"_id": user_id})]
    keys = [key async for key in replica.database["signing_keys"].find({})]
    try:
        sealer.open(factors["totp"]["sealed"], bound_to=f"totp/{user_id}")
        for key in keys:
            sealer.open(key["sealed"], bound_to=key["_id"])
    except SealBroken:
        return False
    return True


async def use_both(made: Identity, used: Identity, app: Authenticator, admin_key: str) -> None:
    """The mail of one replica leads to the other one, where people and operators are let in."""
    email = f"{random_key().lower()}@example.com"
    (await made.sign_up(email)).expect(202)
    [*_, link] = await made.mailed_links(email)
    (await used.verify(link)).expect(200)
    (await used.log_in("ana@example.com", otp=app.next_code())).expect(200)
    (await used.send("GET", KEYS, token=admin_key)).expect(200)


async def test_all_secrets_are_changed_with_requests_running(
    mongo_url: str, database_name: str
) -> None:
    clock = SetClock(FAR)

    def replica(stage: tuple[Mapping[str, str], ...]) -> AbstractAsyncContextManager[Identity]:
        options = {"clock": clock, "timeouts": QUICK, **fields(stage)}
        return running(mongo_url, database_name, **options)

    async with AsyncExitStack() as first, AsyncExitStack() as second:
        before = await first.enter_async_context(replica(STAGES[0]))
        person = await before.person("ana@example.com")
        app, _ = await before.add_totp(person["access_token"])
        unused = (await before.log_in("ana@example.com", otp=app.next_code())).expect(200)
        load = Load(person["refresh_token"], [before])
        requests = asyncio.create_task(load.run())
        for number, stage in enumerate(STAGES[1:]):
            ends, begins = (first, second) if number % 2 == 0 else (second, first)
            after = await begins.enter_async_context(replica(stage))
            load.alive.append(after)
            # Both accept the old key, as long as one of them does not know the new one.
            admin_key = (NEW if stage == (NEW,) else OLD)["admin_key"]
            await use_both(before, after, app, admin_key)
            await use_both(after, before, app, admin_key)
            await load.goes_on()
            load.alive.remove(before)
            await load.goes_on()  # also the request that the old replica was answering
            await ends.aclose()
            before = after
            if stage == (NEW, OLD):
                looks = partial(only_new_seals, after, person["user"]["id"])
                await wait_for(looks, what="seals of the new key alone")
        load.over = True
        await requests
        stale = {"refresh_token": unused["refresh_token"]}
        assert (await before.post("/v1/token/refresh", stale)).status == 401
        old_key = await before.send("GET", KEYS, token=OLD["admin_key"])
        assert old_key.status == 401
