"""What trimming believes of what its database holds: the words that its source has signed.

Who can write the database alone can delete rows. They cannot make it look as if all consumers had
confirmed them, or as if they were trimmed.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from shared.auth.row_signatures import RowKeys, RowSigner
from shared.contracts.facts import Position
from shared.mongo import Document

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
"""The database keeps no smaller part of a time."""


class TrimWords:
    """Signs the places and the confirmations of one source, and verifies them."""

    def __init__(self, source: str, signer: RowSigner, keys: RowKeys) -> None:
        self.source = source
        self._signer = signer
        self._keys = keys

    def sign_place(self, epoch: str, shard: int, place: int) -> str:
        """Sign that the rows of a shard up to a place are deleted."""
        return self._signer.trimmed(Position(self.source, epoch, shard, place))

    def said_place(self, epoch: str, shard: int, place: int, signature: str) -> bool:
        """Return whether this source has signed the place, with one of its keys."""
        return self._keys.trimmed(Position(self.source, epoch, shard, place), signature)

    def sign_confirmation(self, consumer: str, said: Mapping[str, object]) -> str:
        """Sign what a consumer said, in the form in which it is stored."""
        return self._signer.confirmed(_content(consumer, said))

    def said_confirmation(self, stored: Document) -> bool:
        """Return whether a stored confirmation came from its consumer, through this source."""
        content = _content(stored["_id"], stored)
        return self._keys.confirmed(self.source, content, stored.get("signature", ""))


def _content(consumer: str, said: Mapping[str, object]) -> bytes:
    told = [consumer, *(said.get(name) for name in ("epoch", "places", "holds", "missed"))]
    at = said.get("at")
    milliseconds = (at - _EPOCH) // _MILLISECOND if isinstance(at, datetime) else None
    return json.dumps([*told, milliseconds], sort_keys=True).encode()
