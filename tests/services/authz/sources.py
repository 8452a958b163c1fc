"""A source as authz sees it, without a database.

Journal, snapshot, lease and barrier run over real HTTP; the rows are a list in memory.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.auth.row_signatures import SignedRow
from shared.bus import BusUnavailable
from shared.bus.local import LocalBus
from shared.contracts.calls.history import (
    PAST_BEARERS,
    PAST_POLICY,
    PastBearers,
    PastBearersRequest,
    PastPolicy,
    PastPolicyRequest,
)
from shared.contracts.calls.identity import KEY_SET, KeySet
from shared.contracts.calls.journal import CHANGES, Changes, ChangesQuery
from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.contracts.facts import (
    GENESIS,
    Actor,
    RequestInfo,
    ResourceRef,
    Row,
    content_time,
    format_revision,
    shard_of,
)
from shared.contracts.groups import concerned_shards
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.contracts.refusals import HistoryUnavailable
from shared.http.api import Api
from shared.http.internal import internal_route
from shared.http.routes import Call, Route
from shared.ids import new_id
from shared.journal import rows
from shared.leases import Leases, Receipt, lease_routes
from shared.problems import Unavailable
from shared.runtime.listeners import listen
from shared.runtime.service import ServiceApp
from tests.patience import PATIENT
from tests.services.authz.histories import NOON
from tests.shared.leases.memory import MemoryLeaseStore
from tests.support.journal_keys import signer

PAGE_SIZE = 3


class Source:
    """One source; `away` makes it answer 503, `mute` makes the bus lose its rows."""

    def __init__(
        self,
        name: str,
        *,
        keys,
        jwks,
        clock,
        bus: LocalBus,
        ttl: float = 1,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self.name = name
        self._page_size = page_size
        self.away = self.mute = False
        self.asked: list[str] = []
        self.masks: set[str | None] = set()
        """The shards that snapshots were asked for."""
        self.history_begins: datetime | None = None
        self.rows: dict[int, list[SignedRow]] = defaultdict(list)
        self.store = MemoryLeaseStore(new_id("epo"))
        self.leases = Leases(self.store, clock=clock, ttl=ttl, timeouts=PATIENT)
        self._clock = clock
        self.bus = bus
        self._jwks = jwks
        authenticator = Authenticator(
            internal=InternalVerifier(service=name, keys=keys.public, clock=clock)
        )
        self._service = ServiceApp(
            name,
            public=Api(name, (), None),
            internal=Api(name, self.routes(), None, authenticator=authenticator),
            closes=(self.leases.close,),
        )

    async def start(self) -> str:
        await self._service.start(internal=listen("127.0.0.1", 0))
        return self._service.addresses["internal"]

    async def stop(self) -> None:
        await self._service.stop()

    def write(self, *policy_objects: PolicyObject, at: datetime = NOON) -> list[SignedRow]:
        """Commit one change without publishing it."""
        key = policy_objects[0].account_id or policy_objects[0].id
        shard = shard_of(key)
        start = len(self.rows[shard])
        told: list[SignedRow] = []
        for part, policy_object in enumerate(policy_objects, 1):
            before = (self.rows[shard] + told)[-1:]
            row = Row(
                id=new_id("evt"),
                type=f"{self.name}.test.happened.v1",
                source=self.name,
                epoch=self.store.epoch,
                shard=shard,
                seq=start + part,
                previous=before[0].digest if before else GENESIS,
                change_id="chg",
                part=part,
                parts=len(policy_objects),
                occurred_at=at,
                resource=ResourceRef(type="test", id="test"),
                actor=Actor(type="user", id="usr_test"),
                request=RequestInfo(request_id="req_test"),
                data={},
                policy_objects=(policy_object.model_copy(update={"rev": start + part}),),
            )
            told.append(signer(self.name).sign(row))
        self.rows[shard] += told
        self.store.journal_heads[shard] = len(self.rows[shard])
        self.store.digests[shard] = told[-1].digest
        return told

    async def change(self, *policy_objects: PolicyObject) -> tuple[str, Receipt]:
        """Commit, publish and wait for the barrier, as a policy route does before it answers."""
        told = self.write(*policy_objects)
        committed_at = self._clock.boottime()
        if not self.mute:
            await self.publish(told)
        last = told[-1].row.position
        receipt = await self.leases.barrier(
            last,
            digest=told[-1].digest,
            committed_at=committed_at,
            concerned=concerned_shards(policy_objects),
        )
        return format_revision(last), receipt

    def restore(self) -> None:
        """Restore the database from a backup that was made when it was empty."""
        self.rows.clear()
        self.store.journal_heads.clear()
        self.store.digests.clear()
        self.store.epoch = new_id("epo")

    def set_back(self, shard: int, seq: int) -> None:
        """Restore an older state of a shard in the same epoch, while replicas follow."""
        del self.rows[shard][seq:]
        self.store.journal_heads[shard] = seq
        self.store.digests[shard] = self.rows[shard][-1].digest

    async def publish(self, told: list[SignedRow]) -> None:
        try:
            await self.bus.publish([rows.message(signed) for signed in told])
        except BusUnavailable:
            return  # No replica listens; it will find the row by the heads.

    def _policy_objects(self) -> list[PolicyObject]:
        newest: dict[tuple[PolicyObjectKind, str | None, str], PolicyObject] = {}
        for committed in self.rows.values():
            for row in (signed.row for signed in committed):
                newest |= {
                    (policy_object.kind, policy_object.account_id, policy_object.id): policy_object
                    for policy_object in row.policy_objects
                }
        return [
            policy_object for policy_object in newest.values() if policy_object.state is not None
        ]

    def past(self, request: PastPolicyRequest) -> PastPolicy:
        """Some objects of an account after the last row that counts at a time."""
        newest: dict[tuple[PolicyObjectKind, str], PolicyObject] = {}
        revision, since = None, NOON
        for row in (signed.row for signed in self.rows[shard_of(request.account_id)]):
            since = max(since, row.occurred_at)
            if since > request.at:
                break
            for each in row.policy_objects:
                if each.account_id == request.account_id:
                    newest[each.kind, each.id] = each
                    revision = format_revision(row.position)
        wanted = [newest.get((each.kind, each.id)) for each in request.objects]
        known = [each for each in wanted if each is not None and each.state is not None]
        named = {each.state.get("catalog") for each in known if each.state is not None}
        catalogs = [each for each in self._policy_objects() if each.id in named]
        return PastPolicy(items=(*catalogs, *known), revision=revision)

    def past_bearers(self, request: PastBearersRequest) -> PastBearers:
        """The members who had an external id after the last row that counts at a time."""
        had: dict[str, str | None] = {}
        since = NOON
        for row in (signed.row for signed in self.rows[shard_of(request.account_id)]):
            since = max(since, row.occurred_at)
            if since > request.at:
                break
            for each in row.policy_objects:
                of_account = each.account_id == request.account_id
                if of_account and each.kind is PolicyObjectKind.MEMBER:
                    had[each.id] = None if each.state is None else each.state.get("external_id")
        found = [user_id for user_id, name in sorted(had.items()) if name == request.external_id]
        return PastBearers(user_ids=tuple(found[:2]))

    def _check(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise Unavailable

    def routes(self) -> tuple[Route, ...]:
        """What a follower calls."""

        async def snapshot(ctx: object, call: Call[None, SnapshotQuery]) -> SnapshotPage:
            self._check("snapshot")
            self.masks.add(call.query.shards)
            start = int(call.query.cursor or 0)
            policy_objects = self._policy_objects()
            return SnapshotPage(
                source=self.name,
                epoch=self.store.epoch,
                heads=dict(self.store.journal_heads),
                digests=dict(self.store.digests),
                items=tuple(policy_objects[start : start + self._page_size]),
                next_cursor=str(start + self._page_size)
                if start + self._page_size < len(policy_objects)
                else None,
            )

        async def changes(ctx: object, call: Call[None, ChangesQuery]) -> Changes:
            self._check("changes")
            query = call.query
            page = self.rows[query.shard][query.after : query.after + 1]
            return Changes(
                source=self.name,
                epoch=self.store.epoch,
                items=[signed.event.decode() for signed in page],
                signatures=[signed.signature for signed in page],
            )

        async def past(ctx: object, call: Call[PastPolicyRequest, None]) -> PastPolicy:
            self._check("past policy")
            if self.history_begins is not None and call.body.at < self.history_begins:
                raise HistoryUnavailable(oldest=content_time(self.history_begins))
            return self.past(call.body)

        async def bearers(ctx: object, call: Call[PastBearersRequest, None]) -> PastBearers:
            self._check("past bearers")
            if self.history_begins is not None and call.body.at < self.history_begins:
                raise HistoryUnavailable(oldest=content_time(self.history_begins))
            return self.past_bearers(call.body)

        async def jwks(ctx: object, call: Call[None, None]) -> KeySet:
            return KeySet(keys=[self._jwks])

        async def lease(ctx: object, call: Call[Any, Any]) -> Any:
            self._check("lease")
            return await grant.handler(ctx, call)

        grant, *others = lease_routes(self.leases, self._clock)
        return (
            replace(grant, handler=lease),
            *others,
            internal_route(SNAPSHOT, snapshot),
            internal_route(CHANGES, changes),
            internal_route(PAST_POLICY, past, refuses=(HistoryUnavailable,)),
            internal_route(PAST_BEARERS, bearers, refuses=(HistoryUnavailable,)),
            internal_route(KEY_SET, jwks),
        )
