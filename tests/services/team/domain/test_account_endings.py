"""The rules of reverting, suspension and deletion, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rolecall import AccountKind, AccountStatus, CompiledCatalog, MembershipStatus, load_catalog
from services.team.domain import account_deletion, account_suspension
from services.team.domain.account_access import AccessRows, authorize, require_active
from services.team.domain.account_deletion import DeletionBegan
from services.team.domain.ownership_refusals import AccountLimit
from services.team.use_cases import account_deletion as deletion
from services.team.use_cases import reverting
from shared.auth.account_refusals import DeletingAccount, SuspendedAccount
from shared.contracts.facts import shard_of
from shared.contracts.team import AccountCreated
from shared.contracts.team_endings import AccountMembersInformed
from shared.ids import AccountId
from tests.services.team.memory import ACCOUNT, START, Memory, finished, memory, user_id

if TYPE_CHECKING:
    from services.team.domain.account_access import AccountAccess

OTHER = AccountId("acc_" + "0f" * 16)
CATALOG = CompiledCatalog(load_catalog("standard"))
MONTH = timedelta(days=30)


def access_of(world: Memory, name: str = "owner", *, while_deleting: bool = False) -> AccountAccess:
    rows = AccessRows(
        account=world.store.rows[ACCOUNT],
        catalog=CATALOG,
        membership=world.store.memberships[user_id(name)],
    )
    return authorize(rows, "account:update", now=START, while_deleting=while_deleting)


def crowd(members: int) -> Memory:
    world = memory(CATALOG)
    for number in range(members):
        world.add(f"m{number}", "basic")
    return world


@pytest.mark.parametrize(("members", "facts"), [(0, []), (100, [100]), (101, [100, 1])])
def test_members_are_told_in_facts_of_a_hundred(members: int, facts: list[int]) -> None:
    world = crowd(members)
    _, told = account_deletion.request(
        access_of(world),
        list(world.store.memberships.values()),
        grace=MONTH,
        personal_account_id=None,
    )
    assert told[0].payload.model_dump()["members"] == sum(facts)
    payloads = [one.payload for one in told[1:]]
    emails = [one.emails for one in payloads if isinstance(one, AccountMembersInformed)]
    assert [len(some) for some in emails] == facts
    assert "owner@example.com" not in {email for some in emails for email in some}


def test_only_members_who_had_access_are_told() -> None:
    world = crowd(1)
    away = replace(world.add("away", "admin"), status=MembershipStatus.SUSPENDED)
    over = replace(world.add("over", "admin"), expires_at=START)
    members = [world.store.memberships[user_id("m0")], away, over]
    _, told = account_deletion.request(
        access_of(world), members, grace=MONTH, personal_account_id=None
    )
    assert told[0].payload.model_dump()["members"] == 1
    assert told[1].payload.model_dump()["emails"] == ("m0@example.com",)


def owning(world: Memory, *, begins: AccountId, other: AccountStatus | None) -> None:
    """Where the owner's sessions begin, and the status of another account of theirs."""
    world.know("owner")
    users, owner = world.identity.users, user_id("owner")
    users[owner] = users[owner].model_copy(update={"account_id": begins})
    if other is not None:
        world.store.rows[OTHER] = replace(
            world.store.rows[ACCOUNT],
            account_id=OTHER,
            status=other,
            deletes_at=START if other is AccountStatus.DELETING else None,
        )
        world.store.elsewhere.append(replace(world.store.memberships[owner], account_id=OTHER))


def delete(world: Memory) -> None:
    request = world.request("owner", "account:update")
    finished(deletion.delete(world.ctx, request, confirm="Engines"))


@pytest.mark.parametrize(
    ("begins", "other", "opened"),
    [
        (OTHER, None, True),
        (ACCOUNT, None, True),
        (ACCOUNT, AccountStatus.ACTIVE, True),
        (OTHER, AccountStatus.ACTIVE, False),
        (OTHER, AccountStatus.DELETING, True),
        (OTHER, AccountStatus.SUSPENDED, False),
    ],
)
def test_an_owner_keeps_an_account_in_which_sessions_begin(
    begins: AccountId, other: AccountStatus | None, *, opened: bool
) -> None:
    world = memory(CATALOG)
    owning(world, begins=begins, other=other)
    known = set(world.store.rows)

    for _ in range(2):
        delete(world)

    new = set(world.store.rows) - known
    assert len(new) == opened
    for account_id in new:
        account = world.store.rows[account_id]
        assert (account.kind, account.owner_user_id) == (AccountKind.PERSONAL, user_id("owner"))
        assert shard_of(account_id) == shard_of(ACCOUNT)
    [*_, last] = world.journal.facts
    assert isinstance(last.payload, AccountCreated) is opened
    assert getattr(last.payload, "number", 0) == opened


