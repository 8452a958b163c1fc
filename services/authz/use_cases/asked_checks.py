"""The check that a request asks for, and whether its caller may ask it."""

from rolecall import TokenSubject
from services.authz.domain.checks import (
    CHECK_SCOPE,
    TOKEN_TYPE,
    USER_TYPE,
    OtherSubject,
    PermissionCheck,
    account_for_client,
)
from services.authz.domain.evaluations import EvaluationRequest, check_of, token_id_of
from services.authz.domain.named_checks import with_named_owner
from services.authz.use_cases.acting_clients import bound_account
from services.authz.use_cases.context import Ctx
from shared.auth.principals import (
    ApiTokenPrincipal,
    Bearer,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.contracts.policy_objects import ServiceClientObject
from shared.problems import ApiTokenOver, ScopeMissing, TokenRevoked


def authorized_check(ctx: Ctx, principal: Bearer, request: EvaluationRequest) -> PermissionCheck:
    """The check that is asked for, if the caller may ask it; the refusals are those of `evaluate`.

    A user may ask about themselves, by their own id. External ids are those of now: a check about a
    past time keeps them as they are.
    """
    check = check_of(request, *subject_of_check(ctx, principal, request))
    own = not isinstance(principal, ClientPrincipal)
    past = request.at is not None
    return check if past else with_named_owner(check, ctx.policy.external_ids, own=own)


def is_shared(ctx: Ctx, account_id: str | None, name: str) -> bool:
    """Return whether several members of the account have this external id, so it names none."""
    return account_id is not None and ctx.policy.external_ids.shared(account_id, name)


def subject_of_check(
    ctx: Ctx,
    principal: Bearer,
    request: EvaluationRequest,
    client: ServiceClientObject | None = None,
) -> tuple[str | None, str, TokenSubject | None]:
    """The account, the user whom the subject's id names there, and the API token if it is one."""
    account_id = account_of(ctx, principal, request, client)
    token = token_of(ctx, request) if request.subject_type == TOKEN_TYPE else None
    if token is not None:
        return account_id, token.user_id, token.subject
    if account_id is None or request.at is not None:
        return account_id, request.subject_id, None
    return account_id, ctx.policy.external_ids.user(account_id, request.subject_id), None


def token_of(ctx: Ctx, request: EvaluationRequest) -> ApiTokenPrincipal | None:
    """The live API token that the subject names, if it names one."""
    token_id = token_id_of(request)
    return None if token_id is None else ctx.callers.api_token(token_id)


def checking_client(ctx: Ctx, principal: ClientPrincipal) -> ServiceClientObject:
    """The client that calls, which may check."""
    client = ctx.sign_ins.client(principal.client_id)
    if client is None:
        raise TokenRevoked
    if CHECK_SCOPE not in client.scopes:
        raise ScopeMissing(CHECK_SCOPE)
    return client


def account_of(
    ctx: Ctx,
    principal: Bearer,
    request: EvaluationRequest,
    client: ServiceClientObject | None = None,
) -> str | None:
    """The account of the decision point, else the one that the resource names, else a default.

    `client` is the caller if it was looked up before.
    """
    named = request.point or request.account_id
    if isinstance(principal, ClientPrincipal):
        client = client or checking_client(ctx, principal)
        return account_for_client(client, named=named, resource_type=request.resource_type)
    if isinstance(principal, UserPrincipal | DelegatedPrincipal):
        if ctx.sign_ins.session_ended(principal.session_id):
            raise TokenRevoked
        if (request.subject_type, request.subject_id) != (USER_TYPE, principal.user_id):
            raise OtherSubject
        return bound_account(ctx, principal, named, request.resource_type)
    if ctx.callers.api_token(principal.token_id) is None:
        raise ApiTokenOver
    if (request.subject_type, request.subject_id) != (TOKEN_TYPE, principal.token_id):
        raise OtherSubject
    return named or principal.account_id
