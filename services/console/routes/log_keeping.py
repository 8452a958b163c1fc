"""The page of how long the audit log is kept, and of the daily mail with its seal."""

from collections.abc import Mapping
from typing import Any

from services.console.domain import places
from services.console.domain.retention_choices import ends_records, read_days
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.things import state_of
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """Show how long records are kept, and whether the seal is mailed."""
    frame: AccountFrame
    frame, retention, delivery = await together(
        open_account(visit),
        _retention(visit),
        visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-checkpoint/delivery"),
    )
    return frame.shown(
        "account/log_keeping", section="settings", form=form, retention=retention, delivery=delivery
    )


async def press(visit: Visit) -> Outcome:
    """Do what the pressed button says."""
    pressed = visit.typed.get("press")
    return await (_keep(visit) if pressed == "keep" else _mail(visit, daily=pressed == "mail"))


async def _mail(visit: Visit, *, daily: bool) -> Outcome:
    await visit.call(
        "PUT", f"/v1/accounts/{visit.account_id}/audit-checkpoint/delivery", {"daily": daily}
    )
    return _back(visit, "seals-mailed" if daily else "seals-not-mailed")


async def _keep(visit: Visit) -> Outcome:
    """Keep records for as long as was typed; the page before a shorter time says what ends."""
    days = read_days(visit.typed.get("days", ""))
    if "sure" not in visit.typed:
        frame: AccountFrame
        frame, retention = await together(open_account(visit), _retention(visit))
        if ends_records(retention["days"], days):
            state = visit.typed.get("state", "")
            return frame.shown("account/retention", section="settings", days=days, state=state)
    await visit.answer(
        "PUT",
        f"/v1/accounts/{visit.account_id}/audit-retention",
        {"days": days},
        if_match=state_of(visit),
    )
    return _back(visit, "retention-changed")


async def _retention(visit: Visit) -> Mapping[str, Any]:
    found: Mapping[str, Any] = await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/audit-retention"
    )
    return found


def _back(visit: Visit, done: str) -> SeeOther:
    return SeeOther(places.changed_address(visit.path, {}, done=done))


PAGES = (PageRoute(path=places.LOG_KEEPING, show=show, submit=press, fields=frozenset({"days"})),)
