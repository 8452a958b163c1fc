"""The internal routes about connections of accounts with issuers."""

from rolecall import AccountStatus
from services.team.domain.connection_joins import ConnectionRule
from services.team.use_cases import connection_joins
from services.team.use_cases.context import AccountRequest, Ctx
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    CONNECTION_JOIN,
    CONNECTION_RULE,
    ConnectionAccount,
    ConnectionAccountRequest,
    JoinAnswer,
    JoinRequest,
    RuleAnswer,
    RuleRequest,
)
from shared.contracts.facts import Actor, Caller
from shared.contracts.topology import Service
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.ids import AccountId, UserId
from shared.problems import NotFound


async def read_account(ctx: Ctx, call: Call[ConnectionAccountRequest, None]) -> ConnectionAccount:
    """Tell whether people may sign in through the connections of the account."""
    account, managers = await connection_joins.read_account(
        ctx, AccountId(call.body.account_id), with_managers=call.body.managers
    )
    return ConnectionAccount(
        open=account is not None and account.status is AccountStatus.ACTIVE,
        account_name="" if account is None else account.name,
        manager_emails=tuple(manager.email for manager in managers),
    )


async def check_rule(ctx: Ctx, call: Call[RuleRequest, None]) -> RuleAnswer:
    """Tell whether the member may set the rule, and who is told of the change."""
    body = call.body
    request = AccountRequest(
        caller=call.caller,
        user_id=UserId(body.user_id),
        account_id=AccountId(body.account_id),
        permission=connection_joins.MANAGE,
    )
    checked = await connection_joins.check_rule(ctx, request, role=body.role)
    return RuleAnswer(
        account_name=checked.access.account.name,
        manager_emails=tuple(manager.email for manager in checked.managers),
        problem=checked.check.problem,
        missing=checked.check.missing,
        assignable=checked.check.assignable,
    )


async def join(ctx: Ctx, call: Call[JoinRequest, None]) -> JoinAnswer:
    """Make the user a member, before the sign-in is answered."""
    body = call.body
    actor = Actor(type="service", id=Service.TEAM, on_behalf_of=body.user_id)
    joined = await connection_joins.join(
        ctx,
        AccountId(body.account_id),
        ConnectionRule(
            connection_id=body.connection_id,
            label=body.connection_label,
            role=body.role,
            set_by=UserId(body.rule_set_by),
        ),
        user_id=UserId(body.user_id),
        email=body.email,
        name=body.name,
        identity=body.identity_id,
        caller=Caller(actor=actor, request=call.caller.request),
    )
    result = joined.result
    return JoinAnswer(
        outcome=result.outcome,
        problem=result.problem,
        revision=joined.revision,
        effective=joined.effective,
    )


ROUTES = (
    internal_route(CONNECTION_ACCOUNT, read_account),
    internal_route(CONNECTION_RULE, check_rule, refuses=(NotFound,)),
    internal_route(CONNECTION_JOIN, join),
)
