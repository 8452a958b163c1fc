"""Values of the examples of bodies, parameters and answers."""

from collections.abc import Mapping
from typing import Any

from shared.http.audit_examples import OF_LOG, OF_LOG_FILTER
from shared.http.person_examples import PERSONS
from shared.http.report_examples import REPORTS
from shared.ids import PREFIXES

_DIGITS = "01990b5d2f0c7a3fb1e2c3d4e5f60718"
_GATEWAY = "https://rolecall.example"
_SOUGHT = ("subject", "resource", "action")
_POINT = f"{_GATEWAY}/access/v1"
_GRANTS = {"instance": {"view": "all", "write": "self"}}
_A_ROLE = {
    "name": "Night shift",
    "description": "Watches instances at night.",
    "grants": {"account": {"view": "all"}, "instance": {"view": "all"}},
}
_A_TOKEN = {
    "id": f"tok_{_DIGITS}",
    "name": "Nightly build",
    "status": "active",
    "last_used_at": None,
    "revoked_at": None,
}
_READS_INSTANCES = {"projects": None, "grants": {"instance": ["view"]}, "read_only": True}
_A_GUARDRAIL = {"name": "Two admins"}
_TWO_ADMINS = {"minimum": 2, "role": "admin", "permission": None, "project_id": None}
_TOKEN = "eyJhbGciOiJFZERTQSIsImtpZCI6…"  # noqa: S105 - an example
_PASSWORD = "correct horse battery staple"  # noqa: S105 - an example
_METADATA = {
    "grant_types_supported": ["client_credentials"],
    "response_types_supported": [],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
    "scopes_supported": ["authz:check"],
}
_PROVISIONED = {"external_id": "7f3a", "refusal": None}
_REFUSED = "Choose one of: admin, developer, viewer."
_A_USER = {"type": "user", "id": f"usr_{_DIGITS}"}
_A_RESOURCE = {"type": "instance", "id": "i-17"}
_OF_ACCOUNT = {"properties": {"account_id": f"acc_{_DIGITS}"}}
_CHECKED = _A_RESOURCE | _OF_ACCOUNT
_FROM = {"context": {"ip": "203.0.113.7"}}
_A_DECISION = {
    "reason": "allowed",
    "role": "developer",
    "override": None,
    "revision": "team.3f2a.17.42",
}
_A_MEMBER = {
    "status": "active",
    "invitation_id": None,
    "expires_at": None,
    "name": "Bo Li",
    "owner": False,
    "membership_expires_at": None,
    "locked": None,
}


def example_id(prefix: str) -> str:
    """An id with this prefix."""
    return f"{prefix}_{_DIGITS}"


