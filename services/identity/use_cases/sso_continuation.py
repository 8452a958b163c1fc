"""The second step of a sign-in with an issuer: the code of the user's second factor."""

from services.identity.domain.mfa import WrongOtp
from services.identity.domain.sso_continuation import check_continuation, issued_identity
from services.identity.domain.sso_sign_in import SsoSignInOver
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.joining import require_open_account
from services.identity.use_cases.rate_limits import rate_limited
from services.identity.use_cases.sessions import SignedIn
from services.identity.use_cases.sso_sign_in import (
    ProvedIdentity,
    enter,
    same_connection,
    sender_limit,
)
from shared.contracts.facts import Caller


async def go_on(ctx: Ctx, caller: Caller, *, continuation: str, otp: str) -> SignedIn:
    """Sign in a person whom an issuer has proved, by the code of the second factor.

    A wrong code can be followed by another one: the issuer need not be asked again.

    Raises:
        SsoSignInOver: the continuation is forged or too old, or its connection is gone.
        ConnectionPaused: the account of the connection is suspended, or being deleted, or gone.
        WrongOtp, SignInDisabled, IdentityNotLinked, TooManyRequests, HashingBusy, Unavailable.
    """
    async with rate_limited(ctx, sender_limit(ctx, caller), counted=(SsoSignInOver, WrongOtp)):
        opened = ctx.sealed_continuations.open(continuation)
        begun = check_continuation(opened, now=ctx.clock.now())
        connection = await same_connection(ctx, begun.connection_id, begun.issuer)
        await require_open_account(ctx, connection)
        proved = ProvedIdentity(issued=issued_identity(begun), connection=connection)
        return await enter(ctx, caller, proved, otp)
