"""The principals that a checked credential can stand for."""

from dataclasses import dataclass

from shared.contracts.facts import Actor
from shared.ids import AccountId, ClientId, SessionId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPrincipal:
    """A user in a session.

    `account_id` is the session's current account: a hint, never authority.
    """

    user_id: UserId
    session_id: SessionId
    account_id: AccountId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPrincipal:
    """A service client; None in `account_ids` or `resource_types` means that it is not bound."""

    client_id: ClientId
    scopes: frozenset[str]
    account_ids: frozenset[AccountId] | None = None
    resource_types: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """A service of the product, and the principal that it acts for (None: itself)."""

    service: str
    act: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPrincipal:
    """The operator, who holds the admin key of this service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """A caller without a credential."""


Principal = UserPrincipal | ClientPrincipal | ServicePrincipal | AdminPrincipal | Anonymous


def actor_of(principal: Principal) -> Actor:
    """Return the actor for the audit record.

    For an internal call it is the principal on whose behalf the service calls.
    """
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
