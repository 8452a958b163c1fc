"""The pages of streams of the audit log: the list, a new one, one of them, its end."""

from collections.abc import Mapping
from typing import Any

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import together
from services.console.routes.things import AccountThings, same_page, state_of
from services.console.routes.visits import Visit

FIELDS = frozenset({"url", "name", "header", "secret"})
STARTS = ("now", "beginning")


async def show_new(visit: Visit, form: Form) -> Outcome:
    """Ask for a receiver and its secret."""
    frame = await open_account(visit)
    return frame.shown("account/stream_new", section="settings", form=form)


async def create(visit: Visit) -> Outcome:
    """Send the records of the account to a receiver."""
    start = visit.typed.get("start", "")
    made = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/audit-streams",
        {
            **{name: visit.typed.get(name, "") for name in FIELDS},
            "start": start if start in STARTS else STARTS[0],
        },
        key=visit.typed.get("once"),
    )
    path = places.account_path(visit.account_id, "settings", "streams", made.body["id"])
    return SeeOther(places.changed_address(path, {}, done="stream-created"))


async def show_one(visit: Visit, form: Form) -> Outcome:
    """Show a stream, and how far its receiver is."""
    frame: AccountFrame
    frame, stream = await together(open_account(visit), _read_one(visit))
    return frame.shown("account/stream", section="settings", form=form, stream=stream)


async def press(visit: Visit) -> Outcome:
    """Do what the pressed button says."""
    match visit.typed.get("press"):
        case "enable":
            return await _change(visit, {"enabled": True}, "stream-enabled")
        case "disable":
            return await _change(visit, {"enabled": False}, "stream-disabled")
        case "secret":
            secret = {"secret": visit.typed.get("secret", "")}
            return await _change(visit, secret, "stream-changed")
        case "test":
            await visit.call(
                "POST",
                f"/v1/accounts/{visit.account_id}/audit-streams/{visit.place['stream_id']}/test",
            )
            return same_page(visit, "test-sent")
    return await show_one(visit, Form())


async def _change(visit: Visit, changed: Mapping[str, Any], done: str) -> Outcome:
    await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}/audit-streams/{visit.place['stream_id']}",
        changed,
        if_match=state_of(visit),
    )
    return same_page(visit, done)


async def _read_all(visit: Visit) -> Any:
    return await visit.call("GET", f"/v1/accounts/{visit.account_id}/audit-streams", query=MANY)


async def _read_one(visit: Visit) -> Any:
    return await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/audit-streams/{visit.place['stream_id']}"
    )


async def _delete(visit: Visit) -> Any:
    return await visit.answer(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/audit-streams/{visit.place['stream_id']}",
        if_match=state_of(visit),
    )


STREAMS = AccountThings(
    one="stream",
    many="streams",
    section="settings",
    path=places.STREAMS,
    listing="account/streams",
    deletion="account/stream_delete",
    deleted="stream-deleted",
    read_all=_read_all,
    read_one=_read_one,
    delete=_delete,
)
PAGES = (
    STREAMS.list_page,
    PageRoute(
        path=places.STREAM_NEW, needs="webhook:manage", show=show_new, submit=create, fields=FIELDS
    ),
    PageRoute(path=places.STREAM, show=show_one, submit=press, fields=frozenset({"secret"})),
    PageRoute(
        path=places.STREAM_DELETE,
        needs="webhook:manage",
        show=STREAMS.ask_delete,
        submit=STREAMS.submit_delete,
    ),
)
