"""Documents of what authz knows, by which the snapshot pages."""

from typing import TYPE_CHECKING

from shared.contracts.facts import shard_of
from shared.documents import document
from shared.mongo import Document

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SLICES = 16
"""The snapshot reads one slice of a collection at a time: that keeps each query's matches few."""


def policy_document(row: "DataclassInstance", *, key: str, account_id: str, rev: int) -> Document:
    """Return the document of a row that authz knows.

    `rev` is the sequence of the change that gave the row its state. The snapshot pages through the
    documents by `slice` and `key`.
    """
    return document(row, _id=key, key=key, slice=shard_of(account_id) % SLICES, rev=rev)
