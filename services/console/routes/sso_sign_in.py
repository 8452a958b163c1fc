"""The pages of a sign-in with an issuer of OpenID Connect: the way there, and its answer."""

from urllib.parse import urlsplit

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.pages.page_text import Fault
from services.console.pages.refusals.sign_in import ISSUER_FAILED, SIGN_IN_OVER
from services.console.pages.rendering import Form
from services.console.pages.texts import ISSUER_REFUSED, sentence
from services.console.routes import sign_in
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, page_status
from services.console.routes.visits import Visit

OVER = "sso-sign-in-over"
"""The refusal of an answer that has counted, or belongs to another browser."""
REFUSED = "access_denied"
"""What an issuer says when the person did not allow the sign-in (RFC 6749, section 4.1.2.1)."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Ask for an address, whose domain leads to an issuer."""
    to = places.destination(visit.typed.get("to") or visit.query.get("to", ""))
    return Shown(template="sign_in_with", form=form, words={"to": to})


async def begin(visit: Visit) -> Outcome:
    """Send the browser to the issuer.

    The page leads on by itself: browsers let no form end at another site that the policy of the
    page does not name, and the issuers of companies are not known before.
    """
    if connection := visit.typed.get("connection"):
        body = {"connection": connection}
    else:
        body = {"email": visit.typed.get("email", "").strip()}
    begun = await visit.ask("/v1/login/oidc/begin", body)
    visit.keep_issuer_sign_in(begun["binding"], places.destination(visit.typed.get("to", "")))
    address = begun["authorization_url"]
    words = {"address": address, "host": urlsplit(address).netloc}
    return Shown(template="sign_in_leaves", words=words)


async def finish(visit: Visit, form: Form) -> Outcome:
    """Take the issuer's answer, which the browser brings back, and sign in."""
    begun, query = visit.issuer_sign_in(), visit.query
    if begun is None:
        return await _failed(visit, SIGN_IN_OVER, status=410)
    if "code" not in query or "state" not in query:
        refused = query.get("error") == REFUSED
        return await _failed(visit, ISSUER_REFUSED if refused else ISSUER_FAILED, status=403)
    body = {
        "binding": begun.binding,
        "state": query["state"],
        "code": query["code"],
        "redirect_uri": visit.address,
    }
    if "iss" in query:
        body["iss"] = query["iss"]
    try:
        answer = await visit.ask("/v1/login/oidc/finish", body)
    except ApiRefusal as refusal:
        if refusal.code == OVER and visit.session is not None:
            return SeeOther(begun.to)  # the page was loaded again
        if refusal.continuation:
            visit.forget_issuer_sign_in()
            proved = refusal.continuation
            return sign_in.code_page(visit, refusal, to=begun.to, continuation=proved)
        return await _failed(visit, sentence(refusal), status=page_status(refusal))
    visit.forget_issuer_sign_in()
    await visit.sign_in(answer)
    return SeeOther(begun.to)


async def _failed(visit: Visit, problem: Fault, *, status: int) -> Outcome:
    return await sign_in.show(visit, Form(problem=problem, status=status))


PAGES = (
    PageRoute(path=places.SIGN_IN_WITH, show=show, submit=begin),
    PageRoute(path=places.CALLBACK, show=finish, arrives=True),
)
