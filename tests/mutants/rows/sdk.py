"""Mutants of the SDK: its client and its integration of aiohttp."""

from tests.mutants.mutant import Kind, Mutant

ROWS = (
    Mutant(
        id="sdk-token-renewed-only-after-its-end",
        kind=Kind.AVAILABILITY,
        file="sdk/rolecall/client/checks.py",
        old="requested_at + seconds - RENEW_EARLY_SECONDS",
        new="requested_at + seconds",
        tests=("tests/sdk/test_client.py",),
    ),
    Mutant(
        id="sdk-caller-counts-as-the-owner",
        kind=Kind.SECURITY,
        file="sdk/rolecall/integrations/aiohttp.py",
        old="owner_id=None if owner is None else owner(request),",
        new="owner_id=None if owner is None else subject_id,",
        tests=("tests/sdk/test_aiohttp.py",),
    ),
)
