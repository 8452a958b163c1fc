"""The page of the API tokens that a user has made in every account; each is revoked here."""

from collections.abc import Mapping
from typing import Any

from services.console.adapters.api import ApiRefusal, path_step
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.choices import MANY, listed, names_of
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, with_query
from services.console.routes.person_frame import PersonFrame, open_person, together
from services.console.routes.visits import Visit

SECTION = "your_security"
SHOWN_TOKENS = 50
GONE = 404
"""What the API answers about a token that is not there any more."""


async def show(visit: Visit, form: Form) -> Outcome:
    """List the tokens of the user, the newest first."""
    return await _page(visit, form, "own_tokens")


async def submit(visit: Visit) -> Outcome:
    """Ask whether a token shall end, then end it: no service accepts it from the answer on."""
    if visit.typed.get("press") != "revoke":
        return await _page(visit, Form(), "own_token_revoke")
    try:
        await visit.call("DELETE", f"/v1/me/api-tokens/{path_step(_asked(visit))}")
    except ApiRefusal as refusal:
        if refusal.status != GONE:
            raise
    return SeeOther(with_query(places.OWN_TOKENS, done="token-revoked"))


async def _page(visit: Visit, form: Form, template: str) -> Outcome:
    query = {"limit": str(SHOWN_TOKENS)}
    if cursor := visit.query.get("cursor"):
        query["cursor"] = cursor
    frame: PersonFrame
    frame, tokens, accounts = await together(
        open_person(visit),
        visit.call("GET", "/v1/me/api-tokens", query=query),
        listed(visit.call("GET", "/v1/accounts", query=MANY)),
    )
    asked = _of_id(tokens["items"], _asked(visit))
    if template == "own_token_revoke" and asked is None:
        return SeeOther(places.OWN_TOKENS)
    return frame.shown(
        template,
        section=SECTION,
        form=form,
        tokens=tokens["items"],
        token=asked,
        following=tokens["next_cursor"],
        newest="cursor" not in visit.query,
        names=names_of(accounts),
    )


def _asked(visit: Visit) -> str:
    return visit.typed.get("token_id", "")


def _of_id(tokens: list[Mapping[str, Any]], token_id: str) -> Mapping[str, Any] | None:
    return next((one for one in tokens if one["id"] == token_id), None)


PAGES = (PageRoute(path=places.OWN_TOKENS, show=show, submit=submit),)
