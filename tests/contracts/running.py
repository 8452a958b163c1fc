"""The product that the contract tests run, and the faults in its log."""

import sys
from collections.abc import Sequence

from shared.contracts.topology import Service
from tests.e2e.one_process import OneProcess
from tests.servers import UNMEASURED

FAULTS = ("request failed", "refusal is not in its row", "Traceback")


class KnownKey(OneProcess):
    """The one-process runner with the signing key of `known_key`; one sender asks all."""

    _read = 0

    def environment(self) -> dict[str, str]:
        """No limit for this sender; what it asks is measured by the tests of each service."""
        return {
            **super().environment(),
            **UNMEASURED,
            "ROLECALL_IDENTITY_MAILS_PER_IP": "100000",
            "ROLECALL_IDENTITY_EXPORTS_PER_USER": "100000",
            **{f"ROLECALL_{each.upper()}_REQUESTS_AT_ONCE": "1000" for each in Service},
        }

    def command(self) -> Sequence[str]:
        """What `make run` runs, but for the key."""
        return [sys.executable, "-m", "tests.contracts.known_key"]

    def logged(self) -> str:
        """The whole log so far."""
        return self.log.read_text(errors="replace")

    def new_faults(self) -> list[str]:
        """The lines about internal errors that were logged since the last call."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            added = log.read()
        whole, _, _ = added.rpartition(b"\n")
        self._read += len(whole)
        lines = whole.decode(errors="replace").splitlines()
        return [line for line in lines if any(fault in line for fault in FAULTS)]
