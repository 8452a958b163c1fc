"""The transfer of an account's ownership, over rows in memory: one owner in every state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import (
    SHIPPED_CATALOGS,
    AccountKind,
    AccountStatus,
    Catalog,
    CompiledCatalog,
    Delivery,
    MembershipStatus,
    load_catalog,
)
from services.team.domain.members import OwnerCannotLeave, OwnerProtected
from services.team.domain.ownership_refusals import (
    AccountLimit,
    NoTransfer,
    ReceiverUnfit,
    TransferExpired,
    TransferOwnerOnly,
    TransferPending,
)
from services.team.routes.accounts import account_view
from services.team.use_cases import (
    account_deletion,
    invitations,
    members,
    overrides,
    owned_accounts,
    ownership,
)
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import NonMemberRequest
from services.team.use_cases.ownership_expiry import expired_offers
from shared.addresses import parse_address
from shared.contracts import team, team_ownership
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.team_ownership import OfferEnd
from shared.ids import AccountId
from shared.problems import NotFound, Refusal, RefusalKind
from tests.services.team.memory import (
    ACCOUNT,
    START,
    Memory,
    caller_of,
    finished,
    memory,
    user_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable

STANDARD = CompiledCatalog(load_catalog("standard"))
VIEW = "account:view"
WEEK = timedelta(days=7)


def world_of(catalog: CompiledCatalog = STANDARD) -> Memory:
    """A team with two members beside the owner, who has no other account."""
    world = memory(catalog)
    live_in(world, ACCOUNT)
    world.store.compiled.setdefault(STANDARD.id, STANDARD)
    role = next(role.id for role in catalog.catalog.roles if role.assignable)
    world.add("bea", role)
    world.add("cem", role)
    return world


def live_in(world: Memory, home: AccountId) -> None:
    """Let the owner's sessions begin in this account."""
    world.know("owner")
    users, owner = world.identity.users, user_id("owner")
    users[owner] = users[owner].model_copy(update={"account_id": home})


def offer(world: Memory, *, by: str = "owner", to: str = "bea") -> None:
    finished(ownership.offer(world.ctx, world.request(by, VIEW), user_id=user_id(to)))


def accept(world: Memory, name: str = "bea") -> ownership.Accepted:
    return finished(ownership.accept(world.ctx, world.request(name, VIEW))).result


def cancel(world: Memory, name: str = "owner") -> None:
    finished(ownership.cancel(world.ctx, world.request(name, VIEW)))


def decline(world: Memory, name: str = "bea") -> None:
    finished(ownership.decline(world.ctx, world.request(name, VIEW)))


def end_expired_offers(world: Memory) -> None:
    """One look of the worker."""
    work = expired_offers(world.ctx)
    for account_id in finished(work.find()):
        finished(work.do(account_id))


def payloads(world: Memory) -> list[Any]:
    return [fact.payload for fact in world.journal.facts]


def owner_of(world: Memory) -> str:
    return world.store.rows[ACCOUNT].owner_user_id


def shown_to(world: Memory, name: str) -> Any:
    access = finished(world.ctx.authorize(world.request(name, VIEW)))
    return account_view(access).ownership_transfer


def change(world: Memory, work: Callable[[AccountWrite], Any]) -> None:
    """A change of the account by another subject: its fact is of no interest here."""

    async def attempt(write: AccountWrite) -> None:
        work(write)
        resource = ResourceRef(type="account", id=ACCOUNT)
        write.record(Fact(payload=team.AccountRenamed(account_name="Engines"), resource=resource))

    request = NonMemberRequest(caller=caller_of("owner"), account_id=ACCOUNT)
    finished(world.ctx.change(request, attempt, effective_everywhere=True))


@pytest.mark.rule("Nv7", "B3")
@pytest.mark.parametrize("name", SHIPPED_CATALOGS)
def test_accepting_moves_the_ownership_in_every_catalog(name: str) -> None:
    compiled = CompiledCatalog(load_catalog(name))
    catalog = compiled.catalog
    world = world_of(compiled)
    offer(world)
    assert owner_of(world) == user_id("owner")

    accept(world)

    assert owner_of(world) == user_id("bea")
    held = {one.user_id: one.role for one in world.store.memberships.values()}
    assert held[user_id("bea")] == catalog.owner_role
    assert held[user_id("owner")] == catalog.role_after_transfer
    assert world.store.rows[ACCOUNT].offer is None
    with pytest.raises(OwnerCannotLeave):
        finished(members.leave(world.ctx, world.request("bea", VIEW)))
    finished(members.leave(world.ctx, world.request("owner", VIEW)))
    assert owner_of(world) == user_id("bea")


