"""All public rows, with an example of a request that each of them takes.

Every row must have its examples here: a new route without them fails the first test of each table.
"""

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from deploy.gateway.paths import public_routes
from services.identity.domain.token_exchange import ACCESS_TOKEN_TYPE, EXCHANGE
from shared.http.access import Client, Public, SessionOrClient
from shared.http.routes import Media, Route, Strictness
from shared.ids import new_id
from tests.contracts.asking import Case
from tests.contracts.people import (
    CHANGED_CONNECTION,
    NEW_CONNECTION,
    NEW_SEARCH,
    NEW_STREAM,
    NEW_WEBHOOK,
    People,
    Team,
)
from tests.e2e.people import PASSWORD

ROWS: tuple[Route, ...] = tuple(itertools.chain(*public_routes().values()))
WITH_ACCOUNT = tuple(row for row in ROWS if row.path.startswith("/v1/accounts/{account_id}"))
OF_POINTS = tuple(row for row in ROWS if "account_id" in row.parameters and row not in WITH_ACCOUNT)
"""The rows of an account's own decision point: a caller who is not a member gets a denial."""
WITH_BODY = tuple(row for row in ROWS if row.takes is not None and row not in OF_POINTS)
"""Those of decision points are asked at the point of all accounts: the rows differ in the path."""
DECISIONS = tuple(
    row
    for row in ROWS
    if isinstance(row.access, SessionOrClient) and row.strictness is Strictness.LENIENT
)
"""The rows of decision points that answer with decisions."""
WITH_CREDENTIAL = tuple(row for row in ROWS if not isinstance(row.access, Public))
READS = tuple(row for row in ROWS if row.method == "GET")

REVISIONS = (
    "latest",
    "team",
    "team.x.1",
    "team.x.1.1.1",
    "team.x.64.1",
    "team.x.1.0",
    "team.x.01.1",
    "team.x.-1.1",
    "unknown.x.1.1",
    "team...",
)
"""What looks like a revision and is none."""

NO_MAPPING: dict[str, Any] = {"roles": {}, "levels": {}, "overrides": "keep"}
_serial = itertools.count()


CREDENTIAL = {"id": "AA", "rawId": "AA", "type": "public-key"}
SIGNED_CHALLENGE = {
    "challenge": "made-up",
    "credential": CREDENTIAL
    | {
        "response": {
            "clientDataJSON": "AA",
            "authenticatorData": "AA",
            "signature": "AA",
            "userHandle": "AA",
        }
    },
}
NEW_PASSKEY = {
    "challenge": "made-up",
    "credential": CREDENTIAL | {"response": {"clientDataJSON": "AA", "attestationObject": "AA"}},
    "name": "Phone",
}
SSO_ANSWER = {
    "binding": "AAAA",
    "state": "AAAA",
    "code": "AAAA",
    "redirect_uri": "https://rolecall.example/sign-in/callback/corp",
    "iss": "https://issuer.example",
}
"""An answer of an issuer, to a sign-in that was never begun."""


