"""What each use case of authz gets: the state of this replica, and whether it is fresh."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar, TypeVarTuple

from rolecall.core.forward_auth import ForwardAuthMap
from services.authz.adapters.check_counter import CheckCounter
from services.authz.adapters.past_policies import PastPolicies
from services.authz.adapters.sealed_places import SealedPlaces
from services.authz.domain.allow_samples import AllowSamples
from services.authz.domain.checks import PermissionCheck
from services.authz.domain.decision_counts import DecisionCounts, Denied
from services.authz.domain.groups import AccountGroups
from services.authz.domain.policy_state import PolicyState
from services.authz.use_cases.loop_turns import LoopTurns
from services.authz.use_cases.policy_feed import PolicyFeed
from shared.activity import RecentActivity
from shared.auth.api_tokens import shard_of_token
from shared.clock import Clock
from shared.contracts.facts import SHARDS, Position, format_revision, parse_revision, shard_of
from shared.following.follower import Follower
from shared.following.live_callers import LiveCallers
from shared.following.sign_in_state import SignInState
from shared.http.refusals import BadRequest
from shared.problems import Refusal, Stale
from shared.timeouts import Timeouts
from shared.token_uses import TokenUses

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

CATCH_UP_POLL_SECONDS = 0.005


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """The state of this replica, and the followers of the two sources."""

    policy: PolicyState
    sign_ins: SignInState
    team: Follower
    identity: Follower
    callers: LiveCallers
    feed: PolicyFeed
    activity: RecentActivity
    token_uses: TokenUses
    counter: CheckCounter
    denials: DecisionCounts[Denied]
    allows: AllowSamples
    past: PastPolicies
    places: SealedPlaces
    clock: Clock
    public_url: str
    forward_auth: ForwardAuthMap | None
    timeouts: Timeouts
    groups: AccountGroups | None = None
    turns: LoopTurns = field(default_factory=LoopTurns)

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
        return _revision_text(self.team.source, view.epoch, shard, seq)

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
        if position.shard != _shard(check, of_team=of_team):
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

    def while_fresh(self, answer: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run `answer` with `args`. Use its result only if the leases still hold afterwards.

        The state is read first and the leases are tested afterwards, with no await in between. A
        process that was stopped anywhere before the test does not answer from before the stop.

        Raises:
            Stale: a lease does not hold. This also replaces a refusal that rests on old state.
        """
        refusal: Refusal | None = None
        try:
            found = answer(*args)
        except Refusal as problem:
            refusal = problem
        if not self.holds():
            raise Stale
        if refusal is not None:
            raise refusal
        return found


@lru_cache(maxsize=2 * SHARDS)
def _revision_text(source: str, epoch: str, shard: int, seq: int) -> str:
    """The text of a revision: all checks of a shard have one until the next change of it."""
    return format_revision(Position(source, epoch, shard, seq))


def _applied(follower: Follower, position: Position, *, asked: int) -> bool:
    view = follower.view
    if view.epoch == position.epoch:
        return view.has(position.shard, position.seq)
    return view.former.over(position.epoch, present=view.epoch, asked=asked)


def _shard(check: PermissionCheck, *, of_team: bool) -> int | None:
    """The shard of a source that a check rests on."""
    if of_team:
        return None if check.account_id is None else shard_of(check.account_id)
    return shard_of(check.user_id) if check.token_id is None else shard_of_token(check.token_id)