def test_deletions_do_not_multiply_the_accounts_of_a_user() -> None:
    world = memory(CATALOG)
    owning(world, begins=ACCOUNT, other=None)
    settings = world.ctx.settings.model_copy(update={"accounts_per_user": 1})
    limited = replace(world, ctx=replace(world.ctx, settings=settings))
    rows = dict(world.store.rows)
    with pytest.raises(AccountLimit):
        delete(limited)
    assert (world.store.rows, world.journal.facts) == (rows, [])


@pytest.mark.parametrize(
    ("status", "name", "refusal"),
    [
        (AccountStatus.SUSPENDED, "owner", SuspendedAccount),
        (AccountStatus.DELETING, "m0", DeletingAccount),
        (AccountStatus.DELETING, "owner", None),
        (AccountStatus.ACTIVE, "owner", None),
    ],
)
def test_the_owner_alone_passes_while_the_account_is_being_deleted(
    status: AccountStatus, name: str, refusal: type[Exception] | None
) -> None:
    world = crowd(1)
    world.store.memberships[user_id("m0")] = replace(
        world.store.memberships[user_id("m0")], role="admin"
    )
    world.store.rows[ACCOUNT] = replace(world.store.rows[ACCOUNT], status=status)
    if refusal is None:
        assert access_of(world, name, while_deleting=True).account.status is status
    else:
        with pytest.raises(refusal):
            access_of(world, name, while_deleting=True)


def test_no_one_passes_where_deleted_accounts_are_not_expected() -> None:
    world = crowd(0)
    world.store.rows[ACCOUNT] = replace(world.store.rows[ACCOUNT], status=AccountStatus.DELETING)
    with pytest.raises(DeletingAccount):
        access_of(world)


@pytest.mark.parametrize(
    ("status", "purging", "refusal"),
    [
        (AccountStatus.ACTIVE, False, None),
        (AccountStatus.SUSPENDED, False, SuspendedAccount),
        (AccountStatus.DELETING, False, DeletingAccount),
        (AccountStatus.DELETING, True, DeletingAccount),
        (AccountStatus.ACTIVE, True, DeletingAccount),
        (AccountStatus.SUSPENDED, True, DeletingAccount),
    ],
)
def test_an_account_that_ends_takes_no_writes_of_service_clients(
    status: AccountStatus, refusal: type[Exception] | None, *, purging: bool
) -> None:
    account = replace(crowd(0).store.rows[ACCOUNT], status=status, purging=purging)
    if refusal is None:
        require_active(account)
    else:
        with pytest.raises(refusal):
            require_active(account)


def test_a_purge_is_not_stopped_by_a_suspension_or_restoration() -> None:
    world = crowd(0)
    account = replace(
        world.store.rows[ACCOUNT], status=AccountStatus.DELETING, deletes_at=START, purging=True
    )
    world.store.rows[ACCOUNT] = account
    owner = world.store.memberships[user_id("owner")]
    with pytest.raises(DeletionBegan):
        account_suspension.suspend(account, owner, explanation="Late.", now=START)
    with pytest.raises(DeletionBegan):
        account_deletion.restore(access_of(world, while_deleting=True), [])


def test_a_suspension_stops_the_clock_of_a_deletion() -> None:
    world = crowd(0)
    account = replace(
        world.store.rows[ACCOUNT], status=AccountStatus.DELETING, deletes_at=START + MONTH
    )
    owner = world.store.memberships[user_id("owner")]
    day = timedelta(days=1)
    suspended, _ = account_suspension.suspend(account, owner, explanation="Why.", now=START)
    again, _ = account_suspension.suspend(suspended, owner, explanation="Also.", now=START + day)
    resumed, _ = account_suspension.resume(again, owner, now=START + 50 * day)
    assert again.suspended_at == START
    assert resumed == replace(account, deletes_at=START + MONTH + 50 * day)


@pytest.mark.rule("Rp3")
def test_a_thousand_members_end_with_a_fact_each_in_one_change() -> None:
    world = crowd(1_000)
    before = len(world.journal.facts)
    request = world.request("owner", "account:update")

    finished(reverting.revert(world.ctx, request, confirm="Engines"))

    told = world.journal.facts[before:]
    assert len(told) == 1_001
    assert list(world.store.memberships) == [user_id("owner")]
    revisions = [fact.account_rev for fact in told]
    assert revisions == list(range(revisions[0] or 0, (revisions[0] or 0) + 1_001))
