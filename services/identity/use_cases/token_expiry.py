"""API tokens that end soon: their creators are told, once for each token and term."""

from functools import partial

from services.identity.domain.token_expiry import announced, deserves_mail, is_due, passed_over
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.token_memberships import membership_of_token
from shared.contracts.facts import service_caller
from shared.contracts.topology import Service
from shared.due_work import DueWork
from shared.ids import TokenId
from shared.journal import JournalWrite

TOKENS_AT_ONCE = 200
"""The most tokens that one round looks at; the others wait for the next one."""


def ending_tokens(ctx: Ctx) -> DueWork[TokenId]:
    """Tell the creators of tokens that end in seven days, and in one."""

    async def find() -> list[TokenId]:
        return await ctx.store.tokens_to_announce(ctx.clock.now(), limit=TOKENS_AT_ONCE)

    return DueWork(
        service=Service.IDENTITY,
        name="token-expiry",
        effect="Mails about API tokens that end soon are late.",
        find=find,
        do=partial(announce_end, ctx),
    )


async def announce_end(ctx: Ctx, token_id: TokenId) -> None:
    """Record that the creator is told, unless the token does not act for them any more.

    The transaction reads token and creator again, so several replicas tell once.

    Raises:
        Unavailable: team does not answer, and so nothing is known of the membership.
    """
    found = await ctx.store.token_by_id(token_id)
    if found is None:
        return
    membership = await membership_of_token(ctx, found)

    async def change(write: JournalWrite) -> None:
        token = await ctx.store.token(found.id, found.account_id, write.session)
        if token is None or not is_due(token, write.now):
            return
        await ctx.store.update_token(token, passed_over(token, write.now), write.session)
        creator = await ctx.store.user(token.user_id, write.session)
        if membership is None or creator is None:
            return
        if deserves_mail(token, creator, now=write.now):
            write.record(announced(token, creator, account_name=membership.account_name))

    await ctx.journal.write(
        found.user_id,
        change,
        caller=service_caller(Service.IDENTITY),
        effective_everywhere=False,
    )
