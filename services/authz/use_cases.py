"""How is a question answered from memory, fresh or not at all?"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rolecall import AccountState, Decision, Resource
from services.authz.domain import (
    CHECK,
    SUBJECT_UNKNOWN,
    USER,
    Check,
    OtherSubject,
    account_for_client,
    judge,
)
from services.authz.follower import Follower
from services.authz.store import Policy, SignIns
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.clock import Clock
from shared.contracts.facts import Position, format_revision, parse_revision, shard_of
from shared.http.refusals import BadRequest
from shared.problems import Refusal, ScopeMissing, Stale, Unauthenticated

T = TypeVar("T")

CATCH_UP_SECONDS = 0.1
"""How long a check waits for the revision that it names, before it is answered with 503."""
STEP_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a caller asks; `account_id` and `at_least` where it names them."""

    subject_type: str
    subject_id: str
    session_id: str | None
    action: str
    resource_type: str
    resource: Resource
    account_id: str | None
    at_least: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer, why, what decided it (`role:…`, `override:…`), and the revision it rests on."""

    allowed: bool
    reason: str
    decided_by: str | None = None
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """What this replica knows, and how it follows the two sources."""

    policy: Policy
    sign_ins: SignIns
    team: Follower
    identity: Follower
    clock: Clock
    public_url: str

    def account(self, account_id: str) -> AccountState | None:
        """The account's state."""
        return self.policy.account(account_id)

    def ended(self, session_id: str) -> bool:
        """Whether the session was ended."""
        return self.sign_ins.ended(session_id)

    def holds(self) -> bool:
        """Whether both leases hold at this very moment."""
        return self.team.holds() and self.identity.holds()

    def revision(self, account_id: str) -> str | None:
        """Up to where the account's shard is known."""
        view = self.team.view
        shard = shard_of(account_id)
        seq = view.applied.get(shard, 0)
        if view.epoch is None or not seq:
            return None
        return format_revision(Position(self.team.source, view.epoch, shard, seq))

    async def reach(self, revision: str | None) -> None:
        """Wait a moment until the named revision is applied.

        Raises:
            BadRequest: it is no revision of a source that is followed here.
            Stale: it is not here yet.
        """
        if revision is None:
            return
        try:
            position = parse_revision(revision)
            follower = {"team": self.team, "identity": self.identity}[position.source]
        except (ValueError, KeyError):
            raise BadRequest(
                errors=[("/context/at_least_revision", "Must be a revision of team or identity.")]
            ) from None
        deadline = self.clock.boottime() + CATCH_UP_SECONDS
        while not _has(follower, position):
            if self.clock.boottime() >= deadline:
                raise Stale
            await asyncio.sleep(STEP_SECONDS)

    def fresh(self, look: Callable[[], T]) -> T:
        """What `look` finds or refuses, if it still holds when it is found.

        First the state is read, then the leases are tested, with no await in between: a process
        that was stopped anywhere before the test does not answer from before the stop.

        Raises:
            Stale: it does not hold; a refusal that rests on old state is none.
        """
        refusal: Refusal | None = None
        try:
            found = look()
        except Refusal as problem:
            refusal = problem
        if not self.holds():
            raise Stale
        if refusal is not None:
            raise refusal
        return found


async def evaluate(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, question: Question
) -> Answered:
    """Answer a service client's question, or a user's about itself.

    Raises:
        Stale: this replica may not answer now.
        Unauthenticated: the client is gone, or the caller's session ended.
        ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: the caller may not ask this.
        BadRequest: `at_least` is no revision.
    """
    await ctx.reach(question.at_least)
    return ctx.fresh(lambda: _answer(ctx, principal, question))


async def decide_for(ctx: Ctx, check: Check, *, at_least: str | None) -> Decision:
    """Answer another service of ours.

    Raises:
        Stale: this replica may not answer now.
        BadRequest: `at_least` is no revision.
    """
    await ctx.reach(at_least)
    return ctx.fresh(lambda: _judge(ctx, check))


def _answer(ctx: Ctx, principal: ClientPrincipal | UserPrincipal, question: Question) -> Answered:
    account_id = _account_id(ctx, principal, question)
    if question.subject_type != USER:
        return Answered(allowed=False, reason=SUBJECT_UNKNOWN)
    check = Check(
        user_id=question.subject_id,
        session_id=question.session_id,
        account_id=account_id,
        permission=f"{question.resource_type}:{question.action}",
        resource=question.resource,
    )
    decision = _judge(ctx, check)
    return Answered(
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        revision=None if account_id is None else ctx.revision(account_id),
    )


def _account_id(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, question: Question
) -> str | None:
    if isinstance(principal, UserPrincipal):
        if ctx.ended(principal.session_id):
            raise Unauthenticated
        if (question.subject_type, question.subject_id) != (USER, principal.user_id):
            raise OtherSubject
        return question.account_id or principal.account_id
    client = ctx.sign_ins.client(principal.client_id)
    if client is None:
        raise Unauthenticated
    if CHECK not in client.scopes:
        raise ScopeMissing(CHECK)
    return account_for_client(
        client, named=question.account_id, resource_type=question.resource_type
    )


def _judge(ctx: Ctx, check: Check) -> Decision:
    if check.account_id is not None and ctx.policy.incomplete(check.account_id):
        raise Stale
    return judge(ctx, check, now=int(ctx.clock.now().timestamp() * 1000))


def _has(follower: Follower, position: Position) -> bool:
    view = follower.view
    return view.epoch == position.epoch and view.has(position.shard, position.seq)
