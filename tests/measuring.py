"""A pytest plugin that measures which lines and branches of the product run: `-p tests.measuring`.

In the processes that run tests, SlipCover puts a probe on each line and branch when a module is
imported, and takes out what was met. coverage.py looks at every line that runs: that would double
the time of all code. It measures the processes that tests start. They are short, and the probes of
a whole product take longer than they run. `tests/coverage_report.py` joins both.
"""

from __future__ import annotations

import json
import os

from coverage import Coverage
from slipcover import FileMatcher, ImportManager

from tests.coverage_report import PROBES, RESULTS, ROOT, SOURCES, probes

_measured = probes()
# At once, because `tests/conftest.py` imports the product.
ImportManager(_measured, FileMatcher(sources=SOURCES)).__enter__()


def pytest_configure() -> None:
    """Let the processes that tests start be measured; a worker is forked, and measures itself."""
    settings = Coverage(config_file=str(ROOT / "pyproject.toml")).config
    os.environ["COVERAGE_PROCESS_CONFIG"] = settings.serialize()


def pytest_sessionfinish() -> None:
    """Write what this process has met."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = json.dumps(_measured.get_coverage())
    (RESULTS / PROBES.format(os.getpid())).write_text(found)
