"""What a request requires of the current state of its resource (RFC 9110, 13)."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from multidict import CIMultiDictProxy

from shared.problems import Invalid, Refusal, RefusalKind

ANY = "*"
WEAK = "W/"
IF_PREVIEW_MATCH = "If-Preview-Match"
SHOWN = "."
"""In the tag of a read: between the digest of the state and that of what else it shows."""

_TAG = r'(?:W/)?"[^\x00-\x20"\x7f]*"'
_TAGS = re.compile(rf"[ \t,]*+{_TAG}(?:[ \t]*+,[ \t,]*+{_TAG})*+[ \t,]*+")


class PreconditionFailed(Refusal):
    """The resource has another state than the one that the request was made for."""

    kind = RefusalKind.PRECONDITION
    code = "precondition-failed"
    detail = (
        "The resource is not in the state that `If-Match` names. Read it again, and repeat the"
        " request with its current ETag if the request is still right."
    )


class PreviewOutdated(PreconditionFailed):
    """The change would do something else than its preview has said."""

    detail = (
        "The change would not do what the preview that `If-Preview-Match` names has said. Preview"
        " it again, and repeat the request with the new `preview_tag` if it is still right."
    )


class ResourceExists(PreconditionFailed):
    """The resource is there, and the request was made for the case that it is not."""

    detail = (
        "The resource exists in the state that `If-None-Match` excludes. Read it, and send its"
        " ETag as `If-Match` to change it."
    )


class Tagged(Protocol):
    """A representation with an entity tag."""

    @property
    def etag(self) -> str:
        """The entity tag, in its double quotes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """The entity tags that a request allows and excludes.

    `represent` makes the representation of a stored resource, whose tag is compared. A condition
    that the request does not have is None. `note_tag` is told the tag of each comparison.
    """

    represent: Callable[[Any], Tagged]
    if_match: Collection[str] | None = None
    if_none_match: Collection[str] | None = None
    note_tag: Callable[[str | None], None] | None = None

    def require(self, resource: Any | None, *, applied: bool = False) -> None:
        """Compare with the resource as it is stored; None means that it does not exist.

        With `applied` the resource is already as the request asks. `If-Match` is not compared then:
        the request may be the repeat of one whose answer was lost (RFC 9110, 13.1.1).

        Raises:
            PreconditionFailed: it is not in the state that the request was made for.
        """
        tag = None if resource is None else self.represent(resource).etag
        if self.note_tag is not None:
            self.note_tag(tag)
        if not applied:
            self.require_match(tag)
        if self.excludes(tag):
            raise ResourceExists

    def require_match(self, tag: str | None) -> None:
        """Compare the state with `If-Match`, strongly: a weak tag matches nothing.

        Raises:
            PreconditionFailed: the tag is not one of those that the request names.
        """
        wanted = self.if_match
        if wanted is None:
            return
        states = {state_tag(each) for each in wanted}
        if tag is None or not (ANY in states or state_tag(tag) in states):
            raise PreconditionFailed

    def excludes(self, tag: str | None) -> bool:
        """Whether `If-None-Match` names the tag, compared weakly."""
        unwanted = self.if_none_match
        if unwanted is None or tag is None:
            return False
        return _named(tag, unwanted)


def is_known(headers: CIMultiDictProxy[str], tag: str) -> bool:
    """Whether `If-None-Match` names the tag of a document, so that 304 answers the request.

    Raises:
        Invalid: the header is neither `*` nor a list of entity tags.
    """
    known = _tags(headers, "If-None-Match")
    return known is not None and _named(tag, known)


def state_tag(tag: str) -> str:
    """The tag of the state alone, of the tag of a read."""
    state, shown, _ = tag.partition(SHOWN)
    return f'{state}"' if shown else tag


def read_precondition(
    headers: CIMultiDictProxy[str], represent: Callable[[Any], Tagged]
) -> Precondition | None:
    """The precondition of a request, if it has one.

    Raises:
        Invalid: a header is neither `*` nor a list of entity tags.
    """
    if_match, if_none_match = _tags(headers, "If-Match"), _tags(headers, "If-None-Match")
    if if_match is None and if_none_match is None:
        return None
    return Precondition(represent=represent, if_match=if_match, if_none_match=if_none_match)


def read_previewed(headers: CIMultiDictProxy[str]) -> Collection[str] | None:
    """The tags of the previews that a change was made after; `None`: it was not.

    Raises:
        Invalid: the header is neither `*` nor a list of entity tags.
    """
    return _tags(headers, IF_PREVIEW_MATCH)


def require_previewed(tag: str, previewed: Collection[str]) -> None:
    """Compare what a change does with what the previews of the request have said.

    Raises:
        PreviewOutdated: it is something else.
    """
    if tag not in previewed and ANY not in previewed:
        raise PreviewOutdated


def _named(tag: str, tags: Collection[str]) -> bool:
    """Compare weakly."""
    return ANY in tags or tag in {each.removeprefix(WEAK) for each in tags}


def _tags(headers: CIMultiDictProxy[str], name: str) -> Collection[str] | None:
    lines = headers.getall(name, [])
    if not lines:
        return None
    text = ",".join(lines).strip(" \t,")
    if text == ANY:
        return (ANY,)
    if _TAGS.fullmatch(text) is None:
        raise Invalid(errors=[(f"/headers/{name}", _MALFORMED)])
    return tuple(re.findall(_TAG, text))


_MALFORMED = (
    "Must be `*`, or entity tags with their double quotes, separated by commas."
    " Send a tag as the header `ETag` or the member `etag` of an answer gave it."
)
