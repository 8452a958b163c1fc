"""Tell a service client the policy state that it may read, and then every change of it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from services.authz.domain.change_log import ChangeLog, NumberedChange, ReaderTooSlow
from services.authz.domain.checks import CHECK_SCOPE
from services.authz.domain.stream_events import (
    StreamEnd,
    StreamScope,
    account_of,
    event,
    told,
    told_of_change,
)
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.sign_in_events import SECOND_FACTOR, SignInEvent, SignInEvents
from shared.auth.bindings import require_account
from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import shard_of
from shared.contracts.policy_objects import PolicyObjectKind
from shared.problems import ScopeMissing, TokenRevoked

OBJECTS_OF_EVENT = 200
BYTES_OF_TURN = 32 * 1024
"""As much as a stream tells in one turn of the loop: about as long as an event takes to make."""
BYTES_OF_READING = 256
"""As much more counts an event, or a change that is looked at, even if nothing of it is told."""


def open_stream(
    ctx: Ctx,
    client: ClientPrincipal,
    *,
    account_id: str | None,
    after: str | None,
    group: int | None = None,
) -> AsyncGenerator[bytes, None]:
    """Return the events of a stream for this client: of one account, or all that it may read.

    Where accounts are divided among groups of replicas, `group` names those that are told.

    `after` is the id of the last event that an earlier stream gave. The state is told anew unless
    all changes since then are kept.

    Raises:
        Stale: this replica may not answer now.
        TokenRevoked, ScopeMissing, AccountNotBound: the client may not read this.
        GroupNeeded, HeldElsewhere: as `AccountGroups.part_of`.
        Unavailable, Overloaded, TooManyAtOnce: as `PolicyFeed.require_room`.
    """
    scope = ctx.while_fresh(lambda: _scope(ctx, client.client_id, account_id, group))
    ctx.feed.require_room(client.client_id)
    return _StreamReader(ctx, client, account_id, scope).events(after)


def _scope(ctx: Ctx, client_id: str, account_id: str | None, group: int | None) -> StreamScope:
    client = ctx.sign_ins.client(client_id)
    if client is None:
        raise TokenRevoked
    if CHECK_SCOPE not in client.scopes:
        raise ScopeMissing(CHECK_SCOPE)
    if account_id is not None:
        require_account(client.account_ids, account_id)
    scope = StreamScope.of(client, account_id)
    return scope if ctx.groups is None else ctx.groups.part_of(scope, group)


@dataclass
class _StreamReader:
    """One stream: what it tells, and how far it is."""

    ctx: Ctx
    caller: ClientPrincipal
    account_id: str | None
    scope: StreamScope
    log: ChangeLog = field(init=False)
    number: int = 0
    """The last change that was told."""
    events_told: int = 0
    bytes_since_turn: int = 0
    catalogs: set[str] = field(default_factory=set)
    positions: dict[int, int] = field(default_factory=dict)
    keys_told: set[str] = field(default_factory=set)
    """The revoked signing keys that were told."""

    def __post_init__(self) -> None:
        self.client = self.ctx.sign_ins.client(self.caller.client_id)
        self.sign_ins = SignInEvents(self.ctx, self.scope)

    async def events(self, after: str | None) -> AsyncGenerator[bytes, None]:
        """Every event, until the stream ends."""
        with self.ctx.feed.reader(self.caller.client_id) as news:
            self.log = self.ctx.feed.log
            resumed = self.sign_ins.goes_on = self._resume(after)
            yield self._event("hello", self._greeting(resumed=resumed))
            try:
                for text in () if resumed else self._state():
                    if (end := self._end()) is not None:
                        yield self._last(end)
                        return
                    yield text
                    await self._let_others()
                async for text in self._changes(news):
                    yield text
            except ReaderTooSlow:
                yield self._last(StreamEnd.TOO_SLOW)

    async def _changes(self, news: asyncio.Event) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop()
        next_beat = clock.time()
        complete = False
        while True:
            news.clear()
            at = self.ctx.clock.boottime()
            if (end := self._end()) is not None:
                yield self._last(end)
                return
            if (change := self.log.next(self.number)) is not None:
                for text in self._change(change):
                    yield text
                await self._let_others()
            elif not complete:
                complete = True
                yield self._event("ready", {}, numbered=True)
            elif clock.time() >= next_beat or self._new_revoked_keys():
                # Everything that this replica has applied was told, and its leases held after
                # `at`, with no await in between.
                next_beat = clock.time() + self.ctx.timeouts.stream_beat
                yield self._lease(at)
            else:
                await _woken(news, next_beat - clock.time())

    async def _let_others(self) -> None:
        """Wait for another turn, if enough was told in this one: a fast reader never waits."""
        self.bytes_since_turn += BYTES_OF_READING
        if self.bytes_since_turn >= BYTES_OF_TURN:
            self.bytes_since_turn = 0
            await self.ctx.turns.next()

    def _end(self) -> StreamEnd | None:
        """Why nothing more may be told, if so; nothing is told without the leases."""
        feed = self.ctx.feed
        if self.log is not feed.log:
            return StreamEnd.RELOADED
        sign_ins, token = self.ctx.sign_ins, self.caller.access_token
        if sign_ins.client(self.caller.client_id) != self.client:
            return StreamEnd.CLIENT_CHANGED
        if token is not None and sign_ins.refused_tokens.has(token):
            return StreamEnd.TOKEN_REVOKED
        if not self.ctx.holds():
            return StreamEnd.STALE
        return StreamEnd.DRAINING if feed.draining else None

    def _resume(self, after: str | None) -> bool:
        """Go on after the last event of an earlier stream, if that is possible."""
        self.number = self.log.last
        life, _, rest = (after or "").partition(".")
        tag, _, number = rest.partition(".")
        if (life, tag) != (self.log.life, self.scope.tag):
            return False
        found = self.log.number_of(number)
        if found is None:
            return False
        self.number = found
        return True

    def _greeting(self, *, resumed: bool) -> dict[str, Any]:
        view, groups = self.ctx.team.view, self.ctx.groups
        divided = {} if groups is None else {"group": groups.number, "groups": groups.count}
        return {
            **divided,
            "at": self.ctx.clock.boottime(),
            "resumed": resumed,
            "sessions": True,
            "users": True,
            "source": self.ctx.team.source,
            "epoch": view.epoch,
            **self.scope.described(),
        }

    def _state(self) -> Iterator[bytes]:
        """The whole state, account by account; what changes meanwhile is told again afterwards."""
        policy = self.ctx.policy
        bound = self.scope.account_ids
        for account_id in policy.account_ids() if bound is None else sorted(bound):
            objects = policy.objects(account_id)
            while page := list(islice(objects, OBJECTS_OF_EVENT)):
                content = [
                    told(kind, object_id, account_id, state)
                    for kind, object_id, state in page
                    if self.scope.covers(kind, object_id, account_id)
                ]
                yield from self._with_catalogs("state", {"objects": content})
                if bound is not None:
                    members = [each for kind, each, _ in page if kind is PolicyObjectKind.MEMBER]
                    yield from self._of_sign_ins(self.sign_ins.of_members(members))
        if bound is None:
            yield from self._of_sign_ins(self.sign_ins.of_all())

    def _change(self, change: NumberedChange) -> Iterator[bytes]:
        sign_ins = self.sign_ins.of_change(change)
        if sign_ins is not None:
            self.number = change.number
            yield from self._of_sign_ins(sign_ins, numbered=True)
            return
        # A reader that is cut off after this event is told it again: it has no number.
        yield from self._of_sign_ins(self.sign_ins.of_new_members(change))
        self.number = change.number
        content = told_of_change(change.objects, self.scope, follows=self._follows)
        if content:
            position = {
                "shard": shard_of(account_of(change.objects[-1])),
                "seq": max(each.rev for each in change.objects),
            }
            told_change = {"objects": content, **position}
            yield from self._with_catalogs("change", told_change, numbered=True)

    def _of_sign_ins(
        self, events: Iterator[SignInEvent], *, numbered: bool = False
    ) -> Iterator[bytes]:
        """These events; the last one has the number of the change."""
        known = list(events)
        for at, (name, content) in enumerate(known, 1):
            yield self._event(name, content, numbered=numbered and at == len(known))

    def _follows(self, catalog_id: str) -> bool:
        """Whether an account that is told follows this catalog; a bound client learns no other."""
        bound = self.scope.account_ids
        return bound is None or any(
            self.ctx.policy.catalog_id(account_id) == catalog_id for account_id in bound
        )

    def _with_catalogs(
        self, name: str, content: dict[str, Any], *, numbered: bool = False
    ) -> Iterator[bytes]:
        """An event, after the catalogs that its accounts follow and the reader does not have."""
        for each in content["objects"]:
            if each["kind"] != PolicyObjectKind.ACCOUNT or each["state"] is None:
                continue
            if "require_second_factor" in each["state"]:
                # An SDK that does not know the demand breaks off here, and asks remotely instead.
                yield self._event(SECOND_FACTOR, {"users": {}})
            catalog_id = each["state"]["catalog"]
            published = self.ctx.policy.catalog_content(catalog_id)
            if published is not None and catalog_id not in self.catalogs:
                self.catalogs.add(catalog_id)
                catalog = told(
                    PolicyObjectKind.CATALOG, catalog_id, catalog_id, {"content": published}
                )
                yield self._event("state", {"objects": [catalog]})
        yield self._event(name, content, numbered=numbered)

    def _lease(self, at: float) -> bytes:
        """Grant a lease that counts from this moment of the replica's clock."""
        news = {
            shard: seq
            for shard, seq in self.ctx.team.view.applied.items()
            if self.positions.get(shard) != seq and self._tells_of(shard)
        }
        self.positions |= news
        granted = {"at": at, "seconds": self.ctx.timeouts.stream_lease, "applied": news}
        return self._event("lease", granted | self._revoked_keys(), numbered=True)

    def _last(self, end: StreamEnd) -> bytes:
        """The last event. A key that was revoked may be the one by which the reader is here."""
        return self._event("end", {"reason": end} | self._revoked_keys())

    def _new_revoked_keys(self) -> set[str]:
        return self.ctx.sign_ins.refused_tokens.keys_beside(self.keys_told)

    def _revoked_keys(self) -> dict[str, list[str]]:
        """The signing keys of which no token counts any more, as far as they were not told."""
        found = self._new_revoked_keys()
        self.keys_told |= found
        return {"revoked_keys": sorted(found)} if found else {}

    def _tells_of(self, shard: int) -> bool:
        bound = self.scope.account_ids
        return bound is None or shard in {shard_of(account_id) for account_id in bound}

    def _event(self, name: str, content: dict[str, Any], *, numbered: bool = False) -> bytes:
        self.events_told += 1
        position = f"{self.log.life}.{self.scope.tag}.{self.number}" if numbered else None
        text = event(name, {"n": self.events_told, **content}, event_id=position)
        self.bytes_since_turn += len(text)
        return text


async def _woken(news: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await news.wait()
    except TimeoutError:
        return
