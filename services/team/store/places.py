"""Where the documents of an account are: in the shard of its journal."""

from shared.contracts.facts import shard_of
from shared.ids import AccountId
from shared.mongo import Document


def of_account(account_id: AccountId) -> Document:
    """Begin a filter, or a new document, of one account.

    The number of the shard comes first, as in every index of a growing collection. A sharded
    database then asks one of its shards, the one in which the account's journal is.
    """
    return {"shard": shard_of(account_id), "account_id": account_id}
