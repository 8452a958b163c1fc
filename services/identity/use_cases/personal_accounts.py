"""The personal account of a new user: team makes it before the answer of the sign-up names it."""

import logging
from dataclasses import replace

from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import SignedIn
from shared.contracts.calls.team import PERSONAL_ACCOUNT, PersonalAccountRequest
from shared.contracts.topology import Service
from shared.problems import Refusal

_log = logging.getLogger(__name__)


async def with_personal_account(ctx: Ctx, signed_in: SignedIn) -> SignedIn:
    """Have team make the user's personal account, and note the revision as of which it exists.

    Team answers when each replica of authz has the account, or soon after. A sign-up never waits
    longer than `Timeouts.personal_account`, and works while team is away: then the fact of the
    sign-up makes the account.
    """
    user = signed_in.user
    request = PersonalAccountRequest(
        user_id=user.id, account_id=user.account_id, email=user.email, name=user.name
    )
    try:
        opened = await ctx.internal.call(
            PERSONAL_ACCOUNT, Service.TEAM, request, timeout=ctx.timeouts.personal_account
        )
    except Refusal as problem:
        _log.info(
            "Team has not made a personal account yet. The fact of the sign-up makes it.",
            extra={"account_id": user.account_id, "error": repr(problem)},
        )
        return signed_in
    return replace(signed_in, revision=opened.revision)
