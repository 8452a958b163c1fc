"""Answer checks from memory, and only while the state of this replica is fresh."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rolecall import AccountState, Resource, milliseconds
from services.authz.domain import checks
from services.authz.domain.checks import (
    CHECK_SCOPE,
    OF_ACTIVE_MEMBERS,
    SHOWS_MEMBERSHIP,
    SUBJECT_UNKNOWN,
    USER_TYPE,
    OtherSubject,
    PermissionCheck,
    account_for_client,
    decide_check,
    decide_for_user,
)
from services.authz.domain.policy_state import PolicyState
from shared.activity import RecentActivity
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.clock import Clock
from shared.contracts.calls.authz import CheckResult
from shared.contracts.facts import Position, format_revision, parse_revision, shard_of
from shared.following.follower import Follower
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.http.refusals import BadRequest
from shared.problems import Refusal, ScopeMissing, Stale, TokenRevoked
from shared.timeouts import Timeouts

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

CATCH_UP_POLL_SECONDS = 0.005


class CheckRule(Protocol[T_co]):
    """Answers a check from the state of its account; `now` is in epoch milliseconds."""

    def __call__(
        self, account: AccountState | None, check: PermissionCheck, *, session_ended: bool, now: int
    ) -> T_co:
        """Answer the check."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """One access evaluation; `account_id` and `at_least_revision` are optional."""

    subject_type: str
    subject_id: str
    session_id: str | None
    action: str
    resource_type: str
    resource: Resource
    account_id: str | None
    at_least_revision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult:
    """The decision, its reason, what decided (`role:…`, `override:…`), and its revision."""

    allowed: bool
    reason: str
    decided_by: str | None = None
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """The state of this replica, and the followers of the two sources."""

    policy: PolicyState
    sign_ins: SignInState
    team: Follower
    identity: Follower
    callers: LiveCallers
    activity: RecentActivity
    clock: Clock
    public_url: str
    timeouts: Timeouts

    def holds(self) -> bool:
        """Return whether both leases hold now."""
        return self.team.holds() and self.identity.holds()

    def revision(self, account_id: str) -> str | None:
        """The last applied position in the account's shard; `None` if nothing is applied there."""
        view = self.team.view
        shard = shard_of(account_id)
        seq = view.applied.get(shard, 0)
        if view.epoch is None or not seq:
            return None
        return format_revision(Position(self.team.source, view.epoch, shard, seq))

    async def reach(
        self, revision: str | None, check: PermissionCheck, *, may_learn: Callable[[], bool]
    ) -> None:
        """Wait for the revision if the check rests on its shard, for `Timeouts.catch_up` at most.

        A caller who may not learn about the account waits the whole time, whether or not the
        revision is applied, because they may be a member soon. The source is asked for its heads
        meanwhile, because the bus may have lost the rows. A revision of a former epoch
        counts as applied: its history was lost in a restore.

        Raises:
            BadRequest: the text is not a revision of team or identity.
            Stale: the revision has not arrived, and the caller may learn that.
        """
        if revision is None:
            return
        try:
            position = parse_revision(revision)
            follower = {one.source: one for one in (self.team, self.identity)}[position.source]
        except (ValueError, KeyError):
            raise BadRequest(
                errors=[("/context/at_least_revision", "Must be a revision of team or identity.")]
            ) from None
        of_team = follower is self.team
        key = check.account_id if of_team else check.user_id
        if key is None or position.shard != shard_of(key):
            return
        deadline = self.clock.boottime() + self.timeouts.catch_up
        asked = follower.view.asks
        while True:
            shown = not of_team or may_learn()
            if shown and _applied(follower, position, asked=asked):
                return
            if self.clock.boottime() >= deadline:
                break
            follower.check_soon()
            await asyncio.sleep(CATCH_UP_POLL_SECONDS)
        if shown:
            raise Stale

    def while_fresh(self, answer: Callable[[], T]) -> T:
        """Run `answer`. Use its result only if the leases still hold afterwards.

        The state is read first and the leases are tested afterwards, with no await in between. A
        process that was stopped anywhere before the test does not answer from before the stop.

        Raises:
            Stale: a lease does not hold. This also replaces a refusal that rests on old state.
        """
        refusal: Refusal | None = None
        try:
            found = answer()
        except Refusal as problem:
            refusal = problem
        if not self.holds():
            raise Stale
        if refusal is not None:
            raise refusal
        return found


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
    check = ctx.while_fresh(lambda: _authorized_check(ctx, principal, request))
    own = isinstance(principal, UserPrincipal)
    await ctx.reach(
        request.at_least_revision, check, may_learn=lambda: not own or _is_member(ctx, check)
    )
    result = ctx.while_fresh(lambda: _evaluate(ctx, principal, request))
    _note_activity(ctx, check, result.reason)
    return result


