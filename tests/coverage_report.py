"""Joins the measurements of one run, and compares them with the floor of `pyproject.toml`."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coverage import CoverageData
from slipcover import Slipcover, merge_coverage, print_coverage
from slipcover.slipcover import add_summaries

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
_SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
SOURCES = [str(ROOT / source) for source in _SETTINGS["run"]["source"]]
FLOOR: float = _SETTINGS["report"]["fail_under"]
RESULTS = (ROOT / _SETTINGS["run"]["data_file"]).parent
PROBES = "probes-{}.json"


def probes(source: Sequence[str] | None = None) -> Slipcover:
    """A new measurement; with `source` it knows files that nothing imports, too."""
    others: list[str] = _SETTINGS["report"]["exclude_also"]
    return Slipcover(branch=True, exclude_also=others, source=source and list(source))


def unmet() -> dict[str, Any]:
    """All lines and branches of the product as missing."""
    everything: dict[str, Any] = probes(SOURCES).get_coverage()
    files = everything["files"]
    # A module that is a docstring gets no probe, so its one line is never met.
    everything["files"] = {
        file: files[file] for file in files if files[file]["missing_lines"] != [1]
    }
    return everything


def joined(results: Path, everything: dict[str, Any]) -> dict[str, Any]:
    """What the processes of a run have met; `everything` has all lines and branches there are."""
    for found in results.glob(PROBES.format("*")):
        merge_coverage(everything, json.loads(found.read_text()))
    for found in results.glob("data.*"):
        data = CoverageData(str(found))
        data.read()
        for file, known in everything["files"].items():
            _meet(known, "lines", set(data.lines(str(ROOT / file)) or ()))
            # A jump out of a function leads to a negative line there, and to 0 here.
            arcs = {(here, max(there, 0)) for here, there in data.arcs(str(ROOT / file)) or ()}
            _meet(known, "branches", arcs)
    add_summaries(everything)
    return everything


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
