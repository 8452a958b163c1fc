"""Connections that an account makes for itself, and the proof of their mail domain (B16)."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.identity.domain.sso_connections import JoinRule, SsoConnection, domain_of
from shared.addresses import parse_address
from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.contracts.identity_connections import (
    SsoConnectionChanged,
    SsoConnectionCreated,
    SsoConnectionDeleted,
    SsoDomainLost,
    SsoDomainProved,
)
from shared.ids import AccountId, ConnectionId, UserId
from shared.problems import Invalid, Refusal, RefusalKind

MAX_CONNECTIONS = 5
ISSUER_MOVED_ALONE = (
    "Another issuer needs its own secret. Send `client_secret` together with `issuer`; it is `null`"
    " for a client without one."
)
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
    linked themselves sign in through it. With a `join_role` those for whose address it speaks join
    the account; `rule_set_by` is the member who gives the role.
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
    enabled: bool = True
    join_role: str | None = None
    rule_set_by: UserId | None = None

    @property
    def record(self) -> str:
        """The name of the TXT record that proves the domain."""
        return f"{CHALLENGE_LABEL}.{self.domain}"

    @property
    def rule(self) -> JoinRule | None:
        """The rule that is in force."""
        if not self.enabled or self.join_role is None or self.rule_set_by is None:
            return None
        return JoinRule(role=self.join_role, set_by=self.rule_set_by)

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


@dataclass(frozen=True, kw_only=True)
class ConnectionManagers:
    """The account's name, and the addresses of those who manage its members."""

    account_name: str = ""
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ConnectionChange:
    """What is to change of a connection; `None` leaves a part as it is."""

    label: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    sealed_secret: bytes | None = field(default=None, repr=False)
    drops_secret: bool = False
    enabled: bool | None = None
    join_role: str | None = None
    drops_rule: bool = False


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


def created(connection: AccountConnection, told: ConnectionManagers) -> Fact:
    """Make the fact that an account has a connection."""
    payload = SsoConnectionCreated(**_fields(connection, told))
    return _fact(connection, payload, after=_shown(connection))


def deleted(connection: AccountConnection, told: ConnectionManagers) -> Fact:
    """Make the fact that an account has deleted a connection."""
    payload = SsoConnectionDeleted(**_fields(connection, told))
    return _fact(connection, payload, before=_shown(connection))


def given_role(connection: AccountConnection, wanted: ConnectionChange) -> str | None:
    """The role that a change gives to people who join; its author has to hold it (`B5`).

    The author gives it by naming it, by turning the connection on, and by choosing another issuer
    or client: the one in control of that decides who joins.
    """
    role = None if wanted.drops_rule else wanted.join_role or connection.join_role
    gives = (
        wanted.join_role is not None
        or (wanted.enabled is True and not connection.enabled)
        or (wanted.issuer is not None and wanted.issuer != connection.issuer)
        or (wanted.client_id is not None and wanted.client_id != connection.client_id)
    )
    return role if gives else None


def change(
    connection: AccountConnection,
    wanted: ConnectionChange,
    *,
    by: UserId,
    told: ConnectionManagers,
) -> tuple[AccountConnection, Fact | None]:
    """Change a connection; there is no fact if nothing differs.

    Another issuer has to be proved again, and gets no secret of the former one: an admin could
    have it sent to a server of their own.

    Raises:
        Invalid: the issuer changes, and the secret of the former one would stay.
    """
    _require_secret(connection, wanted)
    issuer = wanted.issuer or connection.issuer
    secret = None if wanted.drops_secret else wanted.sealed_secret or connection.sealed_secret
    role = None if wanted.drops_rule else wanted.join_role or connection.join_role
    giver = by if given_role(connection, wanted) is not None else connection.rule_set_by
    changed = replace(
        connection,
        label=wanted.label or connection.label,
        issuer=issuer,
        client_id=wanted.client_id or connection.client_id,
        sealed_secret=secret,
        enabled=connection.enabled if wanted.enabled is None else wanted.enabled,
        join_role=role,
        rule_set_by=None if role is None else giver,
    )
    if issuer != connection.issuer:
        changed = replace(changed, challenge=new_challenge(), proved_at=None)
    if changed == connection:
        return connection, None
    before, after = _shown(connection), _shown(changed)
    parts = [name for name in after if after[name] != before[name]]
    if secret != connection.sealed_secret:
        parts.append("client_secret")
    payload = SsoConnectionChanged(**_fields(changed, told), changed=tuple(parts))
    return changed, _fact(changed, payload, before=before, after=after | {"changed": parts})


def prove(
    connection: AccountConnection,
    texts: frozenset[str],
    *,
    told: ConnectionManagers,
    now: datetime,
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
    payload = SsoDomainProved(**_fields(connection, told))
    return proved, (_fact(proved, payload, after=_shown(proved)),)


def lose_domain(
    connection: AccountConnection, told: ConnectionManagers
) -> tuple[AccountConnection, Fact]:
    """End the proof of a domain that another connection proves now."""
    lost = replace(connection, proved_at=None)
    payload = SsoDomainLost(**_fields(connection, told))
    return lost, _fact(lost, payload, before=_shown(connection), after=_shown(lost))


def _require_secret(connection: AccountConnection, wanted: ConnectionChange) -> None:
    moved = wanted.issuer is not None and wanted.issuer != connection.issuer
    stays = wanted.sealed_secret is None and not wanted.drops_secret
    if moved and stays and connection.sealed_secret is not None:
        raise Invalid(errors=[("/client_secret", ISSUER_MOVED_ALONE)])


def _fields(connection: AccountConnection, told: ConnectionManagers) -> dict[str, Any]:
    return {
        "connection_id": connection.id,
        "label": connection.label,
        "issuer": connection.issuer,
        "domain": connection.domain,
        "account_name": told.account_name,
        "join_role": connection.join_role,
        "rule_set_by": connection.rule_set_by,
        "manager_emails": told.emails,
    }


def _shown(connection: AccountConnection) -> dict[str, Any]:
    """The connection in an audit record."""
    return {
        "label": connection.label,
        "issuer": connection.issuer,
        "client_id": connection.client_id,
        "domain": connection.domain,
        "proved": connection.proved_at is not None,
        "enabled": connection.enabled,
        "join_role": connection.join_role,
        "rule_set_by": connection.rule_set_by,
    }


def _fact(
    connection: AccountConnection,
    payload: Payload,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Fact:
    return Fact(
        payload=payload,
        resource=ResourceRef(type="sso_connection", id=connection.id, name=connection.label),
        account_id=connection.account_id,
        before=before,
        after=after,
    )
