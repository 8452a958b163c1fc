"""A process of authz that holds the workload, without a database and a broker.

Its state comes over the real snapshot calls, from two sources in the same process.

    PYTHONPATH=.:sdk python -m benchmarks.replica PORT INTERNAL_PORT [--share-port]
"""

import argparse
import asyncio
import gc
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.workload import CLIENT, of_identity, of_team
from services.authz.app import build
from services.authz.settings import Settings
from shared.auth.access_tokens import client_claims, sign_access_token
from shared.auth.keys import generate_service_keys, public_jwk
from shared.auth.principals import ClientPrincipal
from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.policy_objects import PolicyObject
from shared.contracts.topology import Service
from shared.ids import ClientId
from shared.runtime.service import event_loop, run
from tests.services.authz.intake import Intake
from tests.services.authz.sources import Source
from tests.support.journal_keys import PUBLIC_KEYS

ISSUER, KID = "https://rolecall.example", "k1"
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""The same in every process, so that one token is good at all of them."""
PAGE_SIZE, LEASE_SECONDS = 1_000, 60
SHARDS, HEAD = 64, 7


def token() -> str:
    """An access token of the service client that asks."""
    client = ClientPrincipal(client_id=ClientId(CLIENT), scopes=frozenset({"authz:check"}))
    claims = client_claims(issuer=ISSUER, client=client, now=SystemClock().now())
    return sign_access_token(SIGNING_KEY, KID, claims)


class LoadedSource(Source):
    """A source with a snapshot, and without rows that led to it."""

    snapshot: tuple[PolicyObject, ...] = ()

    def load(self, policy_objects: Iterable[PolicyObject]) -> None:
        """Take the snapshot, as of one change in every shard."""
        self.snapshot = tuple(each.model_copy(update={"rev": HEAD}) for each in policy_objects)
        self.store.journal_heads |= dict.fromkeys(range(SHARDS), HEAD)
        self.store.digests |= dict.fromkeys(range(SHARDS), "ab" * 32)

    def _policy_objects(self) -> list[PolicyObject]:
        return list(self.snapshot)


async def serve(port: int, internal_port: int, *, share_port: bool, hot_path: bool) -> None:
    """Answer until the process is ended."""
    keys, clock, bus = generate_service_keys(tuple(Service)), SystemClock(), LocalBus()
    sources = [
        LoadedSource(
            name,
            keys=keys,
            jwks=public_jwk(KID, SIGNING_KEY.public_key()),
            clock=clock,
            bus=bus,
            ttl=LEASE_SECONDS,
            page_size=PAGE_SIZE,
        )
        for name in ("team", "identity")
    ]
    for source, policy_objects in zip(sources, (of_team(), of_identity()), strict=True):
        source.load(policy_objects)
    audit = Intake(keys=keys, clock=clock)
    settings = Settings(
        amqp_url="memory://",
        public_url=ISSUER,
        internal_key=keys.private["authz"],
        internal_keys=keys.public,
        internal_urls={source.name: (await source.start(),) for source in sources}
        | {Service.AUDIT: (await audit.start(),)},
        journal_keys=PUBLIC_KEYS,
        admin_key="0123456789abcdef0123456789abcdef",
        port=port,
        internal_port=internal_port,
        share_port=share_port,
    )
    gc.freeze()
    await run(build(settings, bus=bus, hot_path=hot_path), settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("internal_port", type=int)
    parser.add_argument("--share-port", action="store_true")
    parser.add_argument("--without-hot-path", action="store_true")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(
            serve(
                given.port,
                given.internal_port,
                share_port=given.share_port,
                hot_path=not given.without_hot_path,
            )
        )


if __name__ == "__main__":
    main()
