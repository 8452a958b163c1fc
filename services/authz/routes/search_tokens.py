"""The tokens that lead from one page of a search to the next.

A token holds where the next page begins, the limit of the pages, and a digest of the search. For
another search it is refused: it would leave results out, or show them twice.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import Field

from rolecall.client.jwk import decode, encode
from shared.http.refusals import BadRequest, MalformedJson
from shared.http.routes import Body, Call
from shared.http.strict_json import loads

PAGE_LIMIT = 100
"""The results of a page, if the request does not limit them."""
MAX_TOKEN_CHARACTERS = 8_000
"""Longer than the token of the longest id, all of whose characters have four bytes."""
DIGEST_BYTES = 12


class WantedPage(Body):
    """The page of a search: the `next_token` of the page before, and the most results."""

    token: str = Field("", max_length=MAX_TOKEN_CHARACTERS)
    limit: int | None = Field(None, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlace:
    """Where a page begins, and how many results the pages of its search have at most."""

    after: str = ""
    limit: int = PAGE_LIMIT


def read_place(call: Call[Any, None]) -> SearchPlace:
    """The place of the page that the call asks for.

    Raises:
        BadRequest: the token cannot be read, or is for another search or another limit.
    """
    page: WantedPage = call.body.page or WantedPage()
    if not page.token:
        return SearchPlace() if page.limit is None else SearchPlace(limit=page.limit)
    try:
        content = loads(decode(page.token))
    except (ValueError, MalformedJson):
        raise _refused(_UNREADABLE) from None
    match content:
        case [str(digest), int(limit), str(after)]:
            if digest != _digest(call) or page.limit not in (None, limit):
                raise _refused(_OTHER_SEARCH)
            return SearchPlace(after=after, limit=limit or PAGE_LIMIT)
        case _:
            raise _refused(_UNREADABLE)


def write_token(call: Call[Any, None], place: SearchPlace) -> str:
    """The token of this place of the search that the call asks for."""
    content = json.dumps([_digest(call), place.limit, place.after], ensure_ascii=False)
    return encode(content.encode())


def _digest(call: Call[Any, None]) -> str:
    asked = [
        call.route.operation_id,
        dict(call.path),
        call.body.model_dump(mode="json", exclude={"page"}),
    ]
    return encode(sha256(json.dumps(asked, sort_keys=True).encode()).digest()[:DIGEST_BYTES])


def _refused(message: str) -> BadRequest:
    return BadRequest(errors=[("/page/token", message)])


_UNREADABLE = "This is not a token of a search. Start again without a token."
_OTHER_SEARCH = (
    "This token was made for another search or another limit. Start again without a token."
)
