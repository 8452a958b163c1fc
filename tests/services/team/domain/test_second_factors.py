"""The demand of a second factor: who may make it, whom it shuts out, and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from rolecall import AccountStatus, CompiledCatalog, MembershipStatus, Reason, load_catalog
from services.team.domain.account_access import AccessRows, authorize
from services.team.domain.second_factors import (
    DemandInPerson,
    OwnerSecondFactorMissing,
    OwnSecondFactorMissing,
)
from services.team.use_cases import account_changes, member_access, members, ownership, previews
from shared.auth.account_refusals import DeletingAccount, SecondFactorRequired, SuspendedAccount
from shared.auth.principals import ApiTokenPrincipal
from shared.contracts.team_endings import AccountMembersShutOut, AccountSecondFactorDemanded
from shared.ids import TokenId
from shared.problems import NotFound, PermissionMissing, Refusal
from tests.services.team.memory import ACCOUNT, START, Memory, finished, memory, user_id

if TYPE_CHECKING:
    from services.team.use_cases.account_write import AccountWrite
    from services.team.use_cases.context import AccountRequest, Ctx

CATALOG = CompiledCatalog(load_catalog("standard"))
CHANGE = "account:update"


@pytest.fixture
def account() -> Memory:
    """An account with its owner, Ada, an admin, and Bea and Cem, who are viewers."""
    made = memory(CATALOG)
    for name, role in (("ada", "admin"), ("bea", "viewer"), ("cem", "viewer")):
        made.add(name, role)
    return made


def demand(world: Memory, name: str, *, required: bool = True) -> None:
    """Turn the demand on or off."""
    request = world.request(name, CHANGE)
    change = account_changes.update(world.ctx, request, name=None, require_second_factor=required)
    finished(change)


def demands(world: Memory) -> bool:
    return world.store.rows[ACCOUNT].require_second_factor


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("with_factor", "refusal"),
    [
        ({"owner", "ada"}, None),
        ({"owner", "ada", "bea"}, None),
        ({"owner"}, OwnSecondFactorMissing),
        ({"ada"}, OwnerSecondFactorMissing),
        ({"bea", "cem"}, OwnSecondFactorMissing),
    ],
)
def test_a_demand_shuts_out_neither_its_maker_nor_the_owner(
    account: Memory, with_factor: set[str], refusal: type[Refusal] | None
) -> None:
    for name in with_factor:
        account.set_factor(name)
    if refusal is None:
        demand(account, "ada")
    else:
        with pytest.raises(refusal):
            demand(account, "ada")
    assert demands(account) is (refusal is None)
    assert bool(account.journal.facts) is (refusal is None)


def test_members_who_are_shut_out_are_told(account: Memory) -> None:
    account.set_factor("owner")
    account.set_factor("cem")
    rows = account.store.memberships
    rows[user_id("away")] = replace(
        account.add("away", "viewer"), status=MembershipStatus.SUSPENDED
    )
    rows[user_id("over")] = replace(account.add("over", "viewer"), expires_at=START)
    demand(account, "owner")
    first, told = [fact.payload for fact in account.journal.facts]
    assert cast("AccountSecondFactorDemanded", first).required
    assert cast("AccountMembersShutOut", told).emails == ("ada@example.com", "bea@example.com")
    assert account.journal.effective_everywhere == [True]


def test_a_demand_that_ends_tells_no_members(account: Memory) -> None:
    account.set_factor("owner")
    demand(account, "owner")
    account.journal.facts.clear()
    demand(account, "owner", required=False)
    assert not demands(account)
    [fact] = account.journal.facts
    assert (fact.before, fact.after) == (
        {"require_second_factor": True},
        {"require_second_factor": False},
    )


def test_a_demand_that_is_made_already_has_no_fact(account: Memory) -> None:
    account.set_factor("owner")
    demand(account, "owner")
    account.journal.facts.clear()
    demand(account, "owner")
    assert account.journal.facts == []


@pytest.mark.parametrize("required", [True, False])
def test_an_api_token_changes_no_demand(account: Memory, *, required: bool) -> None:
    account.set_factor("owner")
    if not required:
        demand(account, "owner")
    owner = account.store.memberships[user_id("owner")]
    token = ApiTokenPrincipal(
        user_id=owner.user_id,
        token_id=TokenId("tok_1"),
        membership_id=owner.membership_id,
        account_id=ACCOUNT,
        expires_at=START + timedelta(days=1),
    )
    request = replace(account.request("owner", CHANGE), token=token)
    with pytest.raises(DemandInPerson):
        finished(
            account_changes.update(account.ctx, request, name=None, require_second_factor=required)
        )
    assert demands(account) is not required


@pytest.mark.rule("B1")
def test_a_member_without_the_demanded_factor_changes_nothing(account: Memory) -> None:
    account.set_factor("owner")
    demand(account, "owner")
    with pytest.raises(SecondFactorRequired):
        demand(account, "ada", required=False)
    account.set_factor("ada")
    demand(account, "ada", required=False)
    assert not demands(account)


@pytest.mark.rule("B1")
def test_a_factor_that_is_lost_during_a_change_stops_its_commit(account: Memory) -> None:
    account.set_factor("owner")
    demand(account, "owner")

    async def change(write: AccountWrite) -> None:
        account.set_factor("owner", removed=True)

    with pytest.raises(SecondFactorRequired):
        finished(
            account.ctx.change(account.request("owner", CHANGE), change, effective_everywhere=False)
        )


@pytest.mark.rule("B1")
def test_a_member_who_is_shut_out_can_leave_and_decline_the_ownership(account: Memory) -> None:
    account.set_factor("owner")
    demand(account, "owner")
    offer = account.request("owner", "account:view")
    finished(ownership.offer(account.ctx, offer, user_id=user_id("bea")))
    with pytest.raises(SecondFactorRequired):
        finished(ownership.accept(account.ctx, account.request("bea", "account:view")))
    finished(ownership.decline(account.ctx, account.request("bea", "account:view")))
    assert account.store.rows[ACCOUNT].offer is None
    finished(members.leave(account.ctx, account.request("bea", "account:view")))
    assert user_id("bea") not in account.store.memberships


@pytest.mark.rule("B1")
def test_a_suspended_member_can_neither_leave_nor_decline(account: Memory) -> None:
    account.set_factor("owner")
    demand(account, "owner")
    rows = account.store.memberships
    rows[user_id("bea")] = replace(rows[user_id("bea")], status=MembershipStatus.SUSPENDED)
    for change in (members.leave, ownership.decline):
        with pytest.raises(NotFound):
            finished(change(account.ctx, account.request("bea", "account:view")))


ACTIVE, SUSPENDED, DELETING = (
    AccountStatus.ACTIVE,
    AccountStatus.SUSPENDED,
    AccountStatus.DELETING,
)


@pytest.mark.rule("B1")
@pytest.mark.parametrize(
    ("status", "member", "permission", "second_factor", "refusal"),
    [
        (ACTIVE, {}, "account:view", True, None),
        (ACTIVE, {}, "account:view", False, SecondFactorRequired),
        (ACTIVE, {}, CHANGE, True, PermissionMissing),
        (ACTIVE, {}, CHANGE, False, SecondFactorRequired),
        (SUSPENDED, {}, "account:view", False, SuspendedAccount),
        (DELETING, {}, "account:view", False, DeletingAccount),
        (ACTIVE, {"status": MembershipStatus.SUSPENDED}, "account:view", False, NotFound),
        (ACTIVE, {"expires_at": START}, "account:view", False, NotFound),
    ],
)
def test_only_members_learn_that_a_second_factor_is_demanded(
    account: Memory,
    status: AccountStatus,
    member: dict[str, Any],
    permission: str,
    second_factor: bool,  # noqa: FBT001
    refusal: type[Refusal] | None,
) -> None:
    rows = AccessRows(
        account=replace(account.store.rows[ACCOUNT], status=status, require_second_factor=True),
        catalog=CATALOG,
        membership=replace(account.store.memberships[user_id("bea")], **member),
    )
    now = START + timedelta(seconds=1)
    if refusal is None:
        authorize(rows, permission, now=now, second_factor=second_factor)
        return
    with pytest.raises(refusal):
        authorize(rows, permission, now=now, second_factor=second_factor)


@pytest.mark.rule("B1")
def test_the_access_of_a_member_names_the_demand_while_they_lack_a_factor(
    account: Memory,
) -> None:
    account.set_factor("owner")
    demand(account, "owner")
    asked = account.request("owner", "member:view")

    def access_of_bea() -> member_access.MemberAccess:
        access = finished(account.ctx.authorize(asked))
        bea = user_id("bea")
        return finished(member_access.of_member(account.ctx, access, bea, project_id=None))

    shut_out = access_of_bea()
    account.set_factor("bea")
    proved = access_of_bea()

    assert (shut_out.denied, proved.denied) == (Reason.SECOND_FACTOR_REQUIRED, None)
    holds = [
        any(cell.scope for levels in one.table(None).values() for cell in levels.values())
        for one in (shut_out, proved)
    ]
    assert holds == [False, True]


@pytest.mark.rule("B9")
def test_a_preview_shows_who_would_be_shut_out(account: Memory) -> None:
    account.set_factor("owner")
    account.set_factor("cem")

    async def change(ctx: Ctx, request: AccountRequest) -> object:
        return await account_changes.update(ctx, request, name=None, require_second_factor=True)

    found = finished(
        previews.preview(
            account.ctx,
            account.request("owner", "account:view"),
            account.request("owner", CHANGE),
            change,
        )
    )
    shut_out = {one.impact.user_id: one.impact.everywhere for one in found.effects.members}
    assert set(shut_out) == {user_id("ada"), user_id("bea")}
    assert all(change.after is None for changes in shut_out.values() for change in changes)
    assert not demands(account)
