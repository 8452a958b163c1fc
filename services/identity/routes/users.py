"""The routes of the user of the request."""

from services.identity.domain.users import User
from services.identity.routes.fields import Text
from services.identity.use_cases import users
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import SignedIn, active_session
from services.identity.use_cases.users import OwnChange
from shared.http.access import Session
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.locales import Locale


class UserUpdate(Body):
    """What changes about the user; a field that is left out stays as it is.

    `locale` is the language of mails and notifications, `en` or `de`. `time_zone` is a name of the
    IANA time zone database.
    """

    name: Text | None = None
    locale: Text | None = None
    time_zone: Text | None = None


class UserAnswer(Answer):
    """A user, as they see themselves; `verified` is always true."""

    id: str
    email: str
    name: str
    verified: bool


class MeAnswer(UserAnswer):
    """The user, the personal account, and the session of the request with its current account."""

    locale: Locale
    time_zone: str
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
    """Return the user with the changes."""
    wanted = OwnChange(**call.body.model_dump())
    result = await users.change_own(ctx, call.caller, call.user, wanted)
    return Reply(body=_me(result.result), written=result)


def _me(signed_in: SignedIn) -> MeAnswer:
    return MeAnswer(
        **user_fields(signed_in.user),
        locale=signed_in.user.locale,
        time_zone=signed_in.user.time_zone,
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
        summary="Change the user's name, language or time zone",
        tag="me",
        access=Session(),
        takes=UserUpdate,
        gives=MeAnswer,
    ),
)