_AN_ISSUER = {"label": "Acme", "issuer": "https://id.acme.example", "client_id": "rolecall"}
BY_NAME: Mapping[str, Any] = {
    **{name: example_id(prefix) for name, prefix in PREFIXES.items()},
    **PERSONS,
    "access_token": _TOKEN,
    "account_name": "Acme Robotics",
    "action": "member.removed",
    "actor": {"type": "user", "id": example_id("usr"), "name": "Ana Diaz"},
    "at_least_revision": "team.3f2a.17.42",
    "at_ms": 3.2,
    "authorization_url": "https://issuer.example/authorize?client_id=rolecall&state=…",
    "binding": "q7Zk…",
    "catalog": "standard",
    "catalog_title": "Standard",
    "change_id": f"chg_{_DIGITS}",
    "challenge": "Xb2v…",
    "client_secret": "rcs_…",
    "code": "K7QM2XWP",
    "confirm": "Acme Robotics",
    "connection": "corp",
    "created_by": example_id("usr"),
    "current": "the password until now",
    "current_account_id": example_id("acc"),
    "cursor": "WyJnV0x…",
    "email": "bo@example.com",
    "error": "invalid_client",
    "error_description": "The client is not known, or its secret is wrong.",
    "domain": "acme.example",
    "txt_name": "_rolecall-challenge.acme.example",
    "txt_value": "rolecall-domain=…",
    "redirect_uris": [f"{_GATEWAY}/sign-in/callback/{example_id('sso')}"],
    "project_word": "project",
    "projects_word": "projects",
    "proved_at": "2030-01-01T00:00:00Z",
    "epoch": "3f2a",
    "expires_at": "2030-01-01T00:00:00Z",
    "expires_in": 300,
    "given_by": example_id("usr"),
    "grant_type": "client_credentials",
    "grants": _GRANTS,
    "iss": "https://issuer.example",
    "linked_at": "2030-01-01T00:00:00Z",
    "redirect": f"{_GATEWAY}/sign-in/callback",
    "redirect_uri": f"{_GATEWAY}/sign-in/callback/corp",
    "state": "x3Jd…",
    "invited_by": example_id("usr"),
    "invited_by_name": "Ana Diaz",
    "how": "applied",
    "membership_expires_at": "2030-01-01T00:00:00Z",
    "inviter_name": "Ana Diaz",
    "id_token_signing_alg_values_supported": ["EdDSA"],
    "issuer": _GATEWAY,
    "jwks_uri": f"{_GATEWAY}/.well-known/jwks.json",
    "service_documentation": f"{_GATEWAY}/docs",
    "introspection_endpoint": f"{_GATEWAY}/oauth2/introspect",
    "revocation_endpoint": f"{_GATEWAY}/oauth2/revoke",
    "token_endpoint": f"{_GATEWAY}/oauth2/token",
    "name": "Ana Diaz",
    "new": _PASSWORD,
    "next_cursor": None,
    "note": None,
    "not_mailed": None,
    "options": {"challenge": "9sKd…", "rpId": "rolecall.example", "timeout": 300_000},
    "outcome": "succeeded",
    "override": None,
    "owner_id": example_id("usr"),
    "owner_role": "owner",
    "owner_user_id": example_id("usr"),
    "passed_from": example_id("usr"),
    "passed_from_name": "Bo Li",
    "passed_invitations": [],
    "password": _PASSWORD,
    "permissions": {"instance:view": "all", "instance:write": "self"},
    "q": "bo",
    "reason": "allowed",
    "denied": "membership-expired",
    "cells": {
        "instance": {
            "view": {"scope": "all", "source": "role"},
            "delete": {"scope": None, "source": "nothing"},
        }
    },
    "refresh_token": f"{example_id('ses')}.1.…",
    "replica": "authz/1",
    **OF_LOG_FILTER,
    "request_id": f"req_{_DIGITS}",
    "place": "Vienna",
    "properties": {"size": "small", "gpus": 2},
    "reassign_to": example_id("usr"),
    "replacement": "viewer",
    "resource_id": example_id("usr"),
    "resource_type": "member",
    "revision": "team.3f2a.17.42",
    "rid": "i-17",
    "role": "developer",
    "role_id": example_id("rol"),
    "role_title": "Developer",
    "scope": "authz:check",
    "source": "team",
    "subject_types_supported": ["public"],
    "table": {"instance": {"view": "all", "write": "self", "delete": None}},
    "title": "Developer",
    "token": f"{example_id('inv')}.1.…",
    "trace_id": None,
    "type": "instance",
    "user": example_id("usr"),
    "user_agent": "curl/8.5.0",
}
"""The value of a member or parameter of this name, where it fits the schema."""

