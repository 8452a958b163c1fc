from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.contracts.facts import Actor, Caller, Fact, RequestInfo, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ProjectObject
from shared.contracts.team import ProjectCreated
from shared.indexes import build_indexes
from shared.journal import INDEXES, Adoption, Journal
from shared.journal.relay import Relay
from shared.mongo import Database, DbClient, Transactions, connect
from shared.timeouts import Timeouts
from tests.patience import PATIENT
from tests.support.journal_keys import signer

CALLER = Caller(
    actor=Actor(type="user", id="usr_1", name="Ada"), request=RequestInfo(request_id="req-1")
)


def project_created(number: int, *, account_id: str = "acc_1") -> Fact:
    project_id = f"prj_{number}"
    return Fact(
        payload=ProjectCreated(project_id=project_id, name=f"Project {number}"),
        resource=ResourceRef(type="project", id=project_id, name=f"Project {number}"),
        account_id=account_id,
        after={"name": f"Project {number}"},
        policy_objects=(
            PolicyObject(
                kind=PolicyObjectKind.PROJECT,
                id=project_id,
                account_id=account_id,
                state=ProjectObject(name=f"Project {number}").model_dump(mode="json"),
            ),
        ),
    )


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[DbClient]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    yield client
    client.close()


@pytest.fixture
def database(client: DbClient, database_name: str) -> Database:
    return client[database_name]


@pytest.fixture
async def bus() -> AsyncIterator[LocalBus]:
    bus = LocalBus(timeouts=PATIENT)
    yield bus
    await bus.close()


@pytest.fixture
def relay(database: Database, bus: LocalBus) -> Relay:
    return Relay(database, bus, holder="tests", clock=SystemClock())


class MakeJournal(Protocol):
    """Makes another journal of the same database."""

    async def __call__(
        self,
        *,
        transactions: Transactions | None = None,
        adoption: Adoption | None = None,
        timeouts: Timeouts = PATIENT,
    ) -> Journal: ...


@pytest.fixture
def make_journal(client: DbClient, database: Database, relay: Relay) -> MakeJournal:
    async def make(
        *,
        transactions: Transactions | None = None,
        adoption: Adoption | None = None,
        timeouts: Timeouts = PATIENT,
    ) -> Journal:
        journal = Journal(
            client,
            database,
            source="team",
            signer=signer("team"),
            relay=relay,
            clock=SystemClock(),
            transactions=transactions,
            adoption=adoption,
            timeouts=timeouts,
        )
        await build_indexes(database, *INDEXES)
        await journal.start()
        return journal

    return make


@pytest.fixture
async def journal(make_journal: MakeJournal) -> Journal:
    return await make_journal()
