"""Answer an access evaluation of a service client, or of a user about themselves."""

from dataclasses import dataclass, field
from datetime import datetime

from rolecall import NOTHING_GIVEN, AccountState, Given, Resource, milliseconds
from rolecall.core.condition_work import ConditionWork
from services.authz.domain.checks import (
    CHECK_SCOPE,
    SHOWS_MEMBERSHIP,
    SUBJECT_UNKNOWN,
    USER_TYPE,
    OtherSubject,
    PermissionCheck,
    account_for_client,
    decide_check,
    decide_for_user,
    names_member,
)
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import (
    is_member,
    known_account,
    note_decision,
    session_ended,
)
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.refusals import BadRequest
from shared.problems import ScopeMissing, TokenRevoked

PAST_ALONE = (
    "A past time needs a request of its own: one evaluation or one explanation. Ask about it there,"
    " or leave `at` out."
)


@dataclass(slots=True, kw_only=True)
class EvaluationRequest:
    """One access evaluation; `account_id` and `at_least_revision` are optional.

    `subject_id` may be an external id. `point` is the account whose own decision point is asked.
    No one changes it; a frozen class takes four times as long to make.
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


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class EvaluationResult:
    """The decision, its reason, what decided (`role:…`, `override:…`), and its revision.

    `check` does not count when two results are compared: the same answer tells both.
    `at` is the past time that it is about.
    """

    check: PermissionCheck = field(compare=False)
    allowed: bool
    reason: str
    decided_by: str | None = None
    revision: str | None = None
    at: datetime | None = None


async def evaluate(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> EvaluationResult:
    """Evaluate a check of a service client, or of a user about themselves.

    Raises:
        Stale: this replica may not answer now.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: the caller may not ask this.
        BadRequest: `at_least_revision` is not a revision.
    """
    if request.at_least_revision is not None:
        check = ctx.while_fresh(lambda: authorized_check(ctx, principal, request))
        own = isinstance(principal, UserPrincipal)
        await ctx.reach(
            request.at_least_revision, check, may_learn=lambda: not own or is_member(ctx, check)
        )
    return evaluate_at_once(ctx, principal, request)


def evaluate_at_once(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> EvaluationResult:
    """Evaluate a check as of now; it does not wait for the revision that the request may name.

    Raises:
        Stale, TokenRevoked, ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: as
            `evaluate`.
    """
    result = ctx.while_fresh(lambda: evaluate_now(ctx, principal, request))
    note_decision(ctx, result.check, result.reason)
    ctx.counter.count(
        result.check, asked_by=principal, allowed=result.allowed, reason=result.reason
    )
    return result


def evaluate_now(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> EvaluationResult:
    """Evaluate without waiting; call it within `Ctx.while_fresh`. It raises as `evaluate`."""
    return Evaluator(ctx, principal).evaluate(request)


@dataclass(slots=True, kw_only=True)
class _Place:
    """What the checks of one subject in one account share."""

    account_id: str | None
    user_id: str
    account: AccountState | None
    names_member: bool
    session_ended: bool
    revision: str | None


class Evaluator:
    """Evaluates requests of one caller from one state, at one instant.

    What the requests share is looked up once. Make it and use it within one `Ctx.while_fresh`.
    """

    def __init__(
        self,
        ctx: Ctx,
        principal: ClientPrincipal | UserPrincipal,
        work: ConditionWork | None = None,
    ) -> None:
        self._ctx = ctx
        self._principal = principal
        self._work = work
        self._own = isinstance(principal, UserPrincipal)
        self._rule = decide_for_user if self._own else decide_check
        self._now = milliseconds(ctx.clock.now())
        self._places: dict[tuple[str | None, ...], _Place] = {}

    def evaluate(self, request: EvaluationRequest) -> EvaluationResult:
        """Evaluate one request; the refusals are those of `evaluate`.

        A past time is refused: what is decided from the state of this replica is about now.
        """
        if request.at is not None:
            raise BadRequest(errors=[("/context/at", PAST_ALONE)])
        key = (
            request.subject_type,
            request.subject_id,
            request.session_id,
            request.resource_type,
            request.account_id,
            request.point,
        )
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._place(request)
        check = check_of(request, place.account_id, place.user_id)
        if not place.names_member:
            return EvaluationResult(check=check, allowed=False, reason=SUBJECT_UNKNOWN)
        decision = self._rule(
            place.account,
            check,
            session_ended=place.session_ended,
            now=self._now,
            work=self._work,
        )
        shown = not self._own or decision.reason in SHOWS_MEMBERSHIP
        return EvaluationResult(
            check=check,
            allowed=decision.allowed,
            reason=decision.reason,
            decided_by=decision.decided_by,
            revision=place.revision if shown else None,
        )

    def _place(self, request: EvaluationRequest) -> _Place:
        ctx = self._ctx
        account_id, user_id = _subject(ctx, self._principal, request)
        account = None if account_id is None else known_account(ctx, account_id)
        return _Place(
            account_id=account_id,
            user_id=user_id,
            account=account,
            names_member=names_member(account, request.subject_type),
            session_ended=session_ended(ctx, request.session_id),
            revision=None if account_id is None else ctx.revision(account_id),
        )


def authorized_check(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> PermissionCheck:
    """The check that is asked for, if the caller may ask it; the refusals are those of `evaluate`.

    A user may ask about themselves, by their own id.
    """
    return check_of(request, *_subject(ctx, principal, request))


def check_of(request: EvaluationRequest, account_id: str | None, user_id: str) -> PermissionCheck:
    """The check that a request asks for, of this account and user."""
    return PermissionCheck(
        user_id=user_id,
        session_id=request.session_id,
        account_id=account_id,
        permission=f"{request.resource_type}:{request.action}",
        resource=request.resource,
        given=request.given,
        elsewhere=request.point is not None and request.account_id not in (None, request.point),
    )


def _subject(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> tuple[str | None, str]:
    """The account, and the user whom the subject's id names there."""
    account_id = _account_id(ctx, principal, request)
    if account_id is None:
        return None, request.subject_id
    return account_id, ctx.policy.external_ids.user(account_id, request.subject_id)


def _account_id(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> str | None:
    """The account of the decision point, else the one that the resource names, else a default."""
    named = request.point or request.account_id
    if isinstance(principal, UserPrincipal):
        if ctx.sign_ins.session_ended(principal.session_id):
            raise TokenRevoked
        if (request.subject_type, request.subject_id) != (USER_TYPE, principal.user_id):
            raise OtherSubject
        return named or principal.account_id
    client = ctx.sign_ins.client(principal.client_id)
    if client is None:
        raise TokenRevoked
    if CHECK_SCOPE not in client.scopes:
        raise ScopeMissing(CHECK_SCOPE)
    return account_for_client(client, named=named, resource_type=request.resource_type)
