"""How long the long tests run: short in `make test`, at full length in `make soak`.

Every length and the seed can be set: `ROLECALL_TEST_REMOVALS=50 ROLECALL_TEST_SEED=7 pytest …`.
"""

import os
import secrets

SOAK = os.environ.get("ROLECALL_SOAK") == "1"
DEFAULT_SEED = 1
SEED = int(
    os.environ.get("ROLECALL_TEST_SEED") or (secrets.randbelow(10**9) if SOAK else DEFAULT_SEED)
)
"""Seed of every random choice of the long tests; `make soak` takes a new one and prints it."""


def length(name: str, *, short: int, soak: int) -> int:
    """The value of `ROLECALL_TEST_<name>`, or the length for this kind of run."""
    return int(os.environ.get(f"ROLECALL_TEST_{name}") or (soak if SOAK else short))


KEY_ROTATIONS = length("KEY_ROTATIONS", short=2, soak=28)
"""Rotations of the signing keys under load, one in two seconds."""

AUDIT_MUTATIONS = length("AUDIT_MUTATIONS", short=80, soak=1000)
"""Random mutations of an exported audit log, each of which must be found."""
