"""Reading the forms that browsers send."""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

BODY_SECONDS = 15.0
MAX_BODY_BYTES = 40_960
"""Of a form; one that is kept during a sign-in comes back sealed, which makes it larger."""
MAX_FIELDS = 20
HEADER_FIELDS = frozenset({"once", "state"})
"""What our pages put into their forms, and send on in a header of a request to the API."""
_HEADER_TEXT = re.compile(r"[\x20-\x7e]{0,2048}")
FORM_TYPE = "application/x-www-form-urlencoded"


class NotAForm(Exception):  # noqa: N818 - it names what was sent
    """The body is not a form that one of our pages sends."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def read_form(request: web.Request, *, max_fields: int = MAX_FIELDS) -> Mapping[str, str]:
    """Return the fields of a form.

    Raises:
        NotAForm: it is larger, slower or of another type than ours, or has a forged field.
    """
    if request.content_type != FORM_TYPE:
        raise NotAForm(415)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise NotAForm(413)
    except TimeoutError:
        raise NotAForm(408) from None
    found = read_pairs(body.decode("ascii", errors="replace"), max_fields=max_fields)
    if not all(_HEADER_TEXT.fullmatch(found.get(name, "")) for name in HEADER_FIELDS):
        raise NotAForm(400)
    return found


def read_pairs(text: str, *, max_fields: int = MAX_FIELDS) -> Mapping[str, str]:
    """Return the first value of each name.

    Raises:
        NotAForm: it is not UTF-8, or has too many fields.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=max_fields)
    except ValueError:
        raise NotAForm(400) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value.replace("\r\n", "\n"))
    return found
