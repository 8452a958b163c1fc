"""The command that checks a permission."""

import argparse
import os
import re

from rolecall.cli.output import INVALID, OK, USAGE, UsageError, report, say
from rolecall.cli.topics import Topics
from rolecall.client.checks import RolecallClient, UndecidedError
from rolecall.core.table import PERMISSION_PATTERN


def add_check_command(topics: Topics) -> None:
    """Add `rolecall check`."""
    permission = topics.add_parser("check", help="check whether a user has a permission")
    permission.add_argument("user", help="id of the user")
    permission.add_argument("permission", help="the permission, such as instance:write")
    permission.add_argument("--url", required=True, help="address of the gateway")
    permission.add_argument("--client-id", required=True, help="id of a service client")
    permission.add_argument(
        "--client-secret", help="secret of the client (default: ROLECALL_CLIENT_SECRET)"
    )
    permission.add_argument("--account", help="account of the resource")
    permission.add_argument("--project", help="project of the resource")
    permission.add_argument("--resource", help="id of the resource")
    permission.add_argument("--owner", help="id of the user who owns the resource")
    permission.add_argument("--at-least-revision", help="revision that the answer must rest on")
    permission.add_argument(
        "--allow-http", action="store_true", help="send the secret without encryption"
    )
    permission.set_defaults(run=_check_permission)


def _check_permission(options: argparse.Namespace) -> int:
    secret = options.client_secret or os.environ.get("ROLECALL_CLIENT_SECRET")
    if not secret:
        raise UsageError(
            "The client's secret is missing. Pass --client-secret, or set ROLECALL_CLIENT_SECRET."
        )
    if re.fullmatch(PERMISSION_PATTERN, options.permission) is None:
        raise UsageError("A permission has the form `type:action`, such as `instance:write`.")
    try:
        client = RolecallClient(
            options.url, options.client_id, secret, allow_http=options.allow_http
        )
        decision = client.check(
            options.user,
            options.permission,
            account_id=options.account,
            project_id=options.project,
            resource_id=options.resource,
            owner_id=options.owner,
            at_least_revision=options.at_least_revision,
        )
    except (ValueError, UndecidedError) as error:
        text = str(error).replace("allow_http=True", "--allow-http")
        report(f"Not decided: {text}")
        return USAGE
    decided_by = [
        f"{kind} {name}"
        for kind, name in (("role", decision.role), ("override", decision.override))
        if name
    ]
    verdict = "allowed" if decision.allowed else f"denied ({decision.reason})"
    say(" by ".join([verdict, *decided_by]))
    if not options.account and not decision.allowed:
        report("No account was named. Pass the account of the resource with --account.")
    return OK if decision.allowed else INVALID
