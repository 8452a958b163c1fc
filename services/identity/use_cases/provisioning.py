"""Provisioning: a service client of the platform makes and links users, many at once.

The facts of a user are in the user's shard of the journal. The entries of a request are therefore
written shard by shard, each shard in short transactions of its own, and some shards side by side.
When the time of a request is over, no further transaction begins.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.identity.domain import provisioning
from services.identity.domain.provisioning import (
    ClientBound,
    KnownUsers,
    ProvisionedUser,
    UserClaim,
    UserEntry,
    UserOutcome,
)
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from shared.auth.principals import ClientPrincipal
from shared.contracts.facts import Caller, shard_of
from shared.ids import AccountId, ClientId, UserId, new_id
from shared.journal import DryRun, JournalWrite
from shared.mongo import AlreadyThere, DbSession
from shared.problems import Refusal, Unavailable

USERS_PER_WRITE = 50
"""The most users of one transaction."""
SHARDS_AT_ONCE = 4
"""How many transactions of one request run at the same time; each is in another shard."""
ROUNDS = 4
"""How often an entry is tried whose user another request made at the same moment."""


@dataclass(frozen=True, kw_only=True)
class UserResult:
    """What became of one entry; `user_id` is `None` if it was refused, not done or only tried."""

    external_id: str
    status: UserOutcome | None = None
    user_id: UserId | None = None
    ignored: tuple[str, ...] = ()
    refusal: Refusal | None = None


async def provision(
    ctx: Ctx,
    caller: Caller,
    client: ClientPrincipal,
    entries: Sequence[UserEntry],
    *,
    dry_run: bool,
) -> list[UserResult]:
    """Make, link or update a user for each entry; the results are in the order of the entries.

    A dry run changes nothing. The same request again changes nothing more, and does what is not
    done.

    Raises:
        ClientBound: the client is bound to accounts.
        Unavailable: no answer could be given for any entry; the same request again does it.
    """
    if client.account_ids is not None:
        raise ClientBound
    if dry_run:
        ctx = replace(ctx, journal=DryRun(ctx.journal, look=_nothing))
    results: dict[int, UserResult] = {}
    waiting: list[_Claim] = []
    for place, checked in enumerate(provisioning.check_batch(entries)):
        if isinstance(checked, Refusal):
            results[place] = UserResult(external_id=entries[place].external_id, refusal=checked)
        else:
            waiting.append(_Claim(place=place, claim=checked, user_id=UserId(new_id("usr"))))
    for one, done in await _UserBatch(ctx, caller, client.client_id).write(waiting):
        results[one.place] = _result(one.claim, done, dry_run=dry_run)
    return [results[place] for place in sorted(results)]


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """One claim on its way; `user_id` is its user's, or a new one."""

    place: int
    claim: UserClaim
    user_id: UserId


_Done = ProvisionedUser | Refusal | Literal[UserOutcome.NOT_DONE]


