"""Answer an access evaluation of a service client, or of a user or API token about itself."""

from datetime import datetime

from msgspec import Struct

from rolecall import NOTHING_GIVEN, Given, Resource, TokenSubject, milliseconds
from rolecall.core.condition_work import ConditionWork
from services.authz.domain.checks import (
    CHECK_SCOPE,
    SHOWS_MEMBERSHIP,
    SUBJECT_UNKNOWN,
    TOKEN_TYPE,
    USER_TYPE,
    OtherSubject,
    PermissionCheck,
    account_for_client,
    decide_found,
    member_for_user,
    member_of,
    names_member,
)
from services.authz.use_cases.acting_clients import bound_account
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import (
    is_member,
    known_account,
    note_decision,
    sign_in_denial,
)
from shared.auth.principals import (
    ApiTokenPrincipal,
    Bearer,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.http.refusals import BadRequest
from shared.ids import TokenId, is_id
from shared.problems import ApiTokenOver, ScopeMissing, TokenRevoked

PAST_ALONE = (
    "A past time needs a request of its own: one evaluation or one explanation. Ask about it there,"
    " or leave `at` out."
)


class EvaluationRequest(Struct, kw_only=True, gc=False):
    """One access evaluation; `account_id` and `at_least_revision` are optional.

    `subject_id` may be an external id. `point` is the account whose own decision point is asked.
    With `at` it is about a past time: only `time_travel` answers it.
    """

    subject_type: str
    subject_id: str
    session_id: str | None
    action: str
    resource_type: str
    resource: Resource
    account_id: str | None
    at_least_revision: str | None
    point: str | None = None
    given: Given = NOTHING_GIVEN
    at: datetime | None = None


class EvaluationResult(Struct, kw_only=True, gc=False):
    """The decision, its reason, what decided (`role:…`, `override:…`), and its revision.

    `at` is the past time that it is about.
    """

    check: PermissionCheck
    allowed: bool
    reason: str
    decided_by: str | None = None
    revision: str | None = None
    at: datetime | None = None


async def evaluate(ctx: Ctx, principal: Bearer, request: EvaluationRequest) -> EvaluationResult:
    """Evaluate a check of a service client, or of a user about themselves.

    Raises:
        Stale: this replica may not answer now.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: the caller may not ask this.
        BadRequest: `at_least_revision` is not a revision.
    """
    if request.at_least_revision is not None:
        check = ctx.while_fresh(lambda: authorized_check(ctx, principal, request))
        own = not isinstance(principal, ClientPrincipal)
        await ctx.reach(
            request.at_least_revision, check, may_learn=lambda: not own or is_member(ctx, check)
        )
    return evaluate_at_once(ctx, principal, request)


def evaluate_at_once(ctx: Ctx, principal: Bearer, request: EvaluationRequest) -> EvaluationResult:
    """Evaluate a check as of now; it does not wait for the revision that the request may name.

    Raises:
        Stale, TokenRevoked, ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: as
            `evaluate`.
    """
    result = ctx.while_fresh(evaluate_now, ctx, principal, request)
    note_decision(ctx, result.check, result.reason)
    ctx.counter.count(
        result.check, asked_by=principal, allowed=result.allowed, reason=result.reason
    )
    return result


def evaluate_now(ctx: Ctx, principal: Bearer, request: EvaluationRequest) -> EvaluationResult:
    """Evaluate without waiting; call it within `Ctx.while_fresh`. It raises as `evaluate`."""
    _require_present(request)
    now = milliseconds(ctx.clock.now())
    return _Place(ctx, principal, request, now=now).evaluate(request)


def _require_present(request: EvaluationRequest) -> None:
    """Refuse a past time: what is decided from the state of this replica is about now."""
    if request.at is not None:
        raise BadRequest(errors=[("/context/at", PAST_ALONE)])


class _Place:
    """The account and subject of checks, looked up; they may differ in action and resource."""

    __slots__ = (
        "_account",
        "_account_id",
        "_found",
        "_names_member",
        "_now",
        "_own",
        "_revision",
        "_token",
        "_user_id",
    )

    def __init__(
        self,
        ctx: Ctx,
        principal: Bearer,
        request: EvaluationRequest,
        *,
        now: int,
    ) -> None:
        account_id, user_id, token = _subject(ctx, principal, request)
        if account_id is None:
            account = self._revision = None
        else:
            account = known_account(ctx, account_id)
            self._revision = ctx.revision(account_id)
        denial = sign_in_denial(ctx, account, user_id, request.session_id)
        self._own = not isinstance(principal, ClientPrincipal)
        if self._own:
            self._found = member_for_user(
                account, account_id, user_id, sign_in_denial=denial, now=now, token=token
            )
        else:
            self._found = member_of(account, user_id, sign_in_denial=denial, now=now, token=token)
        self._account_id, self._user_id = account_id, user_id
        self._account = account
        self._now = now
        kind = request.subject_type
        self._token = token
        self._names_member = kind == USER_TYPE or token is not None or names_member(account, kind)

    def evaluate(
        self, request: EvaluationRequest, work: ConditionWork | None = None
    ) -> EvaluationResult:
        """Evaluate a request of this account and subject."""
        check = check_of(request, self._account_id, self._user_id, self._token)
        if not self._names_member:
            return EvaluationResult(check=check, allowed=False, reason=SUBJECT_UNKNOWN)
        decision = decide_found(self._account, self._found, check, now=self._now, work=work)
        reason = decision.reason
        shown = not self._own or reason in SHOWS_MEMBERSHIP
        return EvaluationResult(
            check=check,
            allowed=decision.allowed,
            reason=reason,
            decided_by=decision.decided_by,
            revision=self._revision if shown else None,
        )


class Evaluator:
    """Evaluates requests of one caller from one state, at one instant.

    What the requests share is looked up once: account and subject, and whether the caller may ask
    about the type of a resource. Make it and use it within one `Ctx.while_fresh`.
    """

    def __init__(self, ctx: Ctx, principal: Bearer, work: ConditionWork) -> None:
        self._ctx = ctx
        self._principal = principal
        self._work = work
        self._now = milliseconds(ctx.clock.now())
        self._places: dict[tuple[str | None, ...], _Place] = {}
        self._types: set[str] = set()

    def evaluate(self, request: EvaluationRequest) -> EvaluationResult:
        """Evaluate one request; the refusals are those of `evaluate`."""
        if request.at is not None:
            _require_present(request)
        key = (
            request.subject_type,
            request.subject_id,
            request.session_id,
            request.account_id,
            request.point,
        )
        place = self._places.get(key)
        if place is None:
            place = _Place(self._ctx, self._principal, request, now=self._now)
            self._places[key] = place
        elif request.resource_type not in self._types:
            _account_id(self._ctx, self._principal, request)
        self._types.add(request.resource_type)
        return place.evaluate(request, self._work)


def authorized_check(ctx: Ctx, principal: Bearer, request: EvaluationRequest) -> PermissionCheck:
    """The check that is asked for, if the caller may ask it; the refusals are those of `evaluate`.

    A user may ask about themselves, by their own id.
    """
    return check_of(request, *_subject(ctx, principal, request))


def check_of(
    request: EvaluationRequest,
    account_id: str | None,
    user_id: str,
    token: TokenSubject | None = None,
) -> PermissionCheck:
    """The check that a request asks for, of this account, user and API token."""
    return PermissionCheck(
        user_id=user_id,
        session_id=request.session_id,
        token_id=_token_id(request),
        token=token,
        account_id=account_id,
        permission=f"{request.resource_type}:{request.action}",
        resource=request.resource,
        given=request.given,
        elsewhere=request.point is not None and request.account_id not in (None, request.point),
    )


def _subject(
    ctx: Ctx, principal: Bearer, request: EvaluationRequest
) -> tuple[str | None, str, TokenSubject | None]:
    """The account, the user whom the subject's id names there, and the API token if it is one."""
    account_id = _account_id(ctx, principal, request)
    token = token_of(ctx, request)
    if token is not None:
        return account_id, token.user_id, token.subject
    if account_id is None:
        return None, request.subject_id, None
    return account_id, ctx.policy.external_ids.user(account_id, request.subject_id), None


def token_of(ctx: Ctx, request: EvaluationRequest) -> ApiTokenPrincipal | None:
    """The live API token that the subject names, if it names one."""
    token_id = _token_id(request)
    return None if token_id is None else ctx.callers.api_token(token_id)


def _token_id(request: EvaluationRequest) -> TokenId | None:
    if request.subject_type == TOKEN_TYPE and is_id(request.subject_id, "tok"):
        return TokenId(request.subject_id)
    return None


def _account_id(ctx: Ctx, principal: Bearer, request: EvaluationRequest) -> str | None:
    """The account of the decision point, else the one that the resource names, else a default."""
    named = request.point or request.account_id
    if isinstance(principal, ClientPrincipal):
        client = ctx.sign_ins.client(principal.client_id)
        if client is None:
            raise TokenRevoked
        if CHECK_SCOPE not in client.scopes:
            raise ScopeMissing(CHECK_SCOPE)
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