@pytest.mark.rule("Nv7")
def test_the_change_is_told_with_its_policy_and_is_in_force_everywhere() -> None:
    world = world_of()
    offer(world)
    before = len(world.journal.facts)
    accept(world)

    told = [fact for fact in world.journal.facts[before:] if fact.account_id == ACCOUNT]

    moved, *changes = told
    assert isinstance(moved.payload, team_ownership.OwnershipTransferred)
    assert (moved.before, moved.after) == (
        {"owner_user_id": user_id("owner"), "owner": "Owner"},
        {"owner_user_id": user_id("bea"), "owner": "Bea"},
    )
    account, new, former = moved.policy_objects
    assert account.state is not None
    assert account.state["owner_user_id"] == user_id("bea")
    assert new.state is not None
    assert former.state is not None
    assert (new.state["role"], former.state["role"]) == ("owner", "admin")
    assert all(isinstance(fact.payload, team.MemberRoleChanged) for fact in changes)
    assert all(fact.payload.by_transfer for fact in changes)  # type: ignore[attr-defined]
    assert world.journal.effective_everywhere == [False, True]


@pytest.mark.rule("Nv16")
def test_a_transfer_ends_sessions_where_a_role_change_does() -> None:
    for name, ends in (("standard", False), ("novita", True)):
        world = world_of(CompiledCatalog(load_catalog(name)))
        offer(world)
        accept(world)
        changes = [one for one in payloads(world) if isinstance(one, team.MemberRoleChanged)]
        assert {one.user_id for one in changes} == {user_id("bea"), user_id("owner")}
        assert {one.ends_sessions for one in changes} == {ends}


@pytest.mark.rule("Nv7", "B3")
def test_only_the_owner_offers_and_cancels_and_only_the_receiver_answers() -> None:
    world = world_of()
    tried: list[tuple[Callable[[], object], type[Refusal]]] = [
        (lambda: offer(world, by="bea", to="cem"), TransferOwnerOnly),
        (lambda: offer(world, by="bea", to="bea"), TransferOwnerOnly),
        (lambda: cancel(world, "bea"), TransferOwnerOnly),
        (lambda: cancel(world, "owner"), NoTransfer),
        (lambda: accept(world, "bea"), NoTransfer),
        (lambda: decline(world, "bea"), NoTransfer),
    ]
    for attempt, refusal in tried:
        with pytest.raises(refusal):
            attempt()
    offer(world)
    tried = [
        (lambda: cancel(world, "bea"), TransferOwnerOnly),
        (lambda: accept(world, "cem"), NoTransfer),
        (lambda: accept(world, "owner"), NoTransfer),
        (lambda: decline(world, "cem"), NoTransfer),
        (lambda: accept(world, "stranger"), NotFound),
        (lambda: offer(world, to="cem"), TransferPending),
        (lambda: offer(world, to="bea"), TransferPending),
    ]
    for attempt, refusal in tried:
        with pytest.raises(refusal):
            attempt()
    assert owner_of(world) == user_id("owner")
    assert len(world.journal.facts) == 1


@pytest.mark.parametrize("receiver", ["owner", "stranger", "suspended", "expired"])
def test_the_ownership_is_offered_to_active_members_only(receiver: str) -> None:
    world = world_of()
    suspended, expired = world.add("suspended", "admin"), world.add("expired", "admin")
    stored = world.store.memberships
    stored[suspended.user_id] = replace(suspended, status=MembershipStatus.SUSPENDED)
    stored[expired.user_id] = replace(expired, expires_at=START)
    with pytest.raises(ReceiverUnfit) as refused:
        offer(world, to=receiver)
    assert refused.value.errors[0].pointer == "/user_id"
    assert world.journal.facts == []


def test_an_offer_is_shown_to_the_two_whom_it_concerns() -> None:
    world = world_of()
    offer(world)
    for name in ("owner", "bea"):
        shown = shown_to(world, name)
        assert (shown.user_id, shown.owner_user_id) == (user_id("bea"), user_id("owner"))
        assert shown.expires_at == START + WEEK
    assert shown_to(world, "cem") is None
    decline(world)
    assert shown_to(world, "owner") is None


def test_a_declined_or_cancelled_offer_changes_nothing_and_is_told() -> None:
    for end, fact in (
        (decline, team_ownership.OwnershipDeclined),
        (cancel, team_ownership.OwnershipCancelled),
    ):
        world = world_of()
        held = dict(world.store.memberships)
        offer(world)
        end(world)
        assert isinstance(payloads(world)[-1], fact)
        assert world.store.memberships == held
        with pytest.raises(NoTransfer):
            accept(world)
        offer(world, to="cem")
        accept(world, "cem")


