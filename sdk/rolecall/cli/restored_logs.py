"""The operator's commands for logs that do not continue their last checkpoints after a restore."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rolecall.cli.operators import (
    add_operator_options,
    confirm,
    content_of,
    operator_of,
    say_done,
)
from rolecall.cli.output import OK, say
from rolecall.client.operator import OperatorRequests

if TYPE_CHECKING:
    from rolecall.cli.topics import Topics

PATH = "inconsistent-logs"


def add_restored_log_commands(commands: "Topics") -> None:
    """Add `rolecall audit inconsistent` and `rolecall audit accept-restore`."""
    inconsistent = commands.add_parser(
        "inconsistent", help="list logs that do not continue their last checkpoints, for operators"
    )
    add_operator_options(inconsistent, service="audit")
    inconsistent.set_defaults(run=_list)
    accept = commands.add_parser(
        "accept-restore", help="let a log go on from the state that you restored, for operators"
    )
    accept.add_argument("log", metavar="LOG", help="id from `inconsistent`; `all` for every one")
    accept.epilog = "All later checkpoints of the log name the last one from before the restore."
    add_operator_options(accept, service="audit", grave=True)
    accept.set_defaults(run=_accept)


def _list(options: argparse.Namespace) -> int:
    for log in _logs(operator_of(options)):
        say(json.dumps(log) if options.json else f"{log['id']}  {log['size']} records")
    return OK


def _accept(options: argparse.Namespace) -> int:
    operator, log = operator_of(options), options.log
    confirm(options, f"let {log} go on from a restored state, which all its readers see", log)
    for each in [one["id"] for one in _logs(operator)] if log == "all" else [log]:
        path = f"{PATH}/{quote(each, safe='')}/accept"
        answer = operator.ask("POST", path, about=f"log {each}")
        say_done(options, answer, f"{each}: accepted")
    return OK


def _logs(operator: OperatorRequests) -> Iterator[Mapping[str, Any]]:
    cursor: str | None = None
    while True:
        query = "?limit=200" + (f"&cursor={quote(cursor)}" if cursor else "")
        page = content_of(operator.ask("GET", PATH + query))
        yield from page.get("items", [])
        cursor = page.get("next_cursor")
        if cursor is None:
            return
