"""Recognisable secrets go through the whole journey, and are found only where they belong (T15)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pymongo
import pytest

from tests.e2e.journey import World
from tests.e2e.one_process import OneProcess
from tests.e2e.people import PASSWORD, Link
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

NEW_PASSWORD = "canary-otters-paint-maps"
RESET_PASSWORD = "canary-badgers-fold-kites"
WRONG_PASSWORD = "canary-wrong-lantern-9"
LATER = "canary-body-lantern-7"
HEADER, QUERY = "canary-header-lantern-5", "canary-query-lantern-3"
LOG, MAILS, AUDIT = "log", "mails", "audit export"
HASH = "hash in the database"
"""The SHA-256 of 178 or 256 random bits finds no secret; of a password it would."""


@dataclass
class Canaries:
    """The secrets, each with the places where it may be."""

    may_be: dict[str, set[str]] = field(default_factory=dict)

    def add(self, secret: str, *places: str) -> str:
        """Take one secret."""
        assert len(secret) >= 8
        self.may_be[secret] = set(places)
        return secret

    def found(self, place: str, text: str) -> list[str]:
        """Which secrets are in a place where they may not be, and in which form."""
        return [
            f"{secret} ({form}) in {place}"
            for secret, allowed in self.may_be.items()
            for form, written in forms(secret).items()
            if written in text and (HASH if form == "hash" else place) not in allowed
        ]


def forms(secret: str) -> dict[str, str]:
    """How a secret may be written."""
    raw = secret.encode()
    return {
        "plain": secret,
        "base64": base64.b64encode(raw).decode().rstrip("="),
        "base64url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "url": quote(secret, safe=""),
        "hash": hashlib.sha256(raw).hexdigest(),
        "hash in base64": base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("="),
    }


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneProcess]:
    folder: Path = tmp_path_factory.mktemp("product")
    running = OneProcess(folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()


async def live(world: World, canaries: Canaries) -> str:
    """Live the journey; gives the path of the account."""
    ada, bea = world.person("Ada"), world.person("Bea")
    canaries.add(PASSWORD)
    canaries.add(world.deployment.client_secret, HASH)
    for one in (ada, bea):
        await one.sign_up()
        mail = await world.mailbox.newest(one.email, "verify")
        canaries.add(Link.in_text(mail["text"]).token, MAILS)
        canaries.add(one.refresh_token)
        canaries.add(str(one.token))
    path = f"/v1/accounts/{ada.account_id}"
    wrong = {"email": ada.email, "password": canaries.add(WRONG_PASSWORD)}
    (await ada.send("POST", "/v1/login", wrong)).expect(401)
    change = {"current": PASSWORD, "new": canaries.add(NEW_PASSWORD)}
    (await ada.send("POST", "/v1/me/password", change)).expect(204)
    (await bea.send("POST", "/v1/password/forgot", {"email": bea.email})).expect(202, 204)
    mail = await world.mailbox.newest(bea.email, "password")
    link = re.search(r"token=([^\s&#]+)", mail["text"])
    assert link is not None
    token = canaries.add(link[1], MAILS)
    reset = {"token": token, "password": canaries.add(RESET_PASSWORD)}
    (await bea.send("POST", "/v1/password/reset", reset)).expect(204)
    (await ada.send("POST", f"{path}/convert", {"name": "Engines"})).expect(200)
    for delivery in ("email", "link"):
        person = world.person("Cay")
        body = {"email": person.email, "role": "viewer", "delivery": delivery}
        made = (await ada.send("POST", f"{path}/invitations", body)).expect(201)
        if delivery == "link":
            canaries.add(Link.in_text(made["link"]["url"]).token)
        else:
            mail = await world.mailbox.newest(person.email, "invit")
            canaries.add(Link.in_text(mail["text"]).token, MAILS)
    made = (await ada.send("POST", f"{path}/api-tokens", {"name": "CI"})).expect(201)
    secret = canaries.add(made["secret"], HASH)
    headers = {"Authorization": f"Bearer {secret}"}
    (await ada.send("GET", path, headers=headers)).expect(200)
    (await ada.send("DELETE", f"{path}/api-tokens/{made['id']}")).expect(204)
    (await ada.send("GET", path, headers=headers)).expect(401)
    # What no route takes: the answer is an error, and the log has a line about it.
    body = {"email": ada.email, "password": PASSWORD, "secret": canaries.add(LATER)}
    (await ada.send("POST", "/v1/login", body)).expect(422)
    canaries.add(HEADER)
    bad = {"Authorization": f"Bearer {HEADER}", "X-Api-Key": HEADER}
    (await ada.send("GET", "/v1/me", headers=bad)).expect(401)
    canaries.add(QUERY)
    (await ada.send("GET", f"/v1/me?token={QUERY}")).expect(422, 400, 200)
    (await ada.send("GET", f"/v1/nothing?token={QUERY}")).expect(404)
    await world.platform.sign_in(world.deployment.client_id, world.deployment.client_secret)
    canaries.add(str(world.platform.token))

    async def recorded() -> Any:
        found = await ada.get(f"{path}/audit-events?limit=100")
        return "api_token.revoked" in str(found) and found

    shown = await wait_for(recorded, within=30, what="the audit log")
    assert canaries.found(AUDIT, str(shown)) == []
    return path


def dump(url: str) -> Iterator[tuple[str, str]]:
    """Every document of every database, as text by collection."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        for name in client.list_database_names():
            if name.startswith("rolecall"):
                for collection in client[name].list_collection_names():
                    yield f"{name}.{collection}", str(list(client[name][collection].find()))


@pytest.mark.rule("T15")
async def test_secrets_are_only_where_they_belong(product: OneProcess) -> None:
    canaries = Canaries()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        world = World(product.deployment(), http)
        await live(world, canaries)
        mails = str(await world.mailbox.all())
    assert len(canaries.may_be) > 15
    stored = dict(dump(product.database_url()))
    assert any("journal" in name for name in stored)
    leaks = [leak for name, text in stored.items() for leak in canaries.found(name, text)]
    leaks += canaries.found(LOG, product.log.read_text())
    leaks += canaries.found(MAILS, mails)
    assert leaks == []
    assert any(one in mails for one, places in canaries.may_be.items() if MAILS in places)
