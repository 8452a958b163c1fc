"""The routes for the other services."""

from services.notification.use_cases.context import Ctx
from services.notification.use_cases.personal_messages import personal_messages
from shared.contracts.calls.notification import (
    READ_PERSONAL_MESSAGES,
    PersonalMessages,
    PersonalMessagesRequest,
    StoredMail,
    StoredNotification,
    StoredPreference,
    StoredReader,
)
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.ids import UserId


async def read_personal_messages(
    ctx: Ctx, call: Call[PersonalMessagesRequest, None]
) -> PersonalMessages:
    """Return what notification has of a user who takes their personal data along."""
    body = call.body
    found = await personal_messages(ctx, UserId(body.user_id), proved_email=body.email)
    reader = found.reader
    return PersonalMessages(
        reader=reader
        and StoredReader(email=reader.email_key, locale=reader.locale, time_zone=reader.time_zone),
        notifications=tuple(
            StoredNotification(
                id=one.entry.id,
                kind=one.entry.kind,
                account_id=one.entry.account_id,
                title=one.text.title,
                text=one.text.text,
                created_at=one.entry.created_at,
                unread=one.entry.unread,
            )
            for one in found.entries
        ),
        mails=tuple(
            StoredMail(
                id=one.stored.message.id,
                kind=one.stored.message.kind,
                account_id=one.stored.message.account_id,
                recipient=one.stored.message.recipient,
                subject=one.subject,
                status=one.stored.status,
                created_at=one.stored.message.created_at,
                finished_at=one.stored.finished_at,
            )
            for one in found.mails
        ),
        switched_off=tuple(
            StoredPreference(account_id=one.account_id, kinds=one.kinds) for one in found.off
        ),
        complete=found.complete,
    )


ROUTES = (internal_route(READ_PERSONAL_MESSAGES, read_personal_messages),)
