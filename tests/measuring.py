"""A pytest plugin that measures which lines and branches of the product run: `-p tests.measuring`.

SlipCover puts a probe on each line and branch when a module is imported (`tests/probes.py`). The
first process of a run imports the product once, and its workers are forked from it; so does the
fork server of the programs that tests start. A program that has an interpreter of its own is
measured by coverage.py, which looks at every line that runs. `tests/coverage_report.py` joins both.
"""

from __future__ import annotations

import os

from coverage import Coverage

from tests.coverage_report import ROOT
from tests.probes import VARIABLE, Probes

# At once, because `tests/conftest.py` imports the product.
_measured = Probes()


def pytest_configure() -> None:
    """Let the processes that tests start be measured; a worker is forked, and measures itself."""
    settings = Coverage(config_file=str(ROOT / "pyproject.toml")).config
    os.environ["COVERAGE_PROCESS_CONFIG"] = settings.serialize()
    os.environ[VARIABLE] = "1"


def pytest_sessionfinish() -> None:
    """Write what this process has met."""
    _measured.write()