OF_MODEL: Mapping[str, Mapping[str, Any]] = {
    **REPORTS,
    **OF_LOG,
    "Account": {
        "id": example_id("acc"),
        "name": "Acme Robotics",
        "kind": "team",
        "suspension": None,
        "deletes_at": None,
        "catalog": "standard@b584d126…",
        "ownership_transfer": None,
    },
    "AccountName": {"id": example_id("acc"), "name": "Acme Robotics"},
    "ActionEntity": {"name": "write", "properties": None},
    "ActionSearch": _FROM,
    "Catalog": {
        "id": "standard@b584d126…",
        "name": "standard",
        "title": "Standard",
        "description": "The union of what the other catalogs have.",
        "sections": [{"id": "compute", "title": "Compute", "entries": []}],
        "policies": {"conversion": "reversible", "member_limit": 1000},
    },
    "ChangedMember": _A_MEMBER,
    "GivenPolicy": {"policy": {"version": 1, "projects": [{"name": "Website"}]}},
    "CheckedGuardrail": _A_GUARDRAIL | {"id": example_id("grd")},
    "Configuration": {
        "policy_decision_point": _GATEWAY,
        "access_evaluation_endpoint": f"{_POINT}/evaluation",
        "access_evaluations_endpoint": f"{_POINT}/evaluations",
        **{f"search_{one}_endpoint": f"{_POINT}/search/{one}" for one in _SOUGHT},
    },
    "Convert": {"name": "Acme Robotics"},
    "CreateAccount": {"name": "Acme Robotics"},
    "CreateGuardrail": _A_GUARDRAIL,
    "CreateRole": _A_ROLE,
    "Discovery": _METADATA,
    "EditRole": _A_ROLE,
    "EditedRole": _A_ROLE | {"id": example_id("rol"), "built_in": False},
    "EntryRefused": {
        "code": "role-unknown",
        "detail": f"The role `owner` cannot be assigned. {_REFUSED}",
        "errors": [{"pointer": "/role", "message": _REFUSED}],
    },
    "Evaluation": _FROM,
    "EvaluationAnswer": {"context": _A_DECISION},
    "Evaluations": {
        "subject": _A_USER,
        "action": {"name": "write"},
        "resource": _CHECKED,
        "context": None,
        "evaluations": [{}, {"action": {"name": "delete"}}],
    },
    "FoundAction": {"name": "write"},
    "FoundResource": _A_RESOURCE,
    "FoundSubject": _A_USER | {"id": "7f3a", "properties": {"user_id": f"usr_{_DIGITS}"}},
    "Guardrail": _A_GUARDRAIL | {"id": example_id("grd")},
    "NewSsoConnection": _AN_ISSUER | {"client_secret": "…"},
    "ChangeSsoConnection": {"label": "Acme", "join_role": "developer"},
    "AccountConnectionView": _AN_ISSUER | {"id": example_id("sso")},
    "IdentityView": {"id": example_id("idn"), "issuer": "https://issuer.example", "label": "Acme"},
    "SsoConnectionView": {"id": "corp", "label": "Acme"},
    "FinishSsoSignIn": {"code": "SplxlOBeZQQYbYS6WxSbIA"},
    "Invitation": {
        "id": example_id("inv"),
        "status": "invited",
        "passed_from": None,
        "passed_from_name": None,
    },
    "KeySet": {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "…", "x": "…"}]},
    "Link": {"url": f"{_GATEWAY}/invitations?token=…&code=K7QM2XWP"},
    "Me": {"id": example_id("usr")},
    "Member": _A_MEMBER,
    "MemberAccess": {"denied": None},
    "MinimumHolders": _TWO_ADMINS,
    "MinimumHoldersView": _TWO_ADMINS,
    "NameProject": {"name": "prod"},
    "NewApiToken": {"name": "Nightly build", "expires_at": None},
    "Introspection": {"iss": _GATEWAY, "aud": "rolecall", "sub": example_id("usr")},
    "TokenLimits": _READS_INSTANCES,
    "TokenRestriction": _READS_INSTANCES,
    "Restriction": _READS_INSTANCES,
    "ApiToken": _A_TOKEN,
    "CreatedApiToken": _A_TOKEN | {"secret": "rct_…", "note": None},
    "WantedPage": {"token": "", "limit": 100},
    "PassedInvitation": {"id": example_id("inv")},
    "AddressProof": {"token": f"{example_id('usr')}.1.…"},
    "MailedLink": {"kind": "password-reset", "token": f"{example_id('usr')}.1.…"},
    "AddressUndo": {"token": f"{example_id('usr')}.1.…"},
    "PasswordReset": {"token": f"{example_id('usr')}.1.…"},
    "ProvisionedMember": _PROVISIONED,
    "ProvisionedUser": _PROVISIONED | {"ignored": []},
    "Project": {"id": example_id("prj"), "name": "prod"},
    "ChangeAccount": {"name": "Acme Robotics"},
    "NamedResource": _A_RESOURCE,
    "ReassignResources": {
        "from_user_id": f"{example_id('usr')[:-1]}9",
        "types": ["instance"],
    },
    "Registration": _A_RESOURCE | {"status": "registered", "code": None, "detail": None},
    "Resource": _A_RESOURCE,
    "ResourceEntity": _CHECKED,
    "ResourceSearch": _FROM,
    "ResourceRef": {"type": "member", "id": example_id("usr"), "name": "Bo Li"},
    "Role": {
        "id": "developer",
        "name": "Developer",
        "description": "Builds and runs workloads.",
    },
    "RoleEdit": _A_ROLE,
    "Session": {"id": example_id("ses"), "current": True},
    "SoughtResource": {"type": "instance"} | _OF_ACCOUNT,
    "SoughtSubject": {"type": "user", "properties": None},
    "SubjectEntity": _A_USER | {"properties": None},
    "SubjectSearch": _FROM,
    "ServerMetadata": _METADATA,
    "User": {"id": example_id("usr")},
    "WhoCan": {"project_id": None, "resource_id": "i-17"},
    "Verify": {"token": f"{example_id('sup')}.1.…"},
}
"""Values of a schema's members where the name alone does not tell."""
