"""When has every replica of authz a change, or can no longer answer without it?

Each replica holds a lease from team and one from identity. A policy change is acknowledged after
its **barrier**: every lease row says that the change is applied, or has run out.
"""

from shared.leases.leases import Leases, Receipt, Superseded
from shared.leases.routes import lease_routes
from shared.leases.store import INDEXES, LeaseStore, MongoLeaseStore

__all__ = [
    "INDEXES",
    "LeaseStore",
    "Leases",
    "MongoLeaseStore",
    "Receipt",
    "Superseded",
    "lease_routes",
]
