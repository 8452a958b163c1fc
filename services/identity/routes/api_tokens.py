"""The routes of API tokens."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from services.identity.domain.api_tokens import (
    DEFAULT_LIFETIME,
    MAX_LIFETIME_DAYS,
    ApiToken,
    RestrictionNotHeld,
    RestrictionUnknown,
    TokenTooWide,
    TooManyTokens,
)
from services.identity.store.api_tokens import list_key
from services.identity.use_cases import api_tokens
from services.identity.use_cases.api_tokens import MANAGE, VIEW, CreatedToken
from services.identity.use_cases.context import Ctx
from shared.catalog_parts import NotInThisCatalog
from shared.contracts.calls.authz import TokenLimits
from shared.http.access import Permission
from shared.http.moments import StoredMoment
from shared.http.paging import Page, PageQuery, read_cursor, write_cursor
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId, TokenId, UserId
from shared.names import parse_name
from shared.problems import Invalid

TokenName = Annotated[str, Field(max_length=400), AfterValidator(parse_name)]
Identifier = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")]
_PLACE = "/v1/accounts/{account_id}/api-tokens"


class TokenRestriction(Body):
    """What a token is limited to; `null` limits nothing.

    With `projects` it reaches project-scoped entries inside these projects only. `grants` has
    levels by entry of the catalog. With `read_only` only levels that read are left.
    """

    projects: (
        Annotated[
            tuple[Annotated[str, Field(pattern="^prj_[0-9a-f]{32}$")], ...],
            Field(min_length=1, max_length=100),
        ]
        | None
    ) = None
    grants: (
        Annotated[
            dict[Identifier, Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)]],
            Field(min_length=1, max_length=200),
        ]
        | None
    ) = None
    read_only: bool = False

    @property
    def limits(self) -> TokenLimits:
        """The same for other services."""
        return TokenLimits(projects=self.projects, grants=self.grants, read_only=self.read_only)


class NewApiToken(Body):
    """A name for people, an end, and a restriction."""

    name: TokenName
    expires_at: StoredMoment | None = Field(
        default=None,
        description=(
            f"The end of the token, {MAX_LIFETIME_DAYS} days from now at most;"
            f" by default {DEFAULT_LIFETIME.days} days from now"
        ),
    )
    restriction: TokenRestriction = TokenRestriction()


class RestrictionView(Answer):
    """What a token is limited to; `null` limits nothing."""

    projects: tuple[str, ...] | None
    grants: dict[str, tuple[str, ...]] | None
    read_only: bool


class ApiTokenView(Answer):
    """An API token. It may do what its creator may do in the account, within the restriction."""

    id: TokenId
    account_id: AccountId
    user_id: UserId
    """Who made it."""
    name: str
    status: Literal["active", "expired", "revoked"]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    restriction: RestrictionView

    @classmethod
    def of(cls, token: ApiToken, *, now: datetime) -> Self:
        """Return the token as the API shows it."""
        return cls(**_shown(token, now=now))


class CreatedApiToken(ApiTokenView):
    """A new API token; the secret is shown only here.

    A repeated request with the same idempotency key has `secret: null` and `note: "shown-once"`.
    """

    secret: str | None
    note: Literal["shown-once"] | None = None


def _shown(token: ApiToken, *, now: datetime) -> dict[str, object]:
    ended = "revoked" if token.revoked_at is not None else "expired"
    limits = token.limits
    return {
        "id": token.id,
        "account_id": token.account_id,
        "user_id": token.user_id,
        "name": token.name,
        "status": "active" if token.live(now) else ended,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
        "restriction": RestrictionView(
            projects=limits.projects, grants=limits.grants, read_only=limits.read_only
        ),
    }


def _created_before(made: CreatedToken) -> CreatedApiToken:
    """The answer of a repeated request, which shows no secret."""
    shown = _shown(made.token, now=made.token.created_at)
    return CreatedApiToken.model_validate({**shown, "secret": None, "note": "shown-once"})


async def create(ctx: Ctx, call: Call[NewApiToken, None]) -> Reply:
    """Make an API token of the caller."""
    body, now = call.body, ctx.clock.now()
    if body.expires_at is not None:
        latest = now + timedelta(days=MAX_LIFETIME_DAYS)
        if not now < body.expires_at <= latest:
            message = f"Must be in the future, and within {MAX_LIFETIME_DAYS} days."
            raise Invalid(errors=[("/expires_at", message)])
    result = await api_tokens.create(
        ctx,
        call.caller,
        call.member,
        call.account_id,
        name=body.name,
        expires_at=body.expires_at,
        limits=body.restriction.limits,
        revision=call.revision,
        guard=call.guard,
        repeat_answer=_created_before,
    )
    made = result.result
    shown = _shown(made.token, now=made.token.created_at)
    answer = CreatedApiToken.model_validate({**shown, "secret": made.secret})
    return Reply(body=answer, written=result)


async def list_tokens(ctx: Ctx, call: Call[None, PageQuery]) -> Page[ApiTokenView]:
    """List the tokens of the account, or the caller's own."""
    last, limit = read_cursor(call), call.query.limit
    found = await api_tokens.page(
        ctx,
        call.member,
        call.account_id,
        before=None if last is None else last[0],
        limit=limit + 1,
        revision=call.revision,
    )
    page, now = found[:limit], ctx.clock.now()
    following = None
    if len(found) > limit:
        following = write_cursor(call, (list_key(page[-1]), page[-1].id))
    items = [ApiTokenView.of(token, now=now) for token in page]
    return Page[ApiTokenView](items=items, next_cursor=following)


