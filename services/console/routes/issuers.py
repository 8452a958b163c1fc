"""The way to an issuer of OpenID Connect, and the answer that the browser brings back from it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from services.console.adapters.api import ApiRefusal
from services.console.domain.browser_state import IssuerSignIn
from services.console.pages.page_text import PageText
from services.console.pages.refusals.sign_in import ISSUER_FAILED
from services.console.pages.texts import ISSUER_REFUSED
from services.console.routes.outcomes import Outcome, Shown
from services.console.routes.visits import Visit

REFUSED = "access_denied"
"""What an issuer says when the person did not allow the sign-in (RFC 6749, section 4.1.2.1)."""


async def connections(visit: Visit) -> Sequence[Mapping[str, Any]]:
    """The issuers that everyone may sign in with; none while the API does not say."""
    try:
        answer = await visit.ctx.api.call(
            "GET", "/v1/login/oidc/connections", visitor=visit.visitor
        )
    except ApiRefusal:
        return ()
    items: Sequence[Mapping[str, Any]] = answer["items"]
    return items


def leave(visit: Visit, begun: Mapping[str, Any], *, to: str, links: bool = False) -> Outcome:
    """Send the browser to the issuer; `to` is the page after its answer.

    The page leads on by itself: browsers let no form end at another site that the policy of the
    page does not name, and the issuers of companies are not known before.
    """
    visit.keep_issuer_sign_in(begun["binding"], to, links=links)
    address = begun["authorization_url"]
    words = {"address": address, "host": urlsplit(address).netloc, "back": to if links else ""}
    return Shown(template="sign_in_leaves", words=words)


def answer_of(visit: Visit, begun: IssuerSignIn) -> Mapping[str, object] | None:
    """What the API takes of the issuer's answer; None if the issuer did not sign the person in."""
    query = visit.query
    if "code" not in query or "state" not in query:
        return None
    body = {
        "binding": begun.binding,
        "state": query["state"],
        "code": query["code"],
        "redirect_uri": visit.address,
    }
    return body | ({"iss": query["iss"]} if "iss" in query else {})


def reason(visit: Visit) -> PageText:
    """Why the issuer did not sign the person in."""
    return ISSUER_REFUSED if visit.query.get("error") == REFUSED else ISSUER_FAILED
