"""The files in which a running product tells others about itself."""

from pathlib import Path


def run_file(folder: Path) -> Path:
    """The file in which a running product publishes its addresses."""
    return folder / "run.json"


def settings_file(folder: Path) -> Path:
    """The file with the variables of all services of a running product, for the doctor."""
    return folder / "run.env"
