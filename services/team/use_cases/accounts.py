"""How do accounts come to be, get their name, and become teams?"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rolecall import SHIPPED_CATALOGS, Catalog, CompiledCatalog, load_catalog
from services.team.domain import accounts
from services.team.domain.accounts import Account, OwnerOnly
from services.team.domain.members import Membership
from services.team.store import catalog_object
from services.team.use_cases.context import Act, Ctx
from services.team.use_cases.desk import Desk, catalog_of, commit, enter, save
from shared.addresses import parse_address
from shared.contracts import team
from shared.contracts.calls import USER
from shared.contracts.facts import Actor, Caller, Fact, Position, RequestInfo, ResourceRef
from shared.http.idempotency import Once
from shared.ids import AccountId, MembershipId, UserId, new_id
from shared.inbox import AppliedMark
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere
from shared.problems import Invalid, Refusal, RefusalKind


@dataclass(frozen=True, kw_only=True)
class Person:
    """A verified user, as identity tells of them."""

    user_id: UserId
    account_id: AccountId
    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class OwnAccount:
    """One of a user's accounts, with the membership in it."""

    account: Account
    catalog: CompiledCatalog
    membership: Membership


async def publish_shipped(ctx: Ctx) -> None:
    """Publish the shipped catalogs that are not published yet."""
    for name in SHIPPED_CATALOGS:
        catalog = load_catalog(name)
        if await ctx.store.catalog(catalog.id) is None:
            with contextlib.suppress(AlreadyThere):  # another process of team was first
                await _publish(ctx, catalog)


async def _publish(ctx: Ctx, catalog: Catalog) -> None:
    digest = catalog.id.partition("@")[2]
    fact = Fact(
        payload=team.CatalogPublished(name=catalog.name, digest=digest),
        resource=ResourceRef(type="catalog", id=catalog.id, name=catalog.title),
        policy_objects=(catalog_object(catalog.id, catalog.to_mapping()),),
    )

    async def work(tx: JournalWrite) -> None:
        await ctx.store.insert_catalog(catalog, rev=tx.rev, now=tx.now, session=tx.session)
        tx.record(fact)

    caller = Caller(
        actor=Actor(type="service", id="team"), request=RequestInfo(request_id=new_id("req"))
    )
    await ctx.journal.write(catalog.id, work, caller=caller, effective_everywhere=True)


async def open_personal(
    ctx: Ctx,
    person: Person,
    *,
    caller: Caller,
    position: Position | None = None,
    guard: AppliedMark | None = None,
) -> None:
    """Make sure that a verified user has their personal account; harmless to repeat (`Rp1`).

    `position` is that of the fact of identity that `person` comes from, if one does.
    """
    catalog = load_catalog(ctx.settings.personal_catalog)

    async def work(tx: JournalWrite) -> None:
        if position is None:
            name = await ctx.store.name_for_joining(
                person.user_id, otherwise=person.name, session=tx.session
            )
        else:
            name = await ctx.store.learn_person(
                user_id=person.user_id, name=person.name, position=position, session=tx.session
            )
        if await ctx.store.account(person.account_id, tx.session) is not None:
            return
        account, owner, fact = accounts.open_personal(
            account_id=person.account_id,
            user_id=person.user_id,
            membership_id=MembershipId(new_id("mem")),
            address=parse_address(person.email),
            name=name,
            catalog=catalog,
            now=tx.now,
        )
        await ctx.store.insert_account(account, rev=tx.rev, session=tx.session)
        await ctx.store.insert_member(owner, rev=tx.rev, session=tx.session)
        await save(ctx, tx, account, [fact])

    await ctx.journal.write(
        person.account_id, work, caller=caller, effective_everywhere=False, guard=guard
    )


async def arrive(ctx: Ctx, *, user_id: UserId, account_id: AccountId, caller: Caller) -> bool:
    """Make the personal account of a user whose first request came before the news of them.

    Returns:
        Whether the account is there now, by this call, by the news or by another request at the
        same moment: then it is worth looking again. Identity says whose account the id is.

    Raises:
        Unavailable: identity cannot be asked.
    """
    if await ctx.store.account(account_id) is not None:
        return True
    person = await verified_person(ctx, user_id)
    if person is None or person.account_id != account_id:
        return False
    await open_personal(ctx, person, caller=caller)
    return True


async def verified_person(ctx: Ctx, user_id: UserId) -> Person | None:
    """The user as identity knows them at this moment; `None` unless active and verified.

    Raises:
        Unavailable: identity cannot be asked.
    """
    try:
        user = await ctx.internal.call(USER, "identity", path={"user_id": user_id})
    except Refusal as refusal:
        if refusal.kind is RefusalKind.NOT_FOUND:
            return None
        raise
    if user.status != "active" or not user.email_verified:
        return None
    return Person(
        user_id=user_id,
        account_id=AccountId(user.account_id),
        email=user.email,
        name=user.name,
    )


async def own_accounts(ctx: Ctx, user_id: UserId) -> list[OwnAccount]:
    """Every account that the user is a member of (`Ro20`)."""
    memberships = await ctx.store.memberships_of(user_id)
    found = await ctx.store.accounts([membership.account_id for membership in memberships])
    return [
        OwnAccount(account=account, catalog=await catalog_of(ctx, account), membership=membership)
        for membership in memberships
        if (account := found.get(membership.account_id)) is not None
    ]


async def rename(ctx: Ctx, act: Act, *, name: str) -> WriteResult[Desk]:
    """Give the account another name."""

    async def work(tx: JournalWrite) -> Desk:
        desk = await enter(ctx, act, tx=tx)
        if name == desk.account.name:
            return desk
        renamed, fact = accounts.rename(desk.account, name)
        await save(ctx, tx, renamed, [fact])
        return replace(desk, account=renamed)

    return await commit(
        ctx, act.account_id, work, caller=act.caller, effective_everywhere=act.effective_everywhere
    )


async def convert(
    ctx: Ctx,
    act: Act,
    *,
    name: str,
    catalog_name: str | None,
    once: Once,
    answer: Callable[[Desk], dict[str, Any]],
) -> WriteResult[Desk]:
    """The owner turns the personal account into a team (`Rp2`, `Nv1`); `answer` is kept for `once`.

    Raises:
        OwnerOnly: a member who is not the owner asks.
        Invalid: no such catalog is published.
        Repeated: see `commit`.
    """

    async def work(tx: JournalWrite) -> Desk:
        desk = await enter(ctx, act, tx=tx)
        if not desk.is_owner(desk.membership):
            raise OwnerOnly
        target = desk.catalog
        if catalog_name is not None:
            named = await ctx.store.catalog_named(catalog_name)
            if named is None:
                raise Invalid(errors=[("/catalog", "is no published catalog")])
            target = named
        converted, owner, fact = accounts.convert(
            desk.account, desk.membership, name=name, catalog=target
        )
        await ctx.store.replace_member(owner, rev=tx.rev, session=tx.session)
        await save(ctx, tx, converted, [fact])
        after = replace(desk, account=converted, catalog=target, membership=owner)
        await once.keep(tx.session, answer(after))
        return after

    return await commit(
        ctx,
        act.account_id,
        work,
        caller=act.caller,
        effective_everywhere=act.effective_everywhere,
        once=once,
    )
