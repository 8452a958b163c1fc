"""The gravest pages of an account: another owner, a personal account again, its deletion."""

from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.impacts import shown_tag
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import DENIED, MANY, listed
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.proofs import ProvedPage
from services.console.routes.visits import Visit

CHOSEN_MEMBERS = {"limit": "200", "status": "active"}
SHOWN_MEMBERS = "50"


async def show_ownership(visit: Visit, form: Form) -> Outcome:
    """Show whose the account is, and whether it is offered to another member."""
    frame: AccountFrame
    frame, members = await together(
        open_account(visit),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/members", query=CHOSEN_MEMBERS)),
    )
    others = [one for one in members if one["user_id"] and not one["owner"]]
    return frame.shown("account/ownership", section="settings", form=form, members=others)


async def offer(visit: Visit) -> Outcome:
    """Offer the ownership to a member."""
    await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/ownership-transfer",
        {"user_id": visit.typed.get("member", "")},
        key=visit.typed.get("once"),
    )
    return _back(visit, places.OWNERSHIP, "ownership-offered")


async def take_back(visit: Visit) -> Outcome:
    """Take the offer back."""
    await visit.call("DELETE", f"/v1/accounts/{visit.account_id}/ownership-transfer")
    return _back(visit, places.OWNERSHIP, "offer-taken-back")


async def accept(visit: Visit) -> Outcome:
    """Become the owner."""
    await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/ownership-transfer/accept",
        key=visit.typed.get("once"),
    )
    return _back(visit, places.OWNERSHIP, "ownership-accepted")


async def decline(visit: Visit) -> Outcome:
    """Decline the ownership."""
    await visit.call("POST", f"/v1/accounts/{visit.account_id}/ownership-transfer/decline")
    return _back(visit, places.OWNERSHIP, "ownership-declined")


async def ask_revert(visit: Visit, form: Form) -> Outcome:
    """Say whose access ends when the team becomes a personal account."""
    frame = await open_account(visit)
    found = await visit.call(
        "POST",
        f"/v1/accounts/{visit.account_id}/changes/preview",
        {"change": {"type": "revert", "confirm": frame.account["name"]}},
        query={"limit": SHOWN_MEMBERS},
    )
    return frame.shown(
        "account/revert", section="settings", form=form, preview=found, seen=shown_tag(found)
    )


async def revert(visit: Visit) -> Outcome:
    """Make a personal account of the team."""
    await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/revert",
        {"confirm": visit.typed.get("confirm", "") or "-"},
    )
    return _back(visit, places.SETTINGS, "reverted")


async def ask_delete(visit: Visit, form: Form) -> Outcome:
    """Say what a deletion does; of a deleted account, until when it can be restored."""
    members: Mapping[str, Any]
    frame: AccountFrame
    frame, members, projects = await together(
        open_account(visit),
        _who_loses(visit),
        listed(visit.call("GET", f"/v1/accounts/{visit.account_id}/projects", query=MANY)),
    )
    return frame.shown(
        "account/delete",
        section="settings",
        form=form,
        others=[one for one in members["items"] if one["user_id"] != frame.user["id"]],
        counts=members["counts"],
        projects=projects,
    )


async def _who_loses(visit: Visit) -> Mapping[str, Any]:
    """The members who lose their access with the account, as far as the visitor may see them."""
    query = {**CHOSEN_MEMBERS, "limit": SHOWN_MEMBERS, "counts": "true"}
    try:
        found: Mapping[str, Any] = await visit.call(
            "GET", f"/v1/accounts/{visit.account_id}/members", query=query
        )
    except ApiRefusal as refusal:
        if refusal.status != DENIED:
            raise
        return {"items": (), "counts": {}}
    return found


async def delete(visit: Visit) -> Outcome:
    """Begin the deletion of the account."""
    await visit.call(
        "DELETE",
        f"/v1/accounts/{visit.account_id}",
        query={"confirm": visit.typed.get("confirm", "")},
    )
    return _back(visit, places.DELETE_ACCOUNT, "account-deleted")


async def restore(visit: Visit) -> Outcome:
    """Undo the deletion."""
    await visit.call("POST", f"/v1/accounts/{visit.account_id}/restore")
    return _back(visit, places.SETTINGS, "account-restored")


def _back(visit: Visit, path: str, done: str) -> SeeOther:
    return SeeOther(places.changed_address(path.format_map(visit.place), {}, done=done))


OWNERSHIP = ProvedPage(
    path=places.OWNERSHIP,
    show=show_ownership,
    presses={"offer": offer, "take-back": take_back, "accept": accept, "decline": decline},
    proved={"offer": "offer"},
    section="settings",
    frame=open_account,
    carried=("member", "once"),
)
DELETION = ProvedPage(
    path=places.DELETE_ACCOUNT,
    show=ask_delete,
    presses={"delete": delete, "restore": restore},
    proved={"delete": "delete"},
    section="settings",
    frame=open_account,
    carried=("confirm",),
)
PAGES = (
    OWNERSHIP.route,
    PageRoute(path=places.REVERT, show=ask_revert, submit=revert, fields=frozenset({"confirm"})),
    DELETION.route,
)
