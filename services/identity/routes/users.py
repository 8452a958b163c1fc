"""The routes of the user of the request."""

from services.identity.domain.users import User
from services.identity.routes.fields import Text
from services.identity.use_cases import users
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import SignedIn, active_session
from shared.http.access import Session
from shared.http.routes import Answer, Body, Call, Reply, Route


class UserUpdate(Body):
    """The new name of the user."""

    name: Text


class UserAnswer(Answer):
    """A user, as they see themselves; `verified` is always true."""

    id: str
    email: str
    name: str
    verified: bool


class MeAnswer(UserAnswer):
    """The user, the personal account, and the session of the request with its current account."""

    account_id: str
    session_id: str
    current_account_id: str


def user_fields(user: User) -> dict[str, str | bool]:
    """Give the fields of `UserAnswer`."""
    return {"id": user.id, "email": user.email, "name": user.name, "verified": True}


async def get_me(ctx: Ctx, call: Call[None, None]) -> MeAnswer:
    """Return the user of the request."""
    return _me(await active_session(ctx, call.user))


async def patch_me(ctx: Ctx, call: Call[UserUpdate, None]) -> Reply:
    """Return the user with the new name."""
    result = await users.rename(ctx, call.caller, call.user, name=call.body.name)
    return Reply(body=_me(result.result), written=result)


def _me(signed_in: SignedIn) -> MeAnswer:
    return MeAnswer(
        **user_fields(signed_in.user),
        account_id=signed_in.user.account_id,
        session_id=signed_in.session.id,
        current_account_id=signed_in.session.account_id,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/me",
        handler=get_me,
        operation_id="getMe",
        summary="The user of the request",
        tag="me",
        access=Session(),
        gives=MeAnswer,
    ),
    Route(
        method="PATCH",
        path="/v1/me",
        handler=patch_me,
        operation_id="updateMe",
        summary="Change the user's name",
        tag="me",
        access=Session(),
        takes=UserUpdate,
        gives=MeAnswer,
    ),
)
