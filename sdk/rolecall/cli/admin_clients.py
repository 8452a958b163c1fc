"""The operator's commands for service clients."""

import argparse
import json
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

from rolecall.cli.operators import (
    add_operator_options,
    confirm,
    content_of,
    operator_name,
    operator_of,
    say_done,
)
from rolecall.cli.output import OK, UsageError, say
from rolecall.cli.topics import Topics
from rolecall.client.admin import create_client
from rolecall.client.operator import AdminError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_ENDINGS = {
    "disable": ("POST", "/disable", "disabled", "disable a service client until it is enabled"),
    "enable": ("POST", "/enable", "enabled", "enable a service client"),
    "delete": ("DELETE", "", "deleted", "delete a service client for good"),
    "end-old-secret": ("DELETE", "/old-secret", "has one secret", "end the former secret now"),
}


def add_client_commands(admin: Topics) -> None:
    """Add the commands."""
    _add_create(admin)
    known = admin.add_parser("list-clients", help="list service clients")
    known.add_argument("--all", action="store_true", help="list deleted ones too")
    add_operator_options(known, service="identity")
    known.set_defaults(run=_list)
    rotate = admin.add_parser("rotate-client", help="give a service client another secret")
    rotate.add_argument("client", metavar="CLIENT", help="id of the client")
    rotate.add_argument(
        "--keep-old",
        metavar="TIME",
        default="0s",
        help="how long the former secret stays valid, such as 24h (default: not at all)",
    )
    rotate.add_argument(
        "--idempotency-key", help="with the same key, a repeat makes no second secret"
    )
    add_operator_options(rotate, service="identity", grave=True)
    rotate.set_defaults(run=_rotate)
    for name, (*_, text) in _ENDINGS.items():
        command = admin.add_parser(
            name if name == "end-old-secret" else f"{name}-client", help=text
        )
        command.add_argument("client", metavar="CLIENT", help="id of the client")
        add_operator_options(command, service="identity", grave=name in ("disable", "delete"))
        command.set_defaults(run=_change(name))


def _add_create(admin: Topics) -> None:
    client = admin.add_parser("create-client", help="create a service client")
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
    add_operator_options(client, service="identity")
    client.set_defaults(run=_create)


def _create(options: argparse.Namespace) -> int:
    operator = operator_of(options)
    client = create_client(
        url=operator.url,
        key=operator.key,
        name=options.name,
        scopes=tuple(options.scope),
        account_ids=tuple(options.account) or None,
        resource_types=tuple(options.resource_type) or None,
        idempotency_key=options.idempotency_key,
        operator_name=operator_name(options),
    )
    _say_secret(options, {"id": client.id, "secret": client.secret})
    return OK


def _list(options: argparse.Namespace) -> int:
    answer = operator_of(options).ask("GET", "service-clients")
    found = [
        client
        for client in content_of(answer).get("items", [])
        if options.all or client["status"] != "deleted"
    ]
    if options.json:
        say(json.dumps({"items": found}))
        return OK
    for client in found:
        old = client["old_secret_until"]
        secrets = "" if old is None else f"  former secret until {old}"
        accounts = client["account_ids"]
        bound = "every account" if accounts is None else f"{len(accounts)} accounts"
        scopes = " ".join(client["scopes"])
        say(f"{client['id']}  {client['status']:<8}  {client['name']}  {scopes}  {bound}{secrets}")
    return OK


def _rotate(options: argparse.Namespace) -> int:
    client, kept = options.client, duration(options.keep_old)
    operator = operator_of(options)
    if not kept:
        confirm(options, f"end the secret that the client {client} uses now", client)
    key = options.idempotency_key
    answer = operator.ask(
        "POST",
        f"service-clients/{quote(client, safe='')}/secret",
        {"keep_old_seconds": int(kept.total_seconds())},
        headers={} if key is None else {"Idempotency-Key": key},
    )
    made = content_of(answer)
    if made.get("secret") is None:
        raise AdminError(
            f"An earlier request with this key made a secret of {client}, and its answer showed"
            " it. If you do not have it, rotate again with a new key."
        )
    fields = {name: made[name] for name in ("id", "secret", "old_secret_until")}
    _say_secret(options, fields)
    return OK


def _change(name: str) -> Callable[[argparse.Namespace], int]:
    method, path, done, _ = _ENDINGS[name]

    def run(options: argparse.Namespace) -> int:
        client, operator = options.client, operator_of(options)
        if name in ("disable", "delete"):
            confirm(options, f"{name} the service client {client}", client)
        answer = operator.ask(method, f"service-clients/{quote(client, safe='')}{path}")
        say_done(options, answer, f"{client}: {done}")
        return OK

    return run


def _say_secret(options: argparse.Namespace, fields: dict[str, str | None]) -> None:
    if options.json:
        say(json.dumps(fields))
        return
    say(f"id      {fields['id']}\nsecret  {fields['secret']}\nThe secret is not shown again.")
    if fields.get("old_secret_until"):
        say(f"The former secret is valid until {fields['old_secret_until']}.")


def duration(text: str) -> timedelta:
    """Read a time such as `24h`, `30m` or `0s`.

    Raises:
        UsageError: it has another form.
    """
    found = re.fullmatch(r"(\d{1,7})([smhd])", text, re.ASCII)
    if found is None:
        raise UsageError(f"`{text}` is not a time. Write a number and s, m, h or d, such as 24h.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
