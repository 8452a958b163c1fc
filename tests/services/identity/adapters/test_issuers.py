"""Issuers that do not answer hold up their own account alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.identity.adapters.issuers import IssuerMetadata, Issuers, IssuerUnavailable
from services.identity.domain.issuer_places import PLACES_OF_ISSUER
from services.identity.domain.sso_connections import SsoConnection
from shared.http.outbound import Outbound, OutboundAnswer, OutboundError
from shared.ids import AccountId
from tests.clocks import SetClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPERATOR = SsoConnection(
    id="corp",
    label="Corp",
    issuer="https://corp.example",
    client_id="rolecall",
    client_secret=None,
)
METADATA = """{{
    "issuer": "{0}", "authorization_endpoint": "{0}/authorize", "token_endpoint": "{0}/token",
    "jwks_uri": "{0}/keys", "id_token_signing_alg_values_supported": ["ES256"]
}}"""


class _Asked(Outbound):
    """Answers at once for the issuers of the operator, and after `over` for all others."""

    def __init__(self) -> None:
        super().__init__()
        self.over = asyncio.Event()
        self.asked: list[str] = []

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> OutboundAnswer:
        assert headers is None
        self.asked.append(url)
        issuer = url.partition("/.well-known")[0]
        if issuer != OPERATOR.issuer:
            await self.over.wait()
            raise OutboundError("The answer did not come in time.")
        return OutboundAnswer(status=200, body=METADATA.format(issuer).encode())


def of_account(account: str, issuer: str) -> SsoConnection:
    return replace(OPERATOR, issuer=issuer, account_id=AccountId(account))


async def ended(waiting: Sequence[asyncio.Future[IssuerMetadata]]) -> set[type]:
    return {type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)}


@pytest.mark.rule("T19")
async def test_issuers_that_do_not_answer_hold_up_their_own_account_alone() -> None:
    outbound, clock = _Asked(), SetClock()
    issuers = Issuers(outbound, clock=clock)
    flood = [
        of_account(f"acc_{account}", f"https://{name}.example")
        for account in range(6)
        for name in range(5)
    ]
    waiting = [asyncio.ensure_future(issuers.metadata(one)) for one in flood]
    await asyncio.sleep(0)
    assert len(outbound.asked) == 6
    assert (await issuers.metadata(OPERATOR)).in_header
    clock.move(5)
    outbound.over.set()
    assert await ended(waiting) == {IssuerUnavailable}

    outbound.over.clear()
    outbound.asked.clear()
    fresh = of_account("acc_new", "https://new.example")
    waiting = [asyncio.ensure_future(issuers.metadata(one)) for one in (*flood[:15], fresh)]
    await asyncio.sleep(0)
    assert len(outbound.asked) == 7, "the slow ones do not have the place of a new one"
    outbound.over.set()
    assert await ended(waiting) == {IssuerUnavailable}


async def test_known_metadata_take_no_place() -> None:
    outbound = _Asked()
    issuers = Issuers(outbound, clock=SetClock())
    for _ in range(2 * PLACES_OF_ISSUER):
        await issuers.metadata(OPERATOR)
    assert len(outbound.asked) == 1
