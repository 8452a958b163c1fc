"""Refusals, their kinds and statuses, and the problem document that answers them (RFC 9457)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, NamedTuple


class RefusalKind(StrEnum):
    """The kinds of refusal; the table `STATUS` gives each its HTTP status."""

    INVALID = "invalid"
    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    METHOD = "method"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    GONE = "gone"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    MISDIRECTED = "misdirected"
    RATE_LIMITED = "rate_limited"
    UNEXPECTED = "unexpected"
    UNAVAILABLE = "unavailable"


class Pointed(NamedTuple):
    """One fault of the input: its place as a JSON pointer (RFC 6901), and a message."""

    pointer: str
    message: str


class RefusedPart(NamedTuple):
    """What was refused of a request that does several things: which one, and about what."""

    kind: str
    permission: str
    name: str
    resource_type: str
    resource_id: str | None
    """None: it is not there yet."""
    project_id: str | None


class Refusal(Exception):  # noqa: N818 - the refusal is the answer, not an error
    """A request that is refused for a reason that the caller may know.

    A subclass stands beside its rule. It sets `kind`, a stable kebab-case `code`, and `detail`:
    what is wrong and what to do, with keyword arguments in braces; a list is joined there. The
    keyword arguments also become members of the problem document, so never pass a secret.
    """

    kind: ClassVar[RefusalKind]
    code: ClassVar[str]
    detail: ClassVar[str]
    forbids: ClassVar[bool] = False
    """Whether the audit log records it as a denial although its kind is not `DENIED`."""
    part: RefusedPart | None = None
    """For the audit log, of a request that does several things."""

    def __init__(
        self,
        *,
        errors: Sequence[tuple[str, str]] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **members: str | int | list[str] | None,
    ) -> None:
        """Make the refusal; `errors` are (JSON pointer, message), `retry_after` is in seconds."""
        self.errors = tuple(Pointed(*error) for error in errors)
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.members: Mapping[str, str | int | list[str] | None] = members
        super().__init__(self.detail.format(**{name: _said(of) for name, of in members.items()}))

    @property
    def status(self) -> int:
        """The HTTP status of this refusal's kind."""
        return STATUS[self.kind]

    def problem(self, request_id: str) -> dict[str, Any]:
        """The `application/problem+json` document of this refusal."""
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


def _said(member: str | int | list[str] | None) -> str | int | None:
    return ", ".join(member) if isinstance(member, list) else member


class Invalid(Refusal):
    """Input that is not valid; each of `errors` names a place and a fault."""

    kind = RefusalKind.INVALID
    code = "invalid"
    detail = "The request is not valid. Correct what `errors` lists."


class Unauthenticated(Refusal):
    """The request has no bearer token."""

    kind = RefusalKind.UNAUTHENTICATED
    code = "unauthenticated"
    detail = (
        "The request has no bearer token. Sign in, then send the header"
        " `Authorization: Bearer <token>`."
    )


class OtherScheme(Unauthenticated):
    """The `Authorization` header has another scheme, or none (RFC 6750, section 3.1)."""

    detail = (
        "The Authorization header does not have the scheme `Bearer`."
        " Send `Authorization: Bearer <token>`."
    )


class TokenInvalid(Unauthenticated):
    """The token is malformed, of an unknown key, or not for this API (RFC 6750, section 3.1)."""

    code = "token-invalid"
    detail = "The token is malformed or not one of this API. Sign in again."


class AuthorizationMalformed(TokenInvalid):
    """The `Authorization` header has the scheme, and not one token after it."""

    detail = (
        "The Authorization header does not have one token after `Bearer`."
        " Send `Authorization: Bearer <token>` once, without quotes or other words."
    )


class AdminKeyWrong(TokenInvalid):
    """The operator's key is not the one of this service."""

    detail = "This is not the admin key of this service. Send the one of its settings."


class TokenExpired(TokenInvalid):
    """The token is genuine, and its time is over."""

    code = "token-expired"
    detail = "The token has expired. Refresh it, then send the request again."


