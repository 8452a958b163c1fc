"""The commands for operators."""

import argparse
import json
import os

from rolecall.cli.output import OK, UsageError, say
from rolecall.cli.topics import Topics
from rolecall.client.admin import create_client, set_suspension

KEY_HELP = "the admin key (default: ROLECALL_ADMIN_KEY); --key=KEY if it begins with a hyphen"


def add_admin_commands(topics: Topics) -> None:
    """Add `rolecall admin`."""
    admin = topics.add_parser("admin", help="commands for operators").add_subparsers(required=True)
    client = admin.add_parser("create-client", help="create a service client")
    client.add_argument("--url", required=True, help="internal address of identity")
    client.add_argument("--key", help=KEY_HELP)
    client.add_argument("--name", required=True, help="name of the client")
    client.add_argument(
        "--scope", action="append", default=[], help="scope of the client; can be repeated"
    )
    client.add_argument(
        "--account",
        action="append",
        default=[],
        help="account to bind it to; can be repeated; without it the client reaches every account",
    )
    client.add_argument(
        "--resource-type",
        action="append",
        default=[],
        help="type to bind it to; can be repeated; without it the client reaches every type",
    )
    client.add_argument(
        "--idempotency-key", help="with the same key, a repeat creates no second client"
    )
    client.add_argument("--json", action="store_true", help="print one JSON object")
    client.set_defaults(run=_create_client)
    suspend = admin.add_parser("suspend-account", help="deny everything in an account")
    suspend.add_argument("--reason", required=True, help="text for the owner, who gets it by mail")
    resume = admin.add_parser("resume-account", help="end the suspension of an account")
    resume.set_defaults(reason=None)
    for command in suspend, resume:
        command.add_argument("account", metavar="ACCOUNT", help="id of the account")
        command.add_argument("--url", required=True, help="internal address of team")
        command.add_argument("--key", help=KEY_HELP)
        command.set_defaults(run=_set_suspension)


def admin_key(options: argparse.Namespace) -> str:
    """The key that was passed, or the one of the environment.

    Raises:
        UsageError: there is neither.
    """
    key: str = options.key or os.environ.get("ROLECALL_ADMIN_KEY", "")
    if not key:
        raise UsageError("The admin key is missing. Pass --key, or set ROLECALL_ADMIN_KEY.")
    return key


def _create_client(options: argparse.Namespace) -> int:
    client = create_client(
        url=options.url,
        key=admin_key(options),
        name=options.name,
        scopes=tuple(options.scope),
        account_ids=tuple(options.account) or None,
        resource_types=tuple(options.resource_type) or None,
        idempotency_key=options.idempotency_key,
    )
    if options.json:
        say(json.dumps({"id": client.id, "secret": client.secret}))
    else:
        say(f"id      {client.id}\nsecret  {client.secret}\nThe secret is not shown again.")
    return OK


def _set_suspension(options: argparse.Namespace) -> int:
    account, reason = options.account, options.reason
    key = admin_key(options)
    everywhere = set_suspension(url=options.url, key=key, account_id=account, reason=reason)
    done = f"{account}: {'resumed' if reason is None else 'suspended'}"
    say(done if everywhere else f"{done}. A replica may not have it yet; repeat the command.")
    return OK
