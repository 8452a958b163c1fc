"""The operator's command for a database that was restored from a backup."""

import argparse
import os
from importlib import import_module
from importlib.util import find_spec

from rolecall.cli.operators import confirm, operator_name
from rolecall.cli.output import UsageError
from rolecall.cli.topics import Topics

SERVICES = ("identity", "team", "notification", "audit")
PROGRAM = "deploy.after_restore"
"""The program of the services that works in their database. The SDK does not depend on it."""


def add_restore_commands(admin: Topics) -> None:
    """Add the command."""
    restored = admin.add_parser(
        "after-restore",
        help="begin a new epoch in a database that was restored, while all services are stopped",
    )
    restored.add_argument("service", choices=SERVICES, help="the service whose database it is")
    restored.add_argument(
        "--mongo-url", help="address of MongoDB (default: ROLECALL_<SERVICE>_MONGO_URL)"
    )
    restored.add_argument(
        "--database",
        help="its name (default: ROLECALL_<SERVICE>_MONGO_DATABASE, or rolecall_<service>)",
    )
    restored.add_argument("--reason", help="why it was restored, for the audit log")
    restored.add_argument(
        "--grace-days",
        metavar="DAYS",
        help="of team: the days in which deleted accounts can be restored from now on, as in"
        " ROLECALL_TEAM_DELETION_GRACE_DAYS",
    )
    restored.add_argument(
        "--as",
        dest="operator_name",
        metavar="NAME",
        default=os.environ.get("ROLECALL_OPERATOR"),
        help="your name in the audit log (default: ROLECALL_OPERATOR, or that of your login)",
    )
    restored.add_argument("--yes", action="store_true", help="do not ask for a confirmation")
    restored.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    variable = f"ROLECALL_{options.service.upper()}_MONGO"
    url = options.mongo_url or os.environ.get(f"{variable}_URL")
    if not url:
        raise UsageError(f"The address is missing. Pass --mongo-url, or set {variable}_URL.")
    name = (
        options.database or os.environ.get(f"{variable}_DATABASE") or f"rolecall_{options.service}"
    )
    if not _installed():
        raise UsageError(
            "The services are not installed here. Run this command where they are, such as in a"
            " container of their image."
        )
    confirm(options, f"begin a new epoch in {name}, for which all services must be stopped", name)
    grace = options.grace_days or os.environ.get("ROLECALL_TEAM_DELETION_GRACE_DAYS")
    given = {
        "--as": operator_name(options),
        "--reason": options.reason,
        "--grace-days": grace,
    }
    words = [f"{option}={value}" for option, value in given.items() if value]
    status: int = import_module(PROGRAM).main([url, name, *words])
    return status


def _installed() -> bool:
    try:
        return find_spec(PROGRAM) is not None
    except ModuleNotFoundError:
        return False
