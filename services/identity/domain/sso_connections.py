"""Connections: the issuers of OpenID Connect through which people sign in (B16)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.ids import AccountId, UserId
from shared.problems import Refusal, RefusalKind

EVERY_DOMAIN = "*"
"""Among the trusted domains: the issuer speaks for each address that it has verified."""
OPENID_SCOPE = "openid"


class SsoConnectionUnknown(Refusal):
    """No connection fits; the answer does not depend on whether the address has a user (`T9`)."""

    kind = RefusalKind.NOT_FOUND
    code = "no-connection"
    detail = (
        "There is no sign-in with another service for this. Sign in with your password, or reset"
        " it."
    )


class ConnectionPaused(Refusal):
    """The account of the connection is suspended, is being deleted or is gone."""

    kind = RefusalKind.DENIED
    code = "connection-paused"
    detail = (
        "The account of this sign-in is suspended or is being deleted. Sign in another way, or ask"
        " the account's owner."
    )


@dataclass(frozen=True, kw_only=True)
class JoinRule:
    """Who signs in with an address that the connection speaks for becomes a member.

    `set_by` is the member who gives the role.
    """

    role: str
    set_by: UserId


@dataclass(frozen=True, kw_only=True)
class SsoConnection:
    """An issuer, and the client that this platform is there.

    `trusted_domains` are those for whose addresses the issuer's word is enough. `account_id` is the
    account that has made the connection for itself; `None`: the platform's configuration has it.
    """

    id: str
    label: str
    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: tuple[str, ...] = (OPENID_SCOPE, "email", "profile")
    trusted_domains: tuple[str, ...] = ()
    account_id: AccountId | None = None

    def speaks_for(self, email_key: str) -> bool:
        """Whether the issuer's word is enough that a person has this address."""
        trusted = set(self.trusted_domains)
        return EVERY_DOMAIN in trusted or domain_of(email_key) in trusted


def domain_of(email_key: str) -> str:
    """The domain of an address, by the address's key."""
    return email_key.rpartition("@")[2]


def connection_for(connections: Iterable[SsoConnection], email_key: str) -> SsoConnection | None:
    """The connection that lists the domain of an address; `*` alone lists none."""
    domain = domain_of(email_key)
    return next((one for one in connections if domain in one.trusted_domains), None)
