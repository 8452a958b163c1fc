"""Tests of the signing keys and of the access tokens that they sign."""

from __future__ import annotations

import asyncio

import jwt
import pytest
from pydantic import SecretStr

from rolecall.client.jwt import BadToken
from shared.auth.principals import UserPrincipal
from shared.problems import StartRefused
from tests.patience import PATIENT_SECONDS
from tests.services.identity.running import PASSWORD, Identity, running
from tests.support.service import random_key


@pytest.mark.rule("B1")
@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/internal/jwks"])
async def test_a_token_of_a_user_is_verified_with_the_published_keys(
    identity: Identity, path: str
) -> None:
    person = await identity.person("ana@example.com")
    principal = await identity.verifier(path).verify(person["access_token"])
    assert isinstance(principal, UserPrincipal)
    assert principal.user_id == person["user"]["id"]
    assert principal.account_id == person["account_id"]


async def test_an_access_token_contains_only_ids_that_cannot_change(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    claims = jwt.decode(person["access_token"], options={"verify_signature": False})
    fixed = {"iss", "aud", "sub", "jti", "iat", "exp", "sid", "acct", "auth_time"}
    assert set(claims) == fixed
    assert claims["exp"] - claims["iat"] == person["expires_in"] == 300
    header = jwt.get_unverified_header(person["access_token"])
    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    identity.clock.move(311)
    late = await identity.send("GET", "/v1/me", token=person["access_token"])
    assert late.status == 401


async def test_a_refresh_token_is_not_accepted_as_an_access_token(identity: Identity) -> None:
    person = await identity.person("ana@example.com")
    answer = await identity.send("GET", "/v1/me", token=person["refresh_token"])
    assert answer.status == 401
    with pytest.raises(BadToken):
        await identity.verifier().verify(person["refresh_token"])


async def test_replicas_that_start_at_once_agree_on_one_first_key(
    mongo_url: str, database_name: str
) -> None:
    async def key_set() -> str:
        async with running(mongo_url, database_name) as identity:
            await asyncio.wait_for(started.wait(), 30)
            return (await identity.send("GET", "/.well-known/jwks.json")).text

    started = asyncio.Barrier(3)
    sets = await asyncio.gather(*(key_set() for _ in range(3)))
    assert len(set(sets)) == 1


async def test_a_wrong_sealing_key_refuses_the_start_at_once(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name):
        pass
    with pytest.raises(StartRefused, match="ROLECALL_IDENTITY_SEALING_KEY does not open the sign"):
        async with (
            asyncio.timeout(PATIENT_SECONDS / 2),
            running(mongo_url, database_name, sealing_key=SecretStr(random_key())),
        ):
            pass


async def test_keys_and_sessions_survive_a_restart(mongo_url: str, database_name: str) -> None:
    async with running(mongo_url, database_name) as before:
        person = await before.person("ana@example.com")
        keys = (await before.send("GET", "/.well-known/jwks.json")).body
    async with running(mongo_url, database_name, clock=before.clock) as after:
        assert (await after.send("GET", "/.well-known/jwks.json")).body == keys
        me = await after.send("GET", "/v1/me", token=person["access_token"])
        assert me.status == 200
        body = {"refresh_token": person["refresh_token"]}
        assert (await after.post("/v1/token/refresh", body)).status == 200
        assert len(await after.rows("signing_key.created")) == 2  # the active and the next one
        assert (await after.log_in("ana@example.com", PASSWORD)).status == 200
