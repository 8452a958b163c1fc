"""The pages of an account's audit log: the list with its filters, and one record."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.adapters.streamed_answers import StreamedAnswer
from services.console.domain import places
from services.console.domain.log_filters import (
    FILTERS,
    RANGE,
    SELDOM,
    asked,
    chosen,
    ranges,
    typed_moment,
)
from services.console.domain.log_records import as_data
from services.console.domain.moments import shown_moment
from services.console.pages.record_words import (
    OUTCOMES,
    action_choices,
    changed_rows,
    record_row,
    type_choices,
)
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY, listed, names_of
from services.console.routes.live import FeedRoute
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import open_user, together
from services.console.routes.visits import Visit

SHOWN_RECORDS = 50
NO_RECORDS: Mapping[str, Any] = {
    "items": (),
    "next_cursor": None,
    "complete_until": None,
    "kept_since": None,
}
INVALID = 422


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the records that the filters of the address take, the newest first."""
    filters = chosen(visit.query, "UTC")
    given = {name: text for name, text in visit.query.items() if name in FILTERS}
    if filters != given or RANGE in visit.query:
        await open_user(visit)
        filters = asked(visit.query, now=visit.now, time_zone=visit.time_zone)
        if filters != given or RANGE in visit.query:
            return SeeOther(places.changed_address(visit.path, filters))
    frame: AccountFrame
    found: tuple[Mapping[str, Any], Mapping[str, str]]
    frame, found, projects, searches, sealed, catalog = await together(
        open_account(visit),
        _search(visit, filters),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-searches", query=MANY)),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-checkpoint"),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
    )
    page, faults = found
    language = visit.language
    rows = [
        record_row(
            one,
            language=language,
            product=visit.ctx.product,
            projects=frame.project_words,
            roles=_role_names(catalog),
        )
        for one in page["items"]
    ]
    moments = {name: filters[name] for name in ("from", "to") if name in filters}
    typed: dict[str, str] = {
        **filters,
        **{name: typed_moment(text, visit.time_zone) for name, text in moments.items()},
        **form.values,
    }
    return frame.shown(
        "account/log",
        section="log",
        form=replace(form, values=typed, errors={**faults, **form.errors}),
        records=rows,
        page=page,
        newest="cursor" not in visit.query,
        filters=filters,
        seldom=not SELDOM.isdisjoint(filters),
        projects=projects,
        project_choices=[(one["id"], one["name"]) for one in projects],
        outcomes=[(name, words.of(language)) for name, words in OUTCOMES.items()],
        searches=searches,
        sealed=sealed,
        words_of=catalog["policies"]["words"],
        actions=action_choices(language, frame.project_words),
        types=type_choices(
            language,
            [one for section in catalog["sections"] for one in section["entries"]],
            frame.project_words,
        ),
        ranges=ranges(visit.now, visit.time_zone),
    )


def _role_names(catalog: Mapping[str, Any]) -> Mapping[str, str]:
    return {role["id"]: role["name"] for role in catalog["roles"]}


async def _search(
    visit: Visit, filters: Mapping[str, str]
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Return a page of records, or what is wrong with the filters."""
    query = {**filters, "limit": str(SHOWN_RECORDS)}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    try:
        found = await visit.call(
            "GET", f"/v1/accounts/{visit.account_id}/audit-events", query=query
        )
    except ApiRefusal as refusal:
        faults = {name.removeprefix("/query/"): text for name, text in refusal.errors.items()}
        if refusal.status != INVALID or not faults.keys() <= set(FILTERS):
            raise
        return NO_RECORDS, faults
    return found, {}


async def save_search(visit: Visit) -> Outcome:
    """Save the filters of the address under a name."""
    body = {
        "name": visit.typed.get("name", ""),
        "filters": chosen(visit.query, "UTC"),
        "shared": "shared" in visit.typed,
    }
    await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/audit-searches",
        body,
        key=visit.typed.get("once"),
    )
    return SeeOther(places.changed_address(visit.path, visit.query, done="search-saved"))


async def show_record(visit: Visit, form: Form) -> Outcome:
    """Show one record: what happened, in words and as data."""
    frame: AccountFrame
    frame, record, projects, catalog = await together(
        open_account(visit),
        visit.call(
            "GET", f"/v1/accounts/{visit.account_id}/audit-events/{visit.place['event_id']}"
        ),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/catalog"),
    )
    return frame.shown(
        "account/log_record",
        section="log",
        form=form,
        record=record_row(
            record,
            language=visit.language,
            product=visit.ctx.product,
            projects=frame.project_words,
            roles=_role_names(catalog),
        ),
        words_of=catalog["policies"]["words"],
        changed=changed_rows(
            record,
            visit.language,
            _role_names(catalog),
            frame.project_words,
            when=partial(shown_moment, locale=visit.language, time_zone=visit.time_zone),
        ),
        project_names=names_of(projects),
        data=as_data(record),
    )


async def follow(visit: Visit, after: str | None) -> StreamedAnswer:
    """Follow the new records that the filters of the address take."""
    return await visit.follow(
        "GET",
        f"/v1/accounts/{visit.account_id}/audit-events/tail",
        query=chosen(visit.query, "UTC"),
        after=after,
    )


PAGES = (
    PageRoute(path=places.LOG, show=show, submit=save_search, fields=frozenset({"name"})),
    PageRoute(path=places.LOG_RECORD, show=show_record),
)
FEED = FeedRoute(path=places.LOG_LIVE, follow=follow)