class _UserBatch:
    """The entries of one request."""

    def __init__(self, ctx: Ctx, caller: Caller, client_id: ClientId) -> None:
        self._ctx = ctx
        self._caller = caller
        self._client_id = client_id
        self._ends_at = ctx.clock.boottime() + ctx.timeouts.provisioning
        self._away: Unavailable | None = None
        """Why entries are not done, if it is not the time."""

    async def write(self, entries: Sequence[_Claim]) -> list[tuple[_Claim, _Done]]:
        """Write all entries; one whose user came or went meanwhile is tried again.

        Raises:
            Unavailable: it kept every entry from being done.
        """
        written: list[tuple[_Claim, _Done]] = []
        waiting = list(entries)
        for _ in range(ROUNDS):
            if not waiting or self._late:
                break
            try:
                done, waiting = await self._aimed(waiting)
            except Unavailable as away:
                self._away = away
                break
            written += done
            places = asyncio.Semaphore(SHARDS_AT_ONCE)
            parts = await asyncio.gather(
                *(self._write_shard(groups, places) for groups in _by_shard(waiting)),
                return_exceptions=True,
            )
            waiting = []
            for part in parts:
                if isinstance(part, BaseException):
                    raise part
                written += [(entry, one) for entry, one in part if one is not None]
                waiting += [entry for entry, one in part if one is None]
        if self._away is not None and all(one is UserOutcome.NOT_DONE for _, one in written):
            raise self._away
        return written + [(entry, UserOutcome.NOT_DONE) for entry in waiting]

    @property
    def _late(self) -> bool:
        """Whether the time of the request is over."""
        return self._ctx.clock.boottime() >= self._ends_at

    async def _write_shard(
        self, groups: Sequence[Sequence[_Claim]], places: asyncio.Semaphore
    ) -> list[tuple[_Claim, _Done | None]]:
        """Write the groups of one shard; `None` for an entry that is to be tried again."""
        written: list[tuple[_Claim, _Done | None]] = []
        async with places:
            for group in groups:
                written += zip(group, await self._write_in_time(group), strict=True)
        return written

    async def _write_in_time(self, group: Sequence[_Claim]) -> Sequence[_Done | None]:
        if self._late:
            return [UserOutcome.NOT_DONE] * len(group)
        try:
            return await self._write_group(group)
        except AlreadyThere:
            return [None] * len(group)
        except Unavailable as away:
            self._away = away
            return [UserOutcome.NOT_DONE] * len(group)

    async def _aimed(
        self, entries: Sequence[_Claim]
    ) -> tuple[list[tuple[_Claim, _Done]], list[_Claim]]:
        """Aim each entry at its user; give those that find their user as claimed, and the others.

        The first ones need no transaction. So a request that is sent again comes to what was not
        done before. A look-up of a thousand values costs some databases more than twenty of fifty.
        """
        known: list[KnownUsers] = []
        for start in range(0, len(entries), USERS_PER_WRITE):
            part = entries[start : start + USERS_PER_WRITE]
            known += await self._known([entry.claim for entry in part], None)
        now = self._ctx.clock.now()
        done: list[tuple[_Claim, _Done]] = []
        left = []
        for entry, each in zip(entries, known, strict=True):
            user = each.linked or each.holder
            aimed = replace(entry, user_id=entry.user_id if user is None else user.id)
            found = self._decide(aimed, each, now=now)
            if isinstance(found, ProvisionedUser) and found.status is UserOutcome.UNCHANGED:
                done.append((aimed, found))
            else:
                left.append(aimed)
        return done, left

    async def _write_group(self, group: Sequence[_Claim]) -> list[_Done | None]:
        """Write the entries of one shard; `None` for one whose user is another one by now."""
        ctx, client_id = self._ctx, self._client_id

        async def change(write: JournalWrite) -> list[_Done | None]:
            known = await self._known([entry.claim for entry in group], write.session)
            done = [
                self._decide(entry, each, now=write.now)
                for entry, each in zip(group, known, strict=True)
            ]
            provisioned = [
                (entry, one)
                for entry, one in zip(group, done, strict=True)
                if isinstance(one, ProvisionedUser)
            ]
            new = [one.user for _, one in provisioned if one.before is None]
            await ctx.store.delete_sign_ups_of([user.email_key for user in new], write.session)
            await ctx.store.insert_users(new, write.session)
            links = {
                entry.claim.external_id: one.user.id for entry, one in provisioned if one.links
            }
            await ctx.store.insert_external_ids(client_id, links, write.session)
            for _, one in provisioned:
                if one.before is not None and one.before != one.user:
                    await ctx.store.update_user(one.before, one.user, write.session)
                write.record(*one.facts)
            return done

        written = await ctx.journal.write(
            group[0].user_id, change, caller=self._caller, effective_everywhere=False
        )
        return written.result

    def _decide(self, entry: _Claim, known: KnownUsers, *, now: datetime) -> _Done | None:
        user = known.linked or known.holder
        if user is not None and user.id != entry.user_id:
            return None
        try:
            return provisioning.provision(
                entry.claim,
                known,
                client_id=self._client_id,
                user_id=entry.user_id,
                account_id=AccountId(new_id("acc")),
                now=now,
            )
        except Refusal as refusal:
            return refusal

    async def _known(
        self, claims: Sequence[UserClaim], session: DbSession | None
    ) -> list[KnownUsers]:
        store, client_id = self._ctx.store, self._client_id
        linked = await store.users_of_external_ids(
            client_id, [claim.external_id for claim in claims], session
        )
        users = await store.users_among(linked.values(), session)
        holders = await store.holders([claim.address.key for claim in claims], session)
        held = [user.id for user in holders.values()]
        external_ids = await store.external_ids_of_users(client_id, held, session)
        return [_known_of(claim, linked, users, holders, external_ids) for claim in claims]


def _known_of(
    claim: UserClaim,
    linked: Mapping[str, UserId],
    users: Mapping[UserId, User],
    holders: Mapping[str, User],
    external_ids: Mapping[UserId, str],
) -> KnownUsers:
    user_id = linked.get(claim.external_id)
    holder = holders.get(claim.address.key)
    return KnownUsers(
        linked=None if user_id is None else users.get(user_id),
        holder=holder,
        holder_external_id=None if holder is None else external_ids.get(holder.id),
    )


def _by_shard(claims: Iterable[_Claim]) -> list[list[list[_Claim]]]:
    """The groups of each shard; a group is what one transaction writes."""
    shards: defaultdict[int, list[_Claim]] = defaultdict(list)
    for one in claims:
        shards[shard_of(one.user_id)].append(one)
    return [
        [each[start : start + USERS_PER_WRITE] for start in range(0, len(each), USERS_PER_WRITE)]
        for each in shards.values()
    ]


def _result(claim: UserClaim, done: _Done, *, dry_run: bool) -> UserResult:
    if isinstance(done, Refusal):
        return UserResult(external_id=claim.external_id, refusal=done)
    if done is UserOutcome.NOT_DONE:
        return UserResult(external_id=claim.external_id, status=done)
    unknown = dry_run and done.before is None
    return UserResult(
        external_id=claim.external_id,
        status=done.status,
        user_id=None if unknown else done.user.id,
        ignored=done.ignored,
    )


async def _nothing(session: DbSession) -> None:
    """A dry run looks at nothing but its results."""
