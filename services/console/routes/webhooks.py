"""The pages of webhooks: the list, a new one, one of them with its deliveries, its end."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from services.console.adapters.api import path_step
from services.console.domain import places
from services.console.domain.event_choices import EVENT, chosen_types, offered
from services.console.pages.rendering import Form
from services.console.routes.account_frame import AccountFrame, open_account
from services.console.routes.choices import MANY
from services.console.routes.outcomes import Outcome, PageRoute
from services.console.routes.person_frame import together
from services.console.routes.things import AccountThings, same_page, state_of
from services.console.routes.visits import Visit

SHOWN_DELIVERIES = 25
FAILED_SINCE: Mapping[str, int] = {"1": 1, "7": 7, "30": 30}
"""The days back from now whose failed deliveries can be made again."""
FIELDS = frozenset({"url", "description"})


async def show_new(visit: Visit, form: Form) -> Outcome:
    """Ask for the address and the events of a new webhook."""
    frame: AccountFrame
    frame, types = await together(open_account(visit), visit.call("GET", "/v1/webhook-event-types"))
    return frame.shown(
        "account/webhook_new", section="settings", form=form, events=_events(types, ())
    )


async def create(visit: Visit) -> Outcome:
    """Make a webhook, and show its secret in the answer to this press alone."""
    frame = await open_account(visit)
    made = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/webhooks",
        {
            "url": visit.typed.get("url", ""),
            "description": visit.typed.get("description", ""),
            "event_types": chosen_types(visit.typed),
        },
        key=visit.typed.get("once"),
    )
    return _secret(frame, made.body)


async def show_one(visit: Visit, form: Form) -> Outcome:
    """Show a webhook, and the deliveries of the newest events."""
    query = {"limit": str(SHOWN_DELIVERIES)}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    webhook_id = visit.place["webhook_id"]
    frame: AccountFrame
    frame, webhook, types, deliveries = await together(
        open_account(visit),
        _read_one(visit),
        visit.call("GET", "/v1/webhook-event-types"),
        visit.call(
            "GET", f"/v1/accounts/{visit.account_id}/webhooks/{webhook_id}/deliveries", query=query
        ),
    )
    return frame.shown(
        "account/webhook",
        section="settings",
        form=form,
        webhook=webhook,
        events=_events(types, webhook["event_types"]),
        deliveries=deliveries["items"],
        following=deliveries["next_cursor"],
        newest="cursor" not in visit.query,
    )


async def press(visit: Visit) -> Outcome:
    """Do what the pressed button says."""
    pressed = PRESSES.get(visit.typed.get("press", ""))
    return await show_one(visit, Form()) if pressed is None else await pressed(visit)


async def _save(visit: Visit) -> Outcome:
    changed = {
        "url": visit.typed.get("url", ""),
        "description": visit.typed.get("description", ""),
        "event_types": chosen_types(visit.typed),
    }
    return await _change(visit, changed, "webhook-changed")


async def _enable(visit: Visit) -> Outcome:
    return await _change(visit, {"enabled": True}, "webhook-enabled")


async def _disable(visit: Visit) -> Outcome:
    return await _change(visit, {"enabled": False}, "webhook-disabled")


async def _change(visit: Visit, changed: Mapping[str, Any], done: str) -> Outcome:
    await visit.answer(
        "PATCH",
        f"/v1/accounts/{visit.account_id}/webhooks/{visit.place['webhook_id']}",
        changed,
        if_match=state_of(visit),
    )
    return same_page(visit, done)


async def _test(visit: Visit) -> Outcome:
    await visit.call(
        "POST", f"/v1/accounts/{visit.account_id}/webhooks/{visit.place['webhook_id']}/test"
    )
    return same_page(visit, "test-sent")


async def _rotate(visit: Visit) -> Outcome:
    frame = await open_account(visit)
    made = await visit.answer(
        "POST",
        f"/v1/accounts/{visit.account_id}/webhooks/{visit.place['webhook_id']}/rotate-secret",
        {},
        key=visit.typed.get("once"),
    )
    return _secret(frame, made.body)


async def _redeliver(visit: Visit) -> Outcome:
    webhook_id, delivery_id = visit.place["webhook_id"], path_step(visit.typed.get("delivery", ""))
    await visit.call(
        "POST",
        f"/v1/accounts/{visit.account_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    )
    return same_page(visit, "redelivered")


async def _redeliver_failed(visit: Visit) -> Outcome:
    """Deliver again what has failed since as many days as were chosen, up to the API's limit."""
    days = FAILED_SINCE.get(visit.typed.get("since", ""), max(FAILED_SINCE.values()))
    since = visit.now - timedelta(days=days)
    again = await visit.call(
        "POST",
        f"/v1/accounts/{visit.account_id}/webhooks/{visit.place['webhook_id']}/redeliver",
        {"since": since.isoformat()},
    )
    if not again["deliveries"]:
        return same_page(visit, "none-failed")
    return same_page(visit, "failed-redelivered-partly" if again["more"] else "failed-redelivered")


async def _read_all(visit: Visit) -> Any:
    return await visit.call("GET", f"/v1/accounts/{visit.account_id}/webhooks", query=MANY)


async def _read_one(visit: Visit) -> Any:
    return await visit.call(
        "GET", f"/v1/accounts/{visit.account_id}/webhooks/{visit.place['webhook_id']}"
    )


async def _delete(visit: Visit) -> Any:
    return await visit.answer(
        "DELETE",
        f"/v1/accounts/{visit.account_id}/webhooks/{visit.place['webhook_id']}",
        if_match=state_of(visit),
    )


def _secret(frame: AccountFrame, webhook: Mapping[str, Any]) -> Outcome:
    return frame.shown("account/webhook_secret", section="settings", webhook=webhook)


def _events(types: Mapping[str, Any], chosen: tuple[str, ...]) -> list[dict[str, object]]:
    """The boxes of a form: each type of events, and whether it is chosen."""
    return [
        {"name": f"{EVENT}{one}", "type": one, "chosen": one in chosen}
        for one in offered((event["type"] for event in types["items"]), chosen)
    ]


PRESSES: Mapping[str, Callable[[Visit], Awaitable[Outcome]]] = {
    "change": _save,
    "enable": _enable,
    "disable": _disable,
    "test": _test,
    "rotate": _rotate,
    "redeliver": _redeliver,
    "redeliver-failed": _redeliver_failed,
}
"""By the name of the button."""
WEBHOOKS = AccountThings(
    one="webhook",
    many="webhooks",
    section="settings",
    path=places.WEBHOOKS,
    listing="account/webhooks",
    deletion="account/webhook_delete",
    deleted="webhook-deleted",
    read_all=_read_all,
    read_one=_read_one,
    delete=_delete,
)
PAGES = (
    WEBHOOKS.list_page,
    PageRoute(
        path=places.WEBHOOK_NEW,
        needs="webhook:manage",
        show=show_new,
        submit=create,
        fields=FIELDS,
        max_fields=200,
    ),
    PageRoute(path=places.WEBHOOK, show=show_one, submit=press, fields=FIELDS, max_fields=200),
    PageRoute(
        path=places.WEBHOOK_DELETE,
        needs="webhook:manage",
        show=WEBHOOKS.ask_delete,
        submit=WEBHOOKS.submit_delete,
    ),
)
