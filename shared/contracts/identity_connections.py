"""The facts that identity records about the connections of accounts with issuers."""

from typing import ClassVar

from shared.contracts.facts import Payload


class _SsoConnection(Payload):
    connection_id: str
    label: str
    issuer: str
    domain: str


class SsoConnectionCreated(_SsoConnection):
    """An account has an issuer for its people; the domain is not proved yet."""

    type: ClassVar[str] = "identity.sso_connection.created.v1"


class SsoDomainProved(_SsoConnection):
    """The issuer of an account speaks for the addresses of a domain from now on."""

    type: ClassVar[str] = "identity.sso_connection.domain_proved.v1"


class SsoConnectionDeleted(_SsoConnection):
    """An account has deleted a connection; nothing is signed in through it any more."""

    type: ClassVar[str] = "identity.sso_connection.deleted.v1"


FACTS: tuple[type[Payload], ...] = (SsoConnectionCreated, SsoDomainProved, SsoConnectionDeleted)
