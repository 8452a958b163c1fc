"""Access to the database: clients, collections and transactions.

Only this package, the `store` and the `migrations` of a service name the driver (motor). A change
of the driver touches nothing else.
"""

from shared.mongo.away import DatabaseAway
from shared.mongo.collections import (
    AlreadyThere,
    Lost,
    create_indexes,
    drop_index,
    insert_all_once,
    insert_missing,
    insert_once,
    majority,
    update_all_expected,
    update_each,
    update_expected,
)
from shared.mongo.driver import (
    RESERVED_WORKERS,
    WORKERS,
    Collection,
    Database,
    DbClient,
    DbSession,
    Document,
    IndexModel,
    connect,
    connect_reserved,
    one_after_another,
)
from shared.mongo.transactions import Transactions, causal_session, retry_pause, transact
from shared.mongo.watch import DatabaseWatch

__all__ = [
    "RESERVED_WORKERS",
    "WORKERS",
    "AlreadyThere",
    "Collection",
    "Database",
    "DatabaseAway",
    "DatabaseWatch",
    "DbClient",
    "DbSession",
    "Document",
    "IndexModel",
    "Lost",
    "Transactions",
    "causal_session",
    "connect",
    "connect_reserved",
    "create_indexes",
    "drop_index",
    "insert_all_once",
    "insert_missing",
    "insert_once",
    "majority",
    "one_after_another",
    "retry_pause",
    "transact",
    "update_all_expected",
    "update_each",
    "update_expected",
]
