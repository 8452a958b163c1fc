"""The operator's routes of signing keys: list, rotate, and revoke at once."""

from typing import Annotated

from pydantic import Field

from services.identity.domain.signing_keys import KeyState, KeyTooYoung, KeyUnknown, SealedKey
from services.identity.use_cases import signing_keys
from services.identity.use_cases.context import Ctx
from shared.http.access import Admin
from shared.http.moments import StoredMoment
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import KeyId


class RevokeKeys(Body):
    """The key to revoke; `null` revokes every key."""

    kid: Annotated[str, Field(pattern="^key_[0-9a-f]{32}$")] | None = None


class SigningKeyView(Answer):
    """A signing key and its state; `published` says whether verifiers are told of it."""

    kid: str
    state: KeyState
    since: StoredMoment
    published: bool


class SigningKeys(Answer):
    """The signing keys, the newest first."""

    items: tuple[SigningKeyView, ...]


def _view(ctx: Ctx, keys: list[SealedKey]) -> SigningKeys:
    now = ctx.clock.now()
    return SigningKeys(
        items=tuple(
            SigningKeyView(
                kid=key.id, state=key.state, since=key.since, published=key.published(now)
            )
            for key in sorted(keys, key=lambda key: key.number, reverse=True)
        )
    )


async def list_keys(ctx: Ctx, call: Call[None, None]) -> SigningKeys:
    """Return the signing keys."""
    return _view(ctx, await ctx.store.signing_keys())


async def rotate(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Let the next key sign."""
    written = await signing_keys.rotate(ctx, call.caller)
    return Reply(body=_view(ctx, written.result), written=written)


async def revoke(ctx: Ctx, call: Call[RevokeKeys, None]) -> Reply:
    """Refuse the tokens of a key, or of all."""
    kid = call.body.kid
    written = await signing_keys.revoke(ctx, call.caller, None if kid is None else KeyId(kid))
    return Reply(body=_view(ctx, written.result), written=written)


ROUTES = (
    Route(
        method="GET",
        path="/internal/admin/signing-keys",
        handler=list_keys,
        operation_id="listSigningKeys",
        summary="List the signing keys of access tokens",
        tag="admin",
        access=Admin(),
        gives=SigningKeys,
    ),
    Route(
        method="POST",
        path="/internal/admin/signing-keys/rotate",
        handler=rotate,
        operation_id="rotateSigningKeys",
        summary="Let the next key sign access tokens",
        tag="admin",
        access=Admin(),
        gives=SigningKeys,
        refuses=(KeyTooYoung,),
        on_repeat="Refused until the next key was published long enough: 409.",
    ),
    Route(
        method="POST",
        path="/internal/admin/signing-keys/revoke",
        handler=revoke,
        operation_id="revokeSigningKeys",
        summary="Refuse the access tokens of one signing key, or of all, at once",
        tag="admin",
        access=Admin(),
        takes=RevokeKeys,
        gives=SigningKeys,
        refuses=(KeyUnknown,),
        effective_everywhere=True,
        on_repeat="Finds the key revoked: 404. Without `kid` it revokes the new keys, too.",
    ),
)
