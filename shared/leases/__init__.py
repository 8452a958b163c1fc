"""Leases and barriers: when a change is effective at every replica of authz.

Each replica holds a lease from team and one from identity. A write that is effective everywhere is
acknowledged after its **barrier**: each lease row says that the change is applied, or has run out.
Each life of a process has a row of its own, so no process hides another one.
"""

from shared.leases.leases import Leases
from shared.leases.receipt import Receipt
from shared.leases.routes import lease_routes
from shared.leases.store import INDEXES, LeaseStore, LifeEnded, MongoLeaseStore

__all__ = [
    "INDEXES",
    "LeaseStore",
    "Leases",
    "LifeEnded",
    "MongoLeaseStore",
    "Receipt",
    "lease_routes",
]
