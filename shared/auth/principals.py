"""Who is acting, once the credential has been checked?"""

from dataclasses import dataclass

from shared.contracts.facts import Actor
from shared.ids import AccountId, ClientId, SessionId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPrincipal:
    """A person in a session.

    `account_id` is the session's current account: a hint, never authority.
    """

    user_id: UserId
    session_id: SessionId
    account_id: AccountId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPrincipal:
    """A service client; where `account_ids` or `resource_types` are None it is not bound to any."""

    client_id: ClientId
    scopes: frozenset[str]
    account_ids: frozenset[AccountId] | None = None
    resource_types: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """One of our services, and whom it acts for (None: itself)."""

    service: str
    act: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPrincipal:
    """Whoever holds the operator's key of this service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """Nobody in particular."""


Principal = UserPrincipal | ClientPrincipal | ServicePrincipal | AdminPrincipal | Anonymous


def actor_of(principal: Principal) -> Actor:
    """The actor of the audit record; what an internal call does is done by whom it acts for."""
    match principal:
        case UserPrincipal():
            return Actor(type="user", id=principal.user_id, session_id=principal.session_id)
        case ClientPrincipal():
            return Actor(type="service_client", id=principal.client_id)
        case ServicePrincipal():
            return principal.act or Actor(type="service", id=principal.service)
        case AdminPrincipal():
            return Actor(type="operator", id="admin")
        case Anonymous():
            return Actor(type="anonymous", id="anonymous")
