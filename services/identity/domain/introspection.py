"""Introspection (RFC 7662): which client may ask, and of which tokens it learns."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from services.identity.domain.service_clients import ClientScope, ServiceClient
from shared.contracts.calls.authz import TokenLimits
from shared.ids import AccountId, MembershipId
from shared.problems import Refusal, RefusalKind

SCOPE = ClientScope.AUTHZ_CHECK
"""The scope to ask. A client that has it may ask what each user may do, which tells more."""


class ClientNotAllowed(Refusal):
    """The error `unauthorized_client`: the client may not ask about tokens."""

    kind = RefusalKind.MALFORMED
    code = "unauthorized-client"
    detail = f"This client may not ask about tokens. Use a client with the scope {SCOPE}."


@dataclass(frozen=True, kw_only=True)
class ActiveToken:
    """A token that may act now: its claims, and what an API token is bound and limited to."""

    claims: dict[str, Any]
    account_id: AccountId | None = None
    membership_id: MembershipId | None = None
    limits: TokenLimits | None = None


def require_asker(client: ServiceClient) -> None:
    """Check that a client may ask about tokens.

    Raises:
        ClientNotAllowed: it does not have the scope.
    """
    if SCOPE not in client.scopes:
        raise ClientNotAllowed


def learns_of(client: ServiceClient, accounts: Collection[str] | None) -> bool:
    """Return whether the client learns of a token that acts in these accounts; `None`: in all.

    A client that is bound to accounts learns of no token that reaches others. Its own are known to
    it anyway.
    """
    if client.account_ids is None:
        return True
    return accounts is not None and set(accounts) <= set(client.account_ids)
