"""What the routes of provisioning have in common: their scope, their size, and a refused entry."""

from typing import Annotated

from pydantic import Field

from shared.http.routes import Answer
from shared.problems import Refusal

PROVISION_SCOPE = "members:provision"
BATCH_BODY_BYTES = 4 * 1024 * 1024

ExternalId = Annotated[
    str,
    Field(
        pattern=r"^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$",
        description="The platform's own id: 1 to 200 visible ASCII characters, and spaces between",
    ),
]


class EntryFault(Answer):
    """One fault of an entry; `pointer` is its place in the entry (RFC 6901)."""

    pointer: str
    message: str


class EntryRefused(Answer):
    """Why one entry of a request was refused, in the words of a problem document."""

    code: str
    detail: str
    errors: list[EntryFault]


def entry_refused(refusal: Refusal) -> EntryRefused:
    """The refusal of one entry as its JSON object."""
    return EntryRefused(
        code=refusal.code,
        detail=str(refusal),
        errors=[EntryFault(pointer=one.pointer, message=one.message) for one in refusal.errors],
    )
