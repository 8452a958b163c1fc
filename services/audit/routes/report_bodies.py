"""What the reports of platform services have in common, as bodies and as answers."""

import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, Field, JsonValue

from services.audit.domain.report_budget import TooManyReports, TooManyReportsWaiting
from services.audit.domain.reports import ReportResult, ReportStatus, ServiceReport
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.reports import record_reports
from shared.contracts.facts import ResourceRef
from shared.http.entry_refusals import EntryRefused, entry_refused
from shared.http.routes import Answer, Body, Call
from shared.http.turns import in_turns
from shared.ids import FORMS, ClientId
from shared.problems import Refusal

MAX_REPORTS = 1_000
REPORTS_CAP_BYTES = 4 * 1024 * 1024
REPORTS_REFUSE = (TooManyReports, TooManyReportsWaiting)
MAX_INTEGER = 2**53 - 1
"""The largest integer that every reader of JSON takes for what it is (RFC 8259, 6)."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")


def _plain(text: str) -> str:
    """Refuse what turns, hides or breaks a line of a log."""
    if any(unicodedata.category(one) in _UNSEEN and one not in _JOINERS for one in text):
        raise ValueError("Must not contain control or formatting characters. Remove them.")
    return text


def _exact(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse integers that another reader would round."""
    level: list[JsonValue] = [values]
    while level:
        value = level.pop()
        if isinstance(value, dict):
            level += value.values()
        elif isinstance(value, list):
            level += value
        elif isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ValueError(f"An integer must be between -{MAX_INTEGER} and {MAX_INTEGER}.")
    return values


PlainText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
"""A text of one line."""
LongText = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_plain)]
Values = Annotated[dict[str, JsonValue], AfterValidator(_exact)]
OwnId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,127}$")]
"""The id that the reporter gives."""
AccountIdText = Annotated[str, Field(pattern=r"^acc_[0-9a-f]{32}$")]
UserIdText = Annotated[str, Field(pattern=r"^usr_[0-9a-f]{32}$")]
ProjectIdText = Annotated[str, Field(pattern=r"^prj_[0-9a-f]{32}$")]


class ReportedResource(Body):
    """A resource of the reporter, by type and id; the name is as shown to people."""

    type: Annotated[str, Field(pattern=f"^{FORMS['type'].pattern}$")]
    id: Annotated[str, Field(pattern=f"^{FORMS['rid'].pattern}$")]
    name: PlainText | None = None

    @property
    def ref(self) -> ResourceRef:
        """The resource as a fact names it."""
        return ResourceRef(type=self.type, id=self.id, name=self.name)


class ReportView(Answer):
    """What became of one report; `repeated` was recorded before, with the same content."""

    id: str
    status: ReportStatus
    refusal: EntryRefused | None = None


class ReportsView(Answer):
    """A result for each report, in the order of the request."""

    results: list[ReportView]


class ReportBody(Protocol):
    """One report of a request."""

    @property
    def id(self) -> str:
        """The id that the reporter gives."""

    def report(self, client_id: ClientId) -> ServiceReport:
        """Make the report of this client.

        Raises:
            Refusal: it contradicts itself.
        """


async def record_each(ctx: Ctx, call: Call[Any, Any], bodies: Sequence[ReportBody]) -> ReportsView:
    """Record the reports of a request; each has a result."""
    reports: dict[int, ServiceReport] = {}
    refused: dict[int, ReportResult] = {}
    async for number, body in in_turns(list(enumerate(bodies))):
        try:
            reports[number] = body.report(call.client.client_id)
        except Refusal as refusal:
            status = ReportStatus.REFUSED
            refused[number] = ReportResult(id=body.id, status=status, refusal=refusal)
    results = await record_reports(ctx, call.caller, call.client, reports) | refused
    return ReportsView(results=[_view(results[number]) for number in range(len(bodies))])


def _view(result: ReportResult) -> ReportView:
    return ReportView(
        id=result.id,
        status=result.status,
        refusal=None if result.refusal is None else entry_refused(result.refusal),
    )
