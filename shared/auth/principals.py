"""The principals that a checked credential can stand for."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rolecall import Restriction, TokenSubject
from shared.contracts.facts import Actor
from shared.ids import AccountId, ClientId, KeyId, SessionId, TokenId, UserId


class AccessTokenRef(NamedTuple):
    """The access token that a request came with: its id, and the key that signed it."""

    id: TokenId
    key_id: KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPrincipal:
    """A user in a session.

    `account_id` is the session's current account: a hint, never authority. `proved_at` is when the
    user last proved who they are in this session.
    """

    user_id: UserId
    session_id: SessionId
    account_id: AccountId | None = None
    access_token: AccessTokenRef | None = field(default=None, compare=False)
    proved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPrincipal:
    """A service client; None in `account_ids` or `resource_types` means that it is not bound."""

    client_id: ClientId
    scopes: frozenset[str]
    account_ids: frozenset[AccountId] | None = None
    resource_types: frozenset[str] | None = None
    access_token: AccessTokenRef | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatedPrincipal:
    """A service client that acts for a user in a session, by an exchanged token (RFC 8693).

    `client_ids` are the clients of the chain: the one that acts, then those from which it has the
    token. What each of them is bound to is asked at each use. `made_of` are the access tokens from
    which the token was exchanged, the user's first: it is refused as soon as one of them is.
    """

    user_id: UserId
    session_id: SessionId
    client_ids: tuple[ClientId, ...]
    account_id: AccountId | None = None
    access_token: AccessTokenRef | None = field(default=None, compare=False)
    made_of: tuple[AccessTokenRef, ...] = ()

    @property
    def client_id(self) -> ClientId:
        """The service client that acts."""
        return self.client_ids[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTokenPrincipal:
    """A user by an API token, which acts in one account, for as long as one membership lasts.

    What it is and is limited to never changes. Whether it still exists is asked at each use.
    """

    token_id: TokenId
    user_id: UserId
    account_id: AccountId
    membership_id: str
    expires_at: datetime
    restriction: Restriction | None = None

    @property
    def subject(self) -> TokenSubject:
        """The token as the decision core takes it."""
        return TokenSubject(self.membership_id, self.restriction)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePrincipal:
    """A service of the product, and the principal that it acts for (None: itself)."""

    service: str
    act: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPrincipal:
    """The operator, who holds the admin key of this service.

    `key_id` tells keys apart in the audit log. `name` is the one that the operator gives; the key
    alone is what is checked.
    """

    key_id: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """A caller without a credential."""


Member = UserPrincipal | ApiTokenPrincipal
"""A user who acts in an account: in a session, or by an API token."""
AccessTokenPrincipal = UserPrincipal | ClientPrincipal | DelegatedPrincipal
"""The callers whom an access token can name."""
Bearer = AccessTokenPrincipal | ApiTokenPrincipal
"""The callers whom a bearer token of the public API can name."""
Principal = Bearer | ServicePrincipal | AdminPrincipal | Anonymous


def actor_of(principal: Principal) -> Actor:  # noqa: PLR0911 - one for each kind
    """Return the actor for the audit record.

    For an internal call it is the principal on whose behalf the service calls.
    """
    match principal:
        case UserPrincipal():
            return Actor(type="user", id=principal.user_id, session_id=principal.session_id)
        case ApiTokenPrincipal():
            return Actor(type="user", id=principal.user_id, token_id=principal.token_id)
        case ClientPrincipal():
            return Actor(type="service_client", id=principal.client_id)
        case DelegatedPrincipal():
            return Actor(
                type="service_client", id=principal.client_id, on_behalf_of=principal.user_id
            )
        case ServicePrincipal():
            return principal.act or Actor(type="service", id=principal.service)
        case AdminPrincipal():
            return Actor(type="operator", id=principal.key_id, name=principal.name)
        case Anonymous():
            return Actor(type="anonymous", id="anonymous")
