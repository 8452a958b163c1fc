"""The tables that tests keep by hand have a row for each route."""

from deploy.documents import module
from deploy.gateway.paths import public_routes
from shared.contracts.topology import Service
from shared.http.access import Internal, Permission
from shared.http.routes import Route
from tests.contracts.allowed import ALLOWED


def posts() -> list[Route]:
    """Every POST of a user, a service client or the operator; services repeat their own calls."""
    internal = [row for service in Service for row in module(service, "routes").INTERNAL_ROUTES]
    public = [row for rows in public_routes().values() for row in rows]
    return [
        row
        for row in (*public, *internal)
        if row.method == "POST" and not isinstance(row.access, Internal)
    ]


def test_every_post_is_idempotent_or_says_what_a_repeat_does():
    faults = [
        f"{row.operation_id}: set `idempotent=True`, or say what a repeat does in `on_repeat`"
        for row in posts()
        if row.idempotent is (row.on_repeat is not None)
    ]
    assert faults == []


def test_every_post_that_creates_is_idempotent():
    """Its status says so: 201. What creates under 200 or 202 gives its reason in `on_repeat`."""
    creating = [row for row in posts() if row.status == 201]
    assert {row.operation_id for row in creating} == {
        "createAccount",
        "createAccountConnection",
        "createAuditStream",
        "createApiToken",
        "createGuardrail",
        "createProject",
        "createRole",
        "createServiceClient",
        "createWebhook",
        "inviteMember",
        "offerOwnership",
        "rotateClientSecret",
        "saveAuditSearch",
    }
    assert all(row.idempotent for row in creating)


def test_every_route_with_a_permission_has_its_row_of_answers():
    guarded = {
        row.operation_id
        for rows in public_routes().values()
        for row in rows
        if isinstance(row.access, Permission)
    }
    known = set(ALLOWED)
    faults = [
        *(f"add `{name}` to ALLOWED in tests/contracts/allowed.py" for name in guarded - known),
        *(f"remove `{name}` from ALLOWED: there is no such route" for name in known - guarded),
    ]
    assert faults == []


def test_a_row_for_the_owner_alone_says_so():
    """Its permission does not: an admin has it too."""
    silent = [
        row.operation_id
        for rows in public_routes().values()
        for row in rows
        if "owner-only" in {refusal.code for refusal in row.refuses} and row.caller_rule is None
    ]
    assert silent == []
