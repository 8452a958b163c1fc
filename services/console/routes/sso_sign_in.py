"""The pages of a sign-in with an issuer of OpenID Connect: the way there, and its answer."""

from collections.abc import Mapping

from services.console.adapters.api import ApiRefusal
from services.console.domain import places
from services.console.domain.browser_state import IssuerSignIn
from services.console.pages.page_text import Fault
from services.console.pages.refusals.sign_in import SIGN_IN_OVER
from services.console.pages.rendering import Form
from services.console.pages.texts import sentence
from services.console.routes import identities, issuers, sign_in
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown, page_status
from services.console.routes.visits import Visit

OVER = "sso-sign-in-over"
"""The refusal of an answer that has counted, or belongs to another browser."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Ask for an address, whose domain leads to an issuer."""
    to = places.destination(visit.typed.get("to") or visit.query.get("to", ""))
    return Shown(template="sign_in_with", form=form, words={"to": to})


async def begin(visit: Visit) -> Outcome:
    """Send the browser to the issuer."""
    if connection := visit.typed.get("connection"):
        body = {"connection": connection}
    else:
        body = {"email": visit.typed.get("email", "").strip()}
    begun = await visit.ask("/v1/login/oidc/begin", body)
    return issuers.leave(visit, begun, to=places.destination(visit.typed.get("to", "")))


async def finish(visit: Visit, form: Form) -> Outcome:
    """Take the issuer's answer, which the browser brings back: sign in, or link the identity."""
    begun = visit.issuer_sign_in()
    if begun is None:
        return await _failed(visit, SIGN_IN_OVER, status=410)
    body = issuers.answer_of(visit, begun)
    if begun.links:
        return await identities.finish_link(visit, body)
    if body is None:
        return await _failed(visit, issuers.reason(visit), status=403)
    return await _sign_in(visit, begun, body)


async def _sign_in(visit: Visit, begun: IssuerSignIn, body: Mapping[str, object]) -> Outcome:
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
