"""Provisioning: a service client makes, changes and removes members, many at once.

A request is written page by page, each page in a short transaction of its own: other writes of the
account come between, and no replica of authz gets more at once than one page. Entries that
contradict a guardrail of the account are refused, and the rest of their page is done. When the time
of a request is over, no further page begins.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.team.domain.named_entries import NamedEntry
from services.team.domain.override_scope import OverrideScope
from services.team.domain.provisioning import (
    JoiningUser,
    MemberEntry,
    MemberOutcome,
    Provisioning,
    UserUnknown,
)
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import ClientRequest, Ctx
from services.team.use_cases.provisioned_page import MemberResult, PageDecision, read_page
from services.team.use_cases.refusals import record_refusals
from shared.addresses import parse_address
from shared.contracts.calls.identity import NAMED_USERS, NamedUsersRequest
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.refusals import RepeatedInBatch
from shared.contracts.topology import Service
from shared.ids import UserId
from shared.journal import DryRun, WriteResult
from shared.mongo import DbSession

MEMBERS_PER_WRITE = 50
"""The most entries of one transaction."""


async def provision(
    ctx: Ctx,
    request: ClientRequest,
    entries: Sequence[MemberEntry],
    *,
    notify: bool,
    dry_run: bool,
    operation: str,
) -> WriteResult[list[MemberResult]]:
    """Bring the members of the account to what the entries say; the results have their order.

    All changes are acknowledged together, after the barrier. With `notify` mails tell the members
    who are new or have another role; a member who is removed is told in any case. A dry run changes
    nothing. The same request again changes nothing more. What is not done is to be sent again.

    Raises:
        NotFound: there is no such account.
        SuspendedAccount, DeletingAccount: nothing can be done there now.
        Unavailable: a part may be done; the same request again does the rest.
    """
    dry = DryRun(ctx.journal, look=_nothing) if dry_run else None
    if dry is not None:
        ctx = replace(ctx, journal=dry)
    batch = _MemberBatch(ctx, request, notify=notify, dry=dry, operation=operation)
    pages = [
        entries[start : start + MEMBERS_PER_WRITE]
        for start in range(0, len(entries), MEMBERS_PER_WRITE)
    ]
    results: list[MemberResult] = []
    revision, effective = None, True
    for number, page in enumerate(pages, 1):
        written = await batch.write(page, last=number == len(pages))
        results += written.result
        revision, effective = written.revision or revision, written.effective
    if not batch.awaited:
        effective = (await batch.write([], last=True)).effective
    return WriteResult(result=results, revision=revision, effective=effective)


class _MemberBatch:
    """The pages of one request."""

    def __init__(
        self,
        ctx: Ctx,
        request: ClientRequest,
        *,
        notify: bool,
        dry: DryRun[None] | None,
        operation: str,
    ) -> None:
        self._ctx = ctx
        self._request = request
        self._notify = notify
        self._dry = dry
        self._operation = operation
        self._ends_at = ctx.clock.boottime() + ctx.timeouts.provisioning
        self.awaited = False
        """Whether a write has waited until all are effective everywhere."""
        self._seen: set[UserId] = set()
        self._tried_seats = 0
        self._tried_facts: list[Fact] = []

    async def write(
        self, page: Sequence[MemberEntry], *, last: bool
    ) -> WriteResult[list[MemberResult]]:
        """Write one page; the last one waits until all of them are effective everywhere.

        A page whose turn comes too late is not written.
        """
        if page and self._late:
            results = [MemberResult(entry=one, status=MemberOutcome.NOT_DONE) for one in page]
            return WriteResult(result=results, revision=None)
        written = await self._write(await self._named(page), last=last)
        refusals = [
            (one.refusal, ResourceRef(type="member", id=one.user_id or self._request.account_id))
            for one in written.result
            if one.refusal is not None and one.refusal.forbids
        ]
        await record_refusals(self._ctx, self._request, refusals, operation=self._operation)
        return written

    @property
    def _late(self) -> bool:
        """Whether the time of the request is over."""
        return self._ctx.clock.boottime() >= self._ends_at

    async def _write(
        self, named: Sequence[NamedEntry], *, last: bool
    ) -> WriteResult[list[MemberResult]]:
        async def change(write: AccountWrite) -> PageDecision:
            write.measure_after(self._tried_facts)
            account = write.existing_account
            at = Provisioning(
                account=account,
                catalog=await self._ctx.store.catalog_of(account),
                client_id=self._request.client.client_id,
                notify=self._notify,
                now=write.now,
            )
            page = await read_page(write, at, named, tried_seats=self._tried_seats)
            return await page.apply(named)

        users = frozenset(one.user_id for one in named if one.user_id is not None)
        request = replace(self._request, override_scope=OverrideScope(users=users))
        written = await self._ctx.change(request, change, effective_everywhere=last)
        self.awaited = last
        decision = written.result
        if self._dry is not None:
            self._tried_seats += decision.seats
            self._tried_facts += self._dry.facts
        return WriteResult(
            result=decision.results, revision=written.revision, effective=written.effective
        )

    async def _named(self, page: Sequence[MemberEntry]) -> list[NamedEntry]:
        """Ask identity for the users of a page; no user is named twice in a request."""
        asked = NamedUsersRequest(
            client_id=self._request.client.client_id,
            external_ids=tuple(one.external_id for one in page if one.external_id is not None),
            user_ids=tuple(one.user_id for one in page if one.user_id is not None),
        )
        answer = await self._ctx.internal.call(NAMED_USERS, Service.IDENTITY, asked)
        found = {
            user.named: JoiningUser(
                user_id=UserId(user.user_id), address=parse_address(user.email), name=user.name
            )
            for user in answer.users
        }
        named = []
        for entry in page:
            one = NamedEntry(entry=entry, user=found.get(entry.external_id or entry.user_id or ""))
            user_id = one.user_id
            if user_id is None:
                one = replace(one, refusal=UserUnknown())
            elif user_id in self._seen:
                one = replace(one, refusal=RepeatedInBatch(field="user"))
            else:
                self._seen.add(user_id)
            named.append(one)
        return named


async def _nothing(session: DbSession) -> None:
    """A dry run looks at nothing but its results."""
