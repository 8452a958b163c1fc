"""Where the documents of a user are: in the shard of the user's journal.

The shard's number is in every document of a growing collection, and first in every index. A sharded
database then asks one of its shards, the one in which the user's journal is
(`docs/decisions/0059-documents-of-a-user-carry-their-shard.md`).
"""

from shared.contracts.facts import shard_of
from shared.ids import UserId
from shared.mongo import Document


def of_user(user_id: UserId) -> Document:
    """Begin a filter, or a new document, of one user."""
    return {"shard": shard_of(user_id), "user_id": user_id}


def at(user_id: UserId, key: str) -> Document:
    """Begin the filter of one document of a user, by its `_id`.

    The order of a filter's fields means nothing to MongoDB. SecantusDB tries them in this order.
    """
    return {"_id": key, "shard": shard_of(user_id)}
