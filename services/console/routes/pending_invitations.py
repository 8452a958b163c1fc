"""The page of one invitation that waits: send it again, or cancel it."""

from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_catalogs import after_press
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.visits import Visit

INVITATION = f"{places.ACCOUNT}/invitations/{{invitation_id}}"
PAGE_INVITATIONS = "200"
MAX_PAGES = 20


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the invitation."""
    return await _shown(visit, form, "account/invitation")


async def show_cancel(visit: Visit, form: Form) -> Outcome:
    """Say what a cancelled invitation means."""
    return await _shown(visit, form, "account/invitation_cancel")


async def _shown(visit: Visit, form: Form, template: str) -> Outcome:
    frame: AccountFrame
    frame, invitation = await together(open_account(visit), _invitation(visit))
    return frame.shown(template, section="members", form=form, invitation=invitation)


async def _invitation(visit: Visit) -> Mapping[str, Any]:
    """The invitation of the address, from the list: the API has no route of one."""
    query = {"limit": PAGE_INVITATIONS}
    for _ in range(MAX_PAGES):
        listed = await visit.call(
            "GET", f"/v1/accounts/{visit.account_id}/invitations", query=query
        )
        for one in listed["items"]:
            if one["id"] == visit.place["invitation_id"]:
                found: Mapping[str, Any] = one
                return found
        if listed["next_cursor"] is None:
            break
        query = {"limit": PAGE_INVITATIONS, "cursor": listed["next_cursor"]}
    raise ApiRefusal(status=404, code="not-found")


async def resend(visit: Visit) -> Outcome:
    """Make another link; where it is handed over, the page shows it once."""
    frame = await open_account(visit)
    invitation_id = visit.place["invitation_id"]
    made = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/invitations/{invitation_id}/resend",
        key=visit.typed.get("once"),
    )
    email, link = made.body["invitation"]["email"], made.body["link"]
    if link is not None or made.body["note"] is not None:
        links = [(email, "" if link is None else link["url"])]
        return frame.shown("account/invited", section="members", links=links)
    return after_press(visit, "members", done="resent")


async def cancel(visit: Visit) -> Outcome:
    """Close the invitation's link; one that was closed meanwhile is as it should be."""
    try:
        await visit.call(
            "DELETE",
            f"/v1/accounts/{visit.account_id}/invitations/{visit.place['invitation_id']}",
        )
    except ApiRefusal as refusal:
        if refusal.status != 404:
            raise
        await open_account(visit)
    return after_press(visit, "members", done="invitation-cancelled")


PAGES = (
    PageRoute(path=INVITATION, show=show, submit=resend),
    PageRoute(path=f"{INVITATION}/cancel", show=show_cancel, submit=cancel),
)
