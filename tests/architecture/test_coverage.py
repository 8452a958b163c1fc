"""The measurements of a run are joined: those of its workers and those of other processes."""

import json
from typing import Any

from coverage import CoverageData

from tests.coverage_report import PROBES, ROOT, joined, probes

FILE = "shared/example.py"


def found(executed, missing, branches, missing_branches):
    """A measurement of the file, as SlipCover writes it."""
    return {
        "meta": probes().get_coverage()["meta"],
        "files": {
            FILE: {
                "executed_lines": executed,
                "missing_lines": missing,
                "executed_branches": branches,
                "missing_branches": missing_branches,
            }
        },
    }


NOTHING: tuple[list[Any], ...] = [], [1, 2, 3, 4], [], [[2, 3], [2, 4], [4, 0]]


def summary(results):
    everything = joined(results, found(*NOTHING))
    return {name: everything["files"][FILE][name] for name in everything["files"][FILE]}


def test_what_one_worker_met_is_met(tmp_path):
    one = found([1, 2, 3], [4], [[2, 3]], [[2, 4], [4, 0]])
    other = found([1, 2, 4], [3], [[2, 4]], [[2, 3], [4, 0]])
    (tmp_path / PROBES.format(1)).write_text(json.dumps(one))
    (tmp_path / PROBES.format(2)).write_text(json.dumps(other))
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
    assert joined(tmp_path, found(*NOTHING))["summary"]["percent_covered"] == 0
