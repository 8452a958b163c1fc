"""The check of every row that arrives: signature, place and chain, before anything else is done."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from shared import context, metrics
from shared.auth.row_signatures import RowKeys, SignedRow
from shared.bus import BusMessage
from shared.clock import AtMostEvery, Clock
from shared.contracts.calls.journal import Changes, ChangesQuery
from shared.contracts.facts import GENESIS, MAX_ROW_BYTES, Position, Row, row_digest

MAX_EVENT_BYTES = MAX_ROW_BYTES + 1024
"""A row of a version without signatures grew by its `previous` when it was signed."""
ALARM_SECONDS = 10.0
"""The pause between two lines in the log about one source, channel and reason; the counter has them
all. A flood of one kind must not hide the single fork."""
UNKNOWN_SOURCE = "unknown"
"""Stands in the counter for a sender that is not a source."""
ALARM = "A journal row was refused: it is not what its source signed."

_log = logging.getLogger(__name__)


class Channel(StrEnum):
    """The way on which a row came."""

    BUS = "bus"
    FETCH = "fetch"


class Fault(StrEnum):
    """The reason why a row was refused."""

    MALFORMED = "malformed"
    """The message lacks a part, or its routing key is not of the source that it names."""
    SIZE = "size"
    SOURCE = "unknown source"
    SIGNATURE = "signature"
    HEADERS = "headers"
    """The headers of the message do not agree with the signed event."""
    PLACE = "place"
    """A fetched row is not the one that was asked for."""
    CHAIN = "chain"
    """The row does not follow the row before it."""
    FORK = "fork"
    """Another row of the source has this place."""
    TRIMMED = "trimmed"
    """Rows are said to be deleted, and the source did not sign that."""


class RowRefused(Exception):  # noqa: N818 - the row is refused, the consumer is well
    """The row is not its source's; it was counted and is to be dropped."""


class RowVerifier:
    """Lets through the rows that their source signed; others are counted and alarmed."""

    def __init__(self, keys: Mapping[str, Sequence[str]], *, clock: Clock) -> None:
        self._keys = RowKeys(keys)
        self._sources = (*keys, UNKNOWN_SOURCE)
        self._clock = clock
        self._alarms: dict[tuple[str, Channel, Fault], AtMostEvery] = {}

    def count_from_zero(self, service: str) -> None:
        """Show 0 for every way in which this service may refuse a row."""
        metrics.start_at_zero(metrics.ROWS_REFUSED, [service], self._sources, Channel, Fault)

    def message(self, message: BusMessage) -> SignedRow:
        """Return the row of a message of the bus.

        Raises:
            RowRefused: it lacks a part, is not signed by its source, or its headers differ from the
                event.
            ValueError: the source signed it, and this version cannot read it.
        """
        # The broker checks the sender's rights by the routing key, never by a header.
        sender = message.type.partition(".")[0]
        whole = message.id and message.epoch and message.shard >= 0 and message.seq >= 0
        if not whole or message.source != sender:
            raise self.refuse(sender, Channel.BUS, Fault.MALFORMED)
        signed = self._signed(message.source, message.body, message.signature, Channel.BUS)
        claimed = Position(message.source, message.epoch, message.shard, message.seq)
        row = signed.row
        if (message.id, message.type, claimed) != (row.id, row.type, row.position):
            raise self.refuse(message.source, Channel.BUS, Fault.HEADERS)
        return signed

    def page(self, page: Changes, query: ChangesQuery, *, source: str) -> Iterator[SignedRow]:
        """Return the rows that a source answered to `query`, up to the first one that is unfit.

        A row may be missing among them, if it was lost; the chain is checked where none is.

        Raises:
            RowRefused: a row is not signed by the source, is not of this part of the shard or not
                in order, or does not follow the row before it.
            ValueError: the source signed it, and this version cannot read it.
        """
        last, digest = query.after, GENESIS if query.after == 0 else None
        for text, signature in zip(page.items, page.signatures, strict=True):
            signed = self._signed(source, text.encode(), signature, Channel.FETCH)
            row = signed.row
            asked_for = last < row.seq <= query.after + query.limit
            if not asked_for or row.position != (source, page.epoch, query.shard, row.seq):
                raise self.refuse(source, Channel.FETCH, Fault.PLACE)
            if row.seq == last + 1 and digest not in {None, row.previous}:
                raise self.refuse(source, Channel.FETCH, Fault.CHAIN)
            last, digest = row.seq, signed.digest
            yield signed

    def stored(self, source: str, event: bytes, signature: str) -> SignedRow:
        """Return a row that was kept as it came.

        Raises:
            RowRefused: it is not signed by its source.
            ValueError: the source signed it, and this version cannot read it.
        """
        return self._signed(source, event, signature, Channel.FETCH)

    def trimmed(self, until: Position, signature: str) -> bool:
        """Return whether the source has signed that the rows up to this one are deleted.

        Else it is counted and alarmed as a row that is refused.
        """
        if self._keys.trimmed(until, signature):
            return True
        self.refuse(until.source, Channel.FETCH, Fault.TRIMMED)
        return False

    def refuse(self, source: str, channel: Channel, fault: Fault) -> RowRefused:
        """Count and log a refused row; the caller raises what is returned, or drops the row."""
        name = source if self._keys.knows(source) else UNKNOWN_SOURCE
        metrics.ROWS_REFUSED.labels(context.service.get(), name, channel, fault).inc()
        alarm = self._alarms.setdefault(
            (name, channel, fault), AtMostEvery(ALARM_SECONDS, clock=self._clock)
        )
        if alarm.due():
            _log.error(ALARM, extra={"source": name, "channel": channel, "reason": fault})
        return RowRefused(fault)

    def _signed(self, source: str, event: bytes, signature: str, channel: Channel) -> SignedRow:
        if not self._keys.knows(source):
            raise self.refuse(source, channel, Fault.SOURCE)
        if len(event) > MAX_EVENT_BYTES:
            raise self.refuse(source, channel, Fault.SIZE)
        if not self._keys.signed(source, event, signature):
            raise self.refuse(source, channel, Fault.SIGNATURE)
        row = Row.from_event(event)
        if row.type.partition(".")[0] != source:
            raise self.refuse(source, channel, Fault.HEADERS)
        return SignedRow(row=row, event=event, signature=signature, digest=row_digest(event))
