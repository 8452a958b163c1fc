"""The page of usage: what members did and used in a month."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from services.console.domain import places
from services.console.domain.usage_charts import HEIGHT, Month, chart, shown_day, shown_number
from services.console.pages.record_words import action_words, type_words
from services.console.pages.rendering import Form
from services.console.pages.usage_units import unit_words
from services.console.pages.words.usage import USAGE
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY, listed, names_of
from services.console.routes.outcomes import Download, Outcome, PageRoute, with_error
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

GROUPINGS = ("member", "project", "resource_type", "action", "day", "member,project", "member,day")
"""What usage can be grouped by; the first is the usual one."""
SHOWN_ROWS = 100


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the usage of a month by groups, and the actions of each day as a chart."""
    month, grouping = _asked(visit)
    query = {**month.query, "group_by": grouping, "limit": str(SHOWN_ROWS)}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    by_day = {**month.query, "group_by": "day", "limit": "31"}
    frame: AccountFrame
    frame, found, days, projects, catalog = await together(
        open_account(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/usage", query=query),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/usage", query=by_day),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
    )
    if visit.query.get("month", month.name) != month.name:
        form = with_error(form, problem=USAGE["usage_no_month"], status=404)
    return frame.shown(
        "account/usage",
        section="usage",
        form=form,
        month=month,
        month_title=month.title(visit.language),
        number=partial(shown_number, locale=visit.language),
        unit=partial(unit_words, language=visit.language),
        latest=month.has_begun_after(visit.now),
        grouping=grouping,
        groupings=GROUPINGS,
        columns=grouping.split(","),
        rows=[_row(row, frame) for row in found["items"]],
        page=found,
        newest="cursor" not in visit.query,
        project_names=names_of(projects),
        words_of=catalog["policies"]["words"],
        chart=chart(month, days["items"], locale=visit.language),
        height=HEIGHT,
    )


async def download(visit: Visit, form: Form) -> Outcome:
    """Pass the file of all groups on."""
    month, grouping = _asked(visit)
    query = {**month.query, "group_by": grouping, "format": "csv"}
    return Download(
        await visit.download("GET", f"/v1/accounts/{visit.account_id}/usage", query=query)
    )


def _asked(visit: Visit) -> tuple[Month, str]:
    grouping = visit.query.get("by", "")
    return (
        Month.read(visit.query.get("month", ""), now=visit.now),
        grouping if grouping in GROUPINGS else GROUPINGS[0],
    )


def _row(row: Mapping[str, Any], frame: AccountFrame) -> Mapping[str, Any]:
    kind, action, day = row["resource_type"], row["action"], row["day"]
    language = frame.visit.language
    projects = frame.project_words
    return {
        **row,
        "who": _who(row["member"], language) if row["member"] else "",
        "type_words": type_words(kind, language, projects) if kind else "",
        "action_words": action_words(action, language, projects) if action else "",
        "day_words": shown_day(date.fromisoformat(day), locale=language) if day else "",
    }


def _who(member: Mapping[str, Any], language: str) -> str:
    """The name of a member; the id while no name is known of a user who is not deleted."""
    if member.get("erased"):
        return USAGE["usage_deleted"].of(language)
    name: str = member["name"] or member["email"] or member["id"]
    return name


PAGES = (
    PageRoute(path=places.USAGE, show=show),
    PageRoute(path=places.USAGE_FILE, show=download, downloads=True),
)
