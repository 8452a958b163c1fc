"""Each page of a snapshot is at least as new as the heads that its first page told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
import pytest_asyncio

from rolecall.client.jwk import encode
from services.identity.domain.sessions import UserSession
from services.identity.store import SignInSnapshot
from services.identity.store import Store as IdentityStore
from services.team.domain.members import Membership
from services.team.store import PolicySnapshot
from services.team.store import Store as TeamStore
from shared.ids import AccountId, MembershipId, SessionId, UserId
from shared.journal import Snapshot
from shared.leases import MongoLeaseStore
from shared.problems import Invalid, Unavailable
from tests.clocks import SetClock
from tests.support.replica_set import ReplicaSet

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHARD = 3


class Team:
    """Members of team, one on a page."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.database = client["team"]
        self.store = TeamStore(self.database)
        self.rows = PolicySnapshot(self.database, self.store, page_size=1)

    async def insert(self, number: int, session: Any) -> None:
        member = Membership(
            account_id=AccountId("acc_1"),
            user_id=UserId(f"usr_{number}"),
            membership_id=MembershipId(f"mem_{number}"),
            role="viewer",
            name="Ada",
            email=f"ada{number}@example.com",
            email_key=f"ada{number}@example.com",
            joined_at=NOW,
        )
        await self.store.insert_member(member, rev=number, session=session)


class Identity:
    """Ended sessions of identity, one on a page."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.database = client["identity"]
        self.store = IdentityStore(self.database)
        self.rows = SignInSnapshot(
            clients=self.store,
            revoked=self.store,
            keys=self.store,
            sessions=self.store,
            users=self.store,
            factors=self.store,
            tokens=self.store,
            clock=SetClock(NOW),
            page_size=1,
        )

    async def insert(self, number: int, session: Any) -> None:
        ended = UserSession(
            id=SessionId(f"ses_{number}"),
            user_id=UserId("usr_1"),
            account_id=AccountId("acc_1"),
            started_at=NOW,
            expires_at=NOW,
            ended_at=NOW,
        )
        await self.store.insert_session(ended, session)


class Source:
    """One service's snapshot over a replica set with two processes."""

    def __init__(self, service: type[Team | Identity]) -> None:
        self.replica_set = ReplicaSet()
        self.here, self.there = (service(self.replica_set.client()) for _ in range(2))

    def snapshot(self, process: Team | Identity) -> Snapshot:
        heads = MongoLeaseStore(process.client, process.database)
        return Snapshot("source", heads, cast("Any", process.rows.read))

    async def change(self, number: int) -> None:
        """Commit an object and its head."""
        async with await self.here.client.start_session() as session:
            session.start_transaction()
            await self.here.insert(number, session)
            await self.here.database["heads"].update_one(
                {"_id": SHARD},
                {"$set": {"last_seq": number, "digest": f"d{number}"}},
                session=session,
            )
            await session.commit_transaction()

    @property
    def version(self) -> int:
        """The number of the primary's last version."""
        return len(self.replica_set.versions) - 1


@pytest_asyncio.fixture(params=[Team, Identity], ids=["team", "identity"], loop_scope="module")
async def source(request: pytest.FixtureRequest) -> Source:
    source = Source(request.param)
    await source.here.database["heads"].insert_many(
        [{"_id": "epoch", "epoch": "e1"}, {"_id": SHARD, "last_seq": 0, "digest": ""}]
    )
    for number in (1, 2, 3):
        await source.change(number)
    return source


async def test_the_pages_of_two_processes_are_one_snapshot(source: Source) -> None:
    page = await source.snapshot(source.here).page(None)
    items = list(page.items)
    processes = [source.there, source.here]
    while page.next_cursor is not None:
        assert page.heads == {SHARD: 3}
        page = await source.snapshot(processes[0]).page(page.next_cursor)
        items += page.items
        processes.reverse()

    assert len(items) == 3


async def test_a_process_with_an_older_majority_gives_no_later_page(source: Source) -> None:
    page = await source.snapshot(source.here).page(None)
    source.there.client.behind = source.version - 1

    with pytest.raises(Unavailable):
        await source.snapshot(source.there).page(page.next_cursor)


async def test_a_page_may_be_newer_than_the_first_ones_heads(source: Source) -> None:
    page = await source.snapshot(source.here).page(None)
    await source.change(4)

    later = await source.snapshot(source.there).page(page.next_cursor)

    assert later.heads == {SHARD: 3}


async def test_a_page_is_not_older_than_the_heads_that_were_read_with_it(source: Source) -> None:
    """Between the heads and the objects the process falls back to an old primary."""
    process = source.here
    heads = MongoLeaseStore(process.client, process.database)

    async def read(place: str, session: Any, **_: Any) -> Any:
        process.client.behind = source.version - 1
        return await process.rows.read(place, session)

    with pytest.raises(Exception, match="this member does not have it"):
        await Snapshot("source", heads, read).page(None)


async def test_every_object_of_a_page_is_read_in_the_session_of_its_heads(source: Source) -> None:
    source.here.client.reads_outside_sessions = 0

    page = await source.snapshot(source.here).page(None)
    while page.next_cursor is not None:
        page = await source.snapshot(source.here).page(page.next_cursor)

    assert source.here.client.reads_outside_sessions == 0


async def test_a_cursor_of_another_epoch_is_not_continued(source: Source) -> None:
    page = await source.snapshot(source.here).page(None)
    await source.here.database["heads"].update_one({"_id": "epoch"}, {"$set": {"epoch": "e2"}})

    with pytest.raises(Unavailable):
        await source.snapshot(source.here).page(page.next_cursor)


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"null",
        b"[]",
        b"[" * 3000,
        b'["e1", {}]',
        b'["e1", [], ""]',
        b'[1, {}, ""]',
        b'["e1", {}, 1]',
        b'["e1", {"1": Infinity}, ""]',
        b'["e1", {"1": 1e400}, ""]',
        b'["e1", {"1": 1.5}, ""]',
        b'["e1", {"1": true}, ""]',
        b'["e1", {"1": 9223372036854775808}, ""]',
        b'["e1", {"1": "1"}, ""]',
        b'["e1", {"64": 1}, ""]',
        b'["e1", {"-1": 1}, ""]',
        b'["e1", {"x": 1}, ""]',
    ],
    ids=lambda content: content[:40].decode(),
)
async def test_a_cursor_that_no_page_gave_is_refused(source: Source, content: bytes) -> None:
    with pytest.raises(Invalid):
        await source.snapshot(source.here).page(encode(content))


@pytest.mark.parametrize("cursor", ["x", "W10=", "é", "!!!!", ""])
async def test_a_cursor_that_is_not_base64url_is_refused(source: Source, cursor: str) -> None:
    with pytest.raises(Invalid):
        await source.snapshot(source.here).page(cursor)


@pytest.mark.parametrize("place", ["9" * 5000, "²", "٣", "-1", "x"])
async def test_a_place_that_no_page_of_team_gave_is_refused(place: str) -> None:
    team = Team(ReplicaSet().client())
    with pytest.raises(Invalid):
        await team.rows.read(f"shards:{place}:", None)  # type: ignore[arg-type]
