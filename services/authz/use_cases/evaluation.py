"""Answer an access evaluation of a service client, or of a user or API token about itself."""

from datetime import datetime

from msgspec import Struct

from rolecall import Decision, Reason, milliseconds
from rolecall.core.condition_work import ConditionWork
from services.authz.domain.checks import (
    SHOWS_MEMBERSHIP,
    SUBJECT_AMBIGUOUS,
    SUBJECT_UNKNOWN,
    USER_TYPE,
    PermissionCheck,
    decide_found,
    member_for_user,
    member_of,
    names_member,
)
from services.authz.domain.named_checks import with_named_owner
from services.authz.use_cases.asked_checks import (
    EvaluationRequest,
    account_of,
    authorized_check,
    check_of,
    is_shared,
    subject_of_check,
)
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import (
    is_member,
    known_account,
    note_decision,
    sign_in_denial,
)
from shared.auth.principals import (
    Bearer,
    ClientPrincipal,
)
from shared.http.refusals import BadRequest

PAST_ALONE = (
    "A past time needs a request of its own: one evaluation or one explanation. Ask about it there,"
    " or leave `at` out."
)


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
        "_external_ids",
        "_found",
        "_now",
        "_own",
        "_revision",
        "_token",
        "_unnamed",
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
        account_id, user_id, token = subject_of_check(ctx, principal, request)
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
        self._external_ids = ctx.policy.external_ids
        self._unnamed = None
        if kind != USER_TYPE and token is None and not names_member(account, kind):
            self._unnamed = SUBJECT_UNKNOWN
        elif isinstance(self._found, Decision) and self._found.reason is Reason.NOT_A_MEMBER:
            shared = is_shared(ctx, account_id, user_id)
            self._unnamed = SUBJECT_AMBIGUOUS if shared else None

    def evaluate(
        self, request: EvaluationRequest, work: ConditionWork | None = None
    ) -> EvaluationResult:
        """Evaluate a request of this account and subject."""
        check = check_of(request, self._account_id, self._user_id, self._token)
        if self._unnamed is not None:
            return EvaluationResult(check=check, allowed=False, reason=self._unnamed)
        if check.resource.owner_id is not None:
            check = with_named_owner(check, self._external_ids, own=self._own)
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
            account_of(self._ctx, self._principal, request)
        self._types.add(request.resource_type)
        return place.evaluate(request, self._work)
