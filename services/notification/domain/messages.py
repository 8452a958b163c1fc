"""Messages: one mail to one person because of one fact."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared.contracts.calls.identity import (
    AddressLinkRequest,
    FactorLinkRequest,
    FarewellRequest,
    PasswordResetLinkRequest,
    SignUpLinkRequest,
    VerificationLinkRequest,
)
from shared.contracts.calls.team import InvitationLinkRequest
from shared.contracts.facts import Caller
from shared.contracts.topology import Service
from shared.ids import MessageId
from shared.locales import DEFAULT_LOCALE, DEFAULT_TIME_ZONE, Locale


class MessageKind(StrEnum):
    """What a message is about; also the name of its template."""

    VERIFY_EMAIL = "verify_email"
    ACCOUNT_EXISTS = "account_exists"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a mail
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a mail
    EMAIL_CHANGE = "email_change"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_WANTED = "email_wanted"
    EMAIL_CHANGED = "email_changed"
    EMAIL_RESTORED = "email_restored"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_REPLACED = "recovery_codes_replaced"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_COPY_SUSPECTED = "passkey_copy_suspected"
    TOKEN_CREATED = "token_created"  # noqa: S105 - the name of a mail
    TOKEN_EXPIRY = "token_expiry"  # noqa: S105 - the name of a mail
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    SSO_CONNECTION = "sso_connection"
    JOIN_REFUSED = "join_refused"
    INVITATION = "invitation"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_DECLINED = "invitation_declined"
    INVITATION_PASSED = "invitation_passed"
    INVITATION_BOUNCED = "invitation_bounced"
    MEMBER_LEFT = "member_left"
    WEBHOOK_DISABLED = "webhook_disabled"
    AUDIT_CHECKPOINT = "audit_checkpoint"
    AUDIT_RETENTION = "audit_retention"
    LOG_STREAM_PAUSED = "log_stream_paused"
    ADDED = "added"
    ROLE_CHANGED = "role_changed"
    MEMBERSHIP_END = "membership_end"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    REMOVED = "removed"
    OVERRIDE_SET = "override_set"
    OVERRIDE_REMOVED = "override_removed"
    RESOURCES_GIVEN = "resources_given"
    ACCOUNT_MOVED = "account_moved"
    OWNERSHIP_OFFERED = "ownership_offered"
    OWNERSHIP_TRANSFERRED = "ownership_transferred"
    OWNERSHIP_DECLINED = "ownership_declined"
    OWNERSHIP_CANCELLED = "ownership_cancelled"
    OWNERSHIP_OFFER_ENDED = "ownership_offer_ended"
    SIGNED_OUT = "signed_out"
    NEW_DEVICE = "new_device"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_ERASED = "user_erased"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_RESUMED = "account_resumed"
    ACCOUNT_DELETED = "account_deleted"
    ACCOUNT_RESTORED = "account_restored"
    ACCESS_ENDED = "access_ended"
    ACCESS_RESTORED = "access_restored"
    SECOND_FACTOR_DEMANDED = "second_factor_demanded"
    DIGEST = "digest"
    """Lists what other messages would tell; no person chooses it, and no list has it."""


class MessageStatus(StrEnum):
    """How far the delivery of a message is."""

    QUEUED = "queued"
    LISTED = "listed"
    """Waits to be told by a digest."""
    SENDING = "sending"
    """Claimed by a sender. After the claim ran out, the mail may or may not have been sent."""
    SENT = "sent"
    BOUNCED = "bounced"
    WITHDRAWN = "withdrawn"
    """The link was used, revoked or superseded before the mail went out."""
    WITHHELD = "withheld"
    """The recipient's mailbox had no place for the mail within three days, or a newer mail about
    the same thing took its place."""


ENDS = (
    MessageStatus.SENT,
    MessageStatus.BOUNCED,
    MessageStatus.WITHDRAWN,
    MessageStatus.WITHHELD,
)
"""How a delivery ends."""

LinkRequest = (
    InvitationLinkRequest
    | SignUpLinkRequest
    | PasswordResetLinkRequest
    | AddressLinkRequest
    | FactorLinkRequest
    | FarewellRequest
    | VerificationLinkRequest
)
"""Names a link to the service that owns it and can make it; holds no secret.

Only messages that an earlier version queued have a `VerificationLinkRequest`.
"""


SENT_WITHOUT_LINK = frozenset({MessageKind.SECOND_FACTOR_ADDED})
"""Mails that tell of a danger: they go out without their link if it is over before. Else a thief
who removes the factor and adds another one would keep the mail back."""


def link_owner(request: LinkRequest) -> Service:
    """The service that makes the link."""
    return Service.TEAM if isinstance(request, InvitationLinkRequest) else Service.IDENTITY


@dataclass(frozen=True, kw_only=True)
class MailLink:
    """A link as its owner made it for one mail; never stored and never logged."""

    url: str
    code: str | None = None

    @property
    def proof(self) -> str:
        """The token, and the code if there is one, as the page of the link would read them."""
        return self.url.partition("?")[2]


@dataclass(frozen=True, kw_only=True)
class HiddenRecipient:
    """The recipient of a mail whose message names none; never stored and never logged."""

    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """One mail to one person because of one fact.

    The last mail to an erased user names no `recipient`: who that is is asked for each attempt, and
    no reply of a mail server is kept, which may name them.
    """

    id: MessageId
    kind: MessageKind
    recipient: str
    account_id: str | None
    caller: Caller
    created_at: datetime
    user_id: str | None = None
    """The recipient, if the fact names them or notification knows whose the address is."""
    locale: Locale = DEFAULT_LOCALE
    time_zone: str = DEFAULT_TIME_ZONE
    language_of: str | None = None
    """The user whose language the mail has if its recipient has none; not stored."""
    words: Mapping[str, str] = field(default_factory=dict)
    """The fact's names and addresses that the template shows, as they were typed."""
    expires_at: datetime | None = None
    link: LinkRequest | None = None
    about: str | None = None
    """The thing whose state the mail tells, if a newer mail about it may take its place."""
    attempts: int = 0
    """Earlier attempts of every kind."""
    deferrals: int = 0
    """Earlier attempts that the mail server deferred."""
    listed: tuple[MessageId, ...] | None = None
    """Of a digest, once it was attempted: what it lists."""
    more: int = 0
    """Of a digest: what it counts besides."""

    @property
    def nameless(self) -> bool:
        """Whether nothing that is stored may name the recipient."""
        return not self.recipient

    def to(self, addressee: HiddenRecipient) -> Self:
        """The message with its recipient, to be sent and not to be stored."""
        words = {**self.words, "name": addressee.name}
        return replace(self, recipient=addressee.email, words=words)


def message_id(fact_id: str, kind: MessageKind, recipient: str) -> MessageId:
    """Derive the message's id: the same fact, kind and recipient always give the same id.

    The id is a UUIDv8 (RFC 9562) of the fact's milliseconds and a digest, so it sorts by the time
    of the fact.
    """
    milliseconds = fact_id.removeprefix("evt_")[:12]
    digest = hashlib.sha256(f"{fact_id}\n{kind}\n{recipient}".encode()).hexdigest()
    return MessageId(f"msg_{milliseconds}8{digest[:3]}8{digest[3:18]}")
