"""The sentences of an OpenAPI document."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.http.access import (
    Access,
    Client,
    Internal,
    Permission,
    PermissionOrClient,
    SessionOrClient,
    needs_fresh_proof,
)
from shared.http.error_forms import ErrorForm, oauth_code
from shared.http.preconditions import IF_PREVIEW_MATCH
from shared.http.refusals import ACCEPTED, WrongPrincipal, accepted
from shared.http.routes import Route, Strictness
from shared.problems import PermissionMissing, Refusal, ScopeMissing

FRESH_PROOF = (
    " The user must have signed in, or sent `POST /v1/me/step-up`, in the last five minutes."
)
DESCRIPTION = """\
Team management and permissions: accounts, members, invitations, roles, projects and decisions.

Send `Authorization: Bearer` with the access token of `POST /v1/login`. Bodies and answers are JSON,
times are RFC 3339 in UTC, and ids begin with their type (`usr_`, `acc_`). A list has `items` and
`next_cursor`; send it as `cursor` to get the next page.

A refused request is answered with a problem (RFC 9457): `code` is for programs, `detail` is for
people, and `errors` point at the faults of the input. A caller who is not a member of an account
gets 404 for everything in it.

Where the catalog of an account calls a project something else, such as a cluster, refusals and
mails do so, too. The names of the API stay.
"""
TAGS: Mapping[str, str] = {
    "sign-in": "Sign up, prove an address, sign in, and stay signed in.",
    "me": "The signed-in user.",
    "accounts": "Personal accounts and teams, and the receipts of their changes.",
    "members": "The members of an account, and what they may do.",
    "invitations": "Invite people by mail or by link, and join.",
    "roles": "The permission model of an account and its roles.",
    "guardrails": "Rules that an account declares about itself.",
    "policies": "The roles, projects, members and guardrails of an account as one file.",
    "api-tokens": "Keys by which programs act for a member.",
    "changes": "See what a change would do before it is made.",
    "projects": "Projects, and other grants of a member inside one.",
    "resources": "What services of the platform register, and who owns it.",
    "provisioning": "Bring users and members from a directory or another system, many at once.",
    "decisions": "Ask whether a user may act on a resource (AuthZEN).",
    "notifications": "What the product tells the user, and by which mails.",
    "webhooks": "Addresses to which an account's events are sent.",
    "audit": "Who did what in an account, and what was refused.",
    "usage": "What members did, and what they used of resources at what cost.",
    "oauth": "Tokens of service clients, and the keys that verify tokens.",
}
PARAMETERS: Mapping[str, str] = {
    "account_id": "The id of the account",
    "event_id": "The id of the audit record",
    "guardrail_id": "The id of the guardrail",
    "session_id": "The id of the session",
    "connection_id": "The id of the connection",
    "identity_id": "The id of the identity",
    "passkey_id": "The id of the passkey",
    "token_id": "The id of the API token",
    "webhook_id": "The id of the webhook",
    "delivery_id": "The id of the delivery",
    "stream_id": "The id of the stream",
    "search_id": "The id of the saved search",
    "invitation_id": "The id of the invitation",
    "project_id": "The id of the project",
    "revision": "A revision, as the header `Rolecall-Revision` of a change named it",
    "rid": "The id of the resource at the service that registers it",
    "role_id": "The id of a role: one of the account's catalog, or a custom one (`rol_`)",
    "type": "The type of the resource, as checks name it",
    "user_id": "The id of the user",
    "Idempotency-Key": "A value of your choice. The same request repeated with it within 24 hours"
    " changes nothing more and gets the same answer.",
    "If-Match": "The ETag of the state that the request is made for. In another state the answer is"
    " 412, unless the resource already is as the request asks; `*` means any state.",
    "If-None-Match": "ETags that are known already: a GET is then answered 304 without a body."
    " A PUT with `*` only creates, and is answered 412 if the resource exists.",
    IF_PREVIEW_MATCH: "The `preview_tag` of the preview that the request was decided after. If the"
    " change would give, take or end anything else by now, the answer is 412.",
}


def header_parameters(route: Route) -> list[dict[str, Any]]:
    """The headers that the row reads, beside the caller's token."""
    names = [*_CONDITIONS[route.method]] if route.conditional else []
    names += [IF_PREVIEW_MATCH] if route.has_preview else []
    return [*([_IDEMPOTENCY_KEY] if route.idempotent else []), *map(_tag_header, names)]


