"""Recognisable secrets that go through a whole journey, and the places where they are sought."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pymongo
import pyotp

from tests.contracts.people import NEW_CONNECTION
from tests.e2e.journey import World
from tests.e2e.people import PASSWORD, Browser, Link, Person, Platform
from tests.waiting import wait_for

NEW_PASSWORD = "canary-otters-paint-maps"
RESET_PASSWORD = "canary-badgers-fold-kites"
WRONG_PASSWORD = "canary-wrong-lantern-9"
LATER = "canary-body-lantern-7"
HEADER, QUERY = "canary-header-lantern-5", "canary-query-lantern-3"
ISSUER_SECRET = "canary-issuer-lantern-2"
LOG, MAILS, AUDIT, PERSONAL = "log", "mails", "audit export", "personal export"
BUS, METRICS = "messages of the bus", "metrics"
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


async def live(world: World, canaries: Canaries) -> None:
    """Live the journey."""
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
    await change_passwords(world, ada, bea, canaries)
    await invite_and_make_a_token(world, ada, canaries)
    connection = NEW_CONNECTION | {"client_secret": canaries.add(ISSUER_SECRET)}
    (await ada.send("POST", f"{path}/sso-connections", connection)).expect(201)
    await sign_in_with_codes(bea, canaries)
    await act_for(world, ada, canaries)
    await send_what_no_route_takes(ada, canaries)
    await world.platform.sign_in(world.deployment.client_id, world.deployment.client_secret)
    canaries.add(str(world.platform.token))

    async def recorded() -> Any:
        found = await ada.get(f"{path}/audit-events?limit=100")
        return "api_token.revoked" in str(found) and found

    shown = await wait_for(recorded, what="the audit log")
    assert canaries.found(AUDIT, str(shown)) == []
    assert canaries.found(PERSONAL, str(await ada.get("/v1/me/export"))) == []
    assert canaries.found(PERSONAL, str(await bea.get("/v1/me/export"))) == []


async def change_passwords(world: World, ada: Person, bea: Person, canaries: Canaries) -> None:
    """Use a wrong password, change one and reset one."""
    wrong = {"email": ada.email, "password": canaries.add(WRONG_PASSWORD)}
    (await ada.send("POST", "/v1/login", wrong)).expect(401)
    change = {"current": PASSWORD, "new": canaries.add(NEW_PASSWORD)}
    (await ada.send("POST", "/v1/me/password", change)).expect(202, 204)
    (await bea.send("POST", "/v1/password/forgot", {"email": bea.email})).expect(202, 204)
    mail = await world.mailbox.newest(bea.email, "password")
    link = re.search(r"token=([^\s&#]+)", mail["text"])
    assert link is not None
    token = canaries.add(link[1], MAILS)
    reset = {"token": token, "password": canaries.add(RESET_PASSWORD)}
    (await bea.send("POST", "/v1/password/reset", reset)).expect(204)


async def invite_and_make_a_token(world: World, ada: Person, canaries: Canaries) -> None:
    """Invite by mail and by a link; make an API token, use it and revoke it."""
    path = f"/v1/accounts/{ada.account_id}"
    (await ada.send("POST", f"{path}/convert", {"name": "Engines"})).expect(200, 202)
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
    (await ada.send("DELETE", f"{path}/api-tokens/{made['id']}")).expect(202, 204)

    async def refused() -> bool:
        return (await ada.send("GET", path, headers=headers)).status == 401

    await wait_for(refused, what="the end of the token")


async def send_what_no_route_takes(ada: Person, canaries: Canaries) -> None:
    """Send secrets where none belongs: the answer is an error, and the log has a line about it."""
    body = {"email": ada.email, "password": PASSWORD, "secret": canaries.add(LATER)}
    (await ada.send("POST", "/v1/login", body)).expect(422)
    canaries.add(HEADER)
    bad = {"Authorization": f"Bearer {HEADER}", "X-Api-Key": HEADER}
    (await ada.send("GET", "/v1/me", headers=bad)).expect(401)
    canaries.add(QUERY)
    (await ada.send("GET", f"/v1/me?token={QUERY}")).expect(422, 400, 200)
    (await ada.send("GET", f"/v1/nothing?token={QUERY}")).expect(404)


async def sign_in_with_codes(person: Person, canaries: Canaries) -> None:
    """Sign in with a code of an app, and with a recovery code."""
    credentials = {"email": person.email, "password": RESET_PASSWORD}
    person.signed_in((await person.send("POST", "/v1/login", credentials)).expect(200))
    made = (await person.send("POST", "/v1/me/mfa/totp")).expect(200)
    secret = canaries.add(made["secret"])
    proof = {"otp": pyotp.TOTP(secret).now()}
    confirmed = (await person.send("POST", "/v1/me/mfa/totp/confirm", proof)).expect(200)
    for code in confirmed["recovery_codes"]:
        canaries.add(code)
        canaries.add(code.replace("-", ""))
    wrong = credentials | {"otp": "AAAA-AAAA-AAAA"}
    (await person.send("POST", "/v1/login", wrong)).expect(401)
    with_code = credentials | {"otp": confirmed["recovery_codes"][0]}
    person.signed_in((await person.send("POST", "/v1/login", with_code)).expect(200))
    canaries.add(person.refresh_token)
    canaries.add(str(person.token))


async def act_for(world: World, person: Person, canaries: Canaries) -> None:
    """A service client acts for the person, where it may and where it may not."""
    operator = world.deployment.operator
    assert operator is not None
    browser = Browser(world.http, operator.identity, token=operator.admin_key)
    body = {"name": "acts for users", "scopes": ["users:act"]}
    client = (await browser.send("POST", "/internal/admin/service-clients", body)).expect(201)
    given = await world.platform.act_for(
        str(person.token), client["id"], canaries.add(client["secret"], HASH)
    )
    token = canaries.add(given.expect(200)["access_token"])
    acting = Platform(world.http, world.deployment.gateway, token=token)
    asked = await acting.ask(person.user_id, "account:view", account=person.account_id)
    assert asked.expect(200)["decision"] is True
    (await acting.send("GET", "/v1/me")).expect(403)


def dump(url: str) -> Iterator[tuple[str, str]]:
    """Every document of every database, as text by collection."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(url)
    with client:
        for name in client.list_database_names():
            if name.startswith("rolecall"):
                for collection in client[name].list_collection_names():
                    yield f"{name}.{collection}", str(list(client[name][collection].find()))
