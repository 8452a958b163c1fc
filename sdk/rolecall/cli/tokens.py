"""The commands of a member for their API tokens: create, list, show, revoke."""

import argparse
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rolecall.cli.admin_clients import duration
from rolecall.cli.operators import say_fields
from rolecall.cli.output import OK, UsageError, report, say
from rolecall.cli.topics import Topics
from rolecall.client.operator import AdminError
from rolecall.client.transport import HttpAnswer, UnreachableError, send, usable_address

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
    command.add_argument(
        "--url", default=os.environ.get("ROLECALL_URL"), help="address (default: ROLECALL_URL)"
    )
    command.add_argument("--account", required=True, help="id of the account")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument(
        "--allow-http", action="store_true", help="send the token without encryption"
    )


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
    made = _content(_ask(options, "POST", "", body, headers=headers))
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
        page = _content(_ask(options, "GET", query))
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
    found = _content(_ask(options, "GET", f"/{quote(options.id, safe='')}"))
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
    if not options.url:
        raise UsageError("The address is missing. Pass --url, or set ROLECALL_URL.")
    try:
        url = usable_address(options.url, allow_http=options.allow_http)
    except ValueError as error:
        raise UsageError(str(error).replace("allow_http=True", "--allow-http")) from error
    sent = {"Authorization": f"Bearer {_caller_token()}", "Content-Type": "application/json"}
    try:
        answer = send(
            method,
            f"{url}/v1/accounts/{quote(options.account, safe='')}/api-tokens{path}",
            body=None if body is None else json.dumps(body).encode(),
            headers={**sent, **(headers or {})},
            timeout=10.0,
        )
    except UnreachableError as error:
        raise AdminError(str(error), unreachable=True) from error
    if answer.status >= 300:
        raise AdminError(answer.refusal(), unreachable=answer.status >= 500)
    return answer


def _caller_token() -> str:
    """The access token or API token of the caller; other users of a machine can see options."""
    token, file = os.environ.get("ROLECALL_TOKEN", ""), os.environ.get("ROLECALL_TOKEN_FILE")
    if not token and file:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"ROLECALL_TOKEN_FILE: {file} cannot be read.") from error
    if not token:
        raise UsageError("Your token is missing. Set ROLECALL_TOKEN, or ROLECALL_TOKEN_FILE.")
    return token


def _content(answer: HttpAnswer) -> Mapping[str, Any]:
    return answer.content if isinstance(answer.content, dict) else {}
