"""Registered resources: what services of the platform write, and what members see and reassign."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from services.team.domain import resource_facts, resource_rules, resources
from services.team.domain.account_access import AccountAccess, ClientAccess
from services.team.domain.authority import member_state
from services.team.domain.resource_rules import MAX_REASSIGNED
from services.team.domain.resources import (
    NewOwnerNotMember,
    RegisteredResource,
    RegistrationStatus,
    ResourceChange,
    ResourceFilter,
    ResourceKey,
    ResourceLimit,
    ResourceProjectUnknown,
)
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, ClientRequest, Ctx
from shared.auth.bindings import require_type
from shared.http.turns import in_turns
from shared.ids import UserId
from shared.journal import WriteResult
from shared.problems import NotFound, Refusal


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What a registration did with one resource, or why it was refused."""

    key: ResourceKey
    done: RegistrationStatus
    resource: RegisteredResource | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class Reassigned:
    """How many resources have another owner now, and how many of those that are meant remain."""

    reassigned: int
    remaining: int


async def search(
    ctx: Ctx,
    access: AccountAccess | ClientAccess,
    wanted: ResourceFilter,
    *,
    after: ResourceKey | None,
    limit: int,
) -> list[RegisteredResource]:
    """List resources by type and id; a service client sees those of its types.

    Raises:
        TypeNotBound: the client is not bound to a type that it names.
    """
    if isinstance(access, ClientAccess):
        wanted = replace(wanted, types=_types_of(access, wanted.types))
    return await ctx.store.resource_page(
        access.account.account_id, wanted, after=after, limit=limit
    )


async def get(
    ctx: Ctx, access: AccountAccess | ClientAccess, key: ResourceKey
) -> RegisteredResource:
    """Return one resource.

    Raises:
        TypeNotBound: the client is not bound to the type.
        NotFound: it is not registered.
    """
    if isinstance(access, ClientAccess):
        require_type(access.client.resource_types, key[0])
    found = await ctx.store.resource(access.account.account_id, key)
    if found is None:
        raise NotFound
    return found


async def put(
    ctx: Ctx, request: ClientRequest, wanted: RegisteredResource
) -> WriteResult[RegisteredResource]:
    """Register one resource, in place of what was registered of it.

    Raises:
        TypeNotBound: the client is not bound to the type.
        Invalid: the type is one of Rolecall's own.
        ResourceProjectUnknown, NewOwnerNotMember, ResourceLimit: see the domain.
    """
    require_type(request.client.resource_types, wanted.type)
    resources.require_registrable([wanted.key], pointers=["/path"])

    async def change(write: AccountWrite) -> RegisteredResource:
        present = (await write.resources_among([wanted.key])).get(wanted.key)
        around = await write.surroundings([wanted], limit=ctx.settings.resources_per_account)
        new = replace(wanted, registered_at=write.now)
        done = resources.register(new, present=present, around=around)
        write.require_precondition(present, applied=done is None)
        if done is None:
            return present or new
        await _save(write, [done])
        return done.after

    return await ctx.change(request, change, effective_everywhere=True)


async def put_all(
    ctx: Ctx, request: ClientRequest, wanted: Sequence[RegisteredResource]
) -> WriteResult[list[Registered]]:
    """Register many resources in one change; each of them is registered or refused by itself.

    Raises:
        TypeNotBound: the client is not bound to one of the types.
        Invalid: a resource is there twice, or its type is one of Rolecall's own.
    """
    for resource_type in sorted({one.type for one in wanted}):
        require_type(request.client.resource_types, resource_type)
    pointers = [f"/resources/{number}" for number in range(len(wanted))]
    resources.require_registrable([one.key for one in wanted], pointers=pointers)

    async def change(write: AccountWrite) -> list[Registered]:
        known = await write.resources_among({one.key for one in wanted})
        around = await write.surroundings(wanted, limit=ctx.settings.resources_per_account)
        results: list[Registered] = []
        changes: list[ResourceChange] = []
        async for one in in_turns(wanted):
            present, new = known.get(one.key), replace(one, registered_at=write.now)
            try:
                done = resources.register(new, present=present, around=around)
            except (ResourceProjectUnknown, NewOwnerNotMember, ResourceLimit) as refusal:
                refused = Registered(key=one.key, done=RegistrationStatus.REFUSED, refusal=refusal)
                results.append(refused)
                continue
            around = around.after(done)
            results.append(_result(done, present or new))
            if done is not None:
                changes.append(done)
        if changes:
            await _save(write, changes)
        return results

    return await ctx.change(request, change, effective_everywhere=True)