@pytest.mark.rule("B3")
def test_an_expired_offer_is_refused_and_then_ended_once() -> None:
    world = world_of()
    offer(world)
    world.clock.move(WEEK.total_seconds() - 1)
    end_expired_offers(world)
    assert shown_to(world, "bea") is not None

    world.clock.move(1)
    for answer in (accept, decline):
        with pytest.raises(TransferExpired):
            answer(world)
    end_expired_offers(world)
    end_expired_offers(world)

    ended = [one for one in payloads(world) if isinstance(one, team_ownership.OwnershipOfferEnded)]
    assert [one.reason for one in ended] == [OfferEnd.EXPIRED]
    assert world.journal.callers[-1].actor.id == "team"
    with pytest.raises(NoTransfer):
        accept(world)


def test_a_new_offer_takes_the_place_of_an_expired_one() -> None:
    world = world_of()
    offer(world)
    world.clock.move(WEEK.total_seconds())
    offer(world, to="cem")
    assert [type(one) for one in payloads(world)[1:]] == [
        team_ownership.OwnershipOfferEnded,
        team_ownership.OwnershipOffered,
    ]
    with pytest.raises(NoTransfer):
        accept(world, "bea")
    accept(world, "cem")


@pytest.mark.rule("B3")
@pytest.mark.parametrize("how", ["removed", "left", "suspended"])
def test_an_offer_ends_when_its_receiver_is_not_an_active_member(how: str) -> None:
    world = world_of()
    offer(world)
    bea = world.store.memberships[user_id("bea")]
    if how == "removed":
        asked = world.request("owner", "member:remove")
        finished(members.remove(world.ctx, asked, user_id=bea.user_id))
    elif how == "left":
        finished(members.leave(world.ctx, world.request("bea", VIEW)))
    else:
        suspended = replace(bea, status=MembershipStatus.SUSPENDED)

        async def suspend(write: AccountWrite) -> None:
            await write.replace_member(suspended)
            write.record(Fact(payload=team.AccountRenamed(account_name=""), resource=bea.ref()))

        request = NonMemberRequest(caller=caller_of("owner"), account_id=ACCOUNT)
        finished(world.ctx.change(request, suspend, effective_everywhere=True))
    assert payloads(world)[-1].reason is OfferEnd.MEMBER
    assert world.store.rows[ACCOUNT].offer is None
    world.store.memberships[bea.user_id] = bea  # active again, or with the very same membership
    with pytest.raises(NoTransfer):
        accept(world)
    assert owner_of(world) == user_id("owner")


def test_an_offer_is_for_one_membership_and_not_for_a_later_one() -> None:
    world = world_of()
    offer(world)
    world.add("bea", "admin")
    with pytest.raises(NoTransfer):
        accept(world)


@pytest.mark.parametrize("how", ["suspended", "personal again"])
def test_an_offer_ends_with_the_team(how: str) -> None:
    world = world_of()
    offer(world)

    def end(write: AccountWrite) -> None:
        assert write.account is not None
        if how == "suspended":
            write.account = replace(write.account, status=AccountStatus.SUSPENDED)
        else:
            write.account = replace(write.account, kind=AccountKind.PERSONAL)

    change(world, end)

    assert payloads(world)[-1].reason is OfferEnd.ACCOUNT
    assert world.store.rows[ACCOUNT].offer is None


def test_nothing_is_accepted_in_a_suspended_account() -> None:
    world = world_of()
    offer(world)
    row = world.store.rows[ACCOUNT]
    world.store.rows[ACCOUNT] = replace(row, status=AccountStatus.SUSPENDED)
    with pytest.raises(Refusal) as refused:
        accept(world)
    assert refused.value.kind is RefusalKind.DENIED
    assert owner_of(world) == user_id("owner")


@pytest.mark.rule("Ci9")
def test_the_new_owner_has_no_override_and_no_end_of_membership() -> None:
    world = world_of()
    asked = world.request("owner", "member:update", inside=True)
    for name in ("bea", "cem"):
        finished(overrides.put(world.ctx, asked, user_id=user_id(name), grants={}, expires_at=None))
    bea = world.store.memberships[user_id("bea")]
    later = START + timedelta(days=1)
    world.store.memberships[bea.user_id] = replace(bea, expires_at=later)
    offer(world)
    accept(world)
    assert {override.user_id for override in world.store.overridden.values()} == {user_id("cem")}
    assert world.store.memberships[bea.user_id].expires_at is None
    facts = world.journal.facts
    [removed] = [one for one in facts if isinstance(one.payload, team.OverrideRemoved)]
    assert removed.payload.by_transfer  # type: ignore[attr-defined]
    assert [one.state for one in removed.policy_objects] == [None]


