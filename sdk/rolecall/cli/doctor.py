"""The operator's command that looks over an installation."""

import argparse
from importlib import import_module
from importlib.util import find_spec

from rolecall.cli.output import UsageError
from rolecall.cli.topics import Topics

PROGRAM = "deploy.doctor.run"
"""The program of the services that knows their settings. The SDK does not depend on it."""


def add_doctor_command(topics: Topics) -> None:
    """Add `rolecall doctor`."""
    doctor = topics.add_parser("doctor", help="look over an installation, and say what is wrong")
    doctor.epilog = "Exit codes: 0 no error, 1 errors, 2 wrong usage."
    doctor.add_argument(
        "--settings",
        action="append",
        default=[],
        metavar="FILE",
        help="read the variables of the services from this file instead of the environment; may be"
        " repeated",
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    doctor.add_argument("--all", action="store_true", help="show also what is right")
    doctor.add_argument(
        "--offline", action="store_true", help="look at the settings alone, and ask no server"
    )
    doctor.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if not _installed():
        raise UsageError(
            "The services are not installed here. Run this command where they are, such as in a"
            " container of their image."
        )
    words = [f"--settings={file}" for file in options.settings]
    words += [f"--{name}" for name in ("json", "all", "offline") if getattr(options, name)]
    status: int = import_module(PROGRAM).main(words)
    return status


def _installed() -> bool:
    try:
        return find_spec(PROGRAM) is not None
    except ModuleNotFoundError:
        return False
