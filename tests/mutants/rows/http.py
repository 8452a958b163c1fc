"""Mutants of the HTTP layer: cursors and the client of internal calls."""

from tests.mutants.mutant import Kind, Mutant

CLIENT = "shared/http/client.py"
CLIENT_TESTS = ("tests/shared/http/test_internal.py",)

ROWS = (
    Mutant(
        id="http-cursor-of-another-account",
        kind=Kind.DATA,
        file="shared/http/paging.py",
        old="[call.route.operation_id, dict(call.path), filters]",
        new="[call.route.operation_id, filters]",
        tests=("tests/shared/http/test_paging.py",),
    ),
    Mutant(
        id="client-silent-replica-takes-all-the-time",
        kind=Kind.AVAILABILITY,
        file=CLIENT,
        old="(deadline - loop.time()) / (1 + others)",
        new="deadline - loop.time()",
        tests=CLIENT_TESTS,
    ),
    Mutant(
        id="client-call-without-the-request-id",
        kind=Kind.DATA,
        file=CLIENT,
        old='            "X-Request-ID": context.request_id.get(),\n',
        new="",
        tests=CLIENT_TESTS,
    ),
)
