"""The operator's commands for the keys that sign access tokens: list, rotate, revoke."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from rolecall.cli.operators import (
    add_operator_options,
    confirm,
    content_of,
    operator_of,
    say_done,
)
from rolecall.cli.output import OK, UsageError, say
from rolecall.cli.topics import Topics

ALL = "all"


def add_key_commands(admin: Topics) -> None:
    """Add the commands."""
    known = admin.add_parser("list-keys", help="list the keys that sign access tokens")
    add_operator_options(known, service="identity")
    known.set_defaults(run=_list)
    rotate = admin.add_parser(
        "rotate-keys", help="let the next key sign; tokens of the former one stay valid"
    )
    add_operator_options(rotate, service="identity")
    rotate.set_defaults(run=_rotate)
    revoke = admin.add_parser(
        "revoke-key", help="refuse the access tokens of a stolen key at once, in every service"
    )
    revoke.add_argument("key_id", metavar="KEY", nargs="?", help="id of the key")
    revoke.add_argument("--all", action="store_true", help="every key: all access tokens end")
    add_operator_options(revoke, service="identity", grave=True)
    revoke.set_defaults(run=_revoke)


def _list(options: argparse.Namespace) -> int:
    _say_keys(options, content_of(operator_of(options).ask("GET", "signing-keys")))
    return OK


def _rotate(options: argparse.Namespace) -> int:
    answer = operator_of(options).ask("POST", "signing-keys/rotate")
    _say_keys(options, content_of(answer))
    return OK


def _revoke(options: argparse.Namespace) -> int:
    key_id: str | None = options.key_id
    if (key_id is None) is not options.all:
        raise UsageError("Name one key, or pass --all. `rolecall admin list-keys` shows them.")
    operator, named = operator_of(options), key_id or ALL
    what = "every access token" if key_id is None else f"every access token of the key {key_id}"
    confirm(options, f"end {what}", named)
    answer = operator.ask("POST", "signing-keys/revoke", {"kid": key_id})
    say_done(options, answer, f"{named}: revoked")
    return OK


def _say_keys(options: argparse.Namespace, answer: Mapping[str, Any]) -> None:
    if options.json:
        say(json.dumps(answer))
        return
    for key in answer.get("items", []):
        published = "published" if key["published"] else "not published"
        say(f"{key['kid']}  {key['state']:<8}  since {key['since']}  {published}")
