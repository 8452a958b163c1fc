"""The route by which a signed-in user changes the password."""

from services.identity.domain.passwords import HashingBusy, WrongPassword
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.routes.fields import Text
from services.identity.use_cases import passwords
from services.identity.use_cases.context import Ctx
from shared.http.access import Session
from shared.http.routes import Body, Call, Reply, Route


class PasswordChange(Body):
    """The current password and the new one."""

    current: Text
    new: Text


async def change(ctx: Ctx, call: Call[PasswordChange, None]) -> Reply:
    """Change the password; only the session of the request is left."""
    body = call.body
    result = await passwords.change(ctx, call.caller, call.user, current=body.current, new=body.new)
    return Reply(written=result)


ROUTES = (
    Route(
        method="POST",
        path="/v1/me/password",
        handler=change,
        operation_id="changePassword",
        summary="Change the password, and end the user's other sessions",
        tag="me",
        access=Session(),
        takes=PasswordChange,
        refuses=(WrongPassword, TooManyRequests, HashingBusy),
        effective_everywhere=True,
        on_repeat="Finds that the current password is another: it changes nothing.",
    ),
)
