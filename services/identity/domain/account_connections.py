"""Connections that an account makes for itself, and the proof of their mail domain (B16)."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.identity.domain.sso_connections import SsoConnection, domain_of
from shared.addresses import parse_address
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.identity_connections import (
    SsoConnectionCreated,
    SsoConnectionDeleted,
    SsoDomainProved,
)
from shared.ids import AccountId, ConnectionId, UserId
from shared.problems import Refusal, RefusalKind

MAX_CONNECTIONS = 5
CHALLENGE_LABEL = "_rolecall-challenge"
_CHALLENGE_BYTES = 32


class DomainNotProved(Refusal):
    """The text record of the domain is missing."""

    kind = RefusalKind.CONFLICT
    code = "domain-not-proved"
    detail = (
        "The TXT record {record} does not contain the expected value. Add it at the name servers of"
        " the domain, wait until it is published, then try again."
    )

    def __init__(self, record: str) -> None:
        super().__init__(record=record)


class DomainTaken(Refusal):
    """The domain is another connection's."""

    kind = RefusalKind.CONFLICT
    code = "domain-taken"
    detail = (
        "Another connection has proved this domain. Delete that one first, or ask the platform."
    )


class TooManyIssuers(Refusal):
    """The account has as many connections as one account may have."""

    kind = RefusalKind.CONFLICT
    code = "too-many-issuers"
    detail = "An account has at most {limit} connections. Delete one first."

    def __init__(self) -> None:
        super().__init__(limit=MAX_CONNECTIONS)


@dataclass(frozen=True, kw_only=True)
class AccountConnection:
    """A connection of an account. The secret is sealed.

    Until `proved_at` the issuer speaks for no address, and only identities that their users have
    linked themselves sign in through it.
    """

    id: ConnectionId
    account_id: AccountId
    label: str
    issuer: str
    client_id: str
    sealed_secret: bytes | None = field(repr=False)
    domain: str
    challenge: str
    created_by: UserId
    created_at: datetime
    proved_at: datetime | None = None

    @property
    def record(self) -> str:
        """The name of the TXT record that proves the domain."""
        return f"{CHALLENGE_LABEL}.{self.domain}"

    def connection(self, secret: str | None) -> SsoConnection:
        """Return what signs people in."""
        return SsoConnection(
            id=self.id,
            label=self.label,
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=secret,
            trusted_domains=() if self.proved_at is None else (self.domain,),
            account_id=self.account_id,
        )


def parse_domain(text: str) -> str:
    """Read the domain of mail addresses, in its IDNA form.

    Raises:
        ValueError: it is not one; the message says why.
    """
    if "@" in text:
        raise ValueError("Enter the domain alone: what stands after the @.")
    return domain_of(parse_address(f"a@{text}").key)


def new_challenge() -> str:
    """Make the value that the owner of a domain publishes."""
    return f"rolecall-domain={secrets.token_urlsafe(_CHALLENGE_BYTES)}"


def created(connection: AccountConnection) -> Fact:
    """Make the fact that an account has a connection."""
    payload = SsoConnectionCreated(**_fields(connection))
    after = {"issuer": connection.issuer, "domain": connection.domain}
    return _fact(connection, payload, after=after)


def deleted(connection: AccountConnection) -> Fact:
    """Make the fact that an account has deleted a connection."""
    payload = SsoConnectionDeleted(**_fields(connection))
    before = {"issuer": connection.issuer, "domain": connection.domain}
    return _fact(connection, payload, before=before)


def prove(
    connection: AccountConnection, texts: frozenset[str], *, now: datetime
) -> tuple[AccountConnection, tuple[Fact, ...]]:
    """Prove the domain by its text record; once it is proved nothing changes.

    Raises:
        DomainNotProved: the record does not have the value.
    """
    if connection.challenge not in texts:
        raise DomainNotProved(connection.record)
    if connection.proved_at is not None:
        return connection, ()
    proved = replace(connection, proved_at=now)
    payload = SsoDomainProved(**_fields(connection))
    return proved, (_fact(proved, payload, after={"domain": connection.domain}),)


def _fields(connection: AccountConnection) -> dict[str, str]:
    return {
        "connection_id": connection.id,
        "label": connection.label,
        "issuer": connection.issuer,
        "domain": connection.domain,
    }


def _fact(
    connection: AccountConnection,
    payload: SsoConnectionCreated | SsoConnectionDeleted | SsoDomainProved,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> Fact:
    return Fact(
        payload=payload,
        resource=ResourceRef(type="sso_connection", id=connection.id, name=connection.label),
        account_id=connection.account_id,
        before=before,
        after=after,
    )
