"""Documents of what authz knows, by which the snapshot pages."""

from typing import TYPE_CHECKING

from shared.contracts.facts import shard_of
from shared.documents import document
from shared.mongo import Document

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

EARLIER_SLICES = 16
"""Earlier versions page through the documents by `slice` and `key`, also beside this version."""


def policy_document(row: "DataclassInstance", *, key: str, account_id: str, rev: int) -> Document:
    """Return the document of a row that authz knows.

    `rev` is the sequence of the change that gave the row its state.
    """
    shard = shard_of(account_id)
    return document(row, _id=key, shard=shard, key=key, slice=shard % EARLIER_SLICES, rev=rev)