async def delete(ctx: Ctx, request: ClientRequest, key: ResourceKey) -> WriteResult[None]:
    """Delete a resource from the register.

    Raises:
        TypeNotBound: the client is not bound to the type.
        NotFound: it is not registered.
    """
    require_type(request.client.resource_types, key[0])

    async def change(write: AccountWrite) -> None:
        found = (await write.resources_among([key])).get(key)
        if found is None:
            raise NotFound
        write.require_precondition(found)
        await write.remove_resource(found)
        _count(write, -1)
        write.record(resource_facts.deleted(found))

    return await ctx.change(request, change, effective_everywhere=True)


async def reassign(
    ctx: Ctx,
    request: AccountRequest,
    *,
    wanted: ResourceFilter,
    from_user_id: UserId,
    to_user_id: UserId,
) -> WriteResult[Reassigned]:
    """Give resources of one user, who may have left, to a member; `MAX_REASSIGNED` at most.

    Raises:
        Invalid: the two users are one.
        OwnerOnly: they are resources of the account's owner, who is not the caller.
        NewOwnerNotMember: the receiver is not a member.
        GrantsExceeded: the receiver would gain what the caller does not hold.
    """
    resource_rules.require_two_users(from_user_id, to_user_id, pointer="/to_user_id")
    wanted = replace(wanted, owner_id=from_user_id)

    async def change(write: AccountWrite) -> Reassigned:
        resource_rules.require_to_take_from(write.access, from_user_id)
        done = await give_resources(write, wanted, from_user_id, to_user_id, pointer="/to_user_id")
        return Reassigned(reassigned=done, remaining=await write.count_resources(wanted))

    return await ctx.change(request, change, effective_everywhere=True)


async def give_resources(
    write: AccountWrite,
    wanted: ResourceFilter,
    from_user_id: UserId,
    to_user_id: UserId,
    *,
    pointer: str,
) -> int:
    """Give the first resources that are meant to another member; return how many they are.

    `pointer` is the place in the request that names the receiver.

    Raises:
        NewOwnerNotMember, GrantsExceeded: as `reassign`.
    """
    receiver = await write.find_member(to_user_id)
    if receiver is None:
        raise NewOwnerNotMember(to_user_id, pointer=pointer)
    found = await write.resources_of(wanted, limit=MAX_REASSIGNED)
    if not found:
        return 0
    member = member_state(
        write.access.catalog, receiver, await write.overrides_of(receiver.user_id)
    )
    resource_rules.require_to_reassign(write.access, member, found)
    changes = [resources.reassigned(one, to_user_id) for one in found]
    await write.give_resources([one.key for one in found], to_user_id)
    write.record(
        *resource_facts.reassigned(
            changes,
            account=write.access.account,
            from_user_id=from_user_id,
            former=await write.find_member(from_user_id),
            receiver=receiver,
        )
    )
    return len(found)


def _types_of(access: ClientAccess, named: Collection[str] | None) -> Collection[str] | None:
    for resource_type in named or ():
        require_type(access.client.resource_types, resource_type)
    return named if named is not None else access.client.resource_types


def _result(done: ResourceChange | None, present: RegisteredResource) -> Registered:
    if done is None:
        return Registered(key=present.key, done=RegistrationStatus.UNCHANGED, resource=present)
    what = RegistrationStatus.REGISTERED if done.before is None else RegistrationStatus.CHANGED
    return Registered(key=done.after.key, done=what, resource=done.after)


async def _save(write: AccountWrite, changes: Sequence[ResourceChange]) -> None:
    await write.save_resources(changes)
    _count(write, sum(change.before is None for change in changes))
    account = write.existing_account
    write.record(*resource_facts.registered(changes, account=account.ref()))


def _count(write: AccountWrite, more: int) -> None:
    account = write.existing_account
    write.account = replace(account, resource_count=account.resource_count + more)
