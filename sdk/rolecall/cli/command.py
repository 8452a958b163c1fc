"""The command `rolecall`: its topics, and one run of it."""

import argparse
import sys
from collections.abc import Sequence

from rolecall.cli.admin import add_admin_commands
from rolecall.cli.audits import add_audit_commands
from rolecall.cli.catalogs import add_catalog_commands
from rolecall.cli.checks import add_check_commands
from rolecall.cli.dlq import add_dlq_commands
from rolecall.cli.doctor import add_doctor_command
from rolecall.cli.forward_auth import add_forward_auth_commands
from rolecall.cli.notifications import add_notification_commands
from rolecall.cli.output import INVALID, USAGE, Parser, UsageError, end_output, report
from rolecall.cli.policies import add_policy_commands
from rolecall.cli.tokens import add_token_commands
from rolecall.client.admin import AdminError
from rolecall.version import VERSION


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: done or allowed; 1: invalid, refused or denied; 2: wrong usage, unreadable or undecided.
    Of `rolecall plan`, 2 is a plan with changes, and 1 every error.
    """
    try:
        options = _options(sys.argv[1:] if arguments is None else arguments)
        code: int = options.run(options)
    except UsageError as error:
        report(str(error))
        return USAGE
    except AdminError as error:
        report(str(error))
        return USAGE if error.unreachable else INVALID
    finally:
        end_output()
    return code


def _options(words: Sequence[str]) -> argparse.Namespace:
    """Read the words; wrong usage of `rolecall plan` must not look like a plan with changes."""
    try:
        return _parser().parse_args(words)
    except SystemExit as ended:
        if ended.code == USAGE and [*words[:1]] == ["plan"]:
            raise SystemExit(INVALID) from ended
        raise


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="rolecall",
        description="Permission catalogs and checks, audit logs, notifications, administration.",
    )
    parser.add_argument("--version", action="version", version=f"rolecall {VERSION}")
    topics = parser.add_subparsers(required=True)
    add_catalog_commands(topics)
    add_check_commands(topics)
    add_forward_auth_commands(topics)
    add_policy_commands(topics)
    add_token_commands(topics)
    add_audit_commands(topics)
    add_notification_commands(topics)
    add_admin_commands(topics)
    add_dlq_commands(topics)
    add_doctor_command(topics)
    return parser
