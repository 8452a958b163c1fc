"""The operator's routes of users: find one for support, disable, enable, unlock, reset factors."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from services.identity.domain.users import User
from services.identity.routes.fields import Text
from services.identity.use_cases import disabled_users, mfa
from services.identity.use_cases.context import Ctx
from shared.http.access import Admin
from shared.http.explanations import Explanation
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import UserId
from shared.problems import Invalid, NotFound

_PLACE = "/internal/admin/users"
FactorKind = Literal["totp", "passkey"]


class FindUser(Body):
    """A user by id or by address: one of them. The address stands in no path, which logs show."""

    user_id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")] | None = None
    email: Text | None = None


class Disable(Body):
    """Why the user is disabled, in words for the user, who gets them by mail."""

    reason: Explanation


class UserStateView(Answer):
    """A user as the operator sees them."""

    id: UserId
    email: str
    name: str
    status: Literal["active", "disabled", "unverified"]
    reason: str | None
    """Why the user is disabled."""
    disabled_at: datetime | None
    created_at: datetime
    verified_at: datetime | None
    personal_account_id: str
    has_password: bool


class SessionStateView(Answer):
    """A session that has not ended."""

    id: str
    account_id: str
    started_at: datetime
    refreshed_at: datetime | None
    expires_at: datetime


class UserWithSessions(UserStateView):
    """A user, the kinds of their second factors, and the first hundred of their sessions."""

    second_factors: tuple[FactorKind, ...]
    sessions: tuple[SessionStateView, ...]


class UserAfterReset(UserStateView):
    """A user without second factors, and the kinds of those that this request removed."""

    removed_factors: tuple[FactorKind, ...]


def _fields(user: User) -> dict[str, object]:
    active = "active" if user.verified_at is not None else "unverified"
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "status": active if user.disabled_at is None else "disabled",
        "reason": user.disabled_because,
        "disabled_at": user.disabled_at,
        "created_at": user.created_at,
        "verified_at": user.verified_at,
        "personal_account_id": user.account_id,
        "has_password": user.password_hash is not None,
    }


def _view(user: User) -> UserStateView:
    return UserStateView.model_validate(_fields(user))


async def find(ctx: Ctx, call: Call[FindUser, None]) -> UserWithSessions:
    """Return a user with their sessions."""
    user_id, email = call.body.user_id, call.body.email
    if (user_id is None) is (email is None):
        raise Invalid(errors=[("/user_id", "Name the user by `user_id` or by `email`.")])
    found = await disabled_users.find(ctx, user_id=user_id, email=email)
    sessions = [
        SessionStateView(
            id=one.id,
            account_id=one.account_id,
            started_at=one.started_at,
            refreshed_at=one.rotated_at,
            expires_at=one.expires_at,
        )
        for one in found.sessions
    ]
    shown = {"second_factors": found.factors.kinds, "sessions": sessions}
    return UserWithSessions.model_validate({**_fields(found.user), **shown})


async def disable(ctx: Ctx, call: Call[Disable, None]) -> Reply:
    """Disable a user."""
    written = await disabled_users.disable(
        ctx, call.caller, UserId(call.path["user_id"]), explanation=call.body.reason
    )
    return Reply(body=_view(written.result), written=written)


async def enable(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Enable a user."""
    written = await disabled_users.enable(ctx, call.caller, UserId(call.path["user_id"]))
    return Reply(body=_view(written.result), written=written)


async def unlock(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Give a user's failed attempts back."""
    written = await disabled_users.unlock(ctx, call.caller, UserId(call.path["user_id"]))
    return Reply(body=_view(written.result), written=written)


async def reset_mfa(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Remove a user's second factors."""
    written = await mfa.reset(ctx, call.caller, UserId(call.path["user_id"]))
    user, removed = written.result
    body = UserAfterReset.model_validate({**_fields(user), "removed_factors": removed.kinds})
    return Reply(body=body, written=written)


ROUTES = (
    Route(
        method="POST",
        path=f"{_PLACE}/{{user_id}}/reset-mfa",
        handler=reset_mfa,
        operation_id="resetSecondFactors",
        summary="Remove every second factor of a user who has lost them",
        tag="admin",
        access=Admin(),
        gives=UserAfterReset,
        effective_everywhere=True,
        on_repeat="Finds no second factor.",
    ),
    Route(
        method="POST",
        path=f"{_PLACE}/find",
        handler=find,
        operation_id="findUser",
        summary="Find a user by id or address, with their sessions",
        tag="admin",
        access=Admin(),
        takes=FindUser,
        gives=UserWithSessions,
        refuses=(NotFound,),
        on_repeat="Finds the user again.",
    ),
    Route(
        method="POST",
        path=f"{_PLACE}/{{user_id}}/disable",
        handler=disable,
        operation_id="disableUser",
        summary="Deny a user everything, and end their sessions",
        tag="admin",
        access=Admin(),
        takes=Disable,
        gives=UserStateView,
        effective_everywhere=True,
        on_repeat="Finds the user disabled. Another reason is recorded and mailed.",
    ),
    Route(
        method="POST",
        path=f"{_PLACE}/{{user_id}}/enable",
        handler=enable,
        operation_id="enableUser",
        summary="Let a disabled user sign in again",
        tag="admin",
        access=Admin(),
        gives=UserStateView,
        effective_everywhere=True,
        on_repeat="Finds the user enabled.",
    ),
    Route(
        method="POST",
        path=f"{_PLACE}/{{user_id}}/unlock",
        handler=unlock,
        operation_id="unlockUser",
        summary="Give the failed sign-ins with a user's address back",
        tag="admin",
        access=Admin(),
        gives=UserStateView,
        on_repeat="Gives back what has failed since, and records it again.",
    ),
)
