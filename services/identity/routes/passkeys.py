"""The routes of passkeys: of the signed-in user, and for a sign-in without a password."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from services.identity.adapters.recovery_codes import shown
from services.identity.domain.disabled_users import SignInDisabled
from services.identity.domain.identities import LastSignIn
from services.identity.domain.passkeys import (
    Passkey,
    PasskeyChallengeOver,
    PasskeyKnown,
    PasskeyRefused,
    TooManyPasskeys,
)
from services.identity.domain.passwords import HashingBusy
from services.identity.domain.rate_limits import TooManyRequests
from services.identity.routes.credentials import MadeCredential, SignedCredential
from services.identity.routes.fields import Text
from services.identity.routes.sessions import SessionAnswer, session_answer
from services.identity.use_cases import mfa, passkeys
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.passkeys import BegunCeremony, PasskeyAnswer
from shared.http.access import Public, Session
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.problems import NotFound

SealedText = Annotated[str, Field(min_length=1, max_length=2048)]
PROVED = Session(fresh_proof=True)


class SignedChallenge(Body):
    """The `challenge` of the beginning, and what the browser answered."""

    challenge: SealedText
    credential: SignedCredential

    def answer(self) -> PasskeyAnswer:
        """Return it as the use cases take it."""
        return PasskeyAnswer(challenge=self.challenge, credential=self.credential.members())


class NewPasskey(Body):
    """The `challenge` of the beginning, the passkey that the browser has made, and its name."""

    challenge: SealedText
    credential: MadeCredential
    name: Text

    def answer(self) -> PasskeyAnswer:
        """Return it as the use cases take it."""
        return PasskeyAnswer(challenge=self.challenge, credential=self.credential.members())


class PasskeyName(Body):
    """The name of a passkey."""

    name: Text


class PasskeyOptions(Answer):
    """`options` are for the browser, and `challenge` is sent back with its answer."""

    challenge: str
    options: dict[str, Any]


class PasskeyView(Answer):
    """A passkey of the user."""

    id: str
    name: str
    added_at: datetime
    used_at: datetime | None


class NewPasskeyView(PasskeyView):
    """A new passkey; with the first factor there are recovery codes, which are shown once."""

    recovery_codes: list[str]


class PasskeyViews(Answer):
    """All passkeys of the user."""

    items: tuple[PasskeyView, ...]


async def list_passkeys(ctx: Ctx, call: Call[None, None]) -> PasskeyViews:
    """Return the passkeys of the user."""
    found = await mfa.factors_of(ctx, call.user)
    return PasskeyViews(items=tuple(PasskeyView(**_fields(one)) for one in found.passkeys))


async def begin_adding(ctx: Ctx, call: Call[None, None]) -> PasskeyOptions:
    """Return what the browser makes a passkey from."""
    return _options(await passkeys.begin_adding(ctx, call.user))


async def add(ctx: Ctx, call: Call[NewPasskey, None]) -> Reply:
    """Add the passkey."""
    body = call.body
    written = await passkeys.add(ctx, call.caller, call.user, body.answer(), name=body.name)
    added = written.result
    codes = [shown(code) for code in added.recovery_codes]
    view = NewPasskeyView(**_fields(added.passkey), recovery_codes=codes)
    return Reply(body=view, written=written)


async def rename(ctx: Ctx, call: Call[PasskeyName, None]) -> PasskeyView:
    """Rename the passkey."""
    renamed = await passkeys.rename(
        ctx, call.caller, call.user, passkey_id=call.path["passkey_id"], name=call.body.name
    )
    return PasskeyView(**_fields(renamed))


async def remove(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Remove the passkey."""
    passkey_id = call.path["passkey_id"]
    written = await passkeys.remove(ctx, call.caller, call.user, passkey_id=passkey_id)
    return Reply(written=written)


async def begin_sign_in(ctx: Ctx, call: Call[None, None]) -> PasskeyOptions:
    """Return what the browser asks for a passkey with."""
    return _options(await passkeys.begin_proof(ctx))


async def finish_sign_in(ctx: Ctx, call: Call[SignedChallenge, None]) -> SessionAnswer:
    """Return a session for a passkey."""
    return session_answer(ctx, await passkeys.log_in(ctx, call.caller, call.body.answer()))


def _options(begun: BegunCeremony) -> PasskeyOptions:
    return PasskeyOptions(challenge=begun.challenge, options=begun.options)


def _fields(passkey: Passkey) -> dict[str, Any]:
    return {
        "id": passkey.passkey_id,
        "name": passkey.name,
        "added_at": passkey.added_at,
        "used_at": passkey.used_at,
    }


ROUTES = (
    Route(
        method="POST",
        path="/v1/login/passkey/begin",
        handler=begin_sign_in,
        operation_id="beginPasskeySignIn",
        summary="Begin a sign-in, or a step-up, with a passkey",
        tag="sign-in",
        access=Public(),
        gives=PasskeyOptions,
        on_repeat="Makes another challenge; both can be answered.",
    ),
    Route(
        method="POST",
        path="/v1/login/passkey/finish",
        handler=finish_sign_in,
        operation_id="finishPasskeySignIn",
        summary="Sign in with a passkey, without a password",
        tag="sign-in",
        access=Public(),
        takes=SignedChallenge,
        gives=SessionAnswer,
        refuses=(PasskeyChallengeOver, PasskeyRefused, SignInDisabled, TooManyRequests),
        on_repeat="Finds the challenge used: 410. Begin again.",
    ),
    Route(
        method="GET",
        path="/v1/me/passkeys",
        handler=list_passkeys,
        operation_id="listPasskeys",
        summary="My passkeys",
        tag="me",
        access=Session(),
        gives=PasskeyViews,
    ),
    Route(
        method="POST",
        path="/v1/me/passkey-challenges",
        handler=begin_adding,
        operation_id="beginPasskey",
        summary="Begin to add a passkey",
        tag="me",
        access=PROVED,
        gives=PasskeyOptions,
        refuses=(TooManyPasskeys,),
        on_repeat="Makes another challenge; both can be answered.",
    ),
    Route(
        method="POST",
        path="/v1/me/passkeys",
        handler=add,
        operation_id="addPasskey",
        summary="Add the passkey, and end my other sessions with the first factor",
        tag="me",
        access=PROVED,
        takes=NewPasskey,
        gives=NewPasskeyView,
        refuses=(
            PasskeyChallengeOver,
            PasskeyRefused,
            PasskeyKnown,
            TooManyPasskeys,
            TooManyRequests,
            HashingBusy,
        ),
        effective_everywhere=True,
        on_repeat="Finds the challenge used: 410. The list shows whether the passkey was added.",
    ),
    Route(
        method="PATCH",
        path="/v1/me/passkeys/{passkey_id}",
        handler=rename,
        operation_id="renamePasskey",
        summary="Rename a passkey",
        tag="me",
        access=Session(),
        takes=PasskeyName,
        gives=PasskeyView,
        refuses=(NotFound,),
    ),
    Route(
        method="DELETE",
        path="/v1/me/passkeys/{passkey_id}",
        handler=remove,
        operation_id="removePasskey",
        summary="Remove a passkey",
        tag="me",
        access=PROVED,
        refuses=(NotFound, LastSignIn),
        effective_everywhere=True,
    ),
)
