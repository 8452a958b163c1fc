"""Mutants of the SDK: what it sends where, and how long a check lasts."""

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
)
