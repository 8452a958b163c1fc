"""Record what services of the platform report, each report once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from services.audit.domain.report_budget import REPORT_BYTES, TooManyReportsWaiting
from services.audit.domain.reports import (
    ReportIdReused,
    ReportResult,
    ReportStatus,
    ServiceReport,
    require_project,
    require_reportable,
    require_users,
)
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.member_writes import write_named
from shared import context
from shared.auth.principals import ClientPrincipal
from shared.contracts.calls.team import (
    READ_ACTING_USERS,
    ActingUser,
    ActingUsersRequest,
    ProjectPlace,
)
from shared.contracts.facts import Caller, parse_revision, shard_of
from shared.contracts.topology import Service
from shared.http.turns import in_turns
from shared.ids import ClientId
from shared.journal import JournalWrite
from shared.mongo import AlreadyThere, DbSession
from shared.problems import Refusal, Unavailable

REPORTS_PER_WRITE = 250
"""The most reports of one transaction: a quarter of a second of the journal of their shard."""
PLACES_OF_A_QUESTION = 100
"""The users, and the projects, that are asked for at once: each is looked up by its key."""
ATTEMPTS = 5
"""How often a write looks for the marks of others that came between."""

Numbered = dict[int, ServiceReport]
"""Reports by their place in the request."""


async def record_reports(
    ctx: Ctx, caller: Caller, client: ClientPrincipal, reports: Mapping[int, ServiceReport]
) -> dict[int, ReportResult]:
    """Record reports once, however often they are sent; each has a result.

    What is recorded is committed by a majority. After `Unavailable` some may be recorded: the same
    request again records the rest.

    Raises:
        TooManyReports, TooManyReportsWaiting: the client reports too much; nothing is recorded.
        Unavailable: the database or team was away.
    """
    await _require_room(ctx, client.client_id, list(reports.values()))
    batch = _Batch(ctx, caller, client)
    open_ = await batch.checked(batch.distinct(reports))
    for of_shard in _by_shard(open_).values():
        numbers = sorted(of_shard)
        for start in range(0, len(numbers), REPORTS_PER_WRITE):
            page = numbers[start : start + REPORTS_PER_WRITE]
            await batch.write({number: of_shard[number] for number in page})
    return batch.with_doubles(reports)


async def _require_room(ctx: Ctx, client_id: ClientId, reports: Sequence[ServiceReport]) -> None:
    try:
        ctx.report_budget.require_recorded(client_id, ctx.inbox().applied())
    except TooManyReportsWaiting:
        ctx.inbox().compare_soon()
        raise
    size = 0
    async for report in in_turns(reports):
        size += len(report.content.encode()) + REPORT_BYTES
    quota = ctx.report_budget.take(client_id, size, now=ctx.clock.now())
    context.quotas.set((quota,))


@dataclass(frozen=True)
class _KnownPlaces:
    """What reports may name: accounts, and users and projects with their accounts."""

    accounts: set[str] = field(default_factory=set)
    users: set[tuple[str, str]] = field(default_factory=set)
    projects: set[tuple[str, str]] = field(default_factory=set)


class _Batch:
    """The reports of one request, and their results so far."""

    def __init__(self, ctx: Ctx, caller: Caller, client: ClientPrincipal) -> None:
        self._ctx = ctx
        self._caller = caller
        self._client = client
        self._results: dict[int, ReportResult] = {}
        self._doubles: dict[int, int] = {}

    def distinct(self, reports: Mapping[int, ServiceReport]) -> Numbered:
        """Each id once; a second report with it has the result of the first, or is refused."""
        first: dict[str, int] = {}
        for number, report in reports.items():
            earlier = first.setdefault(report.id, number)
            if earlier != number and report.digest == reports[earlier].digest:
                self._doubles[number] = earlier
            elif earlier != number:
                self._refuse(number, report, ReportIdReused())
        return {number: reports[number] for number in first.values()}

    def with_doubles(self, reports: Mapping[int, ServiceReport]) -> dict[int, ReportResult]:
        """The results of all reports."""
        for number, earlier in self._doubles.items():
            told = self._results[earlier]
            if told.refusal is None:
                told = ReportResult(id=reports[number].id, status=ReportStatus.REPEATED)
            self._results[number] = told
        return self._results

    async def _unmarked(self, reports: Numbered) -> Numbered:
        """Those that are not recorded; of the others, repeats are told from reused ids."""
        marks = await self._marks(reports)
        left: Numbered = {}
        for number, report in reports.items():
            known = marks.get(report.key(self._client.client_id))
            if known is None:
                left[number] = report
            elif known == report.digest:
                repeated = ReportResult(id=report.id, status=ReportStatus.REPEATED)
                self._results[number] = repeated
            else:
                self._refuse(number, report, ReportIdReused())
        return left

    async def checked(self, reports: Numbered) -> Numbered:
        """Those that may be recorded."""
        now = self._ctx.clock.now()
        left: Numbered = {}
        async for number, report in in_turns(list(reports.items())):
            try:
                require_reportable(
                    report,
                    account_ids=self._client.account_ids,
                    resource_types=self._client.resource_types,
                    now=now,
                )
            except Refusal as refusal:
                self._refuse(number, report, refusal)
            else:
                left[number] = report
        left = await self._of_members(left)
        # What was recorded once stays so, though it would be refused now.
        await self._unmarked({number: reports[number] for number in reports.keys() - left.keys()})
        return left

    async def _marks(self, reports: Numbered) -> dict[str, str]:
        keys = [report.key(self._client.client_id) for report in reports.values()]
        return await self._ctx.store.report_digests(keys)

    async def write(self, reports: Numbered) -> None:
        """Record reports of one shard in one transaction, unless another request has."""
        for _ in range(ATTEMPTS):
            if not reports:
                return
            try:
                await self._write(reports)
            except AlreadyThere:
                reports = await self._unmarked(reports)
                continue
            for number, report in reports.items():
                recorded = ReportResult(id=report.id, status=ReportStatus.RECORDED)
                self._results[number] = recorded
            return
        raise Unavailable

    async def _write(self, reports: Numbered) -> None:
        marks = {report.key(self._client.client_id): report.digest for report in reports.values()}

        async def change(write: JournalWrite) -> None:
            write.record(*(report.fact for report in reports.values()))

        written = await write_named(
            self._ctx,
            next(iter(reports.values())).account_id,
            change,
            caller=self._caller,
            guard=partial(self._mark, marks),
        )
        if written.revision is not None:
            last = parse_revision(written.revision)
            self._ctx.report_budget.wrote(self._client.client_id, last, len(reports))

    async def _mark(self, marks: Mapping[str, str], session: DbSession) -> None:
        await self._ctx.store.add_report_marks(marks, now=self._ctx.clock.now(), session=session)

    async def _of_members(self, reports: Numbered) -> Numbered:
        """Those whose account exists, with users and projects that it has or had, as team says."""
        known = await self._ask(reports.values())
        left: Numbered = {}
        for number, report in reports.items():
            try:
                require_users(report, accounts=known.accounts, users=known.users)
                require_project(report, known.projects)
            except Refusal as refusal:
                self._refuse(number, report, refusal)
            else:
                left[number] = report
        return left

    async def _ask(self, reports: Collection[ServiceReport]) -> _KnownPlaces:
        """What team knows of accounts, users and projects, and what audit does of former ones."""
        users = sorted(
            {
                (report.account_id, user_id)
                for report in reports
                for user_id in (report.users.values() or (None,))
            },
            key=lambda one: (one[0], one[1] or ""),
        )
        projects = sorted(
            (report.account_id, report.fact.project_id)
            for report in reports
            if report.fact.project_id is not None
        )
        projects = list(dict.fromkeys(projects))
        known = _KnownPlaces()
        for start in range(0, max(len(users), len(projects)), PLACES_OF_A_QUESTION):
            page = slice(start, start + PLACES_OF_A_QUESTION)
            request = ActingUsersRequest(
                users=tuple(ActingUser(account_id=one, user_id=user) for one, user in users[page]),
                projects=tuple(
                    ProjectPlace(account_id=one, project_id=project)
                    for one, project in projects[page]
                ),
            )
            answer = await self._ctx.internal.call(READ_ACTING_USERS, Service.TEAM, request)
            known.accounts.update(answer.accounts)
            known.users.update((one.account_id, one.user_id) for one in answer.users)
            known.projects.update((one.account_id, one.project_id) for one in answer.projects)
        await self._add_former(known, [one for one in projects if one not in known.projects])
        return known

    async def _add_former(self, known: _KnownPlaces, unknown: Sequence[tuple[str, str]]) -> None:
        """Add the projects that were deleted: what happened in them may be reported later."""
        of_account: dict[str, list[str]] = defaultdict(list)
        for account_id, project_id in unknown:
            of_account[account_id].append(project_id)
        for account_id, ids in of_account.items():
            for start in range(0, len(ids), PLACES_OF_A_QUESTION):
                asked = ids[start : start + PLACES_OF_A_QUESTION]
                former = await self._ctx.store.deleted_projects(account_id, asked)
                known.projects.update((account_id, project_id) for project_id in former)

    def _refuse(self, number: int, report: ServiceReport, refusal: Refusal) -> None:
        self._results[number] = ReportResult(
            id=report.id, status=ReportStatus.REFUSED, refusal=refusal
        )


def _by_shard(reports: Numbered) -> dict[int, Numbered]:
    of_shard: dict[int, Numbered] = defaultdict(dict)
    for number, report in reports.items():
        of_shard[shard_of(report.account_id)][number] = report
    return of_shard
