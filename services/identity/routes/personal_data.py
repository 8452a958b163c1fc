"""The route by which a user takes their personal data along."""

from datetime import datetime

from services.identity.domain.devices import UNKNOWN_DEVICE, UNKNOWN_NETWORK
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.routes.users import UserAnswer, user_fields
from services.identity.use_cases import personal_data
from services.identity.use_cases.context import Ctx
from shared.auth.step_up import StepUpRequired
from shared.http.access import Session
from shared.http.routes import Answer, Call, Route
from shared.locales import Locale

CONTAINS = (
    "What identity has of the user: the user, every session and API token that is still stored,"
    " the linked issuers, the ids of other services, the app that makes codes and the passkeys."
    " What team has: each membership. What notification has: the notifications and the mails of the"
    " last 90 days, and the kinds of mails that are switched off. What the user did is in the audit"
    " log of each account."
    " Passwords, recovery codes and tokens are stored as hashes and are not part of it. Nor are the"
    " secret of the app, the keys of passkeys, and the fingerprints of devices."
)


class ExportedUser(UserAnswer):
    """The user, with an address that waits for its proof, and those that can be restored."""

    created_at: datetime
    verified_at: datetime | None
    provisioned_by: str | None
    locale: Locale
    time_zone: str
    new_email: str | None
    former_emails: list[str]


class ExportedSession(Answer):
    """A session, live or ended."""

    id: str
    device: str
    network: str
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class ExportedToken(Answer):
    """An API token, live or ended, without its secret."""

    id: str
    account_id: str
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ExportedIdentity(Answer):
    """An issuer with which the user signs in, and whom it names."""

    id: str
    issuer: str
    subject: str
    label: str
    email: str | None
    linked_at: datetime


class ExportedExternalId(Answer):
    """The id by which a service client knows the user."""

    client_id: str
    external_id: str


class ExportedPasskey(Answer):
    """A passkey with which the user signs in."""

    name: str
    added_at: datetime
    used_at: datetime | None


class ExportedMembership(Answer):
    """An account that the user owns or is a member of, with the copies of name and address."""

    account_id: str
    account_name: str
    owner: bool
    role: str
    status: str
    joined_at: datetime
    email: str
    name: str


class ExportedNotification(Answer):
    """A notification of the user's list."""

    id: str
    kind: str
    account_id: str | None
    title: str
    text: str
    created_at: datetime
    unread: bool


class ExportedMail(Answer):
    """A mail to the user, without its links, and what became of it."""

    id: str
    kind: str
    account_id: str | None
    recipient: str
    subject: str
    status: str
    created_at: datetime
    finished_at: datetime | None


class ExportedPreference(Answer):
    """Kinds of mails that are switched off, in one account or in all (`null`)."""

    account_id: str | None
    kinds: list[str]


class ExportedReader(Answer):
    """Whom mails are addressed to, and how they are written; `null` until a first fact."""

    email: str
    locale: str
    time_zone: str


class PersonalDataExport(Answer):
    """The personal data of the user; `complete` is false if a list was cut after 1,000 rows."""

    exported_at: datetime
    contains: str
    complete: bool
    user: ExportedUser
    sessions: list[ExportedSession]
    api_tokens: list[ExportedToken]
    identities: list[ExportedIdentity]
    authenticator_app_added_at: datetime | None
    passkeys: list[ExportedPasskey]
    recovery_codes_left: int
    external_ids: list[ExportedExternalId]
    memberships: list[ExportedMembership]
    mails_addressed: ExportedReader | None
    notifications: list[ExportedNotification]
    mails: list[ExportedMail]
    mails_switched_off: list[ExportedPreference]


async def export(ctx: Ctx, call: Call[None, None]) -> PersonalDataExport:
    """Return the personal data of the user."""
    found = await personal_data.export(ctx, call.user)
    user, totp, messages = found.user, found.factors.totp, found.messages
    return PersonalDataExport(
        exported_at=found.exported_at,
        contains=CONTAINS,
        complete=found.complete,
        user=ExportedUser(
            **user_fields(user),
            created_at=user.created_at,
            verified_at=user.verified_at,
            provisioned_by=user.provisioned_by,
            locale=user.locale,
            time_zone=user.time_zone,
            new_email=user.new_email,
            former_emails=[one.email for one in user.former_addresses],
        ),
        sessions=[
            ExportedSession(
                id=one.id,
                device=one.device or UNKNOWN_DEVICE,
                network=one.network or UNKNOWN_NETWORK,
                started_at=one.started_at,
                last_used_at=one.last_used_at,
                expires_at=one.expires_at,
                ended_at=one.ended_at,
            )
            for one in found.sessions
        ],
        api_tokens=[
            ExportedToken.model_validate(one, from_attributes=True) for one in found.api_tokens
        ],
        identities=[
            ExportedIdentity.model_validate(one, from_attributes=True) for one in found.identities
        ],
        authenticator_app_added_at=None if totp is None else totp.added_at,
        passkeys=[
            ExportedPasskey.model_validate(one, from_attributes=True)
            for one in found.factors.passkeys
        ],
        recovery_codes_left=len(found.factors.codes),
        external_ids=[
            ExportedExternalId(client_id=client_id, external_id=external_id)
            for client_id, external_id in found.external_ids.items()
        ],
        memberships=[
            ExportedMembership.model_validate(one, from_attributes=True)
            for one in found.memberships.memberships
        ],
        mails_addressed=messages.reader
        and ExportedReader.model_validate(messages.reader, from_attributes=True),
        notifications=[
            ExportedNotification.model_validate(one, from_attributes=True)
            for one in messages.notifications
        ],
        mails=[ExportedMail.model_validate(one, from_attributes=True) for one in messages.mails],
        mails_switched_off=[
            ExportedPreference.model_validate(one, from_attributes=True)
            for one in messages.switched_off
        ],
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/export",
        handler=export,
        operation_id="exportMyData",
        summary="The personal data of the user, to take along",
        tag="me",
        access=Session(),
        gives=PersonalDataExport,
        refuses=(StepUpRequired, TooManyRequests),
    ),
)
