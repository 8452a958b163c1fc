"""The kinds of access that a route can require."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Public:
    """Every caller; a credential is ignored."""


@dataclass(frozen=True, slots=True)
class Session:
    """A user with a live session."""


@dataclass(frozen=True, slots=True)
class Permission:
    """A user who has this permission in the account of the path.

    With `decided_in_use_case` the use case checks `call.permission` against rows that it reads in
    its own transaction. Otherwise the API's checker decides before the handler runs.
    """

    name: str
    decided_in_use_case: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """A service client with this scope."""

    scope: str


@dataclass(frozen=True, slots=True)
class SessionOrClient:
    """A user with a live session, or a service client with this scope."""

    scope: str


@dataclass(frozen=True, slots=True)
class Internal:
    """One of these services of the product, on the internal port."""

    callers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admin:
    """The operator, with the admin key, on the internal port."""


Access = Public | Session | Permission | Client | SessionOrClient | Internal | Admin
