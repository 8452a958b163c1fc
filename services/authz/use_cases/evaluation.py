"""Answer an access evaluation of a service client, or of a user or API token about itself."""

from rolecall import Decision, Member, Reason, milliseconds, ordinary_member
from rolecall.core.condition_work import ConditionWork
from services.authz.domain.checks import (
    NAMES_NO_MEMBER,
    NAMES_SEVERAL,
    USER_TYPE,
    member_for_user,
    member_of,
    names_member,
)
from services.authz.domain.evaluations import (
    Evaluated,
    EvaluationPlace,
    EvaluationRequest,
    EvaluationResult,
    is_elsewhere,
)
from services.authz.use_cases.asked_checks import (
    account_of,
    authorized_check,
    checking_client,
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
from shared.auth.principals import Bearer, ClientPrincipal
from shared.contracts.policy_objects import ServiceClientObject
from shared.http.refusals import BadRequest

PAST_ALONE = (
    "A past time needs a request of its own: one evaluation or one explanation. Ask about it there,"
    " or leave `at` out."
)


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
    place = _place(ctx, principal, request, now=now)
    request = place.with_named_owner(request)
    return Evaluated(place, request, place.decide(request)).result


def _require_present(request: EvaluationRequest) -> None:
    """Refuse a past time: what is decided from the state of this replica is about now."""
    if request.at is not None:
        raise BadRequest(errors=[("/context/at", PAST_ALONE)])


def _place(
    ctx: Ctx,
    principal: Bearer,
    request: EvaluationRequest,
    *,
    now: int,
    client: ServiceClientObject | None = None,
) -> EvaluationPlace:
    """Look up the account and subject of a request; `client` is the caller if it is known."""
    account_id, user_id, token = subject_of_check(ctx, principal, request, client)
    account = revision = None
    if account_id is not None:
        account, revision = known_account(ctx, account_id), ctx.revision(account_id)
    denial = sign_in_denial(ctx, account, user_id, request.session_id)
    kind, own = request.subject_type, not isinstance(principal, ClientPrincipal)
    found: Member | Decision
    if own:
        found = member_for_user(
            account, account_id, user_id, sign_in_denial=denial, now=now, token=token
        )
    else:
        found = member_of(account, user_id, sign_in_denial=denial, now=now, token=token)
    if kind != USER_TYPE and token is None and not names_member(account, kind):
        found, revision = NAMES_NO_MEMBER, None
    elif _no_member(found) and is_shared(ctx, account_id, user_id):
        found, revision = NAMES_SEVERAL, None
    return EvaluationPlace(
        account,
        account_id,
        user_id,
        token,
        found,
        own,
        is_elsewhere(request),
        revision,
        now,
        ctx.policy.external_ids,
    )


def _no_member(found: Member | Decision) -> bool:
    return isinstance(found, Decision) and found.reason is Reason.NOT_A_MEMBER


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
        self._client: ServiceClientObject | None = None
        self._places: dict[tuple[str | None, ...], EvaluationPlace] = {}
        self._last: tuple[EvaluationRequest, EvaluationPlace] | None = None
        self._types: set[str] = set()

    def evaluate(self, request: EvaluationRequest) -> Evaluated:
        """Evaluate one request; the refusals are those of `evaluate`."""
        if request.at is not None:
            _require_present(request)
        last = self._last
        if last is not None and _share_place(request, last[0]):
            place = last[1]
        else:
            place = self._known_place(request)
            self._last = request, place
        if request.resource_type not in self._types:
            account_of(self._ctx, self._principal, request, self._client)
            self._types.add(request.resource_type)
        if request.resource.owner_id is not None:
            request = place.with_named_owner(request)
        return Evaluated(place, request, place.decide(request, self._work))

    def _known_place(self, request: EvaluationRequest) -> EvaluationPlace:
        key = (
            request.subject_type,
            request.subject_id,
            request.session_id,
            request.account_id,
            request.point,
        )
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._place(request)
        return place

    def _place(self, request: EvaluationRequest) -> EvaluationPlace:
        principal = self._principal
        if self._client is None and isinstance(principal, ClientPrincipal):
            self._client = checking_client(self._ctx, principal)
        place = None if self._client is None else self._ordinary_place(self._client, request)
        if place is None:
            place = _place(self._ctx, principal, request, now=self._now, client=self._client)
        self._types.add(request.resource_type)
        return place

    def _ordinary_place(
        self, client: ServiceClientObject, request: EvaluationRequest
    ) -> EvaluationPlace | None:
        """What `_place` finds in the usual case, in a third of the time; `None` in any other case.

        A client without bounds asks about an ordinary member, by the user's own id.
        """
        ctx, account_id, user_id = self._ctx, request.account_id, request.subject_id
        if (
            account_id is None
            or request.point is not None
            or request.session_id is not None
            or request.subject_type != USER_TYPE
            or client.account_ids is not None
            or client.resource_types is not None
            or (account := ctx.policy.account(account_id)) is None
            or (member := ordinary_member(account, user_id)) is None
            or ctx.policy.external_ids.any_of(account_id)
            or ctx.sign_ins.user_disabled(user_id)
        ):
            return None
        return EvaluationPlace(
            account,
            account_id,
            user_id,
            None,
            member,
            False,  # noqa: FBT003 - its name takes as long as all of them
            False,  # noqa: FBT003
            ctx.revision(account_id),
            self._now,
            ctx.policy.external_ids,
        )


def _share_place(request: EvaluationRequest, last: EvaluationRequest) -> bool:
    """Whether two requests that follow each other are of one place: they share a default subject.

    The texts of a default are the same objects, so that no text but the account is compared.
    """
    return (
        request.subject_id is last.subject_id
        and request.subject_type is last.subject_type
        and request.session_id is last.session_id
        and request.account_id == last.account_id
        and request.point == last.point
    )