def examples(people: People) -> dict[str, tuple[dict[str, Any], ...]]:
    """Bodies that fit, by operation; together they have every member that the row's model knows."""
    proof = {"token": f"{new_id('inv')}.1.x", "code": "ABCDEFGH"}
    newcomer = {"name": "New Comer"}
    entity = {"type": "instance", "id": "i-1"}
    place = {"account_id": people.team.id, "project_id": None, "owner_id": people.plain.user_id}
    properties = {"session_id": new_id("ses")}
    client = people.deployment
    about_a_token = {
        "token": f"{new_id('ses')}.1.x",
        "token_type_hint": "refresh_token",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
    }
    subject = {"type": "user", "id": people.team.owner.user_id, "properties": properties}
    sought = {"type": "user", "properties": properties}
    action = {"name": "view", "properties": {"reason": "a test"}}
    resource = entity | {"properties": place}
    context = {"at_least_revision": people.team.ids["revision"]}
    check = {"subject": subject, "action": action, "resource": resource, "context": context}
    page = {"token": "", "limit": 5}
    decisions: dict[str, tuple[dict[str, Any], ...]] = {
        "evaluate": (check,),
        "evaluateEach": (
            check
            | {
                "evaluations": [{}, {"action": {"name": "write"}}],
                "options": {"evaluations_semantic": "execute_all"},
            },
        ),
        "searchSubjects": (check | {"subject": sought, "page": page},),
        "searchResources": (
            check | {"resource": {"type": "instance", "properties": place}, "page": page},
        ),
        "searchActions": (
            {"subject": subject, "resource": resource, "context": context, "page": page},
        ),
    }
    return {
        **decisions,
        "explain": (check,),
        "whoCan": (
            {
                "account_id": people.team.id,
                "permission": "instance:view",
                "project_id": people.team.ids["project_id"],
                "resource_id": "i-1",
                "owner_id": people.plain.user_id,
            },
        ),
        **{f"{name}InAccount": bodies for name, bodies in decisions.items()},
        "signUp": (
            newcomer | {"email": _fresh_address()},
            newcomer | {"password": PASSWORD, "invitation": proof},
        ),
        "verifyEmail": (
            {
                "token": f"{new_id('sup')}.1.x",
                "code": "ABCDEFGH",
                "name": "New Comer",
                "password": PASSWORD,
            },
        ),
        "forgotPassword": ({"email": _fresh_address()},),
        "resetPassword": (
            {"token": f"{new_id('usr')}.1.x", "password": PASSWORD},
            {"token": f"{new_id('usr')}.1.x", "password": PASSWORD, "end_access": "all"},
        ),
        "changePassword": ({"current": "not the password", "new": PASSWORD},),
        "changeEmail": ({"email": _fresh_address(), "password": "not the password"},),
        "confirmEmail": ({"token": f"{new_id('usr')}.1.x"},),
        "undoEmailChange": ({"token": f"{new_id('usr')}.1.x"},),
        "takeFactorBack": ({"token": f"{new_id('usr')}.1.x"},),
        "lookUpLink": (
            {"kind": "verification", "token": f"{new_id('sup')}.1.x", "code": "ABCDEFGH"},
            {"kind": "former-address", "token": f"{new_id('usr')}.1.x"},
        ),
        "lookUpNewEmail": ({"token": f"{new_id('usr')}.1.x"},),
        "resendVerification": ({"email": _fresh_address()},),
        "beginSsoSignIn": (
            {"connection": "missing", "redirect": "https://rolecall.example/sign-in"},
            {"email": _fresh_address()},
        ),
        "finishSsoSignIn": (SSO_ANSWER | {"otp": "123456"},),
        "continueSsoSignIn": ({"continuation": "AAAA", "otp": "123456"},),
        "beginIdentityLink": ({"connection": "missing", "redirect": "https://rolecall.example/"},),
        "linkIdentity": (SSO_ANSWER,),
        "logIn": ({"email": _fresh_address(), "password": PASSWORD, "otp": "123456"},),
        "stepUp": (
            {"password": "not the password", "otp": "123456"},
            {"passkey": SIGNED_CHALLENGE},
        ),
        "confirmTotp": ({"otp": "123456"},),
        "finishPasskeySignIn": (SIGNED_CHALLENGE,),
        "addPasskey": (NEW_PASSKEY,),
        "renamePasskey": ({"name": "Phone"},),
        "createAccountConnection": (NEW_CONNECTION,),
        "changeAccountConnection": (CHANGED_CONNECTION,),
        "setNotificationPreferences": (
            {"off": [{"account_id": people.team.id, "kinds": ["role_changed"]}]},
        ),
        "readNotifications": ({"ids": [new_id("msg")]}, {"up_to": new_id("msg")}),
        "createWebhook": (NEW_WEBHOOK,),
        "setAuditCheckpointDelivery": ({"daily": True},),
        "changeWebhook": (NEW_WEBHOOK | {"enabled": True},),
        "rotateWebhookSecret": ({"overlap_seconds": 60},),
        "saveAuditSearch": (NEW_SEARCH,),
        "changeAuditSearch": (NEW_SEARCH,),
        "createAuditStream": (NEW_STREAM,),
        "changeAuditStream": (NEW_STREAM | {"enabled": True},),
        "setAuditRetention": ({"days": 400},),
        "redeliverFailed": ({"since": "2026-03-05T12:00:00Z"},),
        "refreshToken": ({"refresh_token": f"{new_id('ses')}.1.x"},),
        "switchAccount": ({"account_id": people.team.id},),
        "updateMe": ({"name": people.team.owner.name, "locale": "en", "time_zone": "UTC"},),
        "getToken": (
            {
                "grant_type": "client_credentials",
                "scope": "authz:check",
                "client_id": client.client_id,
                "client_secret": client.client_secret,
            },
            {
                "grant_type": EXCHANGE,
                "subject_token": people.team.owner.token,
                "subject_token_type": ACCESS_TOKEN_TYPE,
                "requested_token_type": ACCESS_TOKEN_TYPE,
                "actor_token": "none",
                "audience": "rolecall",
                "resource": "rolecall",
                "scope": "users:act",
            },
        ),
        "introspectToken": (about_a_token,),
        "revokeToken": (about_a_token,),
        "changeAccount": (
            {"name": f"Team of {people.team.owner.name}", "require_second_factor": False},
        ),
        "convertAccount": ({"name": "Converted", "catalog": "standard", "mapping": NO_MAPPING},),
        "moveToCatalog": ({"catalog": "standard", "mapping": NO_MAPPING},),
        "revertAccount": ({"confirm": "Not the name"},),
        "createAccount": ({"name": "Further", "catalog": "standard"},),
        "offerOwnership": ({"user_id": people.team.owner.user_id},),
        "changeMember": (
            {
                "role": "basic",
                "expires_at": "2999-01-01T00:00:00Z",
                "attributes": {"department": "sales", "level": 3, "on_call": True},
            },
        ),
        "inviteMember": (
            {
                "email": _fresh_address(),
                "role": "viewer",
                "delivery": "link",
                "membership_expires_at": "2999-01-01T00:00:00Z",
                "check_address": True,
            },
        ),
        "lookUpInvitation": (proof,),
        "acceptInvitation": (proof,),
        "declineInvitation": (proof,),
        "createProject": ({"name": f"Project {next(_serial)}"},),
        "renameProject": ({"name": "prod"},),
        "createRole": (
            {
                "name": f"Role {next(_serial)}",
                "description": "For a test",
                "grants": {"account": {"view": "all"}},
            },
        ),
        "changeRole": (
            {
                "name": "Watch",
                "description": "",
                "grants": {"account": {"view": "all"}},
            },
        ),
        "setOverride": (
            {
                "grants": {"instance": {"view": "all"}},
                "expires_at": "2999-01-01T00:00:00Z",
            },
        ),
        "registerResource": (
            {
                "project_id": None,
                "owner_id": people.plain.user_id,
                "properties": {"size": "small"},
            },
        ),
        "provisionUsers": (
            {
                "users": [
                    {
                        "external_id": f"ext-{next(_serial)}",
                        "email": _fresh_address(),
                        "name": "New Comer",
                        "email_verified": True,
                    }
                ],
                "dry_run": False,
            },
        ),
        "provisionMembers": (
            {
                "members": [{"user_id": people.plain.user_id, "attributes": {"level": 3}}],
                "notify": False,
                "dry_run": False,
            },
        ),
        "registerResources": (
            {
                "resources": [
                    {
                        "type": "bucket",
                        "id": f"b-{next(_serial)}",
                        "project_id": people.team.ids["project_id"],
                        "owner_id": people.plain.user_id,
                        "properties": {"size": "small"},
                    }
                ]
            },
        ),
        "reassignResources": (
            {
                "from_user_id": people.removed.user_id,
                "to_user_id": people.plain.user_id,
                "types": ["instance"],
                "project_id": people.team.ids["project_id"],
            },
        ),
        "reportAuditEvents": (
            {
                "events": [
                    {
                        "id": f"e-{next(_serial)}",
                        "account_id": people.team.id,
                        "action": "instance.deleted",
                        "actor": {
                            "type": "user",
                            "id": people.plain.user_id,
                            "session_id": new_id("ses"),
                            "token_id": new_id("tok"),
                            "via": client.client_id,
                        },
                        "resource": entity | {"name": "web"},
                        "project_id": people.team.ids["project_id"],
                        "occurred_at": datetime.now(UTC).isoformat(),
                        "outcome": "failed",
                        "reason": "no space",
                        "before": {"size": 1},
                        "after": {"size": 2},
                        "request": {
                            "id": "r-1",
                            "trace_id": "0" * 32,
                            "ip": "203.0.113.7",
                            "user_agent": "curl",
                        },
                    },
                    {
                        "id": f"e-{next(_serial)}",
                        "account_id": people.team.id,
                        "action": "instance.deleted",
                        "actor": {"type": "service", "on_behalf_of": people.plain.user_id},
                        "resource": entity,
                        "occurred_at": datetime.now(UTC).isoformat(),
                    },
                ]
            },
        ),
        "reportUsage": (
            {
                "usage": [
                    {
                        "id": f"u-{next(_serial)}",
                        "account_id": people.team.id,
                        "user_id": people.plain.user_id,
                        "resource": entity | {"name": "web"},
                        "project_id": people.team.ids["project_id"],
                        "quantity": "1.5",
                        "unit": "gpu_hour",
                        "cost": {"amount": "3.75", "currency": "EUR"},
                        "occurred_at": datetime.now(UTC).isoformat(),
                    }
                ]
            },
        ),
        "planPolicy": (
            {"policy": {"version": 1, "members": []}},
            {"policy": {"version": 1, "catalog": "standard", "members": []}},
        ),
        "applyPolicy": ({"policy": {"version": 1, "members": []}},),
        "createGuardrail": (
            {"name": "Owned", "rule": {"type": "minimum_holders", "minimum": 1, "role": "owner"}},
            {
                "name": "Seen",
                "rule": {
                    "type": "minimum_holders",
                    "minimum": 1,
                    "permission": "project:view",
                    "project_id": people.team.ids["project_id"],
                },
            },
        ),
        "createApiToken": (
            {
                "name": f"Token {next(_serial)}",
                "expires_at": in_a_month(),
                "restriction": {
                    "projects": [people.team.ids["project_id"]],
                    "grants": {"account": ["view"]},
                    "read_only": True,
                },
            },
        ),
        "previewChange": (
            {"change": {"type": "leave"}},
            {
                "change": {
                    "type": "member_change",
                    "user_id": people.plain.user_id,
                    "role": "viewer",
                }
            },
        ),
    }


