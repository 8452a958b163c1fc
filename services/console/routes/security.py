"""The page of a user's second factors.

Secrets and recovery codes are in the answer to a press alone: no address leads to them again.
"""

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.qr_codes import qr_code
from services.console.pages.rendering import Form
from services.console.pages.texts import sentence
from services.console.routes.outcomes import Outcome, SeeOther, Shown, page_status, with_query
from services.console.routes.person_frame import PersonFrame, open_person, together
from services.console.routes.proofs import ProvedPage, recovery_codes, typed_code
from services.console.routes.visits import Visit

SECTION = "your_security"


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the second factors of the user."""
    frame: PersonFrame
    frame, factors, passkeys = await together(
        open_person(visit), visit.call("GET", "/v1/me/mfa"), visit.call("GET", "/v1/me/passkeys")
    )
    words = {"factors": factors, "passkeys": passkeys["items"]}
    return frame.shown("security", section=SECTION, form=form, **words)


async def begin(visit: Visit) -> Outcome:
    """Show the secret for an app, and ask for its first code."""
    made = await visit.call("POST", "/v1/me/mfa/totp")
    return _enrolment(visit, made["secret"], made["uri"], Form())


async def confirm(visit: Visit) -> Outcome:
    """Add the app, and show the recovery codes."""
    try:
        answer = await visit.call("POST", "/v1/me/mfa/totp/confirm", {"otp": typed_code(visit)})
    except ApiRefusal as refusal:
        shown = visit.open_enrolment()
        if shown is None or refusal.status not in {401, 422, 429, 503}:
            raise
        form = Form(errors={"otp": sentence(refusal)}, status=page_status(refusal))
        return _enrolment(visit, *shown, form)
    return recovery_codes(
        answer["recovery_codes"], path=places.SECURITY, section=SECTION, added="app"
    )


async def ask_remove(visit: Visit) -> Outcome:
    """Say what the removal of the app ends."""
    factors = await visit.call("GET", "/v1/me/mfa")
    return Shown(template="security_remove", words={"section": SECTION, "factors": factors})


async def remove(visit: Visit) -> Outcome:
    """Remove the app."""
    await visit.call("DELETE", "/v1/me/mfa/totp")
    return SeeOther(with_query(places.SECURITY, done="app-removed"))


async def replace_codes(visit: Visit) -> Outcome:
    """Show new recovery codes; earlier ones stop working."""
    made = await visit.call("POST", "/v1/me/mfa/recovery-codes")
    return recovery_codes(made["recovery_codes"], path=places.SECURITY, section=SECTION)


def _enrolment(visit: Visit, secret: str, uri: str, form: Form) -> Outcome:
    words = {
        "section": SECTION,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "uri": uri,
        "qr": qr_code(uri),
        "enrolment": visit.seal_enrolment(secret, uri),
    }
    return Shown(template="security_app", form=form, words=words)


PAGE = ProvedPage(
    path=places.SECURITY,
    section=SECTION,
    show=show,
    presses={
        "begin": begin,
        "confirm": confirm,
        "ask-remove": ask_remove,
        "remove": remove,
        "codes": replace_codes,
    },
    proved={"begin": "begin", "remove": "remove", "codes": "codes"},
)
PAGES = (PAGE.route,)