class TokenRevoked(TokenInvalid):
    """The token is genuine, and its session has ended or its service client was deleted."""

    code = "token-revoked"
    detail = "The session of the token has ended, or its service client was deleted. Sign in again."


class ApiTokenOver(TokenRevoked):
    """There is no API token with this secret: it was revoked or has expired, or never was one."""

    detail = (
        "This API token does not exist, has expired or was revoked. Make another one in the"
        " account that it is for."
    )


class PermissionMissing(Refusal):
    """The caller is a member without the permission that the route requires."""

    kind = RefusalKind.DENIED
    code = "permission-missing"
    detail = "You need the permission `{permission}` for this. Ask an admin of the account."

    def __init__(self, permission: str) -> None:
        super().__init__(permission=permission)


class ScopeMissing(Refusal):
    """The service client does not have the scope that the route requires."""

    kind = RefusalKind.DENIED
    code = "scope-missing"
    detail = "This service client needs the scope `{scope}`. Ask the operator to add it."

    def __init__(self, scope: str) -> None:
        super().__init__(scope=scope)


class NotFound(Refusal):
    """The resource does not exist, or the caller may not know that it does."""

    kind = RefusalKind.NOT_FOUND
    code = "not-found"
    detail = "This does not exist, or you have no access to it."


class Unavailable(Refusal):
    """A service or database that the answer depends on cannot be reached; fail closed."""

    kind = RefusalKind.UNAVAILABLE
    code = "unavailable"
    detail = (
        "The service is temporarily unavailable."
        " Wait the number of seconds in the Retry-After header, then try again."
    )

    def __init__(self, *, retry_after: int = 1) -> None:
        super().__init__(retry_after=retry_after)


class Stale(Unavailable):
    """The policy state of this replica is not fresh enough to decide from."""

    code = "stale"
    detail = "The decision cannot be made from current data at the moment. Try again."


class RemoteRefusal(Refusal):
    """A refusal of another service, with its code; only `refusal_of` makes one."""

    detail = "{text}"

    def __init__(self, text: str) -> None:
        super().__init__(text=text)
        self.members = {}


@cache
def _remote(kind: RefusalKind, code: str) -> type[RemoteRefusal]:
    return type("RemoteRefusal", (RemoteRefusal,), {"kind": kind, "code": code})


def refusal_of(status: int, problem: Mapping[str, Any]) -> Refusal:
    """Build the refusal that a problem document of another service describes."""
    kind = _KIND.get(status, RefusalKind.UNAVAILABLE)
    code, detail = problem.get("code"), problem.get("detail")
    refusal = _remote(kind, code if isinstance(code, str) else kind.value.replace("_", "-"))
    return refusal(detail if isinstance(detail, str) else TITLE[kind])


STATUS: Mapping[RefusalKind, int] = {
    RefusalKind.MALFORMED: 400,
    RefusalKind.UNAUTHENTICATED: 401,
    RefusalKind.DENIED: 403,
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.METHOD: 405,
    RefusalKind.TIMEOUT: 408,
    RefusalKind.CONFLICT: 409,
    RefusalKind.GONE: 410,
    RefusalKind.PRECONDITION: 412,
    RefusalKind.TOO_LARGE: 413,
    RefusalKind.MISDIRECTED: 421,
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
    RefusalKind.PRECONDITION: "Precondition failed",
    RefusalKind.TOO_LARGE: "Too large",
    RefusalKind.MISDIRECTED: "Misdirected request",
    RefusalKind.INVALID: "Invalid request",
    RefusalKind.RATE_LIMITED: "Too many requests",
    RefusalKind.UNEXPECTED: "Internal error",
    RefusalKind.UNAVAILABLE: "Unavailable",
}
_KIND = {status: kind for kind, status in STATUS.items()}


class StartRefused(Exception):  # noqa: N818 - the process refuses, nothing is broken
    """A condition that no retry changes; the message tells the operator what to do."""
