"""The pages of a user's notifications: the list, and which mails come."""

from http import HTTPStatus

from services.console.adapters.api import ApiRefusal, path_step
from services.console.domain import places
from services.console.domain.mail_choices import changed, choices
from services.console.pages.rendering import Form
from services.console.pages.words import LANGUAGES
from services.console.routes.home import SHOWN_ACCOUNTS
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, with_query
from services.console.routes.person_frame import PersonFrame, open_person, together
from services.console.routes.visits import Visit
from shared.locales import known_locale, time_zones

SHOWN_ENTRIES = 20
READ_ALL = "read-all"
SWITCH_ON, SWITCH_OFF, PERSON = "on", "off", "person"
"""The buttons of the preferences."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Show a page of the list, the newest first."""
    query = {"limit": str(SHOWN_ENTRIES)}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    frame: PersonFrame
    frame, listed = await together(
        open_person(visit), visit.call("GET", "/v1/me/notifications", query=query)
    )
    return frame.shown(
        "notifications",
        section="notifications",
        form=form,
        entries=listed["items"],
        older=listed["next_cursor"],
        newest="cursor" not in visit.query,
    )


async def submit(visit: Visit) -> Outcome:
    """Mark one entry as read, or all up to the newest that was shown.

    One that the list has no more is refused: the list that follows shows what there is.
    """
    message_id = visit.typed.get("id", "")
    read_all = visit.typed.get("press") == READ_ALL
    named = {"up_to": message_id} if read_all else {"ids": [message_id]}
    try:
        await visit.call("POST", "/v1/me/notifications/read", named)
    except ApiRefusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
    return SeeOther(places.NOTIFICATIONS)


async def show_preferences(visit: Visit, form: Form) -> Outcome:
    """Show which mails come from one account, or from all, and in which language."""
    frame = await open_person(visit)
    titles = {"locale": known_locale(visit.language)}
    found = await visit.call("GET", "/v1/me/notification-preferences", query=titles)
    query, cursor = {"limit": str(SHOWN_ACCOUNTS)}, _named(visit, "cursor")
    listed = await visit.call(
        "GET", "/v1/accounts", query=query | ({"cursor": cursor} if cursor else {})
    )
    accounts, chosen = listed["items"], _account(visit)
    if chosen is not None and chosen not in {one["id"] for one in accounts}:
        accounts = [*accounts, await visit.call("GET", f"/v1/accounts/{chosen}")]
    words = {
        "places_of_mails": accounts,
        "account_id": chosen,
        "cursor": cursor,
        "more": listed["next_cursor"],
        "groups": choices(
            found["groups"],
            found["off"],
            chosen,
            names={one["id"]: one["name"] for one in accounts},
        ),
        "always": [one for one in found["groups"] if one["reason"] is not None],
        "state_tag": found["etag"].strip('"'),
        "languages": LANGUAGES,
        "time_zones": time_zones(),
    }
    return frame.shown("preferences", section="your_language", form=form, **words)


async def submit_preferences(visit: Visit) -> Outcome:
    """Switch a group of mails on or off, or save the language and the time zone.

    The press counts for what its page showed: a change in another tab is not undone by it.
    """
    press = visit.typed.get("press")
    if press == PERSON:
        body = {name: visit.typed.get(name, "") for name in ("locale", "time_zone")}
        await visit.call("PATCH", "/v1/me", body)
        return SeeOther(with_query(places.PREFERENCES, done="language-saved"))
    found = await visit.call("GET", "/v1/me/notification-preferences")
    kinds = [
        one["kind"]
        for group in found["groups"]
        if group["group"] == visit.typed.get("group") and group["reason"] is None
        for one in group["kinds"]
    ]
    chosen = _account(visit)
    if kinds and press in {SWITCH_ON, SWITCH_OFF}:
        off = changed(found["off"], chosen, kinds, on=press == SWITCH_ON)
        shown = f'"{path_step(visit.typed.get("state", ""))}"'
        await visit.call("PUT", "/v1/me/notification-preferences", {"off": off}, if_match=shown)
    place = {"account": chosen or "", "cursor": _named(visit, "cursor")}
    kept = {name: text for name, text in place.items() if text}
    return SeeOther(with_query(places.PREFERENCES, **kept) if kept else places.PREFERENCES)


def _account(visit: Visit) -> str | None:
    """The account that a form or an address names, if it can be one."""
    named = _named(visit, "account")
    return named if named and path_step(named) == named else None


def _named(visit: Visit, name: str) -> str:
    return visit.typed.get(name) or visit.query.get(name) or ""


PAGES = (
    PageRoute(path=places.NOTIFICATIONS, show=show, submit=submit),
    PageRoute(path=places.PREFERENCES, show=show_preferences, submit=submit_preferences),
)
