"""Why was a request refused, and how is that said on the wire (RFC 9457)?"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple


class Kind(StrEnum):
    """What sort of refusal it is; one table turns it into a status."""

    INVALID = "invalid"
    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    METHOD = "method"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    GONE = "gone"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    UNEXPECTED = "unexpected"
    UNAVAILABLE = "unavailable"


class Pointed(NamedTuple):
    """One thing that is wrong with the input: where (RFC 6901) and what."""

    pointer: str
    message: str


class Refusal(Exception):  # noqa: N818 - the refusal is the answer, not an error
    """A request that is answered with "no" for a reason the caller may know.

    A subclass stands beside its rule and sets `kind`, a stable kebab-case `code` and `detail`, a
    sentence that may name keyword arguments in braces. These also become members of the problem,
    so never pass a secret.
    """

    kind: ClassVar[Kind]
    code: ClassVar[str]
    detail: ClassVar[str]
    forbids: ClassVar[bool] = False
    """It says "you may not", though its kind is not `DENIED`; the audit log has both."""

    def __init__(
        self,
        *,
        errors: Sequence[tuple[str, str]] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **members: str | int | None,
    ) -> None:
        """`errors` are (JSON pointer, message), `retry_after` is in seconds."""
        self.errors = tuple(Pointed(*error) for error in errors)
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.members = members
        super().__init__(self.detail.format(**members))

    @property
    def status(self) -> int:
        """The HTTP status of this refusal's kind."""
        return STATUS[self.kind]

    def problem(self, request_id: str) -> dict[str, Any]:
        """The `application/problem+json` document."""
        document: dict[str, Any] = {
            **self.members,
            "type": f"urn:rolecall:problem:{self.code}",
            "title": TITLE[self.kind],
            "status": self.status,
            "code": self.code,
            "detail": str(self),
            "request_id": request_id,
        }
        if self.errors:
            document["errors"] = [error._asdict() for error in self.errors]
        return document


class Invalid(Refusal):
    """JSON that does not fit: each of `errors` says where."""

    kind = Kind.INVALID
    code = "invalid"
    detail = "The request does not fit what this route takes."


class BadRequest(Refusal):
    """The same on routes of a public standard that knows 400 only (AuthZEN, RFC 6749)."""

    kind = Kind.MALFORMED
    code = "bad-request"
    detail = "The request does not fit what this route takes."


class MalformedJson(Refusal):
    """The body is no JSON text that every reader understands alike (RFC 8259, RFC 7493)."""

    kind = Kind.MALFORMED
    code = "malformed-json"
    detail = "The body is not acceptable JSON: {reason}."


class MalformedForm(Refusal):
    """The body is no form that can be read."""

    kind = Kind.MALFORMED
    code = "malformed-form"
    detail = "The body is not an acceptable form."


class WrongContentType(Refusal):
    """The body has another media type, or is encoded."""

    kind = Kind.MALFORMED
    code = "wrong-content-type"
    detail = "Send the body as {expected}, in UTF-8 and not compressed."


class BodyMissing(Refusal):
    """A body was expected and none came."""

    kind = Kind.MALFORMED
    code = "body-missing"
    detail = "This route needs a body."


class BodyBroken(Refusal):
    """The connection or its framing ended before the body did."""

    kind = Kind.MALFORMED
    code = "body-broken"
    detail = "The body did not arrive whole."


class BodyTooLarge(Refusal):
    """The body is larger than the route's cap."""

    kind = Kind.TOO_LARGE
    code = "body-too-large"
    detail = "The body may have {limit} bytes at most."


class BodyTooSlow(Refusal):
    """The body did not arrive in time."""

    kind = Kind.TIMEOUT
    code = "body-too-slow"
    detail = "The body did not arrive in time."


class Unauthenticated(Refusal):
    """Nobody that we know: no credential, or none that counts."""

    kind = Kind.UNAUTHENTICATED
    code = "unauthenticated"
    detail = "Sign in, or send a valid access token."


class PermissionMissing(Refusal):
    """A member without the permission that the route needs."""

    kind = Kind.DENIED
    code = "permission-missing"
    detail = "This needs the permission {permission}."

    def __init__(self, permission: str) -> None:
        super().__init__(permission=permission)


class ScopeMissing(Refusal):
    """A service client without the scope that the route needs."""

    kind = Kind.DENIED
    code = "scope-missing"
    detail = "This needs a service client with the scope {scope}."

    def __init__(self, scope: str) -> None:
        super().__init__(scope=scope)


class WrongPrincipal(Refusal):
    """Authenticated, but as somebody for whom the route is not made."""

    kind = Kind.DENIED
    code = "wrong-principal"
    detail = "This route is not for this kind of caller."


class NotFound(Refusal):
    """Nothing there, or nothing that the caller may know of."""

    kind = Kind.NOT_FOUND
    code = "not-found"
    detail = "There is nothing here that you may see."


class MethodNotAllowed(Refusal):
    """The path exists, the method on it does not."""

    kind = Kind.METHOD
    code = "method-not-allowed"
    detail = "This path does not know the method; see Allow."

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(headers={"Allow": ", ".join(sorted(allowed))})


class Unavailable(Refusal):
    """Something that the answer rests on cannot be reached now; nothing is said by default."""

    kind = Kind.UNAVAILABLE
    code = "unavailable"
    detail = "This cannot be answered at the moment; try again."

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(retry_after=retry_after)


class Stale(Unavailable):
    """What is known here is not fresh enough to answer from."""

    code = "stale"
    detail = "What is known here is not fresh enough to answer; try again."


class Unexpected(Refusal):
    """A fault of ours. It says nothing about itself; the log knows the request id."""

    kind = Kind.UNEXPECTED
    code = "internal-error"
    detail = "Something went wrong on our side."


class RemoteRefusal(Refusal):
    """What another service refused, with its code; made by `refusal_of` only."""

    detail = "{said}"

    def __init__(self, said: str) -> None:
        super().__init__(said=said)
        self.members = {}


@cache
def _remote(kind: Kind, code: str) -> type[RemoteRefusal]:
    return type("RemoteRefusal", (RemoteRefusal,), {"kind": kind, "code": code})


def refusal_of(status: int, problem: Mapping[str, Any]) -> Refusal:
    """The refusal that a problem document of another service speaks of."""
    kind = _KIND.get(status, Kind.UNAVAILABLE)
    code, said = problem.get("code"), problem.get("detail")
    refusal = _remote(kind, code if isinstance(code, str) else kind.value.replace("_", "-"))
    return refusal(said if isinstance(said, str) else TITLE[kind])


STATUS: Mapping[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.DENIED: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.TIMEOUT: 408,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.TOO_LARGE: 413,
    Kind.INVALID: 422,
    Kind.RATE_LIMITED: 429,
    Kind.UNEXPECTED: 500,
    Kind.UNAVAILABLE: 503,
}
TITLE: Mapping[Kind, str] = {
    Kind.MALFORMED: "Malformed request",
    Kind.UNAUTHENTICATED: "Not authenticated",
    Kind.DENIED: "Not allowed",
    Kind.NOT_FOUND: "Not found",
    Kind.METHOD: "Method not allowed",
    Kind.TIMEOUT: "Request timed out",
    Kind.CONFLICT: "Conflict",
    Kind.GONE: "Gone",
    Kind.TOO_LARGE: "Too large",
    Kind.INVALID: "Invalid request",
    Kind.RATE_LIMITED: "Too many requests",
    Kind.UNEXPECTED: "Internal error",
    Kind.UNAVAILABLE: "Unavailable",
}
_KIND = {status: kind for kind, status in STATUS.items()}
