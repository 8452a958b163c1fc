"""The tables that tests keep by hand have a row for each route."""

from deploy.gateway.paths import public_routes
from shared.http.access import Permission
from tests.contracts.allowed import ALLOWED


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
