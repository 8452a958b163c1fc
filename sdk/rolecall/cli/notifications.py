"""The commands of a person for their notifications: list and read."""

import argparse
import json
from itertools import islice

from rolecall.cli.members import add_gateway_options, ask_at, content_of, gateway_url, items_at
from rolecall.cli.output import OK, UsageError, plain, report, say
from rolecall.cli.topics import Topics

PATH = "/v1/me/notifications"
MAX_IDS = 200
"""Of one request."""
_EXIT_CODES = (
    "Needs the access token of a session: an API token has no notifications. Exit codes: 0 done,"
    " 1 refused, 2 wrong usage or no answer."
)


def add_notification_commands(topics: Topics) -> None:
    """Add `rolecall notifications`."""
    topic = topics.add_parser("notifications", help="your notifications")
    topic.epilog = _EXIT_CODES
    commands = topic.add_subparsers(required=True)
    listed = commands.add_parser("list", help="list them, the newest first; * marks the unread")
    listed.add_argument("--account", help="only those about this account")
    listed.add_argument("--unread", action="store_true", help="only those that are unread")
    listed.add_argument("--limit", type=int, default=50, help="how many to show (default: 50)")
    read = commands.add_parser("read", help="mark notifications as read")
    read.add_argument("ids", metavar="ID", nargs="*", help="id of a notification, from `list`")
    read.add_argument("--up-to", metavar="ID", help="this one, and every older one")
    for command, run in ((listed, _list), (read, _read)):
        command.epilog = _EXIT_CODES
        add_gateway_options(command)
        command.add_argument("--json", action="store_true", help="print JSON, one a line")
        command.set_defaults(run=run)


def _list(options: argparse.Namespace) -> int:
    if options.limit < 1:
        raise UsageError("--limit must be at least 1.")
    query = {"account": options.account, "unread": "true" if options.unread else None}
    asked = {name: value for name, value in query.items() if value is not None}
    asked["limit"] = str(min(options.limit + 1, 200))
    found = list(islice(items_at(gateway_url(options) + PATH, **asked), options.limit + 1))
    for each in found[: options.limit]:
        mark = "*" if each["unread"] else " "
        line = plain(f"{mark} {each['created_at']}  {each['id']}  {each['title']}")
        say(json.dumps(each) if options.json else line)
    if not found:
        report("There is no notification.")
    if len(found) > options.limit:
        report("There are more. Pass a larger --limit.")
    return OK


def _read(options: argparse.Namespace) -> int:
    if bool(options.ids) == (options.up_to is not None):
        raise UsageError("Pass ids of notifications, or --up-to with one id.")
    if len(options.ids) > MAX_IDS:
        raise UsageError(f"Pass {MAX_IDS} ids at most, or --up-to with one id.")
    body = {"up_to": options.up_to} if options.up_to is not None else {"ids": options.ids}
    left = content_of(ask_at(f"{gateway_url(options)}{PATH}/read", "POST", body))
    unread = left.get("unread", 0)
    told = "100 or more" if unread == 100 else str(unread)
    say(json.dumps(left) if options.json else f"{told} unread")
    return OK
