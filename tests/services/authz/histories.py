"""Policy objects that team and identity publish in tests of authz."""

from datetime import UTC, datetime
from typing import Any

from rolecall import CompiledCatalog, load_catalog
from shared.auth.api_tokens import digest_of, token_id_of
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STANDARD = load_catalog("standard")
RUNPOD = load_catalog("runpod")
CATALOGS = {catalog.id: catalog for catalog in (STANDARD, RUNPOD)}
COMPILED = CompiledCatalog(STANDARD)

ACCOUNT, OTHER_ACCOUNT = "acc_" + "a" * 32, "acc_" + "b" * 32
ANA, BO, CY, DI = ("usr_" + letter * 32 for letter in "abcd")
PROD = "prj_" + "1" * 32
INSTANCE = f"/v1/accounts/{ACCOUNT}/instances/i-1"
"""A path of a service behind a gateway."""
SESSION = "ses_" + "5" * 32
MEMBERSHIP = f"mem_{7:032x}"
CLIENT, BOUND_CLIENT = "cli_" + "c" * 32, "cli_" + "d" * 32


def catalog(catalog_id: str) -> PolicyObject:
    content = CATALOGS[catalog_id].to_mapping()
    return PolicyObject(kind=PolicyObjectKind.CATALOG, id=catalog_id, state={"content": content})


def account(account_id: str = ACCOUNT, *, catalog: str = STANDARD.id, owner: str = ANA, **fields):
    state = {"kind": "team", "status": "active", "owner_user_id": owner, "catalog": catalog}
    return PolicyObject(
        kind=PolicyObjectKind.ACCOUNT, id=account_id, account_id=account_id, state=state | fields
    )


def member(user_id: str, role: str, account_id: str = ACCOUNT, **fields: Any) -> PolicyObject:
    state = {"membership_id": f"mem_{user_id}", "role": role, "status": "active"} | fields
    return PolicyObject(
        kind=PolicyObjectKind.MEMBER, id=user_id, account_id=account_id, state=state
    )


def no_member(user_id: str, account_id: str = ACCOUNT) -> PolicyObject:
    return PolicyObject(kind=PolicyObjectKind.MEMBER, id=user_id, account_id=account_id, state=None)


def project(
    project_id: str = PROD, account_id: str = ACCOUNT, *, name: str = "prod"
) -> PolicyObject:
    return PolicyObject(
        kind=PolicyObjectKind.PROJECT, id=project_id, account_id=account_id, state={"name": name}
    )


def override(
    user_id: str, grants: dict[str, Any], account_id: str = ACCOUNT, **fields
) -> PolicyObject:
    state = {
        "project_id": PROD,
        "user_id": user_id,
        "membership_id": f"mem_{user_id}",
        "grants": grants,
    }
    return PolicyObject(
        kind=PolicyObjectKind.OVERRIDE,
        id=f"{PROD}/{user_id}",
        account_id=account_id,
        state=state | fields,
    )


def resource(
    rid: str = "i-1", *, account_id: str = ACCOUNT, gone: bool = False, **fields: Any
) -> PolicyObject:
    """A registered instance."""
    return PolicyObject(
        kind=PolicyObjectKind.RESOURCE,
        id=f"instance/{rid}",
        account_id=account_id,
        state=None if gone else {"type": "instance", "id": rid} | fields,
    )


def ended(session_id: str = SESSION, at: datetime = NOON, *, user_id: str = BO) -> PolicyObject:
    return PolicyObject(
        kind=PolicyObjectKind.SESSION,
        id=session_id,
        state={"user_id": user_id, "ended_at": at.isoformat()},
    )


def disabled(user_id: str = BO, *, enabled: bool = False) -> PolicyObject:
    return PolicyObject(
        kind=PolicyObjectKind.DISABLED_USER,
        id=user_id,
        state=None if enabled else {"disabled_at": NOON.isoformat()},
    )


def second_factor(user_id: str = BO, *, removed: bool = False) -> PolicyObject:
    return PolicyObject(
        kind=PolicyObjectKind.SECOND_FACTOR,
        id=user_id,
        state=None if removed else {},
    )


def service_client(client_id: str = CLIENT, **fields: Any) -> PolicyObject:
    state = {"name": "compute", "scopes": ["authz:check"]} | fields
    return PolicyObject(kind=PolicyObjectKind.SERVICE_CLIENT, id=client_id, state=state)


def revoked_token(token_id: str) -> PolicyObject:
    """An access token that was revoked; it would expire long after any test."""
    late = {"expires_at": "2999-01-01T00:00:00Z"}
    return PolicyObject(kind=PolicyObjectKind.ACCESS_TOKEN, id=token_id, state=late)


def revoked_key(key_id: str) -> PolicyObject:
    """A key of identity that was revoked: all that it has signed is refused."""
    state = {"revoked_at": "2020-01-01T00:00:00Z"}
    return PolicyObject(kind=PolicyObjectKind.SIGNING_KEY, id=key_id, state=state)


def api_token(secret: str, **fields: Any) -> PolicyObject:
    """BO's API token; it expires long after any test."""
    digest = digest_of(secret)
    state = {
        "secret_hash": digest,
        "user_id": BO,
        "account_id": ACCOUNT,
        "membership_id": MEMBERSHIP,
        "created_at": "2020-01-01T00:00:00Z",
        "expires_at": "2999-01-01T00:00:00Z",
    }
    return PolicyObject(
        kind=PolicyObjectKind.API_TOKEN, id=token_id_of(digest), state=state | fields
    )
