"""The operator's commands for accounts: show, suspend and resume."""

import argparse
import json
from urllib.parse import quote

from rolecall.cli.operators import (
    add_operator_options,
    confirm,
    content_of,
    operator_name,
    operator_of,
    say_fields,
)
from rolecall.cli.output import OK, say
from rolecall.cli.topics import Topics
from rolecall.client.admin import set_suspension

_SHOWN = (
    *("id", "name", "kind", "status", "reason", "catalog", "owner_user_id", "members"),
    *("created_at", "deletes_at"),
)


def add_account_commands(admin: Topics) -> None:
    """Add the commands."""
    show = admin.add_parser("show-account", help="show an account, its owner and its status")
    show.add_argument("account", metavar="ACCOUNT", help="id of the account")
    add_operator_options(show, service="team")
    show.set_defaults(run=_show)
    suspend = admin.add_parser("suspend-account", help="deny everything in an account")
    suspend.add_argument("--reason", required=True, help="text for the owner, who gets it by mail")
    resume = admin.add_parser("resume-account", help="end the suspension of an account")
    resume.set_defaults(reason=None)
    for command in suspend, resume:
        command.add_argument("account", metavar="ACCOUNT", help="id of the account")
        add_operator_options(command, service="team", grave=command is suspend)
        command.set_defaults(run=_set_suspension)


def _show(options: argparse.Namespace) -> int:
    answer = operator_of(options).ask("GET", f"accounts/{quote(options.account, safe='')}")
    account = content_of(answer)
    if options.json:
        say(json.dumps(account))
    else:
        say_fields({name: account.get(name) for name in _SHOWN})
    return OK


def _set_suspension(options: argparse.Namespace) -> int:
    account, reason = options.account, options.reason
    operator = operator_of(options)
    if reason is not None:
        confirm(options, f"deny every check in the account {account}", account)
    everywhere = set_suspension(
        url=operator.url,
        key=operator.key,
        account_id=account,
        reason=reason,
        operator_name=operator_name(options),
    )
    status = "active" if reason is None else "suspended"
    if options.json:
        say(json.dumps({"id": account, "status": status, "effective": everywhere}))
        return OK
    done = f"{account}: {'resumed' if reason is None else 'suspended'}"
    say(done if everywhere else f"{done}. A replica may not have it yet; repeat the command.")
    return OK
