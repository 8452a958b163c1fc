"""Changing how a user or the people of an account sign in needs a fresh proof of the caller."""

from __future__ import annotations

from services.identity.routes import ROUTES
from shared.http.access import needs_fresh_proof


def test_the_ways_to_sign_in_change_after_a_fresh_proof_alone() -> None:
    """A link is finished with the sealed binding that its beginning, which is listed, has given."""
    assert {row.operation_id for row in ROUTES if needs_fresh_proof(row.access)} == {
        "addPasskey",
        "beginIdentityLink",
        "beginPasskey",
        "beginTotp",
        "createAccountConnection",
        "deleteAccountConnection",
        "deleteMe",
        "proveConnectionDomain",
        "removePasskey",
        "removeTotp",
        "replaceRecoveryCodes",
        "unlinkIdentity",
    }
