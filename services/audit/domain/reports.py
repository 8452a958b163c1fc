"""What services of the platform report: their own events, and the usage that they metered.

A report becomes a fact of audit's journal. So it is signed, recorded, searched and sealed as every
other action is.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from rolecall import CONTROL_PERMISSIONS
from shared.auth.bindings import require_account, require_type
from shared.contracts.facts import Fact
from shared.contracts.registry import FACT_TYPES
from shared.contracts.resource_types import RESOURCE_TYPES
from shared.problems import Invalid, Refusal, RefusalKind

MAX_REPORT_BYTES = 16 * 1024
"""Of one report as JSON."""
OLDEST = timedelta(days=30)
"""How old an action may be when it is reported."""
AHEAD = timedelta(minutes=5)
"""How far the clock of a service may be ahead."""
MARK_DAYS = 31
"""How long a report's id is known. Later its repeat is too old, so no report is recorded twice."""

OWN_TYPES = frozenset(
    RESOURCE_TYPES
    | {name.partition(":")[0] for name in CONTROL_PERMISSIONS}
    | {fact_type.split(".")[1] for fact_type in FACT_TYPES}
)
"""The types of resources that Rolecall records itself; no other service writes of them."""


class OwnType(Refusal):
    """A service would write what only Rolecall records."""

    kind = RefusalKind.DENIED
    code = "own-type"
    detail = (
        "Rolecall itself records what happens to a resource of the type {resource_type}."
        " Report actions on resources of your own types."
    )

    def __init__(self, resource_type: str) -> None:
        super().__init__(
            errors=[("/resource/type", "This type is Rolecall's own.")],
            resource_type=resource_type,
        )


class ReportTooOld(Refusal):
    """The ids of such old reports are forgotten: this one may be a repeat."""

    kind = RefusalKind.INVALID
    code = "report-too-old"
    detail = "This happened more than {days} days ago. Report what happens within {days} days."

    def __init__(self) -> None:
        super().__init__(
            errors=[("/occurred_at", f"Must be within the last {OLDEST.days} days.")],
            days=OLDEST.days,
        )


class ReportFromTheFuture(Refusal):
    """The clock of the service is wrong, and the record would be, too."""

    kind = RefusalKind.INVALID
    code = "report-from-the-future"
    detail = "This has not happened yet. Set the clock of the service, and send the time again."

    def __init__(self) -> None:
        super().__init__(errors=[("/occurred_at", "Must not be in the future.")])


class ReportTooLarge(Refusal):
    """One record stays small."""

    kind = RefusalKind.TOO_LARGE
    code = "report-too-large"
    detail = "A report may have {limit} bytes at most, as JSON. Shorten what changed."


class ReportIdReused(Refusal):
    """Something else was reported under this id."""

    kind = RefusalKind.CONFLICT
    code = "report-id-reused"
    detail = "Another report with other content has this id. Send a new one with a new id."

    def __init__(self) -> None:
        super().__init__(errors=[("/id", "Was sent before, with other content.")])


class AccountUnknown(Refusal):
    """Nothing happens in an account that is not there."""

    kind = RefusalKind.INVALID
    code = "account-unknown"
    detail = "There is no account {account_id}. Name an account of Rolecall."

    def __init__(self, account_id: str) -> None:
        message = "Name an account that exists."
        super().__init__(errors=[("/account_id", message)], account_id=account_id)


class ActingUserUnknown(Refusal):
    """Only members act in an account, and users who were members."""

    kind = RefusalKind.INVALID
    code = "acting-user-unknown"
    detail = (
        "The user {user_id} is not a member of the account and never was."
        " Name the member who acted."
    )

    def __init__(self, user_id: str, *, pointer: str) -> None:
        super().__init__(errors=[(pointer, "Name a member of the account.")], user_id=user_id)


