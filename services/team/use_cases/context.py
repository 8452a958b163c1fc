"""What do team's use cases work with, and who asked?"""

from dataclasses import dataclass

from services.team.settings import Settings
from services.team.store import Snapshot, Store
from shared.clock import Clock
from shared.contracts.facts import Caller
from shared.http.client import InternalClient
from shared.http.idempotency import Idempotency
from shared.ids import AccountId, UserId
from shared.journal import Journal
from shared.leases import Leases
from shared.links import Links
from shared.mongo import DbClient


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """Everything that team's handlers reach; made once, in `app`."""

    settings: Settings
    client: DbClient
    store: Store
    snapshot: Snapshot
    journal: Journal
    leases: Leases
    idempotency: Idempotency
    internal: InternalClient
    links: Links
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Act:
    """One request of a user about one account: who, through what, and which permission it needs.

    `effective_everywhere` says that the write changes what authz answers from.
    """

    caller: Caller
    user_id: UserId
    account_id: AccountId
    permission: str
    effective_everywhere: bool = False
