"""Refusals that only the handling of HTTP raises: bodies, media types, methods, kinds of caller."""

from collections.abc import Mapping, Sequence

from shared.auth.account_refusals import SHUT_OUT
from shared.auth.api_token_refusals import TokenRestricted
from shared.http.access import (
    Access,
    Admin,
    AnyToken,
    Client,
    Internal,
    Permission,
    PermissionOrClient,
    Public,
    Session,
    SessionOrClient,
)
from shared.http.operators import OtherService
from shared.ids import PREFIXES, id_form
from shared.problems import (
    AdminKeyWrong,
    NotFound,
    PermissionMissing,
    Refusal,
    RefusalKind,
    ScopeMissing,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    Unauthenticated,
    Unavailable,
)

MAX_FORM_FIELDS = 32


class NotHttp(Refusal):
    """The first line or a header of the request is malformed or too long."""

    kind = RefusalKind.MALFORMED
    code = "bad-request"
    detail = (
        "The first line or a header of the request is malformed or too long. Send valid HTTP/1.1."
    )


class BadRequest(Refusal):
    """Input that does not fit, on routes of a standard that uses 400 only (AuthZEN, RFC 6749)."""

    kind = RefusalKind.MALFORMED
    code = "bad-request"
    detail = "The request is not valid. Correct what `errors` lists."


class MalformedJson(Refusal):
    """The body is not JSON that every reader understands in the same way (RFC 8259, RFC 7493)."""

    kind = RefusalKind.MALFORMED
    code = "malformed-json"
    detail = "The body is not valid JSON: {reason}."


class MalformedForm(Refusal):
    """The body is not a form that can be read."""

    kind = RefusalKind.MALFORMED
    code = "malformed-form"
    detail = (
        "The body is not a valid form. "
        f"Send at most {MAX_FORM_FIELDS} fields, percent-encoded, in UTF-8."
    )


class WrongContentType(Refusal):
    """The body has another media type or charset, or is compressed."""

    kind = RefusalKind.MALFORMED
    code = "wrong-content-type"
    detail = "Send the body with Content-Type {expected}, in UTF-8 and not compressed."


class BodyMissing(Refusal):
    """The route requires a body and the request has none."""

    kind = RefusalKind.MALFORMED
    code = "body-missing"
    detail = "The request has no body. Send a body."


class BodyBroken(Refusal):
    """The connection or its framing ended before the body did."""

    kind = RefusalKind.MALFORMED
    code = "body-broken"
    detail = "The body ended before it was complete. Send the request again."


class BodyTooLarge(Refusal):
    """The body is larger than the route's cap."""

    kind = RefusalKind.TOO_LARGE
    code = "body-too-large"
    detail = "The body is too large. Send at most {limit} bytes."


class BodyTooSlow(Refusal):
    """The body did not arrive in time (`T19`)."""

    kind = RefusalKind.TIMEOUT
    code = "body-too-slow"
    detail = "The body did not arrive in time. Send the request again."


class DeadlineExceeded(Unavailable):
    """The request was not answered in time; whether a change was made is not known (`T19`)."""

    code = "deadline-exceeded"
    detail = (
        "The request took too long and was stopped. A change may have been made."
        " Read the current state, then try again."
    )


ACCEPTED: Mapping[type[Access], str] = {
    Session: "the access token of a user",
    Permission: "the access token of a user, or an API token",
    Client: "the access token of a service client",
    SessionOrClient: "the access token of a user or of a service client",
    PermissionOrClient: "the access token of a user or of a service client, or an API token",
    AnyToken: "the access token of a user or of a service client, or an API token",
    Internal: "an internal service token of certain services",
}
"""What a caller must present for each kind of access; `accepted` knows the exceptions."""


def accepted(access: Access) -> str:
    """What a caller must present for a route with this access."""
    if isinstance(access, Permission) and access.in_session:
        return ACCEPTED[Session]
    if isinstance(access, SessionOrClient) and access.api_tokens:
        return ACCEPTED[AnyToken]
    return ACCEPTED[type(access)]


class WrongPrincipal(Refusal):
    """The caller is authenticated, but the route is for another kind of caller."""

    kind = RefusalKind.DENIED
    code = "wrong-principal"
    detail = "This route accepts {accepted}."

    def __init__(self, access: Access) -> None:
        """Name what a route with this access accepts."""
        super().__init__(accepted=accepted(access))
        self.members = {}


class ExchangedToken(WrongPrincipal):
    """A token that was exchanged (RFC 8693) is of a user, and yet not what the route accepts."""

    detail = (
        "This route accepts {accepted}. You sent one that a service client got by token exchange to"
        " act for a user. Such a token only asks for decisions: send what the route accepts."
    )


class NoRoute(NotFound):
    """No row has the path."""

    detail = (
        "No route has this path. Check its spelling and its ids, and that it does not end with a"
        " slash. All routes are listed at /docs."
    )


class NotInPath(NotFound):
    """A part of the path has not the form of what it must name; no store is asked."""

    detail = "A part of the path does not have the form of an id. Correct what `errors` lists."

    def __init__(self, name: str) -> None:
        prefix = PREFIXES.get(name)
        message = "Must be as an earlier answer gave it." if prefix is None else id_form(prefix)
        super().__init__(errors=[(f"/path/{name}", message)])


class MethodNotAllowed(Refusal):
    """The path exists; the method is not one of its methods."""

    kind = RefusalKind.METHOD
    code = "method-not-allowed"
    detail = "Method not allowed for this path. Allowed: {allowed}."

    def __init__(self, allowed: Sequence[str]) -> None:
        names = ", ".join(sorted(allowed))
        super().__init__(headers={"Allow": names}, allowed=names)
        self.members = {}


class Unexpected(Refusal):
    """A fault of the product; the log has the rest under the request id."""

    kind = RefusalKind.UNEXPECTED
    code = "internal-error"
    detail = "An internal error occurred. Report the request_id if it happens again."


_OF_TOKENS = (Unauthenticated, TokenInvalid, TokenExpired, TokenRevoked)
BY_ACCESS: Mapping[type[Access], tuple[type[Refusal], ...]] = {
    Public: (),
    Session: (*_OF_TOKENS, WrongPrincipal),
    Permission: (
        *_OF_TOKENS,
        WrongPrincipal,
        PermissionMissing,
        TokenRestricted,
        *SHUT_OUT.values(),
        NotFound,
    ),
    Client: (*_OF_TOKENS, WrongPrincipal, ScopeMissing),
    SessionOrClient: (*_OF_TOKENS, WrongPrincipal, ScopeMissing),
    PermissionOrClient: (
        *_OF_TOKENS,
        WrongPrincipal,
        PermissionMissing,
        TokenRestricted,
        ScopeMissing,
        *SHUT_OUT.values(),
        NotFound,
    ),
    AnyToken: _OF_TOKENS,
    Internal: (Unauthenticated, TokenInvalid, TokenExpired, WrongPrincipal),
    Admin: (Unauthenticated, AdminKeyWrong, OtherService),
}
"""What a route refuses because of its access."""
