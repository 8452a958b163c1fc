"""The refusal of one entry of a request that has many, each with a result of its own."""

from shared.http.routes import Answer
from shared.problems import Refusal


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
