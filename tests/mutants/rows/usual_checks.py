"""Mutants of usual checks: what the path from raw bytes must not leave out."""

from tests.mutants.mutant import Kind, Mutant

LIMITS = ("tests/services/authz/test_hot_connections.py",)

ROWS = (
    Mutant(
        id="hot-path-takes-a-revoked-token",
        kind=Kind.SECURITY,
        file="services/authz/routes/hot_evaluation.py",
        old="                    raise TokenRevoked\n",
        new="                    pass\n",
        tests=LIMITS,
    ),
)
