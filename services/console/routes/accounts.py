"""The accounts of a visitor: the list with a search, a new team, and the way into one of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_frame import open_account
from services.console.routes.choices import CatalogChoices, catalogs_for, chosen_catalog
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, with_query
from services.console.routes.person_frame import open_person, together
from services.console.routes.visits import Visit

PAGE_ACCOUNTS = 200
MAX_PAGES = 10
"""The most pages of the API that one search reads."""


async def show_all(visit: Visit, form: Form) -> Outcome:
    """Show the visitor's accounts whose names have the searched text."""
    wanted = visit.query.get("q", "").strip()
    frame, (found, complete) = await together(open_person(visit), _accounts(visit))
    matching = [one for one in found if wanted.casefold() in one["name"].casefold()]
    words = {"listed": matching, "wanted": wanted, "complete": complete}
    shown: Shown = frame.shown("accounts", section="your_accounts", form=form, **words)
    return shown


async def _accounts(visit: Visit) -> tuple[Sequence[Mapping[str, Any]], bool]:
    """Return the visitor's accounts, and whether these are all."""
    found: list[Mapping[str, Any]] = []
    query = {"limit": str(PAGE_ACCOUNTS)}
    for _ in range(MAX_PAGES):
        page = await visit.call("GET", "/v1/accounts", query=query)
        found += page["items"]
        if page["next_cursor"] is None:
            return found, True
        query["cursor"] = page["next_cursor"]
    return found, False


async def show_new(visit: Visit, form: Form) -> Outcome:
    """Ask for the name of a new team."""
    frame = await open_person(visit)
    own = next((one for one in frame.accounts if one.get("owner")), None)
    catalogs: CatalogChoices = ()
    if own is not None and (others := await catalogs_for(visit, own)):
        name, _, _ = own["catalog"].partition("@")
        catalogs = [(name, own["catalog_title"]), *others]
    return frame.shown("new_team", section="your_accounts", form=form, catalogs=catalogs)


async def create(visit: Visit) -> Outcome:
    """Create a team, which the visitor owns."""
    await open_person(visit)
    body = {"name": visit.typed.get("name", ""), **chosen_catalog(visit)}
    made = await visit.call("POST", "/v1/accounts", body, key=visit.typed.get("once"))
    to = places.account_path(made["id"], "members")
    return SeeOther(with_query(to, done="team-created"))


async def enter(visit: Visit, form: Form) -> Outcome:
    """Lead to the first section that the visitor sees, or say what they are in the account.

    What the address says of the press before it, the section says.
    """
    frame = await open_account(visit)
    for section in frame.sections:
        path = places.account_path(visit.account_id, section.id)
        return SeeOther(places.changed_address(path, {}, done=visit.said("done")))
    return frame.shown("account/overview", section="", form=form)


PAGES = (
    PageRoute(path=places.ACCOUNTS, show=show_all),
    PageRoute(path=places.NEW_TEAM, show=show_new, submit=create),
    PageRoute(path=places.ACCOUNT, show=enter),
)
