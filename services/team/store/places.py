"""Where the documents of an account are: in the shard of its journal.

The shard's number is in every document of a growing collection, and first in every index. A sharded
database then asks one of its shards, the one in which the account's journal is
(`docs/decisions/0036-documents-carry-their-shard.md`).
"""

from shared.contracts.facts import SHARDS, shard_of
from shared.ids import AccountId
from shared.mongo import Document

EVERYWHERE: Document = {"$in": list(range(SHARDS))}
"""Every shard. Only a look-up that does not know the account asks them all. Decision 36 lists them.

A token of a link does not name the account, and old tokens must keep working.
"""


def of_account(account_id: AccountId) -> Document:
    """Begin a filter, or a new document, of one account."""
    return {"shard": shard_of(account_id), "account_id": account_id}


def at(account_id: AccountId, key: str) -> Document:
    """Begin the filter of one document of an account, by its `_id`.

    The order of a filter's fields means nothing to MongoDB. SecantusDB tries them in this order.
    """
    return {"_id": key, "shard": shard_of(account_id)}
