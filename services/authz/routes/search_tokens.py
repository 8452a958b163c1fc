"""The tokens that lead from one page of a search to the next.

A token holds the limit of the pages and where the next page begins, sealed for this search and this
caller. For another search it is refused: it would leave results out, or show them twice.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import Field

from services.authz.adapters.sealed_places import SealedPlaces
from services.authz.routes.evaluation import caller_of
from shared.auth.principals import UserPrincipal
from shared.http.refusals import BadRequest
from shared.http.routes import Body, Call

PAGE_LIMIT = 100
"""The results of a page, if the request does not limit them."""
MAX_TOKEN_CHARACTERS = 8_000
"""Longer than the token of the longest id, all of whose characters have four bytes."""


class WantedPage(Body):
    """The page of a search: the `next_token` of the page before, and the most results."""

    token: str = Field("", max_length=MAX_TOKEN_CHARACTERS)
    limit: int | None = Field(None, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlace:
    """Where a page begins, and how many results the pages of its search have at most."""

    after: str = ""
    limit: int = PAGE_LIMIT


def read_place(places: SealedPlaces, call: Call[Any, None]) -> SearchPlace:
    """The place of the page that the call asks for.

    Raises:
        BadRequest: the token is not one of this search and this limit.
    """
    page: WantedPage = call.body.page or WantedPage()
    if not page.token:
        return SearchPlace() if page.limit is None else SearchPlace(limit=page.limit)
    content = places.read(page.token, of=_search_of(call))
    if content is None:
        raise _refused()
    limit, _, after = content.partition(" ")
    if page.limit not in (None, int(limit)):
        raise _refused()
    return SearchPlace(after=after, limit=int(limit) or PAGE_LIMIT)


def write_token(places: SealedPlaces, call: Call[Any, None], place: SearchPlace) -> str:
    """The token of this place of the search that the call asks for."""
    return places.seal(f"{place.limit} {place.after}", of=_search_of(call))


def _search_of(call: Call[Any, None]) -> str:
    principal = caller_of(call)
    caller = principal.user_id if isinstance(principal, UserPrincipal) else principal.client_id
    asked = [
        call.route.operation_id,
        dict(call.path),
        caller,
        call.body.model_dump(mode="json", exclude={"page"}),
    ]
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _refused() -> BadRequest:
    return BadRequest(errors=[("/page/token", _OTHER_SEARCH)])


_OTHER_SEARCH = "This is not a token of this search with this limit. Start again without a token."
