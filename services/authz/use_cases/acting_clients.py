"""Service clients that act for a user: each of a chain bounds what the user may do by it."""

from services.authz.domain.checks import account_for_client
from services.authz.use_cases.context import Ctx
from shared.auth.bindings import ACT_SCOPE
from shared.auth.principals import DelegatedPrincipal, UserPrincipal
from shared.problems import TokenRevoked


def bound_account(
    ctx: Ctx,
    principal: UserPrincipal | DelegatedPrincipal,
    named: str | None,
    resource_type: str,
) -> str | None:
    """Return the account that is named, else the token's, if each client may act there now.

    A user who acts themselves is bound to none.

    Raises:
        TokenRevoked: a client does not exist any more, or may not act for users.
        AccountNotBound, TypeNotBound: a client is bound to others.
    """
    account_id = named or principal.account_id
    if isinstance(principal, UserPrincipal):
        return account_id
    for client_id in principal.client_ids:
        client = ctx.sign_ins.client(client_id)
        if client is None or ACT_SCOPE not in client.scopes:
            raise TokenRevoked
        account_for_client(client, named=account_id, resource_type=resource_type)
    return account_id
