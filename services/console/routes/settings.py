"""The pages of an account's settings: its name, and the demand of a second factor."""

from services.console.domain import places
from services.console.domain.impacts import shown_tag
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.things import state_of
from services.console.routes.visits import Visit

SHOWN_MEMBERS = "50"


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the settings that the visitor may see."""
    frame = await open_account(visit)
    lacking = await _lacks_factor(visit, frame)
    return frame.shown("account/settings", section="settings", form=form, lacks_factor=lacking)


async def _lacks_factor(visit: Visit, frame: AccountFrame) -> bool:
    """Whether the visitor could demand a second factor, but for having none."""
    account = frame.account
    if account["kind"] != "team" or account["require_second_factor"]:
        return False
    if not frame.may("account:update"):
        return False
    own = await visit.call("GET", "/v1/me/mfa")
    return own["totp"] is None and not own["passkeys"]


async def rename(visit: Visit) -> Outcome:
    """Give the account another name."""
    await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}",
        {"name": visit.typed.get("name", "")},
        if_match=state_of(visit),
    )
    return SeeOther(places.changed_address(visit.path, {}, done="account-renamed"))


async def ask_demand(visit: Visit, form: Form) -> Outcome:
    """Say what the demand of a second factor, or its end, would do."""
    frame = await open_account(visit)
    demanded = not frame.account["require_second_factor"]
    found = await visit.call(
        "POST",
        f"/v1/accounts/{visit.account_id}/changes/preview",
        {"change": {"type": "account_change", "require_second_factor": demanded}},
        query={"limit": SHOWN_MEMBERS},
    )
    return frame.shown(
        "account/second_factor",
        section="settings",
        form=form,
        demanded=demanded,
        preview=found,
        seen=shown_tag(found),
    )


async def demand(visit: Visit) -> Outcome:
    """Demand a second factor of the members, or no longer."""
    demanded = visit.typed.get("demand") == "yes"
    await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}",
        {"require_second_factor": demanded},
        if_match=state_of(visit),
    )
    done = "factor-demanded" if demanded else "factor-not-demanded"
    path = places.SETTINGS.format_map(visit.place)
    return SeeOther(places.changed_address(path, {}, done=done))


PAGES = (
    PageRoute(path=places.SETTINGS, show=show, submit=rename, fields=frozenset({"name"})),
    PageRoute(path=places.SECOND_FACTOR, show=ask_demand, submit=demand, needs="account:update"),
)
