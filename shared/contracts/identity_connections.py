"""The facts that identity records about the connections of accounts with issuers."""

from typing import ClassVar

from shared.contracts.facts import Payload


class _SsoConnection(Payload):
    connection_id: str
    label: str
    issuer: str
    domain: str
    account_name: str = ""
    join_role: str | None = None
    """The role of those who join the account by signing in; `None`: they do not."""
    rule_set_by: str | None = None
    manager_emails: tuple[str, ...] = ()
    """Who is told: those who manage the account's members."""


class SsoConnectionCreated(_SsoConnection):
    """An account has an issuer for its people; the domain is not proved yet."""

    type: ClassVar[str] = "identity.sso_connection.created.v1"


class SsoConnectionChanged(_SsoConnection):
    """An account has changed a connection; with another issuer its domain is to be proved again."""

    type: ClassVar[str] = "identity.sso_connection.changed.v1"
    changed: tuple[str, ...]


class SsoDomainProved(_SsoConnection):
    """The issuer of an account speaks for the addresses of a domain from now on."""

    type: ClassVar[str] = "identity.sso_connection.domain_proved.v1"


class SsoDomainLost(_SsoConnection):
    """Another connection has proved the domain, whose text record no longer names this one."""

    type: ClassVar[str] = "identity.sso_connection.domain_lost.v1"


class SsoConnectionDeleted(_SsoConnection):
    """An account has deleted a connection; nothing is signed in through it any more."""

    type: ClassVar[str] = "identity.sso_connection.deleted.v1"


FACTS: tuple[type[Payload], ...] = (
    SsoConnectionCreated,
    SsoConnectionChanged,
    SsoDomainProved,
    SsoDomainLost,
    SsoConnectionDeleted,
)