def _tag_header(name: str) -> dict[str, Any]:
    """A header with entity tags that a request may have."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": PARAMETERS[name],
        "schema": {"type": "string"},
        "example": '"Xvc7F5XfHiNGV5bGSoRitg"',
    }


_CONDITIONS: Mapping[str, Sequence[str]] = {
    "GET": ("If-Match", "If-None-Match"),
    "POST": ("If-Match", "If-None-Match"),
    "PATCH": ("If-Match",),
    "PUT": ("If-Match", "If-None-Match"),
    "DELETE": ("If-Match",),
}
_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": PARAMETERS["Idempotency-Key"],
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    "example": "5f1c2a9e-create-1",
}


def _headers(**texts: str) -> dict[str, Any]:
    """Headers of an answer with what they mean; `_` in a name stands for `-`."""
    return {
        name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
        for name, text in texts.items()
    }


EFFECT_HEADERS = _headers(
    Rolecall_Revision="The revision that the change made",
    Location="Where to read since when the change is effective",
)
_RETRY_AFTER = _headers(Retry_After="Whole seconds after which the request may be let through")
REFUSAL_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: _headers(WWW_Authenticate="The scheme, and what is wrong with a token that was sent"),
    429: _RETRY_AFTER
    | _headers(
        RateLimit_Policy="The limits that the request counts against",
        RateLimit="What is left of them, where a service counts",
    ),
    503: _RETRY_AFTER,
}
NO_BODY = "Success. The answer has no body."
NOT_EFFECTIVE = "Success, but not effective on every replica yet: see `Location`."

_PLACEHOLDER = re.compile(r"\{\w+\}")


def description_of(route: Route) -> str:
    """Who may send the request, and what is special about its answer."""
    sentences = [caller_text(route)]
    if route.caller_rule is not None:
        sentences.append(route.caller_rule)
    if route.effective_everywhere:
        sentences.append(
            "The answer comes when the change is effective on every replica that decides; if that"
            " takes too long, it is 202."
        )
    if route.idempotent:
        sentences.append("It can be repeated with an `Idempotency-Key`.")
    if route.on_repeat is not None:
        sentences.append(f"A repeat: {route.on_repeat[0].lower()}{route.on_repeat[1:]}")
    if route.strictness is Strictness.LENIENT and route.takes is not None:
        sentences.append("Members that the schema does not name are ignored.")
    return " ".join(sentences)


def caller_text(route: Route) -> str:
    """Who may send the request, with the permission that they need."""
    access = route.access
    if type(access) not in ACCEPTED:
        return "No access token is needed."
    proof = FRESH_PROOF if needs_fresh_proof(access) else ""
    return f"Needs {accepted(access)}{_right(access)}.{proof}"


def _right(access: Access) -> str:
    match access:
        case Permission():
            return _permission(access)
        case Client() | SessionOrClient():
            return f". A service client needs the scope `{access.scope}`"
        case Internal(callers=callers):
            return f": {', '.join(callers)}"
    return ""


def _permission(access: Permission) -> str:
    match access:
        case PermissionOrClient(name=name, scope=scope):
            return f". A user needs the permission `{name}`, a service client the scope `{scope}`"
        case Permission(name=name, in_each_project=True):
            return f". It lists the projects in which they hold the permission `{name}`"
        case Permission(name=name, in_project=str(in_project)):
            return f" with the permissions `{name}` and, in the project, `{in_project}`"
        case Permission(name=name, own=True):
            return f" with the permission `{name}`, which may be for what is their own"
        case _:
            return f" with the permission `{access.name}`"


def shown_code(refusal: type[Refusal], route: Route) -> str:
    """The code of a refusal as the answers of this row have it."""
    return oauth_code(refusal) if route.errors is ErrorForm.OAUTH else refusal.code


def refusal_text(refusal: type[Refusal], route: Route) -> str:
    """What a refusal of this row says; what depends on the request stands in braces."""
    access = route.access
    if route.only_previews and refusal in route.refuses:
        return "As the change itself is refused."
    if refusal is WrongPrincipal:
        return str(WrongPrincipal(access))
    if issubclass(refusal, PermissionMissing) and isinstance(access, Permission):
        return str(refusal(access.name))
    if refusal is ScopeMissing and isinstance(
        access, Client | SessionOrClient | PermissionOrClient
    ):
        return str(ScopeMissing(access.scope))
    if _PLACEHOLDER.fullmatch(refusal.detail):
        return " ".join(str(refusal.__doc__).split("\n\n")[0].split())
    return refusal.detail
