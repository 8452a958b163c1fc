"""The forms of an error: a problem document (RFC 9457), and an OAuth error (RFC 6749, 5.2)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from shared.auth.step_up import PROOF_LIFETIME, StepUpRequired
from shared.problems import Refusal, RefusalKind, TokenInvalid

BEARER = 'Bearer realm="rolecall"'
BASIC = 'Basic realm="rolecall"'
MAX_DESCRIPTION_CHARACTERS = 1000

_OWN_CODES = frozenset(
    {
        "invalid-client",
        "invalid-scope",
        "invalid-target",
        "unauthorized-client",
        "unsupported-grant-type",
    }
)
# The RFC has no code of the token endpoint for these; they are those of its section 4.1.2.1.
_OTHER_CODES: Mapping[RefusalKind, str] = {
    RefusalKind.RATE_LIMITED: "temporarily_unavailable",
    RefusalKind.UNAVAILABLE: "temporarily_unavailable",
    RefusalKind.UNEXPECTED: "server_error",
}
_NOT_IN_A_DESCRIPTION = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class ErrorForm(StrEnum):
    """The form of the errors of a path, by the media type of their documents."""

    PROBLEM = "application/problem+json"
    OAUTH = "application/json"


def error_document(refusal: Refusal, form: ErrorForm, *, request_id: str) -> dict[str, Any]:
    """Return the document that answers a refusal."""
    if form is ErrorForm.PROBLEM:
        return refusal.problem(request_id)
    return {"error": oauth_code(refusal), "error_description": _description(refusal)}


def oauth_code(refusal: Refusal | type[Refusal]) -> str:
    """Return the `error` of the token endpoint that stands for a refusal."""
    if refusal.code in _OWN_CODES:
        return refusal.code.replace("-", "_")
    return _OTHER_CODES.get(refusal.kind, "invalid_request")


def error_headers(refusal: Refusal, form: ErrorForm) -> dict[str, str]:
    """Return the headers that answer a refusal, besides those of every answer."""
    headers = {"Cache-Control": "no-store"}
    if form is ErrorForm.OAUTH:
        headers["Pragma"] = "no-cache"
    if refusal.kind is RefusalKind.UNAUTHENTICATED:  # RFC 9110, 15.5.2
        headers["WWW-Authenticate"] = BASIC if form is ErrorForm.OAUTH else _bearer(refusal)
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    return headers | refusal.headers


def _bearer(refusal: Refusal) -> str:
    """Return the challenge; without a token in the request it has no error (RFC 6750, 3.1)."""
    if isinstance(refusal, StepUpRequired):  # RFC 9470, section 3
        error, age = "insufficient_user_authentication", int(PROOF_LIFETIME.total_seconds())
        about = f'error_description="{_description(refusal)}", max_age="{age}"'
        return f'{BEARER}, error="{error}", {about}'
    if not isinstance(refusal, TokenInvalid):
        return BEARER
    return f'{BEARER}, error="invalid_token", error_description="{_description(refusal)}"'


def _description(refusal: Refusal) -> str:
    """Return what is wrong, in the characters that RFC 6749 and RFC 6750 allow."""
    faults = (f"{error.pointer.removeprefix('/')}: {error.message}" for error in refusal.errors)
    text = " ".join(faults) or str(refusal)
    return _NOT_IN_A_DESCRIPTION.sub("?", text)[:MAX_DESCRIPTION_CHARACTERS]