async def get(ctx: Ctx, call: Call[None, None]) -> ApiTokenView:
    """Return one token."""
    token = await api_tokens.get(
        ctx, call.member, call.account_id, TokenId(call.path["token_id"]), revision=call.revision
    )
    return ApiTokenView.of(token, now=ctx.clock.now())


async def revoke(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Revoke a token."""
    written = await api_tokens.revoke(
        ctx,
        call.caller,
        call.member,
        call.account_id,
        TokenId(call.path["token_id"]),
        revision=call.revision,
    )
    return Reply(written=written)


ROUTES = (
    Route(
        method="GET",
        path=_PLACE,
        handler=list_tokens,
        operation_id="listApiTokens",
        summary="List API tokens, the newest first",
        tag="api-tokens",
        access=Permission(VIEW, own=True),
        caller_rule="With the permission for what is their own, a member lists their own tokens.",
        query=PageQuery,
        gives=Page[ApiTokenView],
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="POST",
        path=_PLACE,
        handler=create,
        operation_id="createApiToken",
        summary="Make an API token, which is shown once",
        tag="api-tokens",
        access=Permission(MANAGE, own=True),
        caller_rule="An API token makes tokens that reach no further than itself.",
        takes=NewApiToken,
        gives=CreatedApiToken,
        status=201,
        refuses=(
            NotInThisCatalog,
            RestrictionUnknown,
            RestrictionNotHeld,
            TokenTooWide,
            TooManyTokens,
        ),
        effective_everywhere=True,
        idempotent=True,
    ),
    Route(
        method="GET",
        path=f"{_PLACE}/{{token_id}}",
        handler=get,
        operation_id="getApiToken",
        summary="Read an API token",
        tag="api-tokens",
        access=Permission("account:view"),
        caller_rule=f"A member reads their own tokens, and others with `{VIEW}`.",
        gives=ApiTokenView,
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="DELETE",
        path=f"{_PLACE}/{{token_id}}",
        handler=revoke,
        operation_id="revokeApiToken",
        summary="Revoke an API token: no service accepts it from then on",
        tag="api-tokens",
        access=Permission("account:view"),
        caller_rule=f"A member revokes their own tokens, and others with `{MANAGE}`.",
        refuses=(NotInThisCatalog,),
        effective_everywhere=True,
    ),
)
