"""The policy of an account at a past time, from the journal."""

from services.team.use_cases.context import Ctx
from shared.contracts.calls.history import (
    PastBearers,
    PastBearersRequest,
    PastPolicy,
    PastPolicyRequest,
)
from shared.contracts.policy_objects import AccountObject, PolicyObject, PolicyObjectKind
from shared.journal import ObjectName


async def past_policy(ctx: Ctx, request: PastPolicyRequest) -> PastPolicy:
    """Return the named objects as they were, and the catalog that the account had then.

    Raises:
        HistoryUnavailable: rows that the answer may need are not kept.
    """
    names = [ObjectName(each.kind, each.id) for each in request.objects]
    past = await ctx.history.as_of(request.account_id, names, request.at)
    catalogs: list[PolicyObject] = []
    for policy_object in past.objects:
        if policy_object.kind is PolicyObjectKind.ACCOUNT:
            account = AccountObject.model_validate(policy_object.state)
            catalogs += await ctx.store.catalog_object_of(account.catalog)
    return PastPolicy(items=(*catalogs, *past.objects), revision=past.revision)


async def past_bearers(ctx: Ctx, request: PastBearersRequest) -> PastBearers:
    """Return which members had the external id.

    Raises:
        HistoryUnavailable: rows that the answer may need are not kept.
    """
    found = await ctx.history.bearers(request.account_id, request.external_id, request.at)
    return PastBearers(user_ids=found)
