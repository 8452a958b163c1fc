"""What every command of an operator has: the key, the address, the name, and a confirmation."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rolecall.cli.output import UsageError, say
from rolecall.client.operator import EFFECTIVE_LATER, OperatorRequests
from rolecall.client.transport import HttpAnswer

KEY_HELP = (
    "the admin key (default: ROLECALL_ADMIN_KEY, or the content of the file that"
    " ROLECALL_ADMIN_KEY_FILE names); --key=KEY if it begins with a hyphen"
)
_LATER = "A replica may not have it yet; repeat the command."


def internal_url_variable(service: str) -> str:
    """Return the environment variable with the internal address of a service."""
    return f"ROLECALL_{service.upper()}_INTERNAL_URL"


def add_operator_options(
    command: argparse.ArgumentParser, *, service: str | None, grave: bool = False
) -> None:
    """Add the options of a request to the internal port of this service.

    Without `service` an argument of the command names it.
    """
    variable = internal_url_variable(service or "service")
    command.add_argument(
        "--url",
        default=None if service is None else os.environ.get(variable),
        help=f"internal address of {service or 'the service'} (default: {variable})",
    )
    command.add_argument("--key", help=KEY_HELP)
    command.add_argument(
        "--as",
        dest="operator_name",
        metavar="NAME",
        default=os.environ.get("ROLECALL_OPERATOR"),
        help="your name in the audit log (default: ROLECALL_OPERATOR, or that of your login)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    if grave:
        command.add_argument("--yes", action="store_true", help="do not ask for a confirmation")
    if service is not None:
        command.set_defaults(service=service)


def admin_key(options: argparse.Namespace) -> str:
    """The key that was passed, or the one of the environment.

    Raises:
        UsageError: there is neither.
    """
    key: str = options.key or os.environ.get("ROLECALL_ADMIN_KEY", "")
    file = os.environ.get("ROLECALL_ADMIN_KEY_FILE")
    if not key and file:
        try:
            key = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"ROLECALL_ADMIN_KEY_FILE: {file} cannot be read.") from error
    if not key:
        raise UsageError("The admin key is missing. Pass --key, or set ROLECALL_ADMIN_KEY.")
    return key


def operator_of(options: argparse.Namespace) -> OperatorRequests:
    """The operator whom the options describe.

    Raises:
        UsageError: the address or the key is missing.
    """
    if not options.url:
        variable = internal_url_variable(options.service)
        raise UsageError(f"The address is missing. Pass --url, or set {variable}.")
    return OperatorRequests(
        options.url, admin_key(options), service=options.service, name=operator_name(options)
    )


def operator_name(options: argparse.Namespace) -> str | None:
    """The name for the audit log, if there is one."""
    if options.operator_name:
        return str(options.operator_name)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return None


def confirm(options: argparse.Namespace, what: str, typed: str) -> None:
    """Let the operator type the id of what is about to end, unless `--yes` was passed.

    Raises:
        UsageError: another text was typed, or no one can type.
    """
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"This will {what}. Pass --yes to do it without a question.")
    sys.stderr.write(f"This will {what}.\nType {typed} to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != typed:
        raise UsageError("Not confirmed. Nothing was changed.")


def say_done(options: argparse.Namespace, answer: HttpAnswer, done: str) -> None:
    """Say what was done, or print the answer as JSON."""
    later = answer.status == EFFECTIVE_LATER
    if options.json:
        say(json.dumps({**content_of(answer), "effective": not later}))
    else:
        say(f"{done}. {_LATER}" if later else done)


def content_of(answer: HttpAnswer) -> Mapping[str, Any]:
    """The object that was answered."""
    return answer.content if isinstance(answer.content, dict) else {}


def say_fields(fields: Mapping[str, object]) -> None:
    """Print names and values in two columns; what is absent is a hyphen."""
    width = max(map(len, fields))
    for name, value in fields.items():
        say(f"{name:<{width}}  {_shown(value)}")


def _shown(value: object) -> str:
    if value is None or value == []:
        return "-"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
