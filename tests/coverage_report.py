"""Joins the measurements of one run, and compares them with the floor of `pyproject.toml`."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coverage import CoverageData
from slipcover import Slipcover, print_coverage
from slipcover.slipcover import add_summaries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
_SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
SOURCES = [str(ROOT / source) for source in _SETTINGS["run"]["source"]]
FLOOR: float = _SETTINGS["report"]["fail_under"]
RESULTS = (ROOT / _SETTINGS["run"]["data_file"]).parent
PROBES = "probes-{}.json"
EXCLUDED: list[str] = _SETTINGS["report"]["exclude_also"]


def unmet() -> dict[str, Any]:
    """All lines and branches of the product as missing."""
    everything: dict[str, Any] = Slipcover(
        branch=True, exclude_also=EXCLUDED, source=SOURCES
    ).get_coverage()
    files = everything["files"]
    # A module that is a docstring gets no probe, so its one line is never met.
    everything["files"] = {
        file: files[file] for file in files if files[file]["missing_lines"] != [1]
    }
    return everything


def joined(results: Path, everything: dict[str, Any]) -> dict[str, Any]:
    """What the processes of a run have met; `everything` has all lines and branches there are."""
    known = everything["files"]
    for file, lines, branches in (*_met_by_probes(results), *_met_by_traces(results, known)):
        if file in known:
            _meet(known[file], "lines", set(lines))
            # A jump out of a function leads to a negative line there, and to 0 here.
            _meet(known[file], "branches", {(here, max(there, 0)) for here, there in branches})
    add_summaries(everything)
    return everything


Met = tuple[str, "Iterable[int]", "Iterable[tuple[int, int]]"]


def _met_by_probes(results: Path) -> Iterator[Met]:
    for found in results.glob(PROBES.format("*")):
        for path, places in json.loads(found.read_text()).items():
            lines = [place for place in places if isinstance(place, int)]
            branches = [(place[0], place[1]) for place in places if isinstance(place, list)]
            yield str(Path(path).relative_to(ROOT)), lines, branches


def _met_by_traces(results: Path, files: Iterable[str]) -> Iterator[Met]:
    for found in results.glob("data.*"):
        data = CoverageData(str(found))
        data.read()
        for file in files:
            path = str(ROOT / file)
            yield file, data.lines(path) or (), data.arcs(path) or ()


def _meet(known: dict[str, Any], kind: str, met: set[Any]) -> None:
    """Count as met what was missing; what is none of the file's lines or branches is left out."""
    missing = [tuple(one) if kind == "branches" else one for one in known[f"missing_{kind}"]]
    known[f"executed_{kind}"] = [
        *known[f"executed_{kind}"],
        *(one for one in missing if one in met),
    ]
    known[f"missing_{kind}"] = [one for one in missing if one not in met]


def main() -> int:
    """Print what no test meets; 2 if the share that is met is below the floor."""
    everything = joined(RESULTS, unmet())
    print_coverage(everything, skip_covered=True, missing_width=60)
    share = everything["summary"]["percent_covered"]
    sys.stdout.write(f"{share:.2f} % of lines and branches were met; the floor is {FLOOR} %.\n")
    return 0 if share >= FLOOR else 2


if __name__ == "__main__":
    sys.exit(main())
