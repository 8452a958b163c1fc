"""The snapshot of a source's policy objects, which a replica loads page by page.

The heads are read before any row, every object carries its own `rev`, and the changes after the
heads follow from the journal. The pages therefore need no common transaction, but each must be at
least as new as the heads that the first one told.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from rolecall.client.jwk import decode, encode
from shared.contracts.facts import SHARDS, JournalHeads
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.contracts.structures import PageStructure
from shared.http.problem_responses import END_OF_LINE
from shared.http.refusals import MalformedJson
from shared.http.strict_json import loads
from shared.problems import Invalid, Unavailable

SessionT = TypeVar("SessionT")
ReadT_contra = TypeVar("ReadT_contra", contravariant=True)


class SnapshotItem(Protocol):
    """What a page tells of a policy object; its state is written as JSON."""

    @property
    def kind(self) -> PolicyObjectKind:
        """The kind."""

    @property
    def id(self) -> str:
        """The id within the account."""

    @property
    def account_id(self) -> str | None:
        """The account."""

    @property
    def rev(self) -> int:
        """The sequence of the change that gave it its state."""

    @property
    def state(self) -> object:
        """Its state."""


Page = PageStructure[SnapshotItem]


class ReadPage(Protocol[ReadT_contra]):
    """Reads the objects from a place on, and returns them with the next place.

    `""` is the first place and `None` the end. With `shards`, where the source has accounts, those
    of other shards need not be read.
    """

    async def __call__(
        self, place: str, session: ReadT_contra, *, shards: frozenset[int] | None = None
    ) -> tuple[Sequence[SnapshotItem], str | None]:
        """Read a page."""


class HeadsStore(Protocol[SessionT]):
    """What the snapshot needs of a database: causally consistent majority reads of the heads."""

    def session(self) -> AbstractAsyncContextManager[SessionT]:
        """Reads in causal order."""

    async def heads(self, session: SessionT) -> JournalHeads:
        """The journal's epoch and heads."""


@dataclass(frozen=True, slots=True)
class _Cursor:
    epoch: str
    heads: Mapping[int, int]
    place: str


class Snapshot:
    """The policy state of one source, page by page."""

    def __init__(self, source: str, store: HeadsStore[Any], read: ReadPage[Any]) -> None:
        self._source = source
        self._store = store
        self._read = read

    async def page(self, cursor: str | None, *, shards: frozenset[int] | None = None) -> Page:
        """Return the page that a cursor names, or the first one.

        Of accounts it has those of `shards`, and may have others.

        The heads are read before the objects, in one causally consistent session. A page may come
        from another process or after a change of the primary, with a majority that is older than
        the heads of the first page. Its objects would then lack changes that the replica takes for
        applied.

        Raises:
            Invalid: the cursor is not from a page of this snapshot.
            Unavailable: the page would be older than the first one, or the epoch is another.
        """
        start = None if cursor is None else _parse(cursor)
        async with self._store.session() as session:
            now = await self._store.heads(session)
            if start is None:
                start = _Cursor(now.epoch, now.seqs, "")
            elif now.epoch != start.epoch or _behind(now.seqs, start.heads):
                raise Unavailable
            part = {} if shards is None else {"shards": shards}
            items, place = await self._read(start.place, session, **part)
        return Page(
            source=self._source,
            epoch=start.epoch,
            heads=dict(start.heads),
            digests=now.digests if cursor is None else {},
            items=items,
            next_cursor=None
            if place is None
            else _format(_Cursor(start.epoch, start.heads, place)),
        )


def page_text(page: Page) -> bytes:
    """The page as JSON: the text of the `SnapshotPage` with these members, made more quickly."""
    return _ENCODER.encode(page) + END_OF_LINE


def _plain(value: object) -> object:
    """A policy object as its members, and a large integer of the database as any other one."""
    if isinstance(value, PolicyObject):
        return {name: getattr(value, name) for name in PolicyObject.model_fields}
    if isinstance(value, int):
        return int(value)
    raise TypeError(f"A page of a snapshot has a value of the class {type(value).__name__}.")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def invalid_cursor() -> Invalid:
    """The refusal of a cursor that no page gave."""
    message = "This is not a cursor of this route. Start again without a cursor."
    return Invalid(errors=[("/query/cursor", message)])


def _behind(heads: Mapping[int, int], promised: Mapping[int, int]) -> bool:
    return any(heads.get(shard, 0) < seq for shard, seq in promised.items())


def _format(cursor: _Cursor) -> str:
    content: list[Any] = [cursor.epoch, dict(cursor.heads), cursor.place]
    return encode(json.dumps(content).encode())


def _parse(cursor: str) -> _Cursor:
    try:
        content = loads(decode(cursor))
    except (ValueError, MalformedJson):
        raise invalid_cursor() from None
    match content:
        case [str(epoch), dict(heads), str(place)] if all(
            shard in _SHARD_NAMES and type(seq) is int for shard, seq in heads.items()
        ):
            return _Cursor(epoch, {int(shard): seq for shard, seq in heads.items()}, place)
        case _:
            raise invalid_cursor()


_SHARD_NAMES = frozenset(map(str, range(SHARDS)))
