"""Ceremonies of passkeys against a running identity."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.services.identity.running import Identity
from tests.support.passkeys import SoftPasskey
from tests.support.service import ISSUER

EMAIL = "ana@example.com"


def new_passkey(**options: Any) -> SoftPasskey:
    parts = urlsplit(ISSUER)
    return SoftPasskey(origin=f"{parts.scheme}://{parts.netloc}", **options)


async def begun(identity: Identity, path: str, token: str | None = None) -> dict[str, Any]:
    answer = await identity.post(path, token=token)
    assert answer.status == 200, answer.text
    return dict(answer.body)


async def add(identity: Identity, token: str, passkey: SoftPasskey, *, name: str = "Phone") -> Any:
    options = await begun(identity, "/v1/me/passkey-challenges", token)
    return await finish(identity, token, options, passkey, name=name)


async def finish(
    identity: Identity,
    token: str,
    options: dict[str, Any],
    passkey: SoftPasskey,
    *,
    name: str = "Phone",
) -> Any:
    body = {
        "challenge": options["challenge"],
        "credential": passkey.create(options["options"]),
        "name": name,
    }
    return await identity.post("/v1/me/passkeys", body, token=token)


async def signed(identity: Identity, passkey: SoftPasskey) -> dict[str, Any]:
    """A challenge with the answer of a passkey."""
    options = await begun(identity, "/v1/login/passkey/begin")
    return {"challenge": options["challenge"], "credential": passkey.get(options["options"])}


async def with_passkey(identity: Identity, **options: Any) -> tuple[str, SoftPasskey, Any]:
    """The token of a user with a passkey, the passkey, and the answer that added it."""
    token = str((await identity.person(EMAIL))["access_token"])
    passkey = new_passkey(**options)
    added = await add(identity, token, passkey)
    assert added.status == 200, added.text
    return token, passkey, added.body
