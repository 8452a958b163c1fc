"""The route by which members read activity and metered usage."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from services.audit.domain.csv_cells import csv_text
from services.audit.domain.metered_usage import amount_text
from services.audit.domain.usage_sums import UsageGroup, UsageRow
from services.audit.routes.filters import Moment
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.usage import UsagePage, read_usage
from shared.http.access import Permission
from shared.http.paging import PageQuery, not_a_cursor, read_cursor, write_cursor
from shared.http.refusals import MalformedJson
from shared.http.routes import Answer, Call, Reply, Route
from shared.http.strict_json import loads
from shared.problems import Invalid, Refusal, RefusalKind

MAX_DAYS = 366
USUAL_DAYS = 30
MAX_CSV_ROWS = 20_000
CSV = "text/csv"
_LEAST = timedelta(microseconds=1)


class TooManyUsageRows(Refusal):
    """A file has all rows, so their number is bounded."""

    kind = RefusalKind.CONFLICT
    code = "too-many-usage-rows"
    detail = (
        "There are more than {limit} groups. Choose fewer days or groups,"
        " or read JSON page by page."
    )


def _groups(value: object) -> tuple[UsageGroup, ...]:
    names = str(value).split(",")
    known = [group.value for group in UsageGroup]
    if not set(names) <= set(known):
        raise ValueError(f"Must be some of {', '.join(known)}, with commas between")
    return tuple(UsageGroup(name) for name in dict.fromkeys(names))


_GROUP = f"({'|'.join(UsageGroup)})"


class UsageQuery(PageQuery):
    """The days, both included, and what usage is grouped by."""

    group_by: Annotated[
        tuple[UsageGroup, ...],
        BeforeValidator(_groups),
        Field(
            json_schema_extra={"type": "string", "pattern": f"^{_GROUP}(,{_GROUP})*$"},
        ),
    ] = Field(
        default=(UsageGroup.MEMBER,),
        description="Some of `day`, `member`, `project`, `resource_type`, `action`, with commas",
    )
    since: Moment | None = Field(
        None, alias="from", description="From the day of this moment on (RFC 3339, days of UTC)"
    )
    until: Moment | None = Field(
        None, alias="to", description="Before this moment; its day counts whole if it has begun"
    )
    format: Literal["json", "csv"] | None = Field(
        None, description="`csv` gives a file with all groups, as does `Accept: text/csv`"
    )


class UsageMember(Answer):
    """A member, or a user who was one. An erased user has no name."""

    id: str
    name: str | None
    email: str | None
    erased: bool
    """Whether the user is deleted, and the name with them. A name may be unknown for a moment."""


class UsageQuantity(Answer):
    """The sum of all quantities with this unit, as a decimal number."""

    unit: str
    quantity: str


class UsageCost(Answer):
    """The sum of all costs in this currency, as a decimal number."""

    currency: str
    amount: str


class UsageRowView(Answer):
    """The usage of one group. What it is not grouped by, or does not have, is null."""

    day: str | None
    member: UsageMember | None
    project_id: str | None
    resource_type: str | None
    action: str | None
    activity: int
    """How many actions members made: the records in which they acted."""
    metered: list[UsageQuantity]
    costs: list[UsageCost]


class UsageList(Answer):
    """A page of groups, in the order of what they are grouped by."""

    items: list[UsageRowView]
    next_cursor: str | None
    first_day: str
    last_day: str
    complete_until: datetime | None
    """Everything that happened and was reported before this moment is counted; `null` while not
    known. Services may report up to 30 days later."""


Days = tuple[str, str]


async def get_usage(ctx: Ctx, call: Call[None, UsageQuery]) -> UsageList | Reply:
    """Return the account's activity and metered usage, by groups."""
    query = call.query
    after, (first_day, last_day) = _place(ctx, call)
    as_file = query.format == "csv" or (query.format is None and _asks_for_csv(call))
    limit = MAX_CSV_ROWS if as_file else query.limit
    page = await read_usage(
        ctx,
        call.account_id,
        query.group_by,
        first_day=first_day,
        last_day=last_day,
        after=after,
        limit=limit + 1,
    )
    if as_file:
        if len(page.rows) > limit:
            raise TooManyUsageRows(limit=limit)
        name = f"usage-{first_day}-{last_day}.csv"
        return Reply(
            body=csv_text(_lines(query.group_by, page)).encode(),
            content_type=f"{CSV}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    rows = page.rows[:limit]
    following = None
    if len(page.rows) > limit:
        values = json.dumps([rows[-1].group[group] for group in query.group_by])
        following = write_cursor(call, (values, f"{first_day}/{last_day}"))
    return UsageList(
        items=[_view(row, page) for row in rows],
        next_cursor=following,
        first_day=first_day,
        last_day=last_day,
        complete_until=page.complete_until,
    )


def _place(ctx: Ctx, call: Call[None, UsageQuery]) -> tuple[list[str] | None, Days]:
    """The last group that was seen, and the days; the days of a cursor stay.

    Raises:
        Invalid: the days are in the wrong order, or too many; or the cursor is not one.
    """
    last = read_cursor(call)
    if last is not None:
        return _of_cursor(*last, number=len(call.query.group_by))
    since, until = call.query.since, call.query.until
    if since is not None and until is not None and until < since:
        raise Invalid(errors=[("/query/to", "`to` is before `from`. Send a later moment.")])
    try:
        begin, end = _days(since, until, now=ctx.clock.now())
    except OverflowError:
        name = "from" if until is None else "to"
        raise Invalid(errors=[(f"/query/{name}", "The calendar ends before.")]) from None
    if not _few_days(begin, end):
        raise Invalid(errors=[("/query/from", f"Must be within {MAX_DAYS} days before `to`.")])
    return None, (begin.isoformat(), end.isoformat())


def _days(since: datetime | None, until: datetime | None, *, now: datetime) -> tuple[date, date]:
    """The first and the last day between the moments, both whole."""
    if until is None:
        end = max(_date(now), _date(since or now))
    else:
        end = _date(until - _LEAST) if since is None or since < until else _date(since)
    return end - timedelta(days=USUAL_DAYS - 1) if since is None else _date(since), end


def _date(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _few_days(begin: date, end: date) -> bool:
    return 0 <= (end - begin).days < MAX_DAYS


def _of_cursor(values: str, days: str, *, number: int) -> tuple[list[str], Days]:
    """Read what a cursor holds: a caller can write one, so it is held to the rules of a query."""
    try:
        after = loads(values.encode())
        first_day, last_day = map(date.fromisoformat, days.split("/"))
    except (ValueError, MalformedJson):
        raise not_a_cursor() from None
    if not _few_days(first_day, last_day):
        raise not_a_cursor()
    match after:
        case [*texts] if len(texts) == number and all(isinstance(one, str) for one in texts):
            return after, (first_day.isoformat(), last_day.isoformat())
    raise not_a_cursor()


def _asks_for_csv(call: Call[None, UsageQuery]) -> bool:
    accepted = (part.split(";")[0].strip() for part in call.headers.get("Accept", "").split(","))
    return CSV in accepted


def _view(row: UsageRow, page: UsagePage) -> UsageRowView:
    group = {name: row.group.get(name) or None for name in UsageGroup}
    member = group[UsageGroup.MEMBER]
    return UsageRowView(
        day=group[UsageGroup.DAY],
        member=None if member is None else _member(member, page),
        project_id=group[UsageGroup.PROJECT],
        resource_type=group[UsageGroup.RESOURCE_TYPE],
        action=group[UsageGroup.ACTION],
        activity=row.activity,
        metered=[
            UsageQuantity(unit=unit, quantity=amount_text(quantity))
            for unit, quantity in row.quantities.items()
        ],
        costs=[
            UsageCost(currency=currency, amount=amount_text(amount))
            for currency, amount in row.costs.items()
        ],
    )


def _member(user_id: str, page: UsagePage) -> UsageMember:
    user = page.users.get(user_id)
    name, email = (None, None) if user is None else (user.name, user.email)
    return UsageMember(id=user_id, name=name, email=email, erased=user_id in page.erased)


def _lines(groups: tuple[UsageGroup, ...], page: UsagePage) -> Iterator[tuple[str, ...]]:
    """One line for each amount: no cell adds up two units."""
    named = UsageGroup.MEMBER in groups
    yield (*groups, *(("name", "email") if named else ()), "measure", "unit", "amount")
    for row in page.rows:
        place = tuple(row.group[group] for group in groups)
        if named:
            user = page.users.get(row.group[UsageGroup.MEMBER])
            place += ("", "") if user is None else (user.name, user.email)
        yield (*place, "activity", "", str(row.activity))
        for unit, quantity in row.quantities.items():
            yield (*place, "usage", unit, amount_text(quantity))
        for currency, amount in row.costs.items():
            yield (*place, "cost", currency, amount_text(amount))


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/usage",
        handler=get_usage,
        operation_id="getUsage",
        summary="Activity and metered usage of the members, by groups",
        tag="usage",
        access=Permission("usage:view"),
        query=UsageQuery,
        gives=UsageList,
        refuses=(TooManyUsageRows,),
    ),
)
