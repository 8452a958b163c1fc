"""The commands of a member for their API tokens: create, list, show, revoke."""

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from rolecall.cli.admin_clients import duration
from rolecall.cli.members import add_member_options, ask, content_of
from rolecall.cli.operators import say_fields
from rolecall.cli.output import OK, UsageError, report, say
from rolecall.cli.topics import Topics
from rolecall.client.operator import AdminError
from rolecall.client.transport import HttpAnswer

_SHOWN = ("id", "name", "status", "created_at", "expires_at", "last_used_at", "user_id")


def add_token_commands(topics: Topics) -> None:
    """Add `rolecall token`."""
    token = topics.add_parser("token", help="API tokens of an account")
    token.epilog = "Exit codes: 0 done, 1 refused, 2 wrong usage or no answer."
    commands = token.add_subparsers(required=True)
    create = commands.add_parser("create", help="make an API token; the output is its secret alone")
    create.add_argument("--name", required=True, help="name of the token")
    create.add_argument("--expires-in", metavar="TIME", help="such as 30d (default: 90 days)")
    create.add_argument("--project", action="append", default=[], help="only in this project")
    create.add_argument(
        "--grant", action="append", default=[], metavar="ENTRY:LEVEL", help="only this level"
    )
    create.add_argument("--read-only", action="store_true", help="only levels that read")
    create.add_argument("--idempotency-key", help="with the same key, a repeat makes no second one")
    listed = commands.add_parser("list", help="list API tokens, the newest first")
    shown = commands.add_parser("show", help="show an API token")
    revoke = commands.add_parser("revoke", help="revoke an API token: it works nowhere any more")
    for command in shown, revoke:
        command.add_argument("id", metavar="TOKEN", help="id of the API token")
    runs = {create: _create, listed: _list, shown: _show, revoke: _revoke}
    for command, run in runs.items():
        _add_options(command)
        command.set_defaults(run=run)


def _add_options(command: argparse.ArgumentParser) -> None:
    add_member_options(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _create(options: argparse.Namespace) -> int:
    grants: dict[str, list[str]] = {}
    for grant in options.grant:
        entry, colon, level = grant.partition(":")
        if not (entry and colon and level):
            raise UsageError(f"`{grant}` is not a grant. Write entry:level, such as instance:view.")
        grants.setdefault(entry, []).append(level)
    body: dict[str, Any] = {
        "name": options.name,
        "restriction": {
            "projects": options.project or None,
            "grants": grants or None,
            "read_only": options.read_only,
        },
    }
    if options.expires_in is not None:
        end = datetime.now(UTC) + duration(options.expires_in)
        body["expires_at"] = end.isoformat(timespec="seconds").replace("+00:00", "Z")
    key = options.idempotency_key
    headers = {} if key is None else {"Idempotency-Key": key}
    made = content_of(_ask(options, "POST", "", body, headers=headers))
    if made.get("secret") is None:
        raise AdminError(
            f"An earlier request with this key made the token {made.get('id')}, and its answer"
            " showed the secret. If you do not have it, revoke that one and make another."
        )
    if options.json:
        say(json.dumps(made))
        return OK
    say(str(made["secret"]))
    report(f"{made['id']} expires at {made['expires_at']}. The secret is not shown again.")
    return OK


def _list(options: argparse.Namespace) -> int:
    found: list[Mapping[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=100&cursor={quote(cursor, safe='')}" if cursor else "?limit=100"
        page = content_of(_ask(options, "GET", query))
        found += page.get("items", [])
        cursor = page.get("next_cursor")
    if options.json:
        say(json.dumps({"items": found}))
        return OK
    for one in found:
        used, end = one["last_used_at"] or "never", one["expires_at"]
        say(f"{one['id']}  {one['status']:<7}  until {end}  used {used}  {one['name']}")
    return OK


def _show(options: argparse.Namespace) -> int:
    found = content_of(_ask(options, "GET", f"/{quote(options.id, safe='')}"))
    if options.json:
        say(json.dumps(found))
    else:
        restriction = json.dumps(found.get("restriction"))
        say_fields({**{name: found.get(name) for name in _SHOWN}, "restriction": restriction})
    return OK


def _revoke(options: argparse.Namespace) -> int:
    _ask(options, "DELETE", f"/{quote(options.id, safe='')}")
    say(json.dumps({"id": options.id}) if options.json else f"{options.id}: revoked")
    return OK


def _ask(
    options: argparse.Namespace,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    return ask(options, method, f"api-tokens{path}", body, headers=headers)
