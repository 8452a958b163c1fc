"""The measurements of a run are joined: those of its workers and those of other processes."""

import json
import os
import subprocess
import sys
from typing import Any

from coverage import CoverageData

from tests.coverage_report import PROBES, ROOT, joined
from tests.servers import UNMEASURED

FILE = "shared/example.py"


def nothing() -> dict[str, Any]:
    """What is known of a file of which nothing was met."""
    return {
        "files": {
            FILE: {
                "executed_lines": [],
                "missing_lines": [1, 2, 3, 4],
                "executed_branches": [],
                "missing_branches": [[2, 3], [2, 4], [4, 0]],
            }
        },
    }


def summary(results):
    everything = joined(results, nothing())
    return {name: everything["files"][FILE][name] for name in everything["files"][FILE]}


def test_what_one_worker_met_is_met(tmp_path):
    for number, places in enumerate(([1, 2, 3, [2, 3]], [1, 2, 4, [2, 4], 7])):
        met = {str(ROOT / FILE): places, str(ROOT / "shared/unknown.py"): [1]}
        (tmp_path / PROBES.format(number)).write_text(json.dumps(met))
    assert summary(tmp_path)["missing_lines"] == []
    assert [list(one) for one in summary(tmp_path)["missing_branches"]] == [[4, 0]]


def test_what_another_process_met_is_met(tmp_path):
    data = CoverageData(str(tmp_path / "data.1"))
    data.add_arcs({str(ROOT / FILE): [(-1, 1), (1, 2), (2, 4), (4, -1), (2, 9)]})
    data.write()
    told = summary(tmp_path)
    assert (told["executed_lines"], told["missing_lines"]) == ([1, 2, 4], [3])
    assert told["executed_branches"] == [(2, 4), (4, 0)]
    assert told["missing_branches"] == [(2, 3)]


def test_a_file_that_nothing_imports_is_missing_as_a_whole(tmp_path):
    assert summary(tmp_path)["missing_lines"] == [1, 2, 3, 4]
    assert joined(tmp_path, nothing())["summary"]["percent_covered"] == 0


MEASURED = """
def met(number):
    for each in range(number):
        if each % 2:
            yield each
    match number:
        case 0:
            return
"""
RUN = """
import json, sys
from pathlib import Path
from tests import coverage_report, probes
coverage_report.RESULTS = probes.RESULTS = Path(sys.argv[1])
probes.SOURCES = [sys.argv[1]]
sys.path.insert(0, sys.argv[1])
measured = probes.Probes()
import measured_module
for _ in range(100):
    assert list(measured_module.met(4)) == [1, 3]
called = []
sys.setprofile(lambda frame, event, what: called.append((event, getattr(what, "__name__", ""))))
list(measured_module.met(4))
sys.setprofile(None)
assert ("c_call", "signal") not in called
measured.write()
"""


def test_a_probe_ends_when_it_was_met(tmp_path):
    (tmp_path / "measured_module.py").write_text(MEASURED)
    run = [sys.executable, "-c", RUN, str(tmp_path)]
    subprocess.run(run, cwd=ROOT, check=True, env={**os.environ, **UNMEASURED})
    [written] = tmp_path.glob(PROBES.format("*"))
    [places] = json.loads(written.read_text()).values()
    lines = {place for place in places if isinstance(place, int)}
    branches = {tuple(place) for place in places if isinstance(place, list)}
    assert lines == {2, 3, 4, 5, 6, 7}
    assert branches == {(3, 4), (3, 6), (4, 3), (4, 5), (6, 0)}
