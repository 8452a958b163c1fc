"""The routes of a person's list of notifications."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.notification.domain.messages import MessageKind
from services.notification.store.entries import MAX_COUNTED
from services.notification.use_cases import entries
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.entries import ShownEntry
from shared.http.access import Session
from shared.http.paging import MAX_PAGE_ROWS, Page, PageQuery, read_cursor, write_cursor
from shared.http.routes import Answer, Body, Call, Route
from shared.ids import MessageId

_MESSAGE_ID = "^msg_[0-9a-f]{32}$"


class NotificationQuery(PageQuery):
    """Which notifications are listed."""

    account: str | None = Field(
        None, pattern="^acc_[0-9a-f]{32}$", description="Only those about this account"
    )
    unread: Literal["true", "false"] | None = Field(
        None, description="Only those that are unread, or only those that are read"
    )


class NotificationView(Answer):
    """A message to the user, in the user's language; its mail may have been switched off."""

    id: MessageId
    kind: MessageKind
    account_id: str | None
    title: str
    text: str
    created_at: datetime
    unread: bool


class ReadNotifications(Body):
    """Which notifications are read: those with these ids, or all up to one."""

    ids: list[Annotated[str, Field(pattern=_MESSAGE_ID)]] | None = Field(
        None, max_length=MAX_PAGE_ROWS
    )
    up_to: str | None = Field(None, pattern=_MESSAGE_ID)


class UnreadView(Answer):
    """The number of unread notifications; 100 stands for 100 or more."""

    unread: int = Field(ge=0, le=MAX_COUNTED)


async def list_notifications(
    ctx: Ctx, call: Call[None, NotificationQuery]
) -> Page[NotificationView]:
    """List the user's notifications."""
    last, limit = read_cursor(call), call.query.limit
    found = await entries.page(
        ctx,
        call.user,
        account_id=call.query.account,
        unread=None if call.query.unread is None else call.query.unread == "true",
        before=None if last is None else last[1],
        limit=limit + 1,
    )
    page, following = found[:limit], None
    if len(found) > limit:
        following = write_cursor(call, (page[-1].entry.id, page[-1].entry.id))
    return Page[NotificationView](items=[view_of(one) for one in page], next_cursor=following)


async def count_unread(ctx: Ctx, call: Call[None, None]) -> UnreadView:
    """Return the number of unread notifications."""
    return UnreadView(unread=await entries.count_unread(ctx, call.user))


async def mark_read(ctx: Ctx, call: Call[ReadNotifications, None]) -> UnreadView:
    """Return the number of notifications that are left."""
    body = call.body
    ids = None if body.ids is None else [MessageId(each) for each in body.ids]
    return UnreadView(unread=await entries.mark_read(ctx, call.user, ids=ids, up_to=body.up_to))


def view_of(shown: ShownEntry) -> NotificationView:
    """Return an entry as its reader gets it."""
    entry = shown.entry
    return NotificationView(
        id=entry.id,
        kind=entry.kind,
        account_id=entry.account_id,
        title=shown.text.title,
        text=shown.text.text,
        created_at=entry.created_at,
        unread=entry.unread,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/notifications",
        handler=list_notifications,
        operation_id="listNotifications",
        summary="List the user's notifications, the newest first",
        tag="notifications",
        access=Session(),
        query=NotificationQuery,
        gives=Page[NotificationView],
    ),
    Route(
        method="GET",
        path="/v1/me/notifications/unread-count",
        handler=count_unread,
        operation_id="countUnreadNotifications",
        summary="The number of unread notifications",
        tag="notifications",
        access=Session(),
        gives=UnreadView,
        polled=True,
    ),
    Route(
        method="POST",
        path="/v1/me/notifications/read",
        handler=mark_read,
        operation_id="readNotifications",
        summary="Mark notifications as read",
        tag="notifications",
        access=Session(),
        takes=ReadNotifications,
        gives=UnreadView,
        on_repeat="Marks the same notifications, which are read already.",
    ),
)
