"""How long the records of an account are kept, and which of them have ended.

Records end in the order of their tree, so those that are kept are all that follow. Before records
are deleted, a record of their own log says up to which index. A verifier believes that record only.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.audit.domain.records import Record
from shared.contracts.audit_retention import RecordsEnded, RetentionChanged
from shared.contracts.facts import Fact, Position, ResourceRef

MIN_DAYS = 30
MAX_DAYS = 3650
SHORTENING_WAIT = timedelta(days=7)
"""Before records end sooner than they did. A member who wants to hide what they did must wait so
long, and those who manage members are told at once."""
DELETION_WAIT = timedelta(hours=1)
"""Between the record of an end and the deletion. An export that began before ends in it."""


@dataclass(frozen=True, kw_only=True)
class Retention:
    """For how many days the records of an account are kept; `None` is without a limit."""

    days: int | None
    chosen_at: datetime | None = None
    """`None` while the account has not chosen: then `days` are the platform's."""
    former_days: int | None = None
    former_until: datetime | None = None
    """Until this moment the former, longer retention is in force."""

    def in_force(self, now: datetime) -> int | None:
        """The days after which records end now; `None` is never."""
        waits = self.former_until is not None and now < self.former_until
        return self.former_days if waits else self.days

    def cutoff(self, now: datetime) -> datetime | None:
        """The moment before which records were recorded that have ended; `None` where none end."""
        days = self.in_force(now)
        return None if days is None else now - timedelta(days=days)

    def changed(self, days: int | None, *, now: datetime) -> "Retention":
        """The retention after a change: what makes records end sooner waits."""
        chosen, until_now = Retention(days=days, chosen_at=now), self.in_force(now)
        if not _sooner(days, until_now):
            return chosen
        return replace(chosen, former_days=until_now, former_until=now + SHORTENING_WAIT)


def _sooner(days: int | None, other: int | None) -> bool:
    """Whether records end sooner after `days` than after the others."""
    return days is not None and (other is None or days < other)


@dataclass(frozen=True, kw_only=True)
class Endings:
    """How far the records of a tree have ended."""

    tree: str
    until: int = 0
    """The records with a lower index are deleted."""
    announced: int = 0
    """The records with a lower index are to be deleted: a record says so."""
    announced_at: datetime | None = None
    announcement: Position | None = None
    """The place of the row that says so."""
    told_at: int = 0
    """The index of the record that says so of those that are deleted."""
    last: datetime | None = None
    """The latest time at which a record happened that has ended."""
    changes: int = 0

    @property
    def pending(self) -> bool:
        """Whether records are announced that are not all deleted."""
        return self.until < self.announced


def retention_fact(
    account_id: str,
    before: Retention,
    after: Retention,
    *,
    now: datetime,
    account_name: str,
    manager_emails: tuple[str, ...],
) -> Fact:
    """Record that the retention of an account was changed."""
    in_force_at = after.former_until or now
    return Fact(
        payload=RetentionChanged(
            days=after.days,
            previous_days=before.days,
            in_force_at=in_force_at,
            account_name=account_name,
            manager_emails=manager_emails,
        ),
        resource=ResourceRef(type="audit_log", id=account_id),
        account_id=account_id,
        before={"days": before.days},
        after={"days": after.days, "in_force_at": in_force_at},
    )


def ending_fact(account_id: str | None, endings: Endings, *, until: int, days: int) -> Fact:
    """Record that the records of a tree up to an index end."""
    return Fact(
        payload=RecordsEnded(tree=endings.tree, until=until, days=days),
        resource=ResourceRef(type="audit_log", id=endings.tree),
        account_id=account_id,
        before={"until": endings.announced},
        after={"until": until, "days": days},
        reason="retention",
    )


ENDED = RecordsEnded.type.split(".", 1)[1].removesuffix(".v1")


def tells_end(record: Record, endings: Endings) -> bool:
    """Whether a record says that the records of a tree end as far as they are announced to."""
    told = (record.action, record.resource.id, (record.after or {}).get("until"))
    return told == (ENDED, endings.tree, endings.announced)


@dataclass(frozen=True, kw_only=True)
class RecordedAt:
    """What the end of a record depends on."""

    id: str
    recorded_at: datetime
    occurred_at: datetime
    action: str


@dataclass
class EndSearch:
    """Finds up to where the records of a tree have ended; it is told of them in their order."""

    cutoff: datetime
    _until: int | None = None
    _worth: bool = False

    @property
    def found(self) -> int | None:
        """The index after the last record that has ended; `None` if none has.

        Records of earlier ends do not end by themselves: else each end would need another one.
        """
        return self._until if self._worth else None

    def goes_on(self, index: int, record: RecordedAt | None) -> bool:
        """Look at the record at an index; whether it has ended.

        A record that is missing has no time: it ends with a later one.
        """
        if record is None:
            return True
        if record.recorded_at >= self.cutoff:
            return False
        self._until = index + 1
        self._worth = self._worth or record.action != ENDED
        return True
