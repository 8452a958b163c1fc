"""Replicas without a server, and what they have noted of the checks that they were asked."""

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from services.authz.domain.allow_samples import AllowSamples
from services.authz.domain.decision_counts import DecisionCounts
from services.authz.use_cases.context import Ctx
from shared.activity import RecentActivity
from shared.auth.principals import ApiTokenPrincipal
from shared.contracts.facts import SHARDS
from shared.contracts.policy_objects import PolicyObject, ServiceClientObject
from shared.ids import AccountId, TokenId, UserId
from shared.token_uses import TokenUses
from tests.clocks import SetClock
from tests.services.authz.histories import ACCOUNT, ANA, BO, CLIENT, CY, NOON, member, project
from tests.services.authz.offline import context

Bounds = Mapping[str, Any]
NO_BOUNDS: Bounds = {}
TOKEN = "tok_" + "7" * 32
MEMBERS = (member(BO, "developer", external_id="ext-1"), member(CY, "viewer"))
AFTER = NOON.replace(year=NOON.year + 1)


def replica(
    *members: PolicyObject,
    over: Container[str] = frozenset(),
    bounds: Bounds = NO_BOUNDS,
    holds: Callable[[], bool] = lambda: True,
) -> Ctx:
    """A replica that has noted nothing."""
    known = context(
        [member(ANA, "owner", status="suspended"), *(members or MEMBERS)], over=over, holds=holds
    )
    client = ServiceClientObject(**{"name": "compute", "scopes": ("authz:check",), **bounds})
    cast("Any", known.sign_ins).client = {CLIENT: client}.get
    known.policy.put([project().model_copy(update={"rev": 1})])
    token = ApiTokenPrincipal(
        token_id=TokenId(TOKEN),
        user_id=UserId(BO),
        account_id=AccountId(ACCOUNT),
        membership_id=f"mem_{BO}",
        expires_at=AFTER,
    )
    known.team.view.epoch, known.team.view.applied = "e1", dict.fromkeys(range(SHARDS), 7)
    callers: Any = SimpleNamespace(api_token={TOKEN: token}.get)
    return replace(
        known,
        callers=callers,
        clock=SetClock(NOON),
        denials=DecisionCounts(),
        allows=AllowSamples({"*": 1}),
        activity=RecentActivity(),
        token_uses=TokenUses(),
    )


def noted(ctx: Ctx) -> list[Any]:
    """All that a replica has noted."""
    later = NOON.replace(hour=NOON.hour + 1)
    told = [counts.take(later, limit=100).counts for counts in (ctx.denials, ctx.allows.counts)]
    return [*told, ctx.activity.take(), ctx.token_uses.take()]