class ReportedProjectUnknown(Refusal):
    """Nothing happens in a project that the account does not have and never had."""

    kind = RefusalKind.INVALID
    code = "project-unknown"
    detail = "The account has no project {project_id}. Name one of its projects, or none."

    def __init__(self, project_id: str) -> None:
        message = "Name a project of the account, or leave it out."
        super().__init__(errors=[("/project_id", message)], project_id=project_id)


class ServiceReportKind(StrEnum):
    """What is reported. Ids of one kind do not meet those of the other."""

    EVENT = "event"
    USAGE = "usage"


class ReportStatus(StrEnum):
    """What became of a report."""

    RECORDED = "recorded"
    REPEATED = "repeated"
    """It was recorded before, with the same content."""
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class ServiceReport:
    """One report, with the fact that it becomes. `users` are named as members, by pointer."""

    kind: ServiceReportKind
    id: str
    account_id: str
    fact: Fact
    occurred_at: datetime
    users: Mapping[str, str]

    def key(self, client_id: str) -> str:
        """The `_id` of the mark: no client can take the id of another one's report."""
        return f"{client_id}/{self.kind}/{self.id}"

    @cached_property
    def content(self) -> str:
        """The report in a canonical form; members that a later version adds change none before."""
        fact = self.fact
        told = {
            "payload": fact.payload.model_dump(mode="json", exclude_defaults=True),
            "resource": fact.resource.model_dump(mode="json", exclude_defaults=True),
            "account_id": fact.account_id,
            "project_id": fact.project_id,
            "outcome": fact.outcome,
            "reason": fact.reason,
            "before": fact.before,
            "after": fact.after,
            "actor": fact.actor and fact.actor.model_dump(mode="json", exclude_defaults=True),
        }
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def digest(self) -> str:
        """What tells a repeat from another report with the same id."""
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class ReportResult:
    """What became of one report, or why it was refused."""

    id: str
    status: ReportStatus
    refusal: Refusal | None = None


def require_reportable(
    report: ServiceReport,
    *,
    account_ids: Collection[str] | None,
    resource_types: Collection[str] | None,
    now: datetime,
) -> None:
    """Check what a report says by itself, of a client that is bound to these accounts and types.

    Raises:
        AccountNotBound, TypeNotBound: the client is bound to others.
        OwnType: Rolecall records that itself.
        ReportTooOld, ReportFromTheFuture: the time cannot be right, or is long ago.
        ReportTooLarge: it has too many bytes.
    """
    resource_type = report.fact.resource.type
    require_account(account_ids, report.account_id)
    require_type(resource_types, resource_type)
    if resource_type in OWN_TYPES:
        raise OwnType(resource_type)
    if report.occurred_at < now - OLDEST:
        raise ReportTooOld
    if report.occurred_at > now + AHEAD:
        raise ReportFromTheFuture
    if len(report.content.encode()) > MAX_REPORT_BYTES:
        raise ReportTooLarge(limit=MAX_REPORT_BYTES)


def require_users(
    report: ServiceReport, *, accounts: Collection[str], users: Collection[tuple[str, str]]
) -> None:
    """Check that the account exists, and that the users whom it names are or were its members.

    Raises:
        AccountUnknown: there is no such account.
        ActingUserUnknown: a user is not among the members.
    """
    if report.account_id not in accounts:
        raise AccountUnknown(report.account_id)
    for pointer, user_id in report.users.items():
        if (report.account_id, user_id) not in users:
            raise ActingUserUnknown(user_id, pointer=pointer)


def require_project(report: ServiceReport, projects: Collection[tuple[str, str]]) -> None:
    """Check that the project is, or was, one of the account.

    Raises:
        ReportedProjectUnknown: it is not.
    """
    project_id = report.fact.project_id
    if project_id is not None and (report.account_id, project_id) not in projects:
        raise ReportedProjectUnknown(project_id)


def require_own_action(action: str, resource_type: str) -> None:
    """Check that an action is in the name space of its resource's type.

    Raises:
        Invalid: it is not.
    """
    if not action.startswith(f"{resource_type}."):
        message = f"Must begin with the type of the resource: `{resource_type}.`"
        raise Invalid(errors=[("/action", message)])
