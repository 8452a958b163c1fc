"""The command that checks the map of a gateway's routes."""

import argparse
from pathlib import Path

from rolecall.cli.output import INVALID, OK, UsageError, report, say
from rolecall.cli.topics import Topics
from rolecall.core.forward_auth import ForwardAuthError, read_forward_auth


def add_forward_auth_commands(topics: Topics) -> None:
    """Add `rolecall forward-auth`."""
    commands = topics.add_parser("forward-auth", help="maps of a gateway's routes")
    check = commands.add_subparsers(required=True).add_parser(
        "check", help="check a file and report every problem"
    )
    check.add_argument("file", type=Path, metavar="FILE", help="a YAML file with one map")
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    file = options.file
    try:
        found = read_forward_auth(file)
    except ForwardAuthError as error:
        for problem in error.problems:
            report(f"{file}:{problem}")
        return INVALID
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}. Name another file.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: The file is not UTF-8 text. Save it as UTF-8.") from error
    say(f"{file}: ok, {len(found.routes)} routes for {found.gateway}")
    return OK