def in_a_month() -> str:
    """A time that an API token may end at."""
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


def without_revision(body: dict[str, Any]) -> dict[str, Any]:
    """The body without a revision: one that is not applied yet is rightly answered with 503."""
    return {name: value for name, value in body.items() if name != "context"}


def _fresh_address() -> str:
    return f"new.{new_id('usr')[4:]}@example.com"


def encoded(row: Route, body: Mapping[str, Any]) -> bytes:
    """The body as the row's media type has it."""
    if row.media is Media.FORM:
        return urlencode(body).encode()
    return json.dumps(body).encode()


def body_of(row: Route, people: People) -> bytes | None:
    """A body that fits, where the row takes one."""
    if row.takes is None:
        return None
    return encoded(row, examples(people)[row.operation_id][0])


def content_type(row: Route) -> tuple[tuple[str, str], ...]:
    """The header that goes with `encoded`; none for a row without a body."""
    return () if row.takes is None else (("Content-Type", row.media.value),)


def path_of(row: Route, ids: Mapping[str, str]) -> str:
    """The row's path with these ids."""
    path = row.path
    for name in row.parameters:
        path = path.replace(f"{{{name}}}", ids[name])
    return path


def request(row: Route, people: People, name: str, body: bytes | None, **expected: Any) -> Case:
    """Send this body to the row as an admitted caller; `expected` are more fields of the case."""
    sent: dict[str, Any] = {
        "path": path_of(row, people.team.ids),
        "token": token_for(row, people),
        "headers": content_type(row),
    }
    return Case(name=f"{row.operation_id}, {name}", method=row.method, body=body, **sent | expected)


def token_for(row: Route, people: People) -> str | None:
    """The credential of a caller who may do it in `team`."""
    if row.operation_id == "logOut":
        return people.leaver.token
    if row.operation_id in {"changePassword", "changeEmail", "stepUp"}:
        # A wrong password counts as a failed sign-in of this user, who never signs in again.
        return people.mistaken.token
    if isinstance(row.access, SessionOrClient | Client):
        return people.platform.token
    return None if isinstance(row.access, Public) else people.team.owner.token


def harmless_path(row: Route, team: Team) -> str:
    """The row's path; what it would end or change is named by ids that do not exist."""
    if row.method == "GET":
        return path_of(row, team.ids)
    made = {
        "user_id": "usr",
        "project_id": "prj",
        "invitation_id": "inv",
        "role_id": "rol",
        "guardrail_id": "grd",
        "token_id": "tok",
        "session_id": "ses",
        "rid": "res",
        "identity_id": "idn",
        "passkey_id": "pky",
        "connection_id": "sso",
        "webhook_id": "whk",
        "stream_id": "str",
        "search_id": "sch",
        "delivery_id": "dlv",
    }
    return path_of(row, team.ids | {name: new_id(prefix) for name, prefix in made.items()})
