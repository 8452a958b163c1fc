"""The model's table, its documents and its sources name the same configurations and defects.

`model/check.sh`, a part of `make soak`, checks the configurations themselves.
"""

import re
import subprocess
from pathlib import Path

MODEL = Path(__file__).parent / "model"
ROW = re.compile(r"^(quick|full) +(holds|breaks) +(\S+) +(-D.*)$")
BOUNDS = {"REPLICAS", "LIVES", "CALLS", "WRITERS", "CHANGES", "TTL", "MARGIN"}
CHECKED = {"ALLOW_ONLY", "ENDS", "SURE"}
"""Options that say which properties are checked."""


def table() -> list[tuple[str, str, str, set[str]]]:
    """When, expected result, name and options of each configuration."""
    lines = (MODEL / "table.txt").read_text().splitlines()
    rows = [ROW.match(line) for line in lines if not line.startswith("#")]
    return [
        (
            row[1],
            row[2],
            row[3],
            {option.split("=")[0] for option in re.findall(r"-D(\S+)", row[4])},
        )
        for row in rows
        if row is not None
    ]


def switches() -> set[str]:
    """The options that the sources of the model ask for."""
    sources = "".join(path.read_text() for path in sorted(MODEL.glob("*.pml")))
    names = re.findall(r"#ifn?def (\w+)|defined\((\w+)\)", sources)
    return {first or second for first, second in names} - {"REWOUND"}


def documented(heading: str, column: int) -> set[str]:
    """The names in a column of the README's table under a heading."""
    section = (MODEL / "README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split("|") for line in section.splitlines() if line.startswith("|")]
    names = [re.findall(r"`(\w+)[`=]", row[column]) for row in cells]
    return {name for row in names for name in row}


def test_every_line_of_the_model_s_table_can_be_read() -> None:
    lines = (MODEL / "table.txt").read_text().splitlines()
    assert len(table()) == len([line for line in lines if not line.startswith("#")])


def test_the_sources_of_the_model_know_every_option_of_its_table() -> None:
    used = {option for _, _, _, options in table() for option in options}
    assert used <= switches() | BOUNDS
    assert switches() - BOUNDS - {"CONFLICTS", "REWOUND"} <= used


def test_every_defect_of_the_model_is_documented_and_must_break_it() -> None:
    breaking = {name for _, expected, name, _ in table() if expected == "breaks"}
    assert documented("Defects", 1) == breaking
    for _, expected, name, options in table():
        assert (name in options) == (expected == "breaks"), name


def test_a_configuration_that_must_hold_has_no_defect() -> None:
    worlds = documented("What is in it", 2)
    for _, expected, name, options in table():
        if expected == "holds":
            assert options <= worlds | BOUNDS | CHECKED, name


def test_the_model_says_what_to_install_where_a_tool_is_missing(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    told = subprocess.run(
        ["/bin/sh", MODEL / "check.sh"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 3
    assert told.stdout == ""
    assert "Install it with: apt-get install spin gcc" in told.stderr
