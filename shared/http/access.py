"""The kinds of access that a route can require."""

from dataclasses import dataclass
from enum import StrEnum

from rolecall import PROJECT_PERMISSIONS


class PublicCallers(StrEnum):
    """Who calls a public route, and for what."""

    STRANGERS = "strangers"
    CLIENTS = "clients"
    """Service clients, with their secret in the request."""
    MAILED = "mailed"
    """People who ask for a mail, which takes its turn."""
    ISSUERS = "issuers"
    """People who sign in with an issuer, whose answer is waited for."""
    SIGNED_IN = "signed-in"
    """Users with a refresh token, which is known to be genuine before the database is asked."""


class WaitsFor(StrEnum):
    """What else the answer to a user waits for; it then holds no place of the other answers."""

    OTHER_SERVERS = "other-servers"
    """Servers of other people: of names, or of an issuer."""
    MAIL = "mail"
    """The turn of a mail."""


@dataclass(frozen=True, slots=True)
class Public:
    """Every caller; a bearer token is ignored. Callers of one kind wait for their like only."""

    callers: PublicCallers = PublicCallers.STRANGERS


@dataclass(frozen=True, slots=True)
class Session:
    """A user with a live session.

    With `may_have_ended` also one whose session has ended. It is for the sign-out, whose repeat
    waits until the end is in force. With `fresh_proof` the user must have proved who they are in
    this session a short time ago, see `shared.auth.step_up`.
    """

    may_have_ended: bool = False
    fresh_proof: bool = False
    waits_for: WaitsFor | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """A user with this permission in the account of the path, and in its project if it names one.

    They come in a session, or with an API token that reaches as far. A row with `in_session` is for
    the person alone: it gives an account away, or ends it, or ends their membership.

    `account_routes` decides in the service that owns the accounts, and the checker in every other.
    With `in_each_project` the answer lists projects: the caller must be a member, and the use case
    decides inside each project.

    `in_project` is a right on the project of the path that the user needs as well, decided inside
    that project: `name` alone may be account-wide, and no override takes that away.

    With `own` the permission for own resources is enough; the use case limits them to that.

    With `fresh_proof`, which needs `in_session`, the user must have proved who they are in this
    session a short time ago.
    """

    name: str
    in_project: str | None = None
    in_each_project: bool = False
    own: bool = False
    in_session: bool = False
    fresh_proof: bool = False
    waits_for: WaitsFor | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """A service client with this scope; below an account, one that is bound to it."""

    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionOrClient(Permission):
    """A user with the permission, or a service client with the scope that is bound to the account.

    `account_routes` decides both.
    """

    scope: str


@dataclass(frozen=True, slots=True)
class SessionOrClient:
    """A user with a live session, or a service client with this scope.

    With `api_tokens` also an API token, about itself, and a service client that acts for a user,
    about that user.
    """

    scope: str
    api_tokens: bool = False


@dataclass(frozen=True, slots=True)
class AnyToken:
    """A user in a session, an API token, or a service client, by itself or for a user."""


@dataclass(frozen=True, slots=True)
class Internal:
    """One of these services of the product, on the internal port."""

    callers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admin:
    """The operator, with the admin key, on the internal port."""


ScopedAccess = Client | SessionOrClient | PermissionOrClient
"""What service clients with a scope may call."""
Access = Public | Session | Permission | Client | SessionOrClient | AnyToken | Internal | Admin


def needs_fresh_proof(access: Access) -> bool:
    """Whether the user must have proved who they are a short time ago."""
    return isinstance(access, Session | Permission) and access.fresh_proof


def takes_api_tokens(access: Access) -> bool:
    """Whether API tokens may call the route."""
    match access:
        case Permission(in_session=in_session):
            return not in_session
        case SessionOrClient(api_tokens=api_tokens):
            return api_tokens
    return isinstance(access, AnyToken)


def takes_delegated(access: Access) -> bool:
    """Whether a service client that acts for a user may call the route: decisions alone."""
    return isinstance(access, AnyToken) or (
        isinstance(access, SessionOrClient) and access.api_tokens
    )


def decided_in_project(access: Access) -> bool:
    """Whether the caller needs a right on the project of the path, decided inside that project."""
    if not isinstance(access, Permission) or access.in_each_project:
        return False
    return (access.in_project or access.name) in PROJECT_PERMISSIONS
