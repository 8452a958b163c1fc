"""The routes of the API tokens that the user has made."""

from services.identity.routes.api_tokens import ApiTokenView
from services.identity.store.api_tokens import list_key
from services.identity.use_cases import own_tokens
from services.identity.use_cases.context import Ctx
from shared.http.access import Session
from shared.http.paging import Page, PageQuery, read_cursor, write_cursor
from shared.http.routes import Call, Reply, Route
from shared.ids import TokenId
from shared.problems import NotFound


async def list_own(ctx: Ctx, call: Call[None, PageQuery]) -> Page[ApiTokenView]:
    """List the tokens that the user has made."""
    last, limit = read_cursor(call), call.query.limit
    found = await own_tokens.page(
        ctx, call.user, before=None if last is None else last[0], limit=limit + 1
    )
    page, now, following = found[:limit], ctx.clock.now(), None
    if len(found) > limit:
        following = write_cursor(call, (list_key(page[-1]), page[-1].id))
    items = [ApiTokenView.of(token, now=now) for token in page]
    return Page[ApiTokenView](items=items, next_cursor=following)


async def revoke_own(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Revoke a token that the user has made."""
    token_id = TokenId(call.path["token_id"])
    return Reply(written=await own_tokens.revoke(ctx, call.caller, call.user, token_id))


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/api-tokens",
        handler=list_own,
        operation_id="listMyApiTokens",
        summary="List the API tokens that the user has made in every account, the newest first",
        tag="me",
        access=Session(),
        query=PageQuery,
        gives=Page[ApiTokenView],
    ),
    Route(
        method="DELETE",
        path="/v1/me/api-tokens/{token_id}",
        handler=revoke_own,
        operation_id="revokeMyApiToken",
        summary="Revoke an API token that the user has made, also in a suspended account",
        tag="me",
        access=Session(),
        refuses=(NotFound,),
        effective_everywhere=True,
    ),
)
