"""The page of a user's identities: with which issuers they sign in; linked and unlinked here."""

from collections.abc import Mapping

from services.console.adapters.api import ApiRefusal, path_step
from services.console.domain import places
from services.console.pages.page_text import PageText
from services.console.pages.rendering import Form
from services.console.pages.texts import sentence
from services.console.routes import issuers
from services.console.routes.outcomes import Outcome, SeeOther, Shown, page_status, with_query
from services.console.routes.person_frame import PersonFrame, open_person, together
from services.console.routes.proofs import ProvedPage
from services.console.routes.visits import Visit

SECTION = "your_security"
GONE = 404
"""What the API answers about an identity that is unlinked already."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Show the identities of the user, and the issuers that everyone may sign in with."""
    frame: PersonFrame
    frame, listed, connections = await together(
        open_person(visit), visit.call("GET", "/v1/me/identities"), issuers.connections(visit)
    )
    words = {"identities": listed["items"], "connections": connections}
    return frame.shown("identities", section=SECTION, form=form, **words)


async def link(visit: Visit) -> Outcome:
    """Send the browser to the issuer, whose answer links the identity."""
    body = {"connection": visit.typed.get("connection") or "-"}
    begun = await visit.call("POST", "/v1/me/identity-links", body)
    return issuers.leave(visit, begun, to=places.IDENTITIES, links=True)


async def finish_link(visit: Visit, body: Mapping[str, object] | None) -> Outcome:
    """Link the identity of an issuer's answer; None: the issuer did not sign the person in."""
    if body is None:
        visit.forget_issuer_sign_in()
        return await _not_linked(visit, issuers.reason(visit), status=403)
    try:
        await visit.call("POST", "/v1/me/identities", body)
    except ApiRefusal as refusal:
        if refusal.status < 500:
            visit.forget_issuer_sign_in()
        return await _not_linked(visit, sentence(refusal), status=page_status(refusal))
    visit.forget_issuer_sign_in()
    return SeeOther(with_query(places.IDENTITIES, done="identity-linked"))


async def _not_linked(visit: Visit, problem: PageText, *, status: int) -> Outcome:
    return await show(visit, Form(problem=problem, status=status))


async def ask_unlink(visit: Visit) -> Outcome:
    """Say what ends with an identity."""
    listed = await visit.call("GET", "/v1/me/identities")
    asked = visit.typed.get("identity_id", "")
    identity = next((one for one in listed["items"] if one["id"] == asked), None)
    if identity is None:
        return SeeOther(places.IDENTITIES)
    return Shown(template="identity_unlink", words={"section": SECTION, "identity": identity})


async def unlink(visit: Visit) -> Outcome:
    """Unlink an identity; the user's other sessions end."""
    identity_id = path_step(visit.typed.get("identity_id", ""))
    try:
        await visit.call("DELETE", f"/v1/me/identities/{identity_id}")
    except ApiRefusal as refusal:
        if refusal.status != GONE:
            raise
    return SeeOther(with_query(places.IDENTITIES, done="identity-unlinked"))


PAGE = ProvedPage(
    path=places.IDENTITIES,
    section=SECTION,
    show=show,
    presses={"link": link, "ask-unlink": ask_unlink, "unlink": unlink},
    proved={"link": "link", "unlink": "unlink"},
    carried=("connection", "identity_id"),
)
PAGES = (PAGE.route,)
