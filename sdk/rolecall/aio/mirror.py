"""The policy stream as local mode has it: what is applied, and until when it may be used.

Pure: no I/O and no clock. The stream numbers its events, so a lost one is noticed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from rolecall.aio.accounts import LocalAccounts, ToldObject
from rolecall.aio.event_stream import ServerEvent
from rolecall.aio.groups import DividedError
from rolecall.aio.lease import StreamLease
from rolecall.client.revisions import read_revision


class StreamBrokenError(Exception):
    """An event is missing or cannot be read. The state was dropped."""


class StreamEndedError(Exception):
    """Rolecall ended the stream, for the reason in its text; open another one."""


@dataclass(slots=True)
class Mirror:
    """The state of the accounts that a client may read, and its lease.

    While a new state is being told, the last one is used until its lease is over. A session that
    has ended stays so when the state is told again, and so does a signing key that was revoked.
    """

    accounts: LocalAccounts = field(default_factory=LocalAccounts)
    lease: StreamLease = field(default_factory=StreamLease)
    last_event_id: str | None = None
    epoch: str | None = None
    source: str | None = None
    account_ids: frozenset[str] | None = frozenset()
    """The accounts that are told; `None`: all."""
    resource_types: frozenset[str] | None = None
    ended: dict[str, float] = field(default_factory=dict)
    """The sessions that have ended, each with the time until which one of its tokens may live."""
    disabled: set[str] = field(default_factory=set)
    """The users whom the operator has disabled, as far as they are members."""
    with_factor: set[str] = field(default_factory=set)
    """The users who have a second factor, as far as they are members."""
    revoked_keys: set[str] = field(default_factory=set)
    """The signing keys of which no token counts any more."""
    groups: int = 1
    """The groups among which the accounts are divided, if the stream is of one of several."""
    events: int = 0
    """The events that were taken. What was read holds as long as this number is the same."""
    _disabled_anew: set[str] = field(default_factory=set)
    _with_factor_anew: set[str] = field(default_factory=set)
    """Those of a state that is being told."""
    _told: Mapping[str, Any] = field(default_factory=dict)
    _loading: LocalAccounts | None = None
    _number: int = 0

    @property
    def complete(self) -> bool:
        """Whether the stream has told the whole state."""
        return self._loading is None

    def opened(self) -> None:
        """Begin with a stream whose events are numbered from 1."""
        self._number = 0
        self._loading = None

    def take(self, event: ServerEvent, *, asked_at: float, now: float) -> Iterator[None]:
        """Apply one event, in steps between which others may run; `asked_at` is of the stream.

        The state changes whole, before the first step or after the last one.

        Raises:
            StreamBrokenError: an event was lost, or this one cannot be understood.
            StreamEndedError: it is the last event.
            DividedError: the accounts are divided among another number of groups.
        """
        try:
            content = json.loads(event.data)
            self._count(content["n"])
            yield from self._apply(event.name, content, asked_at=asked_at, now=now)
        except (KeyError, ValueError, TypeError, AttributeError, StreamBrokenError) as error:
            self.dropped()
            raise StreamBrokenError(f"the policy stream is broken: {error!r}") from error
        if event.id is not None and self._loading is None:
            self.last_event_id = event.id

    def dropped(self) -> None:
        """Use the state no more, and do not go on from it."""
        self.lease.lost()
        self.last_event_id = None
        self._loading = None

    def _count(self, number: int) -> None:
        if number != self._number + 1:
            raise StreamBrokenError(f"event {self._number + 1} is missing")
        self._number = number

    def _apply(
        self, name: str, content: Mapping[str, Any], *, asked_at: float, now: float
    ) -> Iterator[None]:
        self.events += 1
        if (name == "hello") is not (self._number == 1):
            raise StreamBrokenError("the first event is not a greeting")
        self.revoked_keys.update(content.get("revoked_keys", ()))
        if name == "end":
            raise StreamEndedError(content["reason"])
        if name == "hello":
            self._begin(content, asked_at)
        elif name == "session.ended":
            self._end_sessions(content["sessions"], now=now, until=now + content["seconds"])
        elif name == "user.disabled":
            _put_users(content["users"], self.disabled, self._disabled_anew)
        elif name == "user.second_factor":
            _put_users(content["users"], self.with_factor, self._with_factor_anew)
        elif self._loading is not None:
            yield from self._load(self._loading, name, content)
        else:
            self._follow(name, content, now)

    def _load(
        self, loading: LocalAccounts, name: str, content: Mapping[str, Any]
    ) -> Iterator[None]:
        """Apply an event to the state that is being told."""
        match name:
            case "state" | "change":
                loading.put(_objects(content))
                yield
            case "ready":
                self._use(loading)
            case _:
                raise StreamBrokenError(f"an event {name!r} before the state is whole")

    def _follow(self, name: str, content: Mapping[str, Any], now: float) -> None:
        """Apply an event to the state that is used."""
        match name:
            case "state" | "change":
                self.accounts.put(_objects(content))
                if name == "change":
                    self.accounts.positions[content["shard"]] = content["seq"]
            case "lease":
                positions = {int(shard): seq for shard, seq in content["applied"].items()}
                self.accounts.positions |= positions
                self.lease.granted(at=content["at"], seconds=content["seconds"], now=now)
            case "ready":
                pass  # of a stream that goes on from an earlier one
            case _:
                raise StreamBrokenError(f"an event {name!r} that is not known")

    def _end_sessions(self, session_ids: Iterable[str], *, now: float, until: float) -> None:
        """Take what has ended, and forget the sessions whose tokens are over."""
        for session_id in session_ids:
            self.ended.pop(session_id, None)
            self.ended[session_id] = until
        over = list(takewhile(lambda known: self.ended[known] < now, self.ended))
        for session_id in over:
            del self.ended[session_id]

    def _begin(self, content: Mapping[str, Any], asked_at: float) -> None:
        if not content["sessions"]:
            raise StreamBrokenError("the stream does not tell which sessions have ended")
        if not content["users"]:
            raise StreamBrokenError("the stream does not tell which users are disabled")
        told = content.get("groups", 1)
        if self.groups > 1 and told not in (1, self.groups):
            raise DividedError(told)
        self.lease.began(asked_at=asked_at, at=content["at"])
        if content["resumed"]:
            if self.last_event_id is None:
                raise StreamBrokenError("the stream goes on from a state that is not here")
            return
        self._told = content
        self._loading = LocalAccounts()
        self._disabled_anew, self._with_factor_anew = set(), set()
        self.last_event_id = None

    def _use(self, loading: LocalAccounts) -> None:
        """Use the state that was told whole; what the client may read may be another part now."""
        told = self._told
        self.accounts, self._loading = loading, None
        self.disabled, self.with_factor = self._disabled_anew, self._with_factor_anew
        self._disabled_anew, self._with_factor_anew = set(), set()
        self.epoch, self.source = told["epoch"], told["source"]
        self.account_ids = _set(told["account_ids"])
        self.resource_types = _set(told["resource_types"])

    def has(self, revision: str) -> bool:
        """Return whether the state contains this revision; False if that is not known."""
        known = read_revision(revision)
        if known is None or (known.source, known.epoch) != (self.source, self.epoch):
            return False
        return self.accounts.positions.get(known.shard, 0) >= known.seq


def _put_users(states: Mapping[str, bool], *sets: set[str]) -> None:
    """Put the users for whom the state holds into the sets, and take the others out."""
    for user_id, holds in states.items():
        for known in sets:
            (known.add if holds else known.discard)(user_id)


def _objects(content: Mapping[str, Any]) -> Iterable[ToldObject]:
    return [
        ToldObject(each["kind"], each["id"], each["account_id"], each["state"])
        for each in content["objects"]
    ]


def _set(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