def catalog_with_a_low_former_owner() -> CompiledCatalog:
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    return CompiledCatalog(
        Catalog.from_mapping(content | {"name": "low", "role_after_transfer": "viewer"})
    )


@pytest.mark.rule("Rp5")
def test_open_invitations_pass_to_the_new_owner() -> None:
    world = world_of(catalog_with_a_low_former_owner())
    made = finished(
        invitations.create(
            world.ctx,
            world.request("owner", "member:invite"),
            address=parse_address("guest@example.com"),
            role_id="admin",
            delivery=Delivery.LINK,
        )
    )
    offer(world)
    [passed] = accept(world).passed
    assert passed.invitation_id == made.result[1].invitation_id
    assert (passed.passed_from, passed.inviter_user_id) == (user_id("owner"), user_id("bea"))
    assert world.store.invited[passed.invitation_id] == passed
    with pytest.raises(OwnerProtected):
        finished(
            members.remove(world.ctx, world.request("bea", "member:remove"), user_id=user_id("bea"))
        )


@pytest.mark.rule("Rp1")
def test_a_former_owner_without_an_account_gets_a_new_personal_one() -> None:
    world = world_of()
    offer(world)
    accept(world)
    moved = next(one for one in payloads(world) if hasattr(one, "personal_account_id"))
    personal = world.store.rows[AccountId(moved.personal_account_id)]
    assert (personal.kind, personal.owner_user_id) == (AccountKind.PERSONAL, user_id("owner"))
    assert (personal.name, personal.catalog) == ("Owner", STANDARD.id)
    [own] = world.store.elsewhere
    assert (own.account_id, own.user_id, own.role) == (
        personal.account_id,
        user_id("owner"),
        "owner",
    )
    [created] = [one for one in world.journal.facts if one.account_id == personal.account_id]
    assert (created.account_rev, created.payload.type) == (1, team.AccountCreated.type)


@pytest.mark.parametrize("home_is_given_away", [True, False])
def test_a_former_owner_gets_one_if_their_home_is_given_away(*, home_is_given_away: bool) -> None:
    world = world_of()
    other = AccountId("acc_" + "0c" * 16)
    if not home_is_given_away:
        live_in(world, other)
    world.store.rows[other] = replace(world.store.rows[ACCOUNT], account_id=other)
    owner = world.store.memberships[user_id("owner")]
    world.store.elsewhere.append(replace(owner, account_id=other))
    offer(world)
    accept(world)
    moved = next(one for one in payloads(world) if hasattr(one, "personal_account_id"))
    opened = world.store.rows.keys() - {ACCOUNT, other}
    assert opened == ({moved.personal_account_id} if home_is_given_away else set())
    assert (moved.personal_account_id is None) is not home_is_given_away


def test_a_receiver_at_the_limit_of_accounts_cannot_accept() -> None:
    world = world_of()
    world.ctx = replace(
        world.ctx, settings=world.ctx.settings.model_copy(update={"accounts_per_user": 1})
    )
    other = AccountId("acc_" + "0c" * 16)
    row = world.store.rows[ACCOUNT]
    world.store.rows[other] = replace(row, account_id=other, owner_user_id=user_id("bea"))
    bea = world.store.memberships[user_id("bea")]
    world.store.elsewhere.append(replace(bea, account_id=other))
    offer(world)
    with pytest.raises(AccountLimit):
        accept(world)
    assert owner_of(world) == user_id("owner")
    assert world.store.rows[ACCOUNT].offer is not None


@pytest.mark.rule("Ro20", "T3")
@pytest.mark.parametrize("limit", [3, 4])
def test_an_account_that_may_be_restored_counts_as_owned(limit: int) -> None:
    world = world_of()
    settings = world.ctx.settings.model_copy(update={"accounts_per_user": limit})
    world.ctx = replace(world.ctx, settings=settings)

    def create() -> AccountId:
        made = owned_accounts.create(
            world.ctx,
            caller=caller_of("owner"),
            user_id=user_id("owner"),
            name="Motors",
            catalog_name=None,
            key=None,
            repeat_answer=account_view,
        )
        return finished(made).result.account.account_id

    live_in(world, create())
    finished(account_deletion.delete(world.ctx, world.request("owner", VIEW), confirm="Engines"))
    for _ in range(limit - 2):
        create()
    with pytest.raises(AccountLimit):
        create()
    finished(account_deletion.restore(world.ctx, world.request("owner", VIEW)))
    with pytest.raises(AccountLimit):
        create()
    assert len(world.store.rows) == limit
