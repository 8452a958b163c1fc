"""Two replicas with one state, with and without the hot path, that are asked the same bytes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from shared.runtime.service import ServiceApp
from tests.services.authz.conftest import World, evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    BO,
    BOUND_CLIENT,
    CY,
    account,
    member,
    service_client,
)
from tests.services.authz.raw_connections import RawConnection

PATH = b"/access/v1/evaluation"
BODY = json.dumps(evaluation(BO, "instance:write")).encode()
_CONDITIONAL = "rol_" + "1" * 32
_GRANTS = {
    "account": {"view": "all"},
    "instance": {
        "view": {"scope": "all", "when": {"path": "resource.properties.owner_id", "equals": CY}},
        "write": {"scope": "all", "when": {"path": "subject.properties.session_id", "equals": "s"}},
        "delete": {"scope": "all", "when": {"path": "resource.properties.state", "equals": "off"}},
    },
}
"""What CY may do depends on what requests say."""


@dataclass
class Pair:
    """Two replicas with the same state: one with the hot path, one without."""

    world: World
    hot: ServiceApp
    plain: ServiceApp

    def connect(self) -> tuple[RawConnection, RawConnection]:
        return RawConnection(self.hot), RawConnection(self.plain)

    async def same(self, *pieces: bytes) -> RawConnection:
        """Send the pieces to both; return the hot connection after the comparison."""
        hot, plain = self.connect()
        await hot.send(*pieces)
        await plain.send(*pieces)
        await hot.hand_over()
        assert hot.answers == plain.answers, pieces
        assert hot.wire.closed == plain.wire.closed, pieces
        hot.end()
        plain.end()
        return hot

    async def answered_hot(self, *pieces: bytes) -> bytes:
        """Compare, and demand that the hot path answered; the answers."""
        hot = await self.same(*pieces)
        assert not hot.ordinary
        return hot.answers

    def request(
        self,
        body: bytes = BODY,
        *,
        token: str | None = None,
        line: bytes = b"POST " + PATH + b" HTTP/1.1",
        fields: tuple[bytes, ...] = (),
        without: bytes = b"",
        end: bytes = b"\r\n",
    ) -> bytes:
        token = token or self.world.client_token()
        usual = {
            b"Host": b"authz:8443",
            b"Content-Type": b"application/json",
            b"Authorization": b"Bearer " + token.encode(),
            b"Content-Length": b"%d" % len(body),
        }
        usual.pop(without, None)
        head = [line, *(name + b": " + value for name, value in usual.items()), *fields, b"", b""]
        return end.join(head) + body


@asynccontextmanager
async def pair_of(
    world: World, *, compiled: ModuleType | None = None, **settings: Any
) -> AsyncIterator[Pair]:
    """Run both replicas; the hot one may have the compiled module."""
    world.team.write(account(roles={_CONDITIONAL: {"name": "Depends", "grants": _GRANTS}}))
    world.team.write(member(CY, _CONDITIONAL, external_id="cy@platform"))
    world.identity.write(
        service_client(BOUND_CLIENT, account_ids=[ACCOUNT], resource_types=["instance"])
    )
    async with (
        world.replica("hot", compiled=compiled, **settings) as hot,
        world.replica("plain", hot_path=False, **settings) as plain,
    ):
        yield Pair(world, hot, plain)
