"""What the stand-in of the API says about an account, for the pages of accounts."""

from typing import Any

from rolecall import load_catalog
from tests.services.console.account_api import catalog_answer
from tests.services.console.browsing import StandIn

ACCOUNT_ID, USER_ID = "acc_1", "usr_1"
PAGE, API = f"/console/accounts/{ACCOUNT_ID}", f"/v1/accounts/{ACCOUNT_ID}"
ACCOUNT: dict[str, Any] = {
    "id": ACCOUNT_ID,
    "name": "Analytical Engines",
    "kind": "team",
    "status": "active",
    "owner": False,
    "owner_user_id": "usr_9",
    "catalog": "standard@1",
    "catalog_title": "Standard",
    "project_word": "project",
    "projects_word": "projects",
    "role": "admin",
    "role_title": "Admin",
}
OTHER = ACCOUNT | {"id": "acc_2", "name": "Gears <b>", "kind": "personal", "role_title": "Owner"}
ME = {
    "id": USER_ID,
    "name": "Ana",
    "email": "ana@example.com",
    "current_account_id": ACCOUNT_ID,
    "locale": "en",
    "time_zone": "UTC",
}
EVERYTHING = (
    *("member:view", "member:invite", "member:update", "member:remove"),
    *("account:view", "account:update", "role:view", "project:view", "role:manage"),
    *("api_token:manage", "webhook:manage", "guardrail:manage"),
)
CATALOG = catalog_answer(load_catalog("standard"))
COUNTS = {"active": 1, "suspended": 0, "invited": 0, "expired": 0}


def member(number: int, **more: Any) -> dict[str, Any]:
    """A member as the list has it."""
    return {
        "status": "active",
        "user_id": f"usr_{number}",
        "invitation_id": None,
        "email": f"m{number}@example.com",
        "name": f"Member {number}",
        "role": "developer",
        "role_title": "Developer",
        "owner": False,
        "since": "2026-11-01T08:00:00Z",
        "expires_at": None,
        "last_active_at": "2026-11-27T08:00:00Z",
        "not_mailed": None,
        "locked": None,
        "resend_offered": False,
    } | more


def describe_account(
    api: StandIn,
    *,
    permissions: tuple[str, ...] = EVERYTHING,
    locale: str = "en",
    account: dict[str, Any] = ACCOUNT,
    members: tuple[dict[str, Any], ...] = (),
) -> None:
    """Have the stand-in answer what the frame of an account's pages asks, and its members."""
    listed = {"items": [account, OTHER], "next_cursor": None}
    api.answers |= {
        "GET /v1/me": (200, ME | {"locale": locale}),
        f"GET {API}": (200, account),
        f"GET {API}/me/permissions": (200, {"permissions": dict.fromkeys(permissions, "all")}),
        "GET /v1/accounts": (200, listed),
        f"GET {API}/catalog": (200, CATALOG),
        f"GET {API}/resources": (200, {"items": [], "next_cursor": None}),
        f"GET {API}/members": (
            200,
            {"items": list(members), "next_cursor": None, "counts": COUNTS},
        ),
    }
