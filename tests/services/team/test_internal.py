"""What the other services get from team: links, lookups and the snapshot."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.team.store import PolicySnapshot, Store
from shared.contracts.calls.base import LinkAnswer
from shared.contracts.calls.journal import CHANGES, HEADS, ChangesQuery
from shared.contracts.calls.leases import (
    APPLIED,
    LEASE,
    RELEASE,
    SNAPSHOT,
    LeaseRequest,
    ReleaseQuery,
    SnapshotPage,
    SnapshotQuery,
)
from shared.contracts.calls.team import (
    INVITATION_LINK,
    INVITATION_LOOKUP,
    MEMBERSHIPS,
    READ_ACTING_USERS,
    ActingUser,
    ActingUsersRequest,
    InvitationLinkRequest,
    InvitationLookupRequest,
    MembershipsRequest,
    ProjectPlace,
)
from shared.contracts.facts import shard_of
from shared.ids import new_id
from shared.journal import Snapshot
from shared.journal.journal import MAX_SEQ
from shared.journal.snapshot import page_text
from shared.leases import MongoLeaseStore
from shared.leases.barrier import LeaseId, LeaseRow
from shared.mongo import WORKERS
from shared.problems import Refusal, RefusalKind
from tests.patience import PATIENT
from tests.services.team.endings import operate
from tests.services.team.running import Account, Person, Team, running
from tests.support.workers import hold
from tests.waiting import wait_for

DAY = 24 * 3600


async def link_of(team: Team, invitation_id: str, generation: int) -> LinkAnswer:
    request = InvitationLinkRequest(kind="invitation", id=invitation_id, generation=generation)
    return await team.callers["notification"].call(INVITATION_LINK, "team", request)


async def invited(account: Account, **fields: Any) -> str:
    body = {"email": "a@example.com", "role": "basic", **fields}
    answer = await account.owner.send("POST", f"{account.path}/invitations", body)
    return str(answer.expect(201)["invitation"]["id"])


async def test_a_mail_gets_its_link_when_it_is_sent(team: Team) -> None:
    account = await team.account()
    invitation_id = await invited(account)
    link = await link_of(team, invitation_id, 1)
    assert link.url.endswith(f"&code={link.code}")
    proof = await team.proof(invitation_id)
    assert proof["token"] in link.url
    stored = str([row async for row in team.database["journal"].find({})])
    assert proof["token"].rpartition(".")[2] not in stored
    assert proof["code"] not in stored


async def test_an_expired_link_is_not_mailed(team: Team) -> None:
    account = await team.account()
    path = f"{account.path}/invitations"

    async def refused(invitation_id: str, generation: int) -> bool:
        with pytest.raises(Refusal) as refusal:
            await link_of(team, invitation_id, generation)
        return refusal.value.kind is RefusalKind.GONE

    first = await invited(account)
    (await account.owner.send("POST", f"{path}/{first}/resend")).expect(200)
    assert await refused(first, 1)
    assert (await link_of(team, first, 2)).code
    assert await refused(first, 3)
    (await account.owner.send("DELETE", f"{path}/{first}")).expect(204)
    assert await refused(first, 2)
    assert await refused("inv_" + "0" * 32, 1)
    assert await refused(await invited(account, delivery="link"), 1)
    expiring = await invited(account, email="b@example.com")
    team.clock.move(7 * DAY)
    assert await refused(expiring, 1)


async def test_identity_looks_an_invitation_up_and_wrong_codes_count(team: Team) -> None:
    account = await team.account()
    proof = await account.invite("a@example.com", "basic")
    identity = team.callers["identity"]
    right = InvitationLookupRequest(**proof)
    wrong = InvitationLookupRequest(token=right.token, code="WRONGONE")
    answer = await identity.call(INVITATION_LOOKUP, "team", right)
    assert (answer.email, answer.delivery) == ("a@example.com", "email")
    for _ in range(10):
        with pytest.raises(Refusal) as refusal:
            await identity.call(INVITATION_LOOKUP, "team", wrong)
        assert refusal.value.code == "invitation-not-valid"
    with pytest.raises(Refusal):
        await identity.call(INVITATION_LOOKUP, "team", right)


async def test_there_are_no_changes_after_a_sequence_beyond_64_bits(team: Team) -> None:
    for after in (MAX_SEQ - 500, MAX_SEQ - 499, MAX_SEQ, 10**30):
        query = ChangesQuery(shard=0, after=after, limit=500)
        assert (await team.callers["authz"].call(CHANGES, "team", query)).items == []


async def pages_of(team: Team) -> list[SnapshotPage]:
    pages: list[SnapshotPage] = []
    query = SnapshotQuery()
    while True:
        page = await team.callers["authz"].call(SNAPSHOT, "team", query)
        pages.append(page)
        if page.next_cursor is None:
            return pages
        query = SnapshotQuery(cursor=page.next_cursor)


async def small_pages_of(team: Team) -> list[SnapshotPage]:
    """The snapshot as the route gives it, in pages of three."""
    rows = PolicySnapshot(team.database, Store(team.database), page_size=3)
    heads = MongoLeaseStore(team.database.client, team.database)
    small = Snapshot("team", heads, rows.read)

    async def read(cursor: str | None) -> SnapshotPage:
        return SnapshotPage.model_validate_json(page_text(await small.page(cursor)))

    pages = [await read(None)]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(await read(cursor))
    return pages


async def test_the_snapshot_is_what_the_changes_add_up_to(own_team: Team) -> None:
    account = await own_team.account()
    member, gone = await account.join("developer"), await account.join("basic")
    project = (await account.owner.send("POST", f"{account.path}/projects", {"name": "p"})).body
    place = f"{account.path}/projects/{project['id']}/overrides/{member.user_id}"
    body = {"grants": {"instance": {"view": "all"}}, "expires_at": "2101-01-01T00:00:00Z"}
    (await account.owner.send("PUT", place, body)).expect(200)
    (await account.owner.send("DELETE", f"{account.path}/members/{gone.user_id}")).expect(204)
    (await account.owner.send("PATCH", account.path, {"name": "Other"})).expect(200)

    pages = await small_pages_of(own_team)
    assert len(pages) > 3
    by_route = await pages_of(own_team)
    assert [item for page in by_route for item in page.items] == [
        item for page in pages for item in page.items
    ]
    assert {(page.epoch, tuple(page.heads.items())) for page in pages} == {
        (pages[0].epoch, tuple(pages[0].heads.items()))
    }
    shown = {
        (policy_object.kind, policy_object.account_id, policy_object.id): policy_object.state
        for page in pages
        for policy_object in page.items
    }
    added: dict[Any, Any] = {}
    for row in await own_team.rows():
        for policy_object in row.policy_objects:
            added[policy_object.kind, policy_object.account_id, policy_object.id] = (
                policy_object.state
            )
    assert shown == {key: state for key, state in added.items() if state is not None}
    assert (await own_team.callers["authz"].call(HEADS, "team")).heads == pages[0].heads


async def test_a_rev_is_never_above_the_change_that_gave_the_state(own_team: Team) -> None:
    """A row that claimed to be newer would make a replica ignore the next change."""
    account = await own_team.account()
    member = await account.join("developer")
    path = f"{account.path}/members/{member.user_id}"
    (await account.owner.send("PATCH", path, {"role": "basic"})).expect(200)
    told = {
        (policy_object.kind, policy_object.account_id, policy_object.id): row
        for row in await own_team.rows()
        for policy_object in row.policy_objects
    }
    for page in await pages_of(own_team):
        for policy_object in page.items:
            row = told[policy_object.kind, policy_object.account_id, policy_object.id]
            assert 0 < policy_object.rev <= page.heads[row.shard]
            assert policy_object.rev <= row.seq or policy_object.kind == "account"


@pytest.mark.rule("T19")
async def test_followers_are_answered_while_requests_hold_every_worker(team: Team) -> None:
    account = await team.account()
    shard = shard_of(account.id)
    life = {"slot": "r1", "life": "0" * 32}
    lease = LeaseRequest(**life, asked=1, applied={})
    release = threading.Event()
    held = await hold(team.database.client, release, WORKERS)
    ask = team.callers["authz"].call
    try:
        heads = await ask(HEADS, "team")
        assert heads.heads[shard]
        query = ChangesQuery(shard=shard, after=0, limit=10)
        assert (await ask(CHANGES, "team", query)).items
        assert (await ask(SNAPSHOT, "team", SnapshotQuery())).items
        assert (await ask(LEASE, "team", lease)).heads == heads.heads
        await ask(APPLIED, "team", lease)
        await ask(RELEASE, "team", ReleaseQuery(**life))
    finally:
        release.set()
        await asyncio.gather(*held)


async def test_the_lease_of_a_dead_replica_is_swept_without_a_change(team: Team) -> None:
    store = MongoLeaseStore(team.database.client, team.database)
    dead = LeaseRow(
        id=LeaseId("authz/dead/1"),
        asked=1,
        renewal="r1",
        ttl=0.0,
        epoch=None,
        applied={},
        digests={},
    )
    async with store.session() as session:
        await store.put(dead, session)

    async def swept() -> bool:
        team.clock.skip(0.05)
        async with store.session() as session:
            return dead.id not in {row.id for row in await store.rows(session)}

    assert await wait_for(swept, what="the row to be swept")


@pytest.mark.rule("B8")
async def test_a_silent_replica_makes_a_change_202_with_its_receipt(
    mongo_url: str, database_name: str
) -> None:
    """A repeated request is not answered before the first one is effective."""
    impatient = replace(PATIENT, barrier=0.5)
    async with running(mongo_url, database_name, timeouts=impatient) as team:
        await silent_replica(team)


async def silent_replica(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    life = "0" * 32
    lease = LeaseRequest(slot="r1", life=life, asked=1, applied={})
    await team.callers["authz"].call(LEASE, "team", lease)
    path = f"{account.path}/members/{member.user_id}"
    removed = await account.owner.send("DELETE", path)
    again = await account.owner.send("DELETE", path)
    assert removed.status == 202
    assert again.status == 503
    revision = removed.headers["Rolecall-Revision"]
    assert removed.headers["Location"] == f"{account.path}/revisions/{revision}"
    await team.callers["authz"].call(RELEASE, "team", ReleaseQuery(slot="r1", life=life))

    async def written() -> Any:
        """The replicas of the receipt, once the change is effective."""
        receipt = await account.owner.get(removed.headers["Location"])
        assert receipt["effective"] is True
        return receipt["replicas"]

    replicas = await wait_for(written, what="the receipt")
    assert replicas[0]["replica"] == "authz/r1"
    assert (await account.owner.send("DELETE", path)).status == 404


async def test_other_services_learn_whether_a_membership_gives_access(team: Team) -> None:
    account = await team.account()
    member, other = await account.join("developer"), await account.join("developer")
    ends = (team.clock.now() + timedelta(seconds=DAY)).isoformat()

    async def gives_access(person: Person) -> bool:
        request = MembershipsRequest(user_id=person.user_id)
        found = await team.callers["identity"].call(MEMBERSHIPS, "team", request)
        [access] = [one.gives_access for one in found.memberships if one.account_id == account.id]
        return access

    path = f"{account.path}/members/{member.user_id}"
    assert await gives_access(member)
    (await account.owner.send("POST", f"{path}/suspend")).expect(200)
    assert not await gives_access(member)
    (await account.owner.send("POST", f"{path}/resume")).expect(200)
    (await operate(account, "suspend", {"reason": "An unpaid invoice."})).expect(200)
    assert not await gives_access(member)
    (await operate(account, "resume", {})).expect(200)
    (await account.owner.send("PATCH", path, {"expires_at": ends})).expect(200)
    assert await gives_access(member)
    team.clock.move(DAY)
    assert not await gives_access(member)
    assert await gives_access(other)


async def test_audit_learns_who_is_or_was_a_member(team: Team) -> None:
    account, other = await team.account(), await team.account()
    member, removed, back = [await account.join("viewer", f"V{number}") for number in range(3)]
    for one in (removed, back):
        (await account.owner.send("DELETE", f"{account.path}/members/{one.user_id}")).expect(204)
    proof = await account.invite(back.email, "viewer")
    (await back.send("POST", "/v1/invitations/accept", proof)).expect(200)
    everyone = (account.owner, member, removed, back, other.owner)
    nowhere = "acc_" + "9" * 32
    made = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
    project = made.expect(201)["id"]
    asked = ActingUsersRequest(
        users=(
            *(ActingUser(account_id=account.id, user_id=one.user_id) for one in everyone),
            ActingUser(account_id=other.id),
            ActingUser(account_id=nowhere, user_id=member.user_id),
        ),
        projects=(
            ProjectPlace(account_id=account.id, project_id=project),
            ProjectPlace(account_id=other.id, project_id=project),
            ProjectPlace(account_id=account.id, project_id=new_id("prj")),
        ),
    )
    found = await team.callers["audit"].call(READ_ACTING_USERS, "team", asked)
    assert set(found.accounts) == {account.id, other.id}
    assert {(one.account_id, one.user_id) for one in found.users} == {
        (account.id, one.user_id) for one in everyone[:-1]
    }
    assert [(one.account_id, one.project_id) for one in found.projects] == [(account.id, project)]
