"""Membership of those who sign in through a connection with a rule, which team makes (B16)."""

import logging
from dataclasses import replace

from services.identity.domain.account_connections import ConnectionManagers
from services.identity.domain.id_tokens import IssuedIdentity
from services.identity.domain.identities import IdentityNotLinked, identity_id, trusted_address
from services.identity.domain.join_rules import require_rule
from services.identity.domain.sso_connections import ConnectionPaused, SsoConnection
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import Joining, SignedIn
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    CONNECTION_JOIN,
    CONNECTION_RULE,
    ConnectionAccountRequest,
    JoinOutcome,
    JoinProblem,
    JoinRequest,
    RuleRequest,
)
from shared.contracts.topology import Service
from shared.ids import AccountId, UserId
from shared.problems import Refusal, Unavailable

_log = logging.getLogger(__name__)


async def require_open_account(ctx: Ctx, connection: SsoConnection) -> None:
    """Check that the account of a connection is neither suspended nor being deleted, nor gone.

    Raises:
        ConnectionPaused: it is.
        Unavailable: team cannot be asked; nothing is signed in without its answer.
    """
    if connection.account_id is None:
        return
    request = ConnectionAccountRequest(account_id=connection.account_id)
    account = await ctx.internal.call(CONNECTION_ACCOUNT, Service.TEAM, request)
    if not account.open:
        raise ConnectionPaused


async def managers_of(ctx: Ctx, account_id: AccountId) -> ConnectionManagers:
    """Return who is told of a change of a connection.

    While team is away no mail is sent; the audit log has the change.
    """
    request = ConnectionAccountRequest(account_id=account_id, managers=True)
    try:
        answer = await ctx.internal.call(CONNECTION_ACCOUNT, Service.TEAM, request)
    except Unavailable:
        return ConnectionManagers()
    return ConnectionManagers(account_name=answer.account_name, emails=answer.manager_emails)


async def checked_managers(
    ctx: Ctx, account_id: AccountId, user_id: UserId, *, role: str | None
) -> ConnectionManagers:
    """Check that a member may have people join with a role, and return who is told of the change.

    Raises:
        NotATeamYet, JoinRoleUnknown, JoinRoleNotAllowed, JoinRoleNotHeld, JoinRoleOutlasts: see the
            domain.
        NotFound, Unavailable.
    """
    request = RuleRequest(account_id=account_id, user_id=user_id, role=role)
    answer = await ctx.internal.call(CONNECTION_RULE, Service.TEAM, request)
    require_rule(answer.problem, missing=answer.missing, assignable=answer.assignable)
    return ConnectionManagers(account_name=answer.account_name, emails=answer.manager_emails)


async def with_membership(
    ctx: Ctx, signed_in: SignedIn, issued: IssuedIdentity, connection: SsoConnection
) -> SignedIn:
    """Have team make the user a member by the rule of the connection, if it has one.

    Each sign-in asks again: what a crash or an absent team left undone is done by the next one.
    """
    row = await ctx.store.account_connection(connection.id)
    if row is None or row.rule is None or row.issuer != connection.issuer:
        return signed_in
    user, rule = signed_in.user, row.rule
    joining = Joining(account_id=row.account_id, outcome=JoinOutcome.LATER)
    if not _has_proved(user, issued, row.connection(None)):
        problem = JoinProblem.ADDRESS_DIFFERS
        joining = replace(joining, outcome=JoinOutcome.REFUSED, problem=problem)
        return replace(signed_in, joining=joining)
    request = JoinRequest(
        account_id=row.account_id,
        user_id=user.id,
        email=user.email,
        name=user.name,
        connection_id=row.id,
        connection_label=row.label,
        role=rule.role,
        rule_set_by=rule.set_by,
        identity_id=identity_id(issued.issuer, issued.subject),
    )
    try:
        answer = await ctx.internal.call(
            CONNECTION_JOIN, Service.TEAM, request, timeout=ctx.timeouts.joining
        )
    except Refusal as problem:
        _log.warning(
            "Team has not made a member yet. The next sign-in makes one.",
            extra={"account_id": row.account_id, "error": repr(problem)},
        )
        return replace(signed_in, joining=joining)
    joining = replace(joining, outcome=answer.outcome, problem=answer.problem)
    revision = signed_in.revision if answer.effective else answer.revision
    return replace(signed_in, joining=joining, revision=revision)


def _has_proved(user: User, issued: IssuedIdentity, connection: SsoConnection) -> bool:
    """Whether the issuer speaks for the user's own, proved address."""
    try:
        address = trusted_address(issued, connection)
    except IdentityNotLinked:
        return False
    return user.verified_at is not None and address.key == user.email_key
