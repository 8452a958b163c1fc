"""What the use cases of notification work with."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.notification.domain.attempts import AttemptResult
from services.notification.domain.mails import ComposedMail, MailSender
from services.notification.domain.messages import HiddenRecipient, LinkRequest, MailLink
from services.notification.domain.preferences import UnsubscribeLinks
from services.notification.store import (
    Deliveries,
    Digests,
    Entries,
    Messages,
    Paces,
    People,
    PreferenceRows,
    Webhooks,
)
from services.notification.use_cases.list_readers import ListReaders
from shared.auth.principals import Bearer
from shared.clock import Clock
from shared.contracts.calls.connections import ConnectionAccount
from shared.contracts.calls.identity import FarewellRequest, InternalUser, PeoplePage
from shared.ids import AccountId, UserId
from shared.journal import Journal
from shared.mongo import DbClient
from shared.networks import Network
from shared.outage_log import OutageLog
from shared.receivers.attempts import ReceiverAttempt
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

logger = logging.getLogger(__name__)


class MailTransport(Protocol):
    """Hands a mail to a mail server (`adapters.smtp.SmtpTransport`)."""

    async def send(self, mail: ComposedMail) -> AttemptResult:
        """Try once; every reply of the server is a result, never an exception."""
        ...


class LinkSource(Protocol):
    """Asks the owner of a link to make it (`adapters.links.InternalLinkSource`)."""

    async def link(self, request: LinkRequest) -> MailLink | HiddenRecipient:
        """Ask for the URL and the code, or for the recipient that no message names.

        Raises:
            Refusal: of kind `gone` when the link was used, revoked or superseded.
            Unavailable: the owner cannot be asked now.
        """
        ...

    async def done(self, request: FarewellRequest) -> None:
        """Tell that no more mail goes to the recipient whom the message does not name.

        Raises:
            Unavailable: the owner cannot be told now.
        """
        ...


class Users(Protocol):
    """Asks identity about its users (`adapters.users.InternalUsers`)."""

    async def page(self, cursor: str | None) -> PeoplePage | None:
        """Return the page of users that a cursor names, or the first one.

        An identity of an earlier version does not list its users: `None`.

        Raises:
            Unavailable: identity cannot be asked now.
        """
        ...

    async def user(self, user_id: UserId) -> InternalUser | None:
        """Return a user.

        Raises:
            Unavailable: identity cannot be asked now.
        """
        ...


class Accounts(Protocol):
    """Asks team about accounts (`adapters.accounts.InternalAccounts`)."""

    async def managers(self, account_id: str) -> ConnectionAccount:
        """Return the account's name, and the addresses of those who manage its members.

        Raises:
            Unavailable: team cannot be asked now.
        """
        ...


class SessionChecks(Protocol):
    """Asks authz who is signed in still (`shared.http.checker.AuthzChecker`)."""

    async def live(self, principals: Sequence[Bearer]) -> Sequence[bool]:
        """Return of each caller whether their session still exists.

        Raises:
            Unavailable: it cannot be told now.
        """
        ...


class Posts(Protocol):
    """Makes requests to the receivers of webhooks (`shared.receivers.posts.ReceiverPosts`)."""

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, account_id: AccountId
    ) -> ReceiverAttempt:
        """Make one request; every failure is an attempt, never an exception."""
        ...


class Outages:
    """The servers whose outage makes mails wait."""

    def __init__(self) -> None:
        self.saving = OutageLog(
            logger, "The database or a service", effect="Results of mails are not saved yet."
        )
        self.webhooks = OutageLog(
            logger, "The database", effect="Webhooks whose results are not saved are sent again."
        )
        self.sending = OutageLog(
            logger, "The mail server or the owner of a link", effect="Mails wait."
        )


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """What the use cases work with."""

    client: DbClient
    messages: Messages
    digests: Digests
    paces: Paces
    people: People
    entries: Entries
    preferences: PreferenceRows
    unsubscribe_links: UnsubscribeLinks
    journal: Journal
    transport: MailTransport
    links: LinkSource
    sender: MailSender
    clock: Clock
    queued: asyncio.Event
    """Set when there may be something to send."""
    webhooks: Webhooks
    deliveries: Deliveries
    posts: Posts
    accounts: Accounts
    users: Users
    signed_in: SessionChecks
    webhook_key: bytes
    former_webhook_keys: Sequence[bytes]
    """Keys that made secrets which receivers may still have."""
    """The secrets of webhooks are derived from it."""
    webhook_networks: Sequence[Network] = ()
    """The networks besides the internet to which webhooks may lead."""
    lists: ListReaders = field(default_factory=ListReaders)
    """The live lists of this replica."""
    deliveries_queued: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there may be a request to make."""
    outages: Outages = field(default_factory=Outages)
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits for a number of seconds."""
