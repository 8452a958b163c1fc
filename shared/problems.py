"""Why was a request refused, and how is that said on the wire (RFC 9457)?"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple


class RefusalKind(StrEnum):
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

    kind: ClassVar[RefusalKind]
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

    kind = RefusalKind.INVALID
    code = "invalid"
    detail = "The request does not fit what this route takes."


class BadRequest(Refusal):
    """The same on routes of a public standard that knows 400 only (AuthZEN, RFC 6749)."""

    kind = RefusalKind.MALFORMED
    code = "bad-request"
    detail = "The request does not fit what this route takes."


class MalformedJson(Refusal):
    """The body is no JSON text that every reader understands alike (RFC 8259, RFC 7493)."""

    kind = RefusalKind.MALFORMED
    code = "malformed-json"
    detail = "The body is not acceptable JSON: {reason}."


class MalformedForm(Refusal):
    """The body is no form that can be read."""

    kind = RefusalKind.MALFORMED
    code = "malformed-form"
    detail = "The body is not an acceptable form."


class WrongContentType(Refusal):
    """The body has another media type, or is encoded."""

    kind = RefusalKind.MALFORMED
    code = "wrong-content-type"
    detail = "Send the body as {expected}, in UTF-8 and not compressed."


class BodyMissing(Refusal):
    """A body was expected and none came."""

    kind = RefusalKind.MALFORMED
    code = "body-missing"
    detail = "This route needs a body."


class BodyBroken(Refusal):
    """The connection or its framing ended before the body did."""

    kind = RefusalKind.MALFORMED
    code = "body-broken"
    detail = "The body did not arrive whole."


class BodyTooLarge(Refusal):
    """The body is larger than the route's cap."""

    kind = RefusalKind.TOO_LARGE
    code = "body-too-large"
    detail = "The body may have {limit} bytes at most."


class BodyTooSlow(Refusal):
    """The body did not arrive in time."""

    kind = RefusalKind.TIMEOUT
    code = "body-too-slow"
    detail = "The body did not arrive in time."


class Unauthenticated(Refusal):
    """Nobody that we know: no credential, or none that counts."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "unauthenticated"
    detail = "Sign in, or send a valid access token."


class PermissionMissing(Refusal):
    """A member without the permission that the route needs."""

    kind = RefusalKind.DENIED
    code = "permission-missing"
    detail = "This needs the permission {permission}."

    def __init__(self, permission: str) -> None:
        super().__init__(permission=permission)


class ScopeMissing(Refusal):
    """A service client without the scope that the route needs."""

    kind = RefusalKind.DENIED
    code = "scope-missing"
    detail = "This needs a service client with the scope {scope}."

    def __init__(self, scope: str) -> None:
        super().__init__(scope=scope)


class WrongPrincipal(Refusal):
    """Authenticated, but as somebody for whom the route is not made."""

    kind = RefusalKind.DENIED
    code = "wrong-principal"
    detail = "This route is not for this kind of caller."


class NotFound(Refusal):
    """Nothing there, or nothing that the caller may know of."""

    kind = RefusalKind.NOT_FOUND
    code = "not-found"
    detail = "There is nothing here that you may see."


class MethodNotAllowed(Refusal):
    """The path exists, the method on it does not."""

    kind = RefusalKind.METHOD
    code = "method-not-allowed"
    detail = "This path does not know the method; see Allow."

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(headers={"Allow": ", ".join(sorted(allowed))})


class Unavailable(Refusal):
    """Something that the answer rests on cannot be reached now; nothing is said by default."""

    kind = RefusalKind.UNAVAILABLE
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

    kind = RefusalKind.UNEXPECTED
    code = "internal-error"
    detail = "Something went wrong on our side."


class RemoteRefusal(Refusal):
    """What another service refused, with its code; made by `refusal_of` only."""

    detail = "{said}"

    def __init__(self, said: str) -> None:
        super().__init__(said=said)
        self.members = {}


@cache
def _remote(kind: RefusalKind, code: str) -> type[RemoteRefusal]:
    return type("RemoteRefusal", (RemoteRefusal,), {"kind": kind, "code": code})


def refusal_of(status: int, problem: Mapping[str, Any]) -> Refusal:
    """The refusal that a problem document of another service speaks of."""
    kind = _KIND.get(status, RefusalKind.UNAVAILABLE)
    code, said = problem.get("code"), problem.get("detail")
    refusal = _remote(kind, code if isinstance(code, str) else kind.value.replace("_", "-"))
    return refusal(said if isinstance(said, str) else TITLE[kind])


STATUS: Mapping[RefusalKind, int] = {
    RefusalKind.MALFORMED: 400,
    RefusalKind.UNAUTHENTICATED: 401,
    RefusalKind.DENIED: 403,
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.METHOD: 405,
    RefusalKind.TIMEOUT: 408,
    RefusalKind.CONFLICT: 409,
    RefusalKind.GONE: 410,
    RefusalKind.TOO_LARGE: 413,
    RefusalKind.INVALID: 422,
    RefusalKind.RATE_LIMITED: 429,
    RefusalKind.UNEXPECTED: 500,
    RefusalKind.UNAVAILABLE: 503,
}
TITLE: Mapping[RefusalKind, str] = {
    RefusalKind.MALFORMED: "Malformed request",
    RefusalKind.UNAUTHENTICATED: "Not authenticated",
    RefusalKind.DENIED: "Not allowed",
    RefusalKind.NOT_FOUND: "Not found",
    RefusalKind.METHOD: "Method not allowed",
    RefusalKind.TIMEOUT: "Request timed out",
    RefusalKind.CONFLICT: "Conflict",
    RefusalKind.GONE: "Gone",
    RefusalKind.TOO_LARGE: "Too large",
    RefusalKind.INVALID: "Invalid request",
    RefusalKind.RATE_LIMITED: "Too many requests",
    RefusalKind.UNEXPECTED: "Internal error",
    RefusalKind.UNAVAILABLE: "Unavailable",
}
_KIND = {status: kind for kind, status in STATUS.items()}