async def check_for_service(
    ctx: Ctx, check: PermissionCheck, *, at_least_revision: str | None
) -> CheckResult:
    """Decide a check of another Rolecall service.

    Raises:
        Stale: this replica may not answer now.
        BadRequest: `at_least_revision` is not a revision.
    """
    await ctx.reach(at_least_revision, check, may_learn=lambda: _is_member(ctx, check))
    result = ctx.while_fresh(lambda: _answer(ctx, check, checks.check_for_service))
    _note_activity(ctx, check, result.reason)
    return result


def _note_activity(ctx: Ctx, check: PermissionCheck, reason: str | None) -> None:
    """Note that a check was answered about a member whose membership is in force."""
    if check.account_id is not None and reason in OF_ACTIVE_MEMBERS:
        ctx.activity.note(check.account_id, check.user_id, ctx.clock.now())


def _evaluate(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> EvaluationResult:
    check = _authorized_check(ctx, principal, request)
    if request.subject_type != USER_TYPE:
        return EvaluationResult(allowed=False, reason=SUBJECT_UNKNOWN)
    own = isinstance(principal, UserPrincipal)
    decision = _answer(ctx, check, decide_for_user if own else decide_check)
    shown = not own or decision.reason in SHOWS_MEMBERSHIP
    return EvaluationResult(
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        revision=(
            ctx.revision(check.account_id) if check.account_id is not None and shown else None
        ),
    )


def _authorized_check(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> PermissionCheck:
    """The check that is asked for, if the caller may ask it."""
    return PermissionCheck(
        user_id=request.subject_id,
        session_id=request.session_id,
        account_id=_account_id(ctx, principal, request),
        permission=f"{request.resource_type}:{request.action}",
        resource=request.resource,
    )


def _account_id(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> str | None:
    if isinstance(principal, UserPrincipal):
        if ctx.sign_ins.session_ended(principal.session_id):
            raise TokenRevoked
        if (request.subject_type, request.subject_id) != (USER_TYPE, principal.user_id):
            raise OtherSubject
        return request.account_id or principal.account_id
    client = ctx.sign_ins.client(principal.client_id)
    if client is None:
        raise TokenRevoked
    if CHECK_SCOPE not in client.scopes:
        raise ScopeMissing(CHECK_SCOPE)
    return account_for_client(client, named=request.account_id, resource_type=request.resource_type)


def _answer(ctx: Ctx, check: PermissionCheck, rule: CheckRule[T]) -> T:
    if check.account_id is not None and ctx.policy.incomplete(check.account_id):
        raise Stale
    return _decide(ctx, check, rule)


def _is_member(ctx: Ctx, check: PermissionCheck) -> bool:
    """Return whether this replica knows the subject as a member, who may learn of the account."""
    return _decide(ctx, check, decide_for_user).reason in SHOWS_MEMBERSHIP


def _decide(ctx: Ctx, check: PermissionCheck, rule: CheckRule[T]) -> T:
    ended = check.session_id is not None and ctx.sign_ins.session_ended(check.session_id)
    account = None if check.account_id is None else ctx.policy.account(check.account_id)
    return rule(account, check, session_ended=ended, now=milliseconds(ctx.clock.now()))


def _applied(follower: Follower, position: Position, *, asked: int) -> bool:
    view = follower.view
    if view.epoch == position.epoch:
        return view.has(position.shard, position.seq)
    return view.former.over(position.epoch, present=view.epoch, asked=asked)
