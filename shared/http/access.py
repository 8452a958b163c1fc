"""Who may call a route?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Public:
    """Anyone; a credential that is sent is not looked at."""


@dataclass(frozen=True, slots=True)
class Session:
    """A person with a live session."""


@dataclass(frozen=True, slots=True)
class Permission:
    """A person who has this permission in the account that the path names.

    With `decided_in_use_case` the use case decides by `call.permission`, on rows that it reads in
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
    """A person with a live session, or a service client with this scope."""

    scope: str


@dataclass(frozen=True, slots=True)
class Internal:
    """One of these services of ours, on the internal port."""

    callers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admin:
    """The operator's key, on the internal port."""


Access = Public | Session | Permission | Client | SessionOrClient | Internal | Admin
