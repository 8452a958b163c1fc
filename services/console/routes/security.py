"""The page of a user's second factors.

Secrets and recovery codes are in the answer to a press alone: no address leads to them again.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.qr_codes import qr_code
from services.console.pages.rendering import Form
from services.console.pages.texts import sentence
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    Shown,
    page_status,
    refused_form,
    with_query,
)
from services.console.routes.visits import STEP_UP_REQUIRED, Visit

AT_FIELD = {"wrong-otp": "otp", "otp-required": "otp", "wrong-password": "password"}
"""The refusals of a proof, by the field that they are about."""
SIGN_IN_AGAIN = "sign-in-again"
"""A refusal of a proof, and the button that follows it."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the second factors of the user."""
    factors = await visit.call("GET", "/v1/me/mfa")
    passkeys = await visit.call("GET", "/v1/me/passkeys")
    words = {"factors": factors, "passkeys": passkeys["items"]}
    return Shown(template="security", form=form, words=words)


async def submit(visit: Visit) -> Outcome:
    """Do what the pressed button says, after a fresh proof where the API asks for one."""
    press = PRESSES.get(visit.typed.get("press", ""))
    if press is None:
        return await show(visit, Form())
    proves = press in PROVED and "proof" in visit.typed
    try:
        if proves:
            await _prove(visit)
            proves = False
        return await press(visit)
    except ApiRefusal as refusal:
        if refusal.code == STEP_UP_REQUIRED:
            return await _ask_proof(visit, Form())
        if proves and refusal.status < 500:
            return await _ask_proof(visit, _refused_proof(visit, refusal))
        raise


async def begin(visit: Visit) -> Outcome:
    """Show the secret for an app, and ask for its first code."""
    made = await visit.call("POST", "/v1/me/mfa/totp")
    return _enrolment(visit, made["secret"], made["uri"], Form())


async def confirm(visit: Visit) -> Outcome:
    """Add the app, and show the recovery codes."""
    try:
        answer = await visit.call("POST", "/v1/me/mfa/totp/confirm", {"otp": _code(visit)})
    except ApiRefusal as refusal:
        shown = visit.open_enrolment()
        if shown is None or refusal.status not in {401, 422, 429, 503}:
            raise
        form = Form(errors={"otp": sentence(refusal)}, status=page_status(refusal))
        return _enrolment(visit, *shown, form)
    return _recovery_codes(answer, added=True)


async def ask_remove(visit: Visit) -> Outcome:
    """Say what the removal of the app ends."""
    factors = await visit.call("GET", "/v1/me/mfa")
    return Shown(template="security_remove", words={"factors": factors})


async def remove(visit: Visit) -> Outcome:
    """Remove the app."""
    await visit.call("DELETE", "/v1/me/mfa/totp")
    return SeeOther(with_query(places.SECURITY, done="app-removed"))


async def replace_codes(visit: Visit) -> Outcome:
    """Show new recovery codes; earlier ones stop working."""
    return _recovery_codes(await visit.call("POST", "/v1/me/mfa/recovery-codes"), added=False)


async def sign_in_again(visit: Visit) -> Outcome:
    """End the session, and come back with one that is a fresh proof."""
    await visit.end_session()
    return SeeOther(with_query(places.SIGN_IN, to=places.SECURITY))


PRESSES: Mapping[str, Callable[[Visit], Awaitable[Outcome]]] = {
    "begin": begin,
    "confirm": confirm,
    "ask-remove": ask_remove,
    "remove": remove,
    "codes": replace_codes,
    SIGN_IN_AGAIN: sign_in_again,
}
"""The buttons of the page."""
PROVED = frozenset({begin, remove, replace_codes})
"""Those for which the API asks for a fresh proof."""


async def _prove(visit: Visit) -> None:
    field = "password" if "password" in visit.typed else "otp"
    proof = visit.typed.get("password") or "-" if field == "password" else _code(visit)
    visit.change_access_token(await visit.call("POST", "/v1/me/step-up", {field: proof}))


async def _ask_proof(visit: Visit, form: Form) -> Outcome:
    factors = await visit.call("GET", "/v1/me/mfa")
    words = {
        "press": visit.typed["press"],
        "by_code": factors["totp"] is not None or factors["passkeys"] > 0,
        "with_app": factors["totp"] is not None,
    }
    return Shown(template="security_proof", form=form, words=words)


def _refused_proof(visit: Visit, refusal: ApiRefusal) -> Form:
    field = AT_FIELD.get(refusal.code)
    if field is None or field not in visit.typed:
        return refused_form(visit, refusal)
    return Form(errors={field: sentence(refusal)}, status=page_status(refusal))


def _enrolment(visit: Visit, secret: str, uri: str, form: Form) -> Outcome:
    words = {
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "uri": uri,
        "qr": qr_code(uri),
        "enrolment": visit.seal_enrolment(secret, uri),
    }
    return Shown(template="security_app", form=form, words=words)


def _recovery_codes(answer: Mapping[str, Any], *, added: bool) -> Outcome:
    words = {"codes": answer["recovery_codes"], "added": added}
    return Shown(template="security_codes", words=words)


def _code(visit: Visit) -> str:
    return visit.typed.get("otp", "").strip() or "-"


PAGES = (PageRoute(path=places.SECURITY, show=show, submit=submit),)
