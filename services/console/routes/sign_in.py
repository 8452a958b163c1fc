"""The pages of signing in and out."""

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.page_text import PageText
from services.console.pages.rendering import Form
from services.console.pages.texts import FORMER_LIVES, sentence
from services.console.routes import issuers
from services.console.routes.outcomes import (
    Outcome,
    PageRoute,
    SeeOther,
    Shown,
    page_status,
    refused_form,
    with_error,
    with_query,
)
from services.console.routes.visits import Visit

OTP_CODES = frozenset({"otp-required", "wrong-otp"})
"""The refusals of a sign-in whose password was right."""
NOT_SIGNED_IN = "not-signed-in"
"""In the query: a sign-in was dropped, because the session before it lives."""
FIRST_STEP_OVER = PageText(
    "Enter your address and password again: the first step was too long ago.",
    "Geben Sie Ihre Adresse und Ihr Passwort noch einmal ein: Der erste Schritt ist zu lange her.",
)


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the form; a signed-in user goes on, unless it was their session that ended."""
    visit.drop_session(visit.query.get("ended", ""))
    if NOT_SIGNED_IN in visit.query and not form.refused:
        form = with_error(form, problem=FORMER_LIVES, status=200)
    to = places.destination(visit.typed.get("to") or visit.query.get("to", ""))
    if visit.session is not None and not form.refused:
        return SeeOther(to)
    words = {"to": to, "connections": await issuers.connections(visit)}
    return Shown(template="sign_in", form=form, words=words)


async def submit(visit: Visit) -> Outcome:
    """Sign in; the second step asks for the code of a second factor."""
    if "continuation" in visit.typed:
        return await _go_on(visit)
    first = first_step(visit)
    if first is None:
        return await show(visit, with_error(Form(), problem=FIRST_STEP_OVER, status=403))
    to = places.destination(visit.typed.get("to", ""))
    try:
        await log_in(visit, *first)
    except ApiRefusal as refusal:
        if refusal.code in OTP_CODES:
            email, _ = first
            sealed = visit.seal_second_step(*first)
            return code_page(visit, refusal, to=to, email=email, first_step=sealed)
        return await show(visit, refused_form(visit, refusal))
    return SeeOther(to)


def first_step(visit: Visit) -> tuple[str, str] | None:
    """Address and password of a sign-in; None: its second step came too late."""
    if "first_step" in visit.typed:
        return visit.open_second_step()
    return visit.typed.get("email", "").strip(), visit.typed.get("password", "")


async def log_in(visit: Visit, email: str, password: str) -> None:
    """Sign in with a password, and with the code of the form if it has one.

    Raises:
        ApiRefusal: it was refused.
        FormerSessionLives: the session before it could not be ended.
    """
    body = {"email": email, "password": password}
    if otp := visit.typed.get("otp", "").strip():
        body["otp"] = otp
    await visit.sign_in(await visit.ask("/v1/login", body))


async def _go_on(visit: Visit) -> Outcome:
    """Take the code of a person whom an issuer has proved."""
    continuation = visit.typed["continuation"]
    body = {"continuation": continuation, "otp": visit.typed.get("otp", "").strip() or "-"}
    to = places.destination(visit.typed.get("to", ""))
    try:
        answer = await visit.ask("/v1/login/oidc/continue", body)
    except ApiRefusal as refusal:
        if refusal.code in OTP_CODES:
            return code_page(visit, refusal, to=to, continuation=continuation)
        return await show(visit, Form(problem=sentence(refusal), status=page_status(refusal)))
    await visit.sign_in(answer)
    return SeeOther(to)


def code_page(
    visit: Visit,
    refusal: ApiRefusal,
    *,
    to: str,
    email: str = "",
    first_step: str = "",
    continuation: str = "",
) -> Outcome:
    """Ask for the code; the form keeps what was proved before, sealed."""
    wrong = "otp" in visit.typed
    form = Form(errors={"otp": sentence(refusal)} if wrong else {}, status=403 if wrong else 200)
    words = {"to": to, "email": email, "first_step": first_step, "continuation": continuation}
    return Shown(template="sign_in_code", form=form, words=words)


async def show_sign_out(visit: Visit, form: Form) -> Outcome:
    """Ask before the session ends: a link to this page ends nothing."""
    if visit.session is None and not form.refused:
        return SeeOther(places.SIGN_IN)
    return Shown(template="sign_out", form=form)


async def sign_out(visit: Visit) -> Outcome:
    """End the session."""
    await visit.end_session()
    return SeeOther(with_query(places.SIGN_IN, done="signed-out"))


PAGES = (
    PageRoute(path=places.SIGN_IN, show=show, submit=submit),
    PageRoute(path=places.SIGN_OUT, show=show_sign_out, submit=sign_out),
)
