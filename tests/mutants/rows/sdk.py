"""Mutants of the SDK: its client, its integration of aiohttp, and what they send."""

from tests.mutants.mutant import Kind, Mutant

TRANSPORT = "sdk/rolecall/client/transport.py"
CLIENT_TESTS = ("tests/sdk/test_client.py",)

ROWS = (
    Mutant(
        id="sdk-secret-to-the-proxy",
        kind=Kind.SECURITY,
        file=TRANSPORT,
        old="ProxyHandler({} if direct else None)",
        new="ProxyHandler()",
        tests=CLIENT_TESTS,
    ),
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
